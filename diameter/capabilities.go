package diameter

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

const (
	relay         = 0xFFFFFFFF // Application-Id of an agent that passes everything on (RFC 6733 §2.4)
	inbandTLS     = 1          // Inband-Security-Id
	noInband      = 0
	longestDomain = 255 // octets of a DiameterIdentity, which is a host name
)

// capabilities are what a CER says (RFC 6733 §5.3.1).
type capabilities struct {
	host, realm string
	stateID     uint32 // Origin-State-Id; 0: absent
	common      bool   // it offers application 4, or relays
	security    []uint32
}

// readCER reads a CER that the guard let pass. Of several faults the one that stands first in spec/gy 1.3 and 1.5 is
// reported.
func readCER(f frame) (capabilities, *refusal) {
	var c capabilities
	var forbidden, repeated, undefined *refusal
	seen := make(map[uint32]bool)
	for a := range f.avps() {
		if a.vendor != 0 {
			continue
		}
		switch a.code {
		case avp.DestinationHost, avp.DestinationRealm:
			forbidden = firstOf(forbidden, codeAVPNotAllowed, a, "a CER has no destination")
		case avp.OriginHost, avp.OriginRealm, avp.VendorID, avp.ProductName, avp.OriginStateID, avp.FirmwareRevision:
			if seen[a.code] {
				repeated = firstOf(repeated, codeAVPTooOften, a, "an AVP occurs too often")
			}
		}
		seen[a.code] = true
		switch a.code {
		case avp.OriginHost:
			c.host = string(a.data)
		case avp.OriginRealm:
			c.realm = string(a.data)
		case avp.OriginStateID:
			c.stateID = a.unsigned32()
		case avp.InbandSecurityID:
			c.security = append(c.security, a.unsigned32())
		}
		if (a.code == avp.OriginHost || a.code == avp.OriginRealm) && !isDomain(a.data) {
			undefined = firstOf(undefined, codeInvalidAVPValue, a, "not a domain name")
		}
		c.common = c.common || offersCreditControl(a)
	}
	if f.flags()&diam.ProxiableFlag != 0 {
		return c, &refusal{code: codeInvalidHeaderBits, text: "the P bit is set in a CER"}
	}
	for _, required := range requiredInCER {
		if !seen[required.code] {
			return c, &refusal{code: codeMissingAVP, failed: required.example(), text: "a required AVP is missing"}
		}
	}
	for _, r := range []*refusal{repeated, forbidden, undefined} {
		if r != nil {
			return c, r
		}
	}
	return c, nil
}

// firstOf returns earlier, or else a refusal that blames a.
func firstOf(earlier *refusal, code uint32, a rawAVP, text string) *refusal {
	if earlier != nil {
		return earlier
	}
	return &refusal{code: code, failed: slices.Clone(a.whole), text: text}
}

// A requiredAVP must be in a message; its smallest value is the example for Failed-AVP (RFC 6733 §7.5).
type requiredAVP struct {
	code  uint32
	flags byte
	least []byte
}

func (r requiredAVP) example() []byte { return appendAVP(nil, r.code, 0, r.flags, r.least) }

var requiredInCER = []requiredAVP{
	{avp.OriginHost, mandatory, nil},
	{avp.OriginRealm, mandatory, nil},
	{avp.HostIPAddress, mandatory, []byte{0, 1, 0, 0, 0, 0}},
	{avp.VendorID, mandatory, make([]byte, 4)},
	{avp.ProductName, 0, nil},
}

// offersCreditControl reports whether a advertises application 4, plain or of a vendor, whatever vendor, or relaying.
func offersCreditControl(a rawAVP) bool {
	switch a.code {
	case avp.AuthApplicationID:
		id := a.unsigned32()
		return id == creditControl || id == relay
	case avp.VendorSpecificApplicationID:
		for inner := range rawAVPs(a.data) {
			if inner.is(avp.AuthApplicationID) && offersCreditControl(inner) {
				return true
			}
		}
	}
	return false
}

// isDomain reports whether b can be a host name as it is written in log lines and compared with certificates.
func isDomain(b []byte) bool {
	return len(b) > 0 && len(b) <= longestDomain && !slices.ContainsFunc(b, func(c byte) bool { return c <= ' ' || c > '~' })
}

