package diameter

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
)

// Reach returns the hosts that are connected and take requests, and the realms that agents among them lead to, in lower case.
func (s *Server) Reach() (hosts, realms []string) {
	for host, c := range s.peers.reachable() {
		hosts = append(hosts, host)
		for _, realm := range c.leadsTo() {
			realms = append(realms, strings.ToLower(realm))
		}
	}
	return hosts, realms
}

// Summon sends a copy of a summons: a RAR (RFC 8506 §5.5) or an ASR (RFC 6733 §8.5.1). Its routes are, best first, the
// client's own connections, those of the peer that brought its last request, and those of agents for its realm; every copy
// takes the next one. replied is called once, or never when no answer comes.
func (s *Server) Summon(call ocs.Summons, replied func(ocs.SummonsReply)) {
	routes := s.routesTo(call.Origin)
	if len(routes) == 0 {
		replied(ocs.Undelivered)
		return
	}
	c := routes[max(call.Sent-1, 0)%len(routes)]
	command := uint32(diam.ReAuth)
	if call.Kind == ocs.Abort {
		command = diam.AbortSession
	}
	var once sync.Once
	answered := func(answer frame) {
		once.Do(func() {
			reply := replyIn(answer)
			s.telemetry.summoned(command, reply)
			replied(reply)
		})
	}
	hopByHop := c.expect(command, answered)
	c.send(s.id.appendSummons(nil, call, hopByHop), false)
	if c.isClosed() { // perhaps before expect noted it, and then nobody else will say so
		answered(nil)
	}
}

// routesTo returns the connections that lead to a client.
func (s *Server) routesTo(client ocs.Origin) (routes []*connection) {
	routes = append(routes, s.peers.connections(client.Host)...)
	if !strings.EqualFold(client.Peer, client.Host) {
		routes = append(routes, s.peers.connections(client.Peer)...)
	}
	for _, c := range s.peers.reachable() {
		if !slices.Contains(routes, c) && slices.ContainsFunc(c.leadsTo(), func(realm string) bool { return strings.EqualFold(realm, client.Realm) }) {
			routes = append(routes, c)
		}
	}
	return routes
}

// appendSummons appends the request, with its AVPs in the order of RFC 8506 §5.5 and RFC 6733 §8.5.1.
func (id identity) appendSummons(dst []byte, call ocs.Summons, hopByHop uint32) []byte {
	command, flags := uint32(diam.ReAuth), byte(diam.RequestFlag|diam.ProxiableFlag)
	if call.Kind == ocs.Abort {
		command = diam.AbortSession
	}
	if call.Sent > 1 {
		flags |= diam.RetransmittedFlag
	}
	dst, start := beginMessage(dst, flags, command, creditControl, hopByHop, call.EndToEnd)
	dst = appendText(dst, avp.SessionID, 0, mandatory, call.Session.ID)
	dst = id.appendOrigin(dst)
	dst = appendText(dst, avp.DestinationRealm, 0, mandatory, call.Origin.Realm)
	dst = appendText(dst, avp.DestinationHost, 0, mandatory, call.Origin.Host)
	dst = append(dst, applicationAVP...)
	if command == diam.ReAuth {
		dst = appendUint32(dst, avp.ReAuthRequestType, 0, mandatory, 0) // AUTHORIZE_ONLY
	}
	dst = id.appendStateID(dst)
	if sub, err := strconv.ParseUint(call.Session.Sub, 10, 64); err == nil {
		dst = appendUint64(dst, avp.CCSubSessionID, 0, mandatory, sub)
	}
	if command == diam.ReAuth {
		for _, selector := range []struct {
			code  uint32
			value *uint32
		}{
			{avp.GSUPoolIdentifier, call.Part.Pool}, {avp.ServiceIdentifier, call.Part.ServiceID}, {avp.RatingGroup, call.Part.RatingGroup},
		} {
			if selector.value != nil {
				dst = appendUint32(dst, selector.code, 0, mandatory, *selector.value)
			}
		}
	}
	return endMessage(dst, start)
}

// replyIn reads an answer to a summons; nil: the connection was lost before it came.
func replyIn(answer frame) ocs.SummonsReply {
	if answer == nil {
		return ocs.Undelivered
	}
	var code uint32
	for a := range answer.avps() {
		switch {
		case a.is(avp.ResultCode):
			code = a.unsigned32()
		case a.is(avp.ExperimentalResult):
			for inner := range rawAVPs(a.data) {
				if inner.is(avp.ExperimentalResultCode) && code == 0 {
					code = inner.unsigned32()
				}
			}
		}
	}
	switch code {
	case codeSuccess:
		return ocs.Obeyed
	case 2002: // LIMITED_SUCCESS, RFC 6733 §7.1.2
		return ocs.WillFollow
	case 5002: // UNKNOWN_SESSION_ID, §7.1.5
		return ocs.NotKnown
	case codeUnableToDeliver, codeTooBusy:
		return ocs.Undelivered
	}
	return ocs.Declined
}

// leadsTo returns the realms that the peer is an agent for.
func (c *connection) leadsTo() []string {
	peer, _ := c.server.peers.find(c.peerHost())
	return peer.Realms
}

// takesRequests reports whether a request of ours may be sent there: the CEA has left, the peer is not suspect (RFC 3539
// §3.4.1) and takes no leave (RFC 6733 §5.4).
func (c *connection) takesRequests() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome && c.drained == nil && !c.suspect.Load()
}

func (c *connection) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// connections returns those of host that take requests, the youngest first: an older one may be dead already.
func (t *peerTable) connections(host string) (open []*connection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range slices.Backward(t.open[strings.ToLower(host)]) {
		if c.takesRequests() {
			open = append(open, c)
		}
	}
	return open
}

// reachable yields every connection that takes requests, with its host in lower case.
func (t *peerTable) reachable() func(yield func(string, *connection) bool) {
	t.mu.Lock()
	type entry struct {
		host string
		c    *connection
	}
	var all []entry
	for host, open := range t.open {
		for _, c := range open {
			if c.takesRequests() {
				all = append(all, entry{host, c})
			}
		}
	}
	t.mu.Unlock()
	return func(yield func(string, *connection) bool) {
		for _, e := range all {
			if !yield(e.host, e.c) {
				return
			}
		}
	}
}
