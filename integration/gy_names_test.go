package integration

import (
	"fmt"
	"testing"
)

// docs/spec/gy.md 4.4: what a client calls the service and the subscriber, and what comes back of it.

func TestGY_052_OneResultCode(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	c := l.newCall(s.newSubscriber(t, 600))
	poor := l.newCall(s.newSubscriber(t, 0))
	for code, cca := range map[uint32]message{
		2001: c.initial(0, service(100, wants(60)), service(200, wants(60))), 5012: c.initial(5, service(100, wants(60))),
		4012: poor.initial(0, service(100, wants(60)), service(200, wants(60))), 5002: poor.update(1), 5030: l.newCall("491799999999").initial(0),
		5005: l.newCall(c.msisdn).initialWithout(ccRequestNumber),
	} {
		if got := cca.all(resultCode); len(got) != 1 || got[0].uint32() != code {
			t.Errorf("Result-Codes at command level: got %v, want one of %d, in %v", got, code, cca)
		}
	}
}

// initialWithout sends a CCR-I that lacks an AVP.
func (c *call) initialWithout(code avpCode) message {
	c.link.t.Helper()
	ccr := c.ccr(typeInitial, 0)
	var kept []avp
	for _, a := range ccr.avps {
		if a.code != code {
			kept = append(kept, a)
		}
	}
	ccr.avps = kept
	return c.link.call(ccr)
}

func TestGY_053_UnknownServiceContext(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	c.context = "99999@3gpp.org"
	if blamed := wantFailed(t, c.initial(0, service(100, wants(60))), 5031, serviceContextID); blamed.text() != c.context {
		t.Errorf("Failed-AVP has %q, want %q", blamed.text(), c.context)
	}
	s.wantAccount(t, c.msisdn, 600, 0)
}

func TestGY_054_ServiceContextInEveryForm(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, msisdn := s.client(t), s.newSubscriber(t, 600)
	contexts := []string{
		"32260@3gpp.org", "15.32260@3gpp.org", "01.262.15.32260@3gpp.org", "ext.01.262.15.32260@3gpp.org", "15.32260.3gpp.org", "15.32260@3GPP.ORG",
	}
	for _, context := range contexts {
		c := l.newCall(msisdn)
		c.context = context
		more := []avp{toNumber(c.called)}
		if context == voiceContext { // which every call has its number in
			more = nil
		}
		wantGrant(t, c.initial(0, append(more, service(100, wants(60)))...), 100, 60, false)
		wantCode(t, c.terminate(1, append(more, service(100, uses(10)))...), 2001)
	}
	s.wantAccount(t, msisdn, 600-10*int64(len(contexts)), 0)
}

// subscription is a Subscription-Id.
func subscription(kind uint32, name string) avp {
	return group(subscriptionID, u32(subscriptionType, kind), text(subscriptionData, name))
}

// A named subscriber has a name of every kind.
type named struct{ msisdn, imsi, sip, nai, private string }

func (s *server) newNamed(t *testing.T) named {
	t.Helper()
	n := lastSubscriber.Add(1)
	who := named{
		msisdn: fmt.Sprintf("49170%07d", n), imsi: fmt.Sprintf("26203%010d", n), sip: fmt.Sprintf("sip:User%d@ims.test", n),
		nai: fmt.Sprintf("user%d@nai.test", n), private: fmt.Sprintf("meter/%d", n),
	}
	s.gyro(t, "subscriber", "create", who.msisdn, "--plan", "demo", "--seconds", "600",
		"--imsi", who.imsi, "--sip", who.sip, "--nai", who.nai, "--private", who.private)
	return who
}

func TestGY_056_EveryKindOfIdentityFindsItsSubscriber(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, who := s.client(t), s.newNamed(t)
	nobody := subscription(1, "262039999999999")
	for what, ids := range map[string][]avp{
		"0, E.164":                    {subscription(0, who.msisdn)},
		"0, E.164 with a plus":        {subscription(0, "+"+who.msisdn)},
		"1, IMSI":                     {subscription(1, who.imsi)},
		"2, SIP URI":                  {subscription(2, who.sip+":5060;user=phone")},
		"3, NAI":                      {subscription(3, who.nai)},
		"4, private":                  {subscription(4, who.private)},
		"an unknown IMSI before E164": {nobody, subscription(0, who.msisdn)},
		"and behind it":               {subscription(0, who.msisdn), nobody},
		"all, last first": {
			subscription(4, who.private), subscription(3, who.nai), subscription(2, who.sip), subscription(1, who.imsi), subscription(0, who.msisdn),
		},
		"User-Name alone": {text(userName, who.nai)},
	} {
		c := l.newCall("")
		cca := c.initial(0, append(ids, service(100, wants(10)))...)
		if g, _ := grantOf(cca, 100); cca.resultCode() != 2001 || g.seconds != 10 {
			t.Errorf("%s: got %v, want 10 s", what, cca)
			continue
		}
		s.wantAccount(t, who.msisdn, 600, 10)
		wantCode(t, c.terminate(1), 2001) // without any name: the session's subscriber stays
		s.wantAccount(t, who.msisdn, 600, 0)
	}
	// Names are compared as they are: a private one in another case is another one, a realm in another case is the same.
	wantCode(t, l.newCall("").initial(0, subscription(4, "METER"+who.private[5:]), service(100, wants(10))), 5030)
	wantCode(t, l.newCall("").initial(0, subscription(3, who.nai[:len(who.nai)-8]+"NAI.Test"), service(100, wants(10))), 2001)
}

