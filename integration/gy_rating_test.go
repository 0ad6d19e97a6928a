package integration

import (
	"fmt"
	"testing"
)

// docs/spec/gy.md 4.13, 4.15 and 4.16 on the plan of the fixture: events, who pays for a call and by which number, messages, data.

// Requested-Actions beside debit and refund.
const (
	actionCheck = 2
	actionPrice = 3
)

func TestGY_142_EventNeedsAnAction(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	l := s.client(t)
	c := l.newCall(s.newTestSubscriber(t, 0, 100))
	c.context = "32274@3gpp.org"
	wantFailed(t, l.call(c.ccr(typeEvent, 0, service(100, messages(1)), toRecipient("4930123456"))), 5005, requestedAction)
}

func TestGY_143_GY_144_GY_145_DirectDebiting(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	l := s.client(t)
	msisdn := s.newTestSubscriber(t, 0, 25)
	debit, cca := l.event(msisdn, actionDebit, service(100, messages(1)), toRecipient("4930123456"))
	wantUnits(t, cca, "rg 100 1") // in an MSCC, as it was asked
	s.wantMoney(t, msisdn, 15, 0)
	over := debit.replacing(u32(ccRequestType, typeTermination)).replacing(u32(ccRequestNumber, 1))
	wantCode(t, l.call(over), 5002) // no session
	_, cca = l.event(msisdn, actionDebit, messages(1), toRecipient("4930123456"))
	wantCode(t, cca, 2001)
	if units, ok := cca.find(granted, ccUnits); !ok || units.uint64() != 1 || len(cca.all(mscc)) != 0 {
		t.Errorf("units at command level: got %v, want one there and no MSCC", cca)
	}
	_, cca = l.event(msisdn, actionDebit, service(100, messages(1)), toRecipient("4930123456"))
	wantCode(t, cca, 4012)
	s.wantMoney(t, msisdn, 5, 0)
}

func TestGY_148_CheckBalance(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	for cents, want := range map[int64]uint32{1000: 0, 0: 1} {
		msisdn := s.newTestSubscriber(t, 0, cents)
		_, cca := s.client(t).event(msisdn, actionCheck, service(100, messages(1)), toRecipient("4930123456"))
		wantCode(t, cca, 2001)
		if got, ok := cca.find(checkBalanceResult); !ok || got.uint32() != want {
			t.Errorf("%d cents: got Check-Balance-Result %v, want %d", cents, got, want)
		}
		s.wantMoney(t, msisdn, cents, 0)
	}
	_, debit := s.client(t).event(s.newTestSubscriber(t, 0, 100), actionDebit, service(100, messages(1)), toRecipient("4930123456"))
	if _, told := debit.find(checkBalanceResult); told {
		t.Errorf("Check-Balance-Result in the answer to a debit: %v", debit)
	}
}

func TestGY_149_GY_190_PriceEnquiry(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	msisdn := s.newTestSubscriber(t, 0, 0)
	for n, want := range map[uint64]uint64{1: 10, 3: 30} { // whole cents: 0.1 and 0.3 have no binary fraction
		_, cca := s.client(t).event(msisdn, actionPrice, service(100, messages(n)), toRecipient("4930123456"))
		wantCode(t, cca, 2001)
		digits, _ := cca.find(costInformation, unitValue, valueDigits)
		power, _ := cca.find(costInformation, unitValue, exponent)
		currency, _ := cca.find(costInformation, currencyCode)
		if digits.uint64() != want || int32(power.uint32()) != -2 || currency.uint32() != 978 {
			t.Errorf("%d messages: got %d x 10^%d of currency %d, want %d x 10^-2 of 978", n, digits.uint64(), int32(power.uint32()), currency.uint32(), want)
		}
	}
}

func TestGY_150_ActionMeansNothingInASession(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, voiceContext, 600, 0)
	wantGrant(t, c.initial(0, u32(requestedAction, 0), service(100, wants(60))), 100, 60, false)
	wantGrant(t, c.update(1, u32(requestedAction, 2), service(100, uses(10), wants(60))), 100, 60, false)
	wantCode(t, c.terminate(2, u32(requestedAction, 3), service(100, uses(10))), 2001)
	s.wantAccount(t, c.msisdn, 580, 0)
}

