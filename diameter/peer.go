package diameter

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Peer is a client or agent that may connect.
type Peer struct {
	Name         string   // Origin-Host of its CER, or *.suffix for all below a domain
	Plain        bool     // may connect without TLS: the network itself is secured (RFC 6733 §13)
	Instances    int      // connections at the same time, of each Origin-Host; 0 means 1 (RFC 6733 §2.1)
	Certificates []string // DNS names that its certificate may have instead of its Origin-Host
	Realms       []string // that it leads to, as an agent: where requests of ours for clients go that are not connected themselves
	Contexts     []string // Service-Context-Ids in which it may begin sessions and events; none: all that are served

	FreeRefund bool // may give back what no Refund-Information names (spec/gy 3.15)
	Strict     bool // an AVP that nobody knows is refused also in Service-Information, when it has the M bit (RFC 6733 §4.1)
	Rate       int  // CCRs in a second, on one connection; 0: as many as come. More are answered that we are busy

	Transfers []transfer.Operation // that it may ask for; nil: those of Transfers.Operations, empty: none
	Vouches   bool                 // is believed when it says that a person was recognised (credential type 2)
}

// A ConnectedPeer is a connection whose capabilities were exchanged.
type ConnectedPeer struct {
	Host, Realm string
	Address     string
	Secure      bool // over TLS
	Suspect     bool // it did not answer the last watchdog request
	Since       time.Time
	Counters    PeerCounters
	Outstanding int // CCRs that are being worked on
}

// Connected returns the peers that are connected now, by name.
func (s *Server) Connected() []ConnectedPeer {
	s.mu.Lock()
	var open []*connection
	for c, isOpen := range s.connections {
		if isOpen {
			open = append(open, c)
		}
	}
	s.mu.Unlock()
	connected := make([]ConnectedPeer, len(open))
	for i, c := range open {
		_, secure := c.overTLS()
		c.mu.Lock()
		connected[i] = ConnectedPeer{
			Host: c.host, Realm: c.realm, Address: c.RemoteAddr().String(), Secure: secure, Suspect: c.suspect.Load(), Since: c.since,
			Outstanding: c.outstanding,
		}
		c.mu.Unlock()
		connected[i].Counters = c.counters.read()
	}
	slices.SortFunc(connected, func(a, b ConnectedPeer) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), a.Since.Compare(b.Since))
	})
	return connected
}

func (p Peer) validate() error {
	var faults []error
	if name := strings.TrimPrefix(p.Name, "*."); name == "" || strings.ContainsAny(name, "* \t\r\n") {
		faults = append(faults, fmt.Errorf("peer %q: the name is neither a host nor *.domain", p.Name))
	}
	if p.Rate < 0 {
		faults = append(faults, fmt.Errorf("peer %q: rate %d", p.Name, p.Rate))
	}
	if p.Instances < 0 {
		faults = append(faults, fmt.Errorf("peer %q: %d instances", p.Name, p.Instances))
	}
	return errors.Join(faults...)
}

// fits reports whether p is about host, which is in lower case.
func (p Peer) fits(host string) bool {
	name := strings.ToLower(p.Name)
	if suffix, ok := strings.CutPrefix(name, "*"); ok {
		return strings.HasSuffix(host, suffix) && len(host) > len(suffix)
	}
	return host == name
}

// mayUse reports whether p may begin something in a context. Release, network and extension do not count.
func (p Peer) mayUse(c ocs.Context) bool {
	return len(p.Contexts) == 0 || slices.ContainsFunc(p.Contexts, func(id string) bool { return parseContext(id).Name == c.Name })
}

// owns reports whether a certificate proves that its holder is host.
func (p Peer) owns(host string, certificate *x509.Certificate) bool {
	return slices.ContainsFunc(certificate.DNSNames, func(name string) bool {
		same := func(allowed string) bool { return strings.EqualFold(name, allowed) }
		return same(host) || slices.ContainsFunc(p.Certificates, same)
	})
}

// peerTable knows who may connect and who is connected. Names are compared in lower case (RFC 6733 §4.3.1).
type peerTable struct {
	peers         []Peer // exact names first, then the longest suffixes
	acceptUnknown bool

	mu   sync.Mutex
	open map[string][]*connection
}

func newPeerTable(peers []Peer, acceptUnknown bool) *peerTable {
	t := &peerTable{peers: slices.Clone(peers), acceptUnknown: acceptUnknown, open: make(map[string][]*connection)}
	slices.SortStableFunc(t.peers, func(a, b Peer) int {
		if wild := strings.HasPrefix(a.Name, "*"); wild != strings.HasPrefix(b.Name, "*") {
			if wild {
				return 1
			}
			return -1
		}
		return cmp.Compare(len(b.Name), len(a.Name))
	})
	return t
}

// find returns what is configured about host, or false when it may not connect.
func (t *peerTable) find(host string) (Peer, bool) {
	host = strings.ToLower(host)
	for _, p := range t.peers {
		if p.fits(host) {
			return p, true
		}
	}
	return Peer{Name: host, Plain: true}, t.acceptUnknown
}

// join opens c as a connection of host. It returns the connections that are in the way when there are as many as p may
// have. Both ways it is one step: of two connections at the same time, one is the second.
func (t *peerTable) join(c *connection, host string, p Peer) (inTheWay []*connection) {
	host = strings.ToLower(host)
	t.mu.Lock()
	defer t.mu.Unlock()
	if open := t.open[host]; len(open) >= max(p.Instances, 1) {
		return slices.Clone(open)
	}
	t.open[host] = append(t.open[host], c)
	return nil
}

// leave forgets c, if it had joined.
func (t *peerTable) leave(c *connection, host string) {
	host = strings.ToLower(host)
	t.mu.Lock()
	defer t.mu.Unlock()
	open := slices.DeleteFunc(t.open[host], func(o *connection) bool { return o == c })
	if len(open) == 0 {
		delete(t.open, host)
		return
	}
	t.open[host] = open
}