func TestGY_057_IdentityInTheExtension(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, who := s.client(t), s.newNamed(t)
	extension := func(code uint32, name string) avp {
		return group(avpCode{659, 0}, text(avpCode{code, 0}, name).optional()).optional()
	}
	for what, id := range map[string]avp{
		"E.164": extension(660, who.msisdn), "IMSI": extension(661, who.imsi), "SIP URI": extension(662, who.sip), "NAI": extension(663, who.nai),
		"private": extension(664, who.private), "a SIP URI of the number": subscription(2, "sip:+"+who.msisdn+"@elsewhere.test"),
		"a tel URI of the number": subscription(2, "tel:+"+who.msisdn),
	} {
		c := l.newCall("")
		if cca := c.initial(0, id, service(100, wants(10))); cca.resultCode() != 2001 {
			t.Errorf("%s: got %v, want 2001", what, cca)
		}
		wantCode(t, c.terminate(1), 2001)
	}
	s.wantAccount(t, who.msisdn, 600, 0)
}

func TestGY_058_KindOfIdentityThatIsNotDefined(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, msisdn := s.client(t), s.newSubscriber(t, 600)
	cca := l.newCall("").initial(0, subscription(9, msisdn), service(100, wants(10)))
	if blamed := wantFailed(t, cca, 5001, subscriptionType); blamed.uint32() != 9 {
		t.Errorf("Failed-AVP has Subscription-Id-Type %d, want 9", blamed.uint32())
	}
	wantCode(t, l.newCall("").initial(0, subscription(9, "x"), subscription(0, msisdn), service(100, wants(10))), 2001)
	s.wantAccount(t, msisdn, 600, 10)
}

func TestGY_059_WhoMayNotCall(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	closed, blocked, caller := s.newSubscriber(t, 600), s.newSubscriber(t, 600), s.newSubscriber(t, 600)
	s.gyro(t, "subscriber", "close", closed, "--reason", "left")
	s.gyro(t, "subscriber", "block", blocked)
	wantCode(t, l.newCall(closed).initial(0, service(100, wants(60))), 5003)
	wantCode(t, l.newCall(blocked).initial(0, service(100, wants(60))), 4010)
	barred := l.newCall(caller)
	barred.called = "tel:+49900123456"
	wantCode(t, barred.initial(0, service(100, wants(60))), 4010)
	s.wantAccount(t, closed, 0, 0) // what was left is posted out
	for _, msisdn := range []string{blocked, caller} {
		s.wantAccount(t, msisdn, 600, 0)
	}
	s.gyro(t, "subscriber", "unblock", blocked)
	wantGrant(t, l.newCall(blocked).initial(0, service(100, wants(60))), 100, 60, false)
}

func TestGY_060_ClientThatMayNotUseAContext(t *testing.T) {
	t.Parallel()
	s := configured(t, `
accept_unknown_peers: true
peers:
  - name: tas1.ims.test
    security: none
    contexts: [32260@3gpp.org, 32275@3gpp.org]
`)
	msisdn := s.newSubscriber(t, 600)
	tas, other := s.connect(t, "tas1.ims.test"), s.client(t)
	data := tas.newCall(msisdn)
	data.context = dataContext
	cca := data.initial(0, service(10, group(requested)))
	if blamed := wantFailed(t, cca, 5003, serviceContextID); blamed.text() != dataContext {
		t.Errorf("Failed-AVP has %q, want %q", blamed.text(), dataContext)
	}
	s.wantAccount(t, msisdn, 600, 0)
	wantCode(t, data.over(other).initial(0, service(10, group(requested))), 2001)

	voice := tas.newCall(msisdn)
	wantGrant(t, voice.initial(0, service(100, wants(60))), 100, 60, false)
	wantCode(t, voice.terminate(1, service(100, uses(10))), 2001)
}

func TestGY_062_SecondInitialOfASession(t *testing.T) {
	t.Parallel()
	s, c := opened(t, 600)
	wantCode(t, c.initial(5, service(100, wants(60))), 5012)
	s.wantAccount(t, c.msisdn, 600, 60)
	wantGrant(t, c.update(1, service(100, uses(10), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 590, 60)
}

func TestGY_063_WhatTheRequestCallsItselfComesBack(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	said := []avp{text(userName, "someone@x.test"), u64(ccSubSessionID, 1<<40), text(avpCode{50, 0}, "multi 7")}
	for _, cca := range []message{c.initial(0, append(said, service(100, wants(60)))...), c.initial(9, said...), c.terminate(1, said...)} {
		for _, want := range said {
			if got := cca.all(want.code); len(got) != 1 || string(got[0].data) != string(want.data) {
				t.Errorf("%v: got %v, want it back, in %v", want.code, got, cca)
			}
		}
	}
}

func TestGY_064_SubSessionsAreSessions(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	for sub := uint64(1); sub <= 2; sub++ {
		wantGrant(t, c.initial(0, u64(ccSubSessionID, sub), service(100, wants(60))), 100, 60, false)
	}
	s.wantAccount(t, c.msisdn, 600, 120)
	wantCode(t, c.terminate(1, u64(ccSubSessionID, 1), service(100, uses(30))), 2001)
	s.wantAccount(t, c.msisdn, 570, 60)
	wantCode(t, c.terminate(1, u64(ccSubSessionID, 2), service(100, uses(5))), 2001)
	s.wantAccount(t, c.msisdn, 565, 0)
	wantCode(t, c.terminate(1, service(100, uses(5))), 5002) // the one without a sub-session never was
}