func TestGY_151_EventWithReservation(t *testing.T) {
	t.Parallel()
	for delivered, left := range map[uint64]int64{1: 90, 0: 100} {
		s, c := fixtureCall(t, "32274@3gpp.org", 0, 100)
		wantCode(t, c.initial(0, service(100, messages(1)), toRecipient("4930123456")), 2001)
		s.wantMoney(t, c.msisdn, 100, 10)
		wantCode(t, c.terminate(1, service(100, group(used, u64(ccUnits, delivered)))), 2001)
		s.wantMoney(t, c.msisdn, left, 0)
	}
}

// ims is the Service-Information of an IMS call.
func ims(members ...avp) avp { return group(serviceInformation, group(imsInformation, members...)) }

// role is Role-Of-Node: 0 originating, 1 terminating, 2 forwarding.
func role(n uint32) avp { return u32(roleOfNode, n) }

// imsCall sends a CCR-I with a Service-Information of the test's own, and wants so many seconds held for a minute of talk.
func imsCall(t *testing.T, what string, reserved int64, members func(msisdn string) []avp) {
	t.Helper()
	s, c := fixtureCall(t, "32275@3gpp.org", 1000, 0)
	cca := c.initial(0, ims(members(c.msisdn)...), service(100, wants(60)))
	if code := cca.resultCode(); code != 2001 {
		t.Errorf("%s: got %d, want 2001, in %v", what, code, cca)
	}
	if got := s.account(t, c.msisdn).Reserved; got != reserved {
		t.Errorf("%s: %d seconds held, want %d", what, got, reserved)
	}
}

func TestGY_163_GY_166_TerminatingCalls(t *testing.T) {
	t.Parallel()
	calling := text(callingParty, "tel:+4930123456")
	called := func(msisdn string) avp { return text(calledParty, "tel:+"+msisdn) }
	imsCall(t, "received at home", 0, func(m string) []avp { return []avp{role(1), calling, called(m)} })
	imsCall(t, "received abroad", 120, func(m string) []avp {
		return []avp{role(1), calling, called(m), octets(accessNetwork, []byte("3GPP-UTRAN-FDD; utran-cell-id-3gpp=20801abcd")...)}
	})
	imsCall(t, "no role, and the subscriber is called", 0, func(m string) []avp { return []avp{calling, called(m)} })
	imsCall(t, "no role, and the subscriber calls", 60, func(m string) []avp {
		return []avp{text(callingParty, "tel:+"+m), text(calledParty, "tel:+4930123456")}
	})
}

func TestGY_164_ForwardedCallIsRatedByItsTarget(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "32275@3gpp.org", 0, 1000)
	wantCode(t, c.initial(0, ims(role(2), text(calledParty, "tel:+33123456789"), text(requestedParty, "tel:+4930123456")), service(100, wants(60))), 2001)
	s.wantMoney(t, c.msisdn, 1000, 20)
}

func TestGY_165_OriginatingCallWithoutANumber(t *testing.T) {
	t.Parallel()
	for _, members := range [][]avp{{role(0)}, {role(0), text(calledParty, "unknown")}} {
		_, c := fixtureCall(t, "32275@3gpp.org", 600, 0)
		wantFailed(t, c.initial(0, ims(members...), service(100, wants(60))), 5031, serviceInformation, imsInformation, calledParty)
	}
}