// serveCER answers a CER and opens the connection, or closes it (spec/gy 1.2, 1.3).
func (c *connection) serveCER(f frame) {
	said, r := readCER(f)
	if r == nil && c.opened() {
		c.serveAgain(f, said)
		return
	}
	var peer Peer
	if r == nil {
		peer, r = c.judge(said)
	}
	if r != nil {
		c.log("CER refused", "result", r.code, "reason", r.text)
		c.refuse(f, r)
		return
	}
	c.name(said.host)
	c.peer = peer
	c.peer.Name = said.host
	if inTheWay := c.server.peers.join(c, said.host, peer); len(inTheWay) > 0 {
		c.log("CER refused", "reason", "the peer has as many connections as it may")
		for _, other := range inTheWay {
			other.probe() // it may be dead; then the peer's next try succeeds
		}
		c.dropped(dropSecondConnection)
		_ = c.Close() // RFC 6733 §5.6.3, R-Reject: the transport goes, without a CEA
		return
	}
	c.restricted = len(peer.Contexts) > 0
	c.becomeOpen(said)
	c.sendCEA(c.appendCEA(nil, questionIn(f), nil))
}

// serveAgain handles a CER on an open connection: a late copy is answered, a change of name is not possible.
func (c *connection) serveAgain(f frame, said capabilities) {
	if !strings.EqualFold(said.host, c.peerHost()) {
		c.log("connection closed", "cause", "a second CER has another Origin-Host")
		_ = c.Close()
		return
	}
	c.send(c.appendCEA(nil, questionIn(f), nil), true)
}

// judge decides whether the peer is welcome.
func (c *connection) judge(said capabilities) (Peer, *refusal) {
	peer, known := c.server.peers.find(said.host)
	state, secured := c.overTLS()
	switch {
	case !known:
		return peer, &refusal{code: codeUnknownPeer, text: "the Origin-Host is not configured"}
	case secured && (len(state.PeerCertificates) == 0 || !peer.owns(said.host, state.PeerCertificates[0])):
		return peer, &refusal{code: codeUnknownPeer, text: "the certificate does not name the Origin-Host"}
	case !secured && !peer.Plain:
		return peer, &refusal{code: codeUnknownPeer, text: "this peer may connect with TLS only"}
	case !said.common:
		return peer, &refusal{code: codeNoCommonApplication, text: "no common application: this node serves application 4"}
	case !secured && slices.Contains(said.security, inbandTLS) && !slices.Contains(said.security, noInband):
		return peer, &refusal{code: codeNoCommonSecurity, text: "TLS after the CEA is not offered, only from the first octet on"}
	}
	return peer, nil
}

// becomeOpen begins the life of a connection whose peer joined the table.
func (c *connection) becomeOpen(said capabilities) {
	_ = c.SetReadDeadline(time.Time{}) // fails on a closed connection only, whose next read tells
	c.mu.Lock()
	c.realm, c.since = said.realm, time.Now()
	c.mu.Unlock()
	c.open.Store(true)
	c.server.opened(c)
	c.server.clientState(said.host, said.realm, said.stateID)
	c.log("peer connected")
}

// appendCEA appends the CEA: that all is right when r is nil, or else the refusal (RFC 6733 §5.3.2). Application 4 is
// the only one advertised: not 3 (Rf), and not relaying, which this node does not do.
func (c *connection) appendCEA(dst []byte, q question, r *refusal) []byte {
	id := c.server.id
	if r != nil && r.errorBit() {
		return q.appendRefusalTo(dst, id, r)
	}
	code := uint32(codeSuccess)
	if r != nil {
		code = r.code
	}
	dst, start := q.begin(dst, false)
	dst = appendUint32(dst, avp.ResultCode, 0, mandatory, code)
	dst = id.appendOrigin(dst)
	dst = appendAVP(dst, avp.HostIPAddress, 0, mandatory, addressOf(c.LocalAddr()))
	dst = appendUint32(dst, avp.VendorID, 0, mandatory, 0)
	dst = appendText(dst, avp.ProductName, 0, 0, id.product)
	dst = id.appendStateID(dst)
	if r != nil {
		dst = r.appendFailed(r.appendText(dst))
	}
	dst = appendUint32(dst, avp.SupportedVendorID, 0, mandatory, vendor3GPP)
	dst = appendUint32(dst, avp.AuthApplicationID, 0, mandatory, creditControl)
	dst = appendUint32(dst, avp.FirmwareRevision, 0, 0, id.firmware)
	return endMessage(dst, start)
}

// addressOf encodes the IP address of a transport address as the type Address (RFC 6733 §4.3.1). What is not an IP
// transport has the unspecified address.
func addressOf(a net.Addr) []byte {
	ip := netip.IPv4Unspecified()
	if p, err := netip.ParseAddrPort(a.String()); err == nil {
		ip = p.Addr().Unmap()
	}
	return addressValue(ip)
}

// addressValue encodes an IP address as the type Address: the family, and the octets.
func addressValue(ip netip.Addr) []byte {
	family := uint16(1)
	if ip.Is6() {
		family = 2
	}
	return append(binary.BigEndian.AppendUint16(nil, family), ip.AsSlice()...)
}
