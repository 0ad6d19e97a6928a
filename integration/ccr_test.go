package integration

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// CC-Request-Types.
const (
	typeInitial     = 1
	typeUpdate      = 2
	typeTermination = 3
	typeEvent       = 4
)

// Reporting-Reasons, TS 32.299 §7.2.175.
const (
	reasonThreshold = 0
	reasonQHT       = 1
	reasonFinal     = 2
	reasonExhausted = 3
	reasonValidity  = 4
	reasonCondition = 6
	reasonForced    = 7
)

const (
	voiceContext = "15.32260@3gpp.org"
	dataContext  = "32251@3gpp.org"
)

// A call is a credit-control session of a client.
type call struct {
	link    *link
	id      string
	msisdn  string
	context string
	called  string
}

var lastCall atomic.Int64

// newCall returns a call of msisdn to a number at home that nothing was said about yet.
func (l *link) newCall(msisdn string) *call {
	return &call{
		link: l, id: fmt.Sprintf("%s;%d;1", l.host, lastCall.Add(1)), msisdn: msisdn, context: voiceContext, called: "tel:+4930123456",
	}
}

// over returns the same call on another connection.
func (c *call) over(l *link) *call {
	moved := *c
	moved.link = l
	return &moved
}

// ccr returns a complete CCR of the call, in the order of the grammar (RFC 8506 §3.1).
func (c *call) ccr(requestType, number uint32, more ...avp) message {
	avps := []avp{text(sessionID, c.id)}
	avps = append(avps, c.link.origin()...)
	avps = append(avps, text(destinationRealm, serverRealm), u32(authApplicationID, appCreditControl),
		text(serviceContextID, c.context), u32(ccRequestType, requestType), u32(ccRequestNumber, number), stamp(eventTimestamp, time.Now()))
	if c.msisdn != "" {
		avps = append(avps, e164(c.msisdn))
	}
	avps = append(avps, more...)
	if c.context == voiceContext {
		avps = append(avps, toNumber(c.called))
	}
	return message{flags: flagRequest | flagProxy, command: cmdCreditControl, app: appCreditControl, avps: avps}
}

// initial, update and terminate send one CCR and return its answer.
func (c *call) initial(number uint32, more ...avp) message {
	c.link.t.Helper()
	return c.link.call(c.ccr(typeInitial, number, more...))
}

func (c *call) update(number uint32, more ...avp) message {
	c.link.t.Helper()
	return c.link.call(c.ccr(typeUpdate, number, more...))
}

func (c *call) terminate(number uint32, more ...avp) message {
	c.link.t.Helper()
	return c.link.call(c.ccr(typeTermination, number, more...))
}

func e164(msisdn string) avp {
	return group(subscriptionID, u32(subscriptionType, 0), text(subscriptionData, msisdn))
}

// toNumber is the Service-Information of an originating IMS call.
func toNumber(called string) avp {
	return group(serviceInformation, group(imsInformation, u32(roleOfNode, 0), u32(nodeFunctionality, 6), text(calledParty, called)))
}

// service is an MSCC of a Rating-Group.
func service(rg uint32, members ...avp) avp {
	return group(mscc, append([]avp{u32(ratingGroup, rg)}, members...)...)
}

// wants asks for seconds; wantsAny for as much as the server sees fit.
func wants(seconds uint32) avp { return group(requested, u32(ccTime, seconds)) }

func wantsAny() avp { return group(requested) }

// uses reports seconds.
func uses(seconds uint32) avp { return group(used, u32(ccTime, seconds)) }

// reason is a Reporting-Reason.
func reason(value uint32) avp { return u32(reportingReason, value) }

// A grant is what one MSCC of an answer, or the answer at command level, says.
type grant struct {
	code     uint32 // Result-Code in the MSCC; of the answer at command level
	seconds  uint32
	given    bool // there is a Granted-Service-Unit
	final    bool // there is a Final-Unit-Indication TERMINATE
	validity uint32
}

func (g grant) String() string {
	s := fmt.Sprint(g.code)
	if g.given {
		s += fmt.Sprintf(" granted=%d valid=%d", g.seconds, g.validity)
	}
	if g.final {
		s += " final"
	}
	return s
}

// grantOf returns what the MSCC of rg says, or the only one without Rating-Group when rg is 0.
func grantOf(cca message, rg uint32) (grant, bool) {
	for _, s := range cca.all(mscc) {
		group, hasGroup := s.find(ratingGroup)
		if hasGroup == (rg != 0) && group.uint32() == rg {
			return readGrant(s.members()), true
		}
	}
	return grant{}, false
}

func readGrant(avps []avp) grant {
	var g grant
	code, _ := findAVP(avps, []avpCode{resultCode})
	units, given := findAVP(avps, []avpCode{granted})
	seconds, _ := units.find(ccTime)
	validity, _ := findAVP(avps, []avpCode{validityTime})
	action, final := findAVP(avps, []avpCode{finalUnit, finalUnitAction})
	g.code, g.seconds, g.given, g.validity = code.uint32(), seconds.uint32(), given, validity.uint32()
	g.final = final && action.uint32() == 0
	return g
}

// wantCode fails unless the answer has that Result-Code at command level.
func wantCode(t *testing.T, answer message, code uint32) {
	t.Helper()
	if got := answer.resultCode(); got != code {
		t.Errorf("Result-Code: got %d, want %d, in %v", got, code, answer)
	}
}

// wantGrant fails unless the answer is 2001 and grants exactly so many seconds to rg, final or not.
func wantGrant(t *testing.T, cca message, rg, seconds uint32, final bool) {
	t.Helper()
	wantCode(t, cca, 2001)
	g, ok := grantOf(cca, rg)
	if want := (grant{2001, seconds, true, final, g.validity}); !ok || g != want {
		t.Errorf("grant of Rating-Group %d: got %v, want %v, in %v", rg, g, want, cca)
	}
}

// wantNoGrant fails unless the answer is 2001 and has no quota at all.
func wantNoGrant(t *testing.T, cca message) {
	t.Helper()
	wantCode(t, cca, 2001)
	for _, s := range cca.all(mscc) {
		if _, ok := s.find(granted); ok {
			t.Errorf("got a grant, want none, in %v", cca)
		}
	}
	if _, ok := cca.find(granted); ok {
		t.Errorf("got a grant, want none, in %v", cca)
	}
}

// wantFailed fails unless the answer is refused with code and blames path: the AVPs inside Failed-AVP, outermost first.
func wantFailed(t *testing.T, answer message, code uint32, path ...avpCode) avp {
	t.Helper()
	wantCode(t, answer, code)
	blamed, ok := answer.find(append([]avpCode{failedAVP}, path...)...)
	if !ok {
		t.Errorf("Failed-AVP does not hold %v, in %v", path, answer)
	}
	return blamed
}