func TestGY_167_WhereTheCallerIs(t *testing.T) {
	t.Parallel()
	number := text(calledParty, "tel:+4930123456")
	imsCall(t, "cell abroad", 300, func(string) []avp {
		return []avp{role(0), number, octets(accessNetwork, []byte("3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=20801fffe")...)}
	})
	imsCall(t, "cell at home", 60, func(string) []avp {
		return []avp{role(0), number, octets(accessNetwork, []byte("3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=26201fffe")...)}
	})
	imsCall(t, "cell that cannot be read", 60, func(string) []avp { return []avp{role(0), number, octets(accessNetwork, []byte("WLAN")...)} })
	for name, node := range map[string]avp{
		"VLR": octets(vlrNumber, 0x33, 0x06, 0x09, 0x00, 0xF1), "MSC": octets(mscAddress, 0x33, 0x06, 0x09, 0x00, 0xF1),
	} {
		s, c := fixtureCall(t, "32276@3gpp.org", 1000, 0)
		wantCode(t, c.initial(0, group(serviceInformation, group(imsInformation, role(0), number), group(vcsInformation, node)), service(100, wants(60))), 2001)
		if got := s.account(t, c.msisdn).Reserved; got != 300 {
			t.Errorf("%s: %d seconds held, want 300", name, got)
		}
	}
	for name, test := range map[string]struct {
		where avp
		cents int64
	}{
		"serving PLMN":           {text(sgsnMCCMNC, "20801"), 7},
		"location abroad":        {octets(userLocation, 130, 0x02, 0xF8, 0x10, 0, 1), 7},
		"location at home":       {octets(userLocation, 130, 0x62, 0xF2, 0x10, 0, 1), 2},
		"location of one octet":  {octets(userLocation, 130), 2},
		"MNC of three digits":    {text(sgsnMCCMNC, "208010"), 7},
		"no location, no roamer": {text(sgsnMCCMNC, ""), 2},
	} {
		s, c := fixtureCall(t, dataContext, 0, 1000)
		wantCode(t, c.initial(0, group(serviceInformation, group(psInformation, test.where)), service(10, megabytes(1))), 2001)
		t.Log(name)
		s.wantMoney(t, c.msisdn, 1000, test.cents)
	}
}

func TestGY_168_UpdatesNeedNotSayItAgain(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "32275@3gpp.org", 0, 1000)
	wantCode(t, c.initial(0, ims(role(0), text(calledParty, "tel:+33123456789")), service(100, wants(60))), 2001)
	wantCode(t, c.update(1, service(100, uses(60), wants(60))), 2001)
	s.wantMoney(t, c.msisdn, 980, 20)
	wantCode(t, c.terminate(2, service(100, uses(60))), 2001)
	s.wantMoney(t, c.msisdn, 960, 0)
}

func TestGY_169_GY_170_AnswerAndVideo(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, voiceContext, 600, 0)
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	wantGrant(t, c.update(1, service(100, uses(0), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 600, 60)
	cca := c.update(2, service(100, uses(10), wants(60)), service(200, wants(30)))
	wantGrant(t, cca, 100, 60, false)
	wantGrant(t, cca, 200, 30, false)
	s.wantAccount(t, c.msisdn, 590, 90)
}

func TestGY_171_CircuitSwitchedCall(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "32276@3gpp.org", 0, 1000)
	cause := group(avpCode{3416, vendor3GPP}, u32(avpCode{3424, vendor3GPP}, 16))
	wantCode(t, c.initial(0, group(serviceInformation, group(imsInformation, role(0), text(calledParty, "tel:+33123456789")), group(vcsInformation)), service(100, wants(60))), 2001)
	wantCode(t, c.terminate(1, group(serviceInformation, group(vcsInformation, cause)), service(100, uses(30))), 2001)
	s.wantMoney(t, c.msisdn, 980, 0)
	if record := s.onlyRecord(t, c.msisdn); record.OtherParty != "+33123456789" {
		t.Errorf("CDR: got %+v, want the other party +33123456789", record)
	}
}

func TestGY_172_GY_173_Emergency(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	closed := s.newTestSubscriber(t, 600, 0)
	s.gyro(t, "subscriber", "close", closed, "--reason", "left")
	for _, msisdn := range []string{s.newTestSubscriber(t, 0, 0), closed, "491799999999", ""} {
		for what, information := range map[string]avp{
			"indicator": ims(u32(imsEmergency, 1)), "URN": ims(role(0), text(calledParty, "urn:service:sos.police")), "112": ims(role(0), text(calledParty, "tel:112")),
		} {
			c := s.client(t).newCall(msisdn)
			c.context = "32275@3gpp.org"
			if code := c.initial(0, information, service(100, wants(60))).resultCode(); code != 4011 {
				t.Errorf("%s by %q: got %d, want 4011", what, msisdn, code)
			}
		}
	}
	_, data := fixtureCall(t, dataContext, 0, 0)
	wantCode(t, data.initial(0, group(serviceInformation, group(psInformation, u32(avpCode{2308, vendor3GPP}, 1))), service(10, megabytes(1))), 4011)
}

