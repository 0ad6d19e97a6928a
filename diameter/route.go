package diameter

import (
	"slices"
	"strings"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

// A territory is what this node answers for: its own name and the realms that it serves. Names are compared without
// case (RFC 6733 §4.3.1).
type territory struct {
	host   string
	realms []string
}

// route finds why a request is not ours to serve, or nil (RFC 6733 §6.1). A request without Destination-Realm passes:
// its absence is the business of the application.
func (t territory) route(f frame) *refusal {
	var looped, elsewhere, foreign bool
	for a := range f.avps() {
		switch {
		case a.is(avp.RouteRecord):
			looped = looped || strings.EqualFold(string(a.data), t.host)
		case a.is(avp.DestinationHost):
			elsewhere = elsewhere || !strings.EqualFold(string(a.data), t.host)
		case a.is(avp.DestinationRealm):
			foreign = foreign || !t.serves(string(a.data))
		}
	}
	switch {
	case looped:
		return &refusal{code: codeLoopDetected, text: "this node is in Route-Record"}
	case elsewhere:
		return &refusal{code: codeUnableToDeliver, text: "Destination-Host is not this node, which relays nothing"}
	case foreign:
		return &refusal{code: codeRealmNotServed, text: "Destination-Realm is not served here"}
	}
	return nil
}

func (t territory) serves(realm string) bool {
	return slices.ContainsFunc(t.realms, func(served string) bool { return strings.EqualFold(served, realm) })
}

// busyCode is the Result-Code that sends the client elsewhere with m: who asked for this very node is told that it is
// too busy, everyone else that it cannot be reached (RFC 6733 §7.1.3).
func busyCode(m *diam.Message) uint32 { return busyCodeIn(frameOf(m)) }

func busyCodeIn(f frame) uint32 {
	for a := range f.avps() {
		if a.is(avp.DestinationHost) {
			return codeTooBusy
		}
	}
	return codeUnableToDeliver
}