func TestGY_174_FreeNumberIsGranted(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, voiceContext, 0, 0)
	c.called = "tel:0800123456"
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	wantCode(t, c.terminate(1, service(100, uses(60))), 2001)
	if record := s.onlyRecord(t, c.msisdn); record.Used != 60 || record.Charged != 0 {
		t.Errorf("CDR: got %+v, want 60 s used and nothing charged", record)
	}
}

func TestGY_179_ParallelCallsShareTheBucket(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	msisdn := s.newTestSubscriber(t, 600, 0)
	var calls []*call
	for range 5 {
		c := s.client(t).newCall(msisdn)
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		calls = append(calls, c)
	}
	var talked int64
	for number := uint32(1); len(calls) > 0; number++ {
		var going []*call
		for _, c := range calls {
			g, _ := grantOf(c.update(number, service(100, uses(60), wants(60))), 100)
			talked += 60
			if g.given {
				going = append(going, c)
			}
		}
		calls = going
	}
	s.wantAccount(t, msisdn, 0, 0)
	if talked < 600 {
		t.Errorf("%d s talked, of 600 that there were", talked)
	}
}

// recipients is the Service-Information of a message to several numbers.
func recipients(kind uint32, numbers ...string) avp {
	var all []avp
	for _, n := range numbers {
		all = append(all, group(avpCode{2026, vendor3GPP}, group(avpCode{1201, vendor3GPP}, u32(avpCode{899, vendor3GPP}, kind), text(avpCode{897, vendor3GPP}, n))))
	}
	return group(serviceInformation, group(avpCode{2000, vendor3GPP}, all...))
}

func TestGY_180_GY_181_GY_182_Messages(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	for _, test := range []struct {
		name string
		to   avp
		code uint32
		left int64
	}{
		{"to a number at home", recipients(1, "4930123456"), 2001, 25},
		{"to another country", recipients(1, "33123456789"), 2001, 5},
		{"to two, all paid", recipients(1, "4930123456", "4930123457"), 2001, 15},
		{"to two, one not covered", recipients(1, "33123456789", "4930123456"), 4012, 35},
		{"to a short code", recipients(4, "116000"), 4011, 35},
		{"a delivery report", group(serviceInformation, group(avpCode{2000, vendor3GPP}, u32(smMessageType, 1))), 4011, 35},
	} {
		msisdn := s.newTestSubscriber(t, 0, 35)
		n := uint64(1)
		if test.name[:6] == "to two" {
			n = 2
		}
		_, cca := s.client(t).event(msisdn, actionDebit, service(100, messages(n)), test.to)
		if code := cca.resultCode(); code != test.code {
			t.Errorf("%s: got %d, want %d", test.name, code, test.code)
		}
		s.wantMoney(t, msisdn, test.left, 0)
	}
}

func TestGY_183_SeveralServicesOfData(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, dataContext, 0, 1000)
	cca := c.initial(0, service(10, megabytes(1)), service(20, megabytes(2)), service(99, megabytes(1)))
	wantCode(t, cca, 2001)
	var got []string
	for _, answered := range cca.all(mscc) {
		rg, _ := answered.find(ratingGroup)
		code, _ := answered.find(resultCode)
		volume, _ := answered.find(granted, ccTotalOctets)
		got = append(got, fmt.Sprintf("%d:%d:%d", rg.uint32(), code.uint32(), volume.uint64()))
	}
	if fmt.Sprint(got) != "[10:2001:1000000 20:2001:2000000 99:5031:0]" {
		t.Errorf("got %v", got)
	}
	s.wantMoney(t, c.msisdn, 1000, 4)
}
