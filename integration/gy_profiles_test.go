package integration

import (
	"testing"
	"time"
)

// docs/spec/gy.md 4.8, 4.10 to 4.12 and 4.15 to 4.17, as far as a profile of a service context or a tariff of the fixture decides.

func TestGY_113_FailureHandlingOfTheContext(t *testing.T) {
	t.Parallel()
	for context, want := range map[string]uint32{voiceContext: 0, dataContext: 2} {
		_, c := fixtureCall(t, context, 600, 1000)
		cca := c.initial(0, service(10, group(requested)))
		wantCode(t, cca, 2001)
		if got, ok := cca.find(failureHandling); !ok || got.uint32() != want {
			t.Errorf("%s: got Credit-Control-Failure-Handling %v, want %d", context, got, want)
		}
		if failover, ok := cca.find(ccSessionFailover); ok && failover.uint32() != 0 { // GY-112: a single node has nobody to go on with
			t.Errorf("%s: got CC-Session-Failover %v, want none or 0", context, failover)
		}
	}
}

func TestGY_117_DeniedServiceDisturbsNoOther(t *testing.T) {
	t.Parallel()
	_, c := fixtureCall(t, dataContext, 0, 1000)
	cca := c.initial(0, service(10, megabytes(1)), service(99, megabytes(1)))
	wantFailed(t, cca, 2001, ratingGroup)
	if good, _ := grantOf(cca, 10); good.code != 2001 || !good.given {
		t.Errorf("Rating-Group 10: got %v, want a grant", good)
	}
	if bad, _ := grantOf(cca, 99); bad.code != 5031 || bad.given {
		t.Errorf("Rating-Group 99: got %v, want 5031", bad)
	}
}

func TestGY_119_ServiceIdentifiersHaveQuotasOfTheirOwn(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, voiceContext, 600, 0)
	wantCode(t, c.initial(0, service(10, wants(60)), service(10, u32(serviceID, 5), wants(50))), 2001)
	s.wantAccount(t, c.msisdn, 600, 110)
	wantCode(t, c.update(1, service(10, u32(serviceID, 5), uses(20))), 2001)
	s.wantAccount(t, c.msisdn, 580, 60)
}

func TestGY_123_GY_124_HoldingTimeAndTriggers(t *testing.T) {
	t.Parallel()
	for context, want := range map[string]struct {
		holding  int // -1: none
		triggers []uint32
		armed    bool
	}{
		"idle@gyro.test": {30, []uint32{5, 30}, true}, "disarm@gyro.test": {0, nil, true}, dataContext: {-1, nil, false},
	} {
		_, c := fixtureCall(t, context, 0, 1000)
		cca := c.initial(0, service(20, megabytes(1)))
		wantCode(t, cca, 2001)
		holding, told := cca.find(mscc, holdingTime)
		if told != (want.holding >= 0) || told && holding.uint32() != uint32(want.holding) {
			t.Errorf("%s: got Quota-Holding-Time %v (there: %t), want %d", context, holding, told, want.holding)
		}
		group, armed := cca.find(mscc, trigger)
		var kinds []uint32
		for _, kind := range allAVPs(group.members(), triggerType) {
			kinds = append(kinds, kind.uint32())
		}
		if armed != want.armed || len(kinds) != len(want.triggers) {
			t.Errorf("%s: got Trigger %v (there: %t), want %v", context, kinds, armed, want.triggers)
		}
	}
}

func TestGY_127_GY_129_GY_130_RedirectionAndItsDance(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "redirect@gyro.test", 90, 0)
	cca := c.initial(0, service(100, wants(120)))
	if units, _ := cca.find(mscc, granted, ccTime); units.uint32() != 90 {
		t.Errorf("got %d s, want 90, in %v", units.uint32(), cca)
	}
	action, _ := cca.find(mscc, finalUnit, finalUnitAction)
	kind, _ := cca.find(mscc, finalUnit, redirectServer, redirectType)
	address, _ := cca.find(mscc, finalUnit, redirectServer, redirectAddress)
	if action.uint32() != 1 || kind.uint32() != 3 || address.text() != "sip:topup@ims.test" {
		t.Errorf("Final-Unit-Indication: got %d, type %d, %q, want REDIRECT to a SIP URI, in %v", action.uint32(), kind.uint32(), address.text(), cca)
	}
	cca = c.update(1, service(100, uses(90)))
	wantNoGrant(t, cca)
	if wait, ok := cca.find(mscc, validityTime); !ok || wait.uint32() == 0 {
		t.Errorf("after the final units: no Validity-Time in %v", cca)
	}
	s.wantAccount(t, c.msisdn, 0, 0)
	s.gyro(t, "bucket", "grant", c.msisdn, "--seconds", "600", "--reason", "test")
	c.link.send(c.link.answer(c.summoned(cmdReAuth), 2002)) // GY-160: restricted, so it is called back
	wantGrant(t, c.update(2, service(100, wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 600, 60)
}

func TestGY_130_NothingCameMeanwhile(t *testing.T) {
	t.Parallel()
	_, c := fixtureCall(t, "redirect@gyro.test", 90, 0)
	wantCode(t, c.initial(0, service(100, wants(120))), 2001)
	wantCode(t, c.update(1, service(100, uses(90))), 2001)
	wantCode(t, c.update(2, service(100, wants(60))), 4012)
}

func TestGY_131_EmptyAccountIsRedirected(t *testing.T) {
	t.Parallel()
	for context, kind := range map[string]uint32{"redirect@gyro.test": 3, "portal@gyro.test": 2} { // GY-127: data is sent to a URL
		_, c := fixtureCall(t, context, 0, 0)
		cca := c.initial(0, service(10, group(requested)))
		wantNoGrant(t, cca)
		told, _ := cca.find(mscc, finalUnit, redirectServer, redirectType)
		if _, wait := cca.find(mscc, validityTime); !wait || told.uint32() != kind {
			t.Errorf("%s: got Redirect-Address-Type %d, Validity-Time %t, want %d and one, in %v", context, told.uint32(), wait, kind, cca)
		}
	}
}

func TestGY_128_GY_133_Restriction(t *testing.T) {
	t.Parallel()
	_, c := fixtureCall(t, "restrict@gyro.test", 0, 3)
	cca := c.initial(0, service(20, megabytes(10)))
	wantCode(t, cca, 2001)
	action, _ := cca.find(mscc, finalUnit, finalUnitAction)
	rule, _ := cca.find(mscc, finalUnit, restrictionRule)
	name, _ := cca.find(mscc, finalUnit, filterID)
	if action.uint32() != 2 || rule.text() != "permit out ip from 192.0.2.1 to assigned" || name.text() != "topup" {
		t.Errorf("got action %d, rule %q, filter %q, want RESTRICT_ACCESS with both, in %v", action.uint32(), rule.text(), name.text(), cca)
	}
	if qos, ok := cca.find(mscc, qosFinalUnit, finalUnitAction); !ok || qos.uint32() != 2 {
		t.Errorf("QoS-Final-Unit-Indication: got %v, want it beside the other, in %v", qos, cca)
	}
	_, plain := fixtureCall(t, "portal@gyro.test", 0, 3)
	if _, ok := plain.initial(0, service(20, megabytes(10))).find(mscc, qosFinalUnit); ok {
		t.Error("QoS-Final-Unit-Indication for a profile that does not know RFC 8506")
	}
}

// The tariff of +48 became three times as dear ten minutes before the tests began.
func TestGY_135_GY_141_VoiceIsDividedByTheClock(t *testing.T) {
	t.Parallel()
	at := func(c *call, requestType, number uint32, when time.Time, more ...avp) message {
		return c.ccr(requestType, number, more...).replacing(stamp(eventTimestamp, when))
	}
	s, c := fixtureCall(t, voiceContext, 1000, 0)
	c.called = "tel:+48221234567"
	wantCode(t, c.link.call(at(c, typeInitial, 0, switchedAt().Add(-40*time.Second), service(100, wants(60)))), 2001)
	wantCode(t, c.link.call(at(c, typeUpdate, 1, switchedAt().Add(20*time.Second), service(100, uses(60)))), 2001)
	s.wantAccount(t, c.msisdn, 1000-40-3*20, 0)

	s, c = fixtureCall(t, voiceContext, 1000, 0)
	c.called = "tel:+48221234567"
	strange := time.Now().Add(48*time.Hour - 30*time.Minute) // two days on, and before the change of that day
	wantCode(t, c.link.call(at(c, typeInitial, 0, strange, service(100, wants(60)))), 2001)
	s.wantAccount(t, c.msisdn, 1000, 180)
}

func TestGY_136_GY_137_VolumeNearAChange(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "tell@gyro.test", 0, 1000)
	cca := c.initial(0, service(10, megabytes(10)))
	wantCode(t, cca, 2001)
	told, ok := cca.find(mscc, granted, tariffTimeChange)
	if want := uint32(switchesAt().Unix() + 2208988800); !ok || told.uint32() != want {
		t.Errorf("Tariff-Time-Change: got %d (there: %t), want %d", told.uint32(), ok, want)
	}
	s.wantMoney(t, c.msisdn, 1000, 20) // the dearer of both: two cents now, one later
}

func TestGY_138_GY_139_UsageOnBothSidesOfAChange(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		used []avp
		cost int64
	}{
		"before":        {[]avp{u32(tariffChangeUsage, 0)}, 2},
		"after":         {[]avp{u32(tariffChangeUsage, 1)}, 1},
		"indeterminate": {[]avp{u32(tariffChangeUsage, 2)}, 1}, // the cheaper
		"no change":     {nil, 2},
	} {
		s, c := fixtureCall(t, "tell@gyro.test", 0, 1000)
		wantCode(t, c.initial(0, service(10, megabytes(10))), 2001)
		wantCode(t, c.terminate(1, service(10, usedMegabytes(1, test.used...))), 2001)
		t.Log(name)
		s.wantMoney(t, c.msisdn, 1000-test.cost, 0)
	}
}

func TestGY_140_QuotaEndsAtTheChange(t *testing.T) {
	t.Parallel()
	_, c := fixtureCall(t, dataContext, 0, 1000)
	cca := c.initial(0, service(10, megabytes(10)))
	wantCode(t, cca, 2001)
	left := uint32(time.Until(switchesAt()) / time.Second)
	validity, _ := cca.find(mscc, validityTime)
	if got := validity.uint32(); got+1 < left || got > left+31 {
		t.Errorf("Validity-Time: got %d, want %d to %d, the change and its jitter", got, left, left+31)
	}
	if _, told := cca.find(mscc, granted, tariffTimeChange); told {
		t.Error("Tariff-Time-Change where the profile does not tell it")
	}
}

func TestGY_175_LowAndRemainingBalance(t *testing.T) {
	t.Parallel()
	_, c := fixtureCall(t, voiceContext, 200, 0)
	first := c.initial(0, service(100, wants(60)))
	if _, low := first.find(lowBalance); low {
		t.Errorf("140 s free, and low: %v", first)
	}
	second := c.update(1, service(100, uses(60), wants(60)))
	if low, ok := second.find(lowBalance); !ok || low.uint32() != 1 {
		t.Errorf("80 s free: no Low-Balance-Indication in %v", second)
	}
	if _, told := second.find(remainingBalance); told {
		t.Errorf("Remaining-Balance of minutes in %v", second)
	}
	if _, again := c.update(2, service(100, uses(1), wants(60))).find(lowBalance); again {
		t.Error("Low-Balance-Indication twice for one crossing")
	}
}

func TestGY_085_GY_094_CostOfMoney(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "money@gyro.test", 0, 1000)
	wantCode(t, c.initial(0, toNumber("tel:+33123456789"), service(100, wants(60))), 2001)
	s.wantMoney(t, c.msisdn, 1000, 20)
	for i, cca := range []message{c.update(1, service(100, uses(60), wants(60))), c.terminate(2, service(100, uses(30)))} {
		wantCode(t, cca, 2001)
		digits, _ := cca.find(costInformation, unitValue, valueDigits)
		power, _ := cca.find(costInformation, unitValue, exponent)
		currency, _ := cca.find(costInformation, currencyCode)
		if digits.uint64() != uint64(20*(i+1)) || int32(power.uint32()) != -2 || currency.uint32() != 978 {
			t.Errorf("Cost-Information: got %d x 10^%d of %d, want %d cents, in %v", digits.uint64(), int32(power.uint32()), currency.uint32(), 20*(i+1), cca)
		}
		left, ok := cca.find(remainingBalance, unitValue, valueDigits)
		if want := uint64(1000 - 20*(i+1)); !ok || left.uint64() != want { // GY-175: money accounts have it
			t.Errorf("Remaining-Balance: got %d, want %d", left.uint64(), want)
		}
	}
	s.wantMoney(t, c.msisdn, 960, 0)
}

func TestGY_176_Announcements(t *testing.T) {
	t.Parallel()
	_, c := fixtureCall(t, "announce@gyro.test", 420, 0)
	told, ok := c.initial(0, service(100, wants(60))).find(mscc, announcement)
	id, _ := told.find(announcementID)
	minutes, _ := told.find(variablePart, variablePartValue)
	language, _ := told.find(announcementTongue)
	if _, timed := told.find(timeIndicator); !ok || timed || id.uint32() != 101 || minutes.text() != "7" || language.text() != "de" {
		t.Errorf("before the call: got %v, want 101 with 7 minutes and no Time-Indicator", told)
	}
	wantCode(t, c.update(1, service(100, uses(380))), 2001)
	told, _ = c.update(2, service(100, wants(60))).find(mscc, announcement)
	id, _ = told.find(announcementID)
	if before, ok := told.find(timeIndicator); !ok || id.uint32() != 102 || before.uint32() != 10 {
		t.Errorf("with the last quota: got %v, want 102 ten seconds before its end", told)
	}
	_, empty := fixtureCall(t, "announce@gyro.test", 0, 0)
	refused := empty.initial(0, service(100, wants(60)))
	wantCode(t, refused, 4012)
	if id, ok := refused.find(mscc, announcement, announcementID); !ok || id.uint32() != 103 {
		t.Errorf("refused: got %v, want announcement 103", refused)
	}
}

func TestGY_074_GY_152_WhatIsFreeNeedsNoControl(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, "free@gyro.test", 600, 0)
	wantCode(t, c.initial(0, toNumber("tel:0800123456"), service(100, wants(60))), 4011)
	s.wantAccount(t, c.msisdn, 600, 0)
	wantCode(t, c.update(1, service(100, uses(10))), 5002)
	_, cca := s.client(t).event(s.newTestSubscriber(t, 0, 100), actionDebit, service(100, messages(1)), toRecipient("116000"))
	wantCode(t, cca, 4011)
}

func TestGY_178_MinutesThenMoneyInOneGrant(t *testing.T) {
	t.Parallel()
	s, c := fixtureCall(t, voiceContext, 30, 1000)
	c.called = "tel:+43123456"
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 30, 30)
	s.wantMoney(t, c.msisdn, 1000, 30)
	wantCode(t, c.terminate(1, service(100, uses(60))), 2001)
	s.wantAccount(t, c.msisdn, 0, 0)
	s.wantMoney(t, c.msisdn, 970, 0)
}

func TestGY_147_RefundWithoutInformation(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	msisdn := s.newTestSubscriber(t, 0, 100)
	_, refused := s.client(t).event(msisdn, actionRefund, service(100, messages(2)), toRecipient("4930123456"))
	wantCode(t, refused, 5003)
	s.wantMoney(t, msisdn, 100, 0)
	_, given := s.connect(t, "crm.trusted.test").event(msisdn, actionRefund, service(100, messages(2)), toRecipient("4930123456"))
	wantUnits(t, given, "rg 100 2")
	s.wantMoney(t, msisdn, 120, 0)
}

func TestGY_036_StrictPeerIsHeldToTheMBit(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	unknown := octets(unknownAVP, 1, 2, 3, 4)
	for host, want := range map[string]uint32{newHost(): 2001, "tas1.strict.test": 5001} {
		c := s.connect(t, host).newCall(s.newTestSubscriber(t, 600, 0))
		c.context = "announce@gyro.test" // its calls have no Service-Information of their own
		inside := group(serviceInformation, group(imsInformation, u32(roleOfNode, 0), text(calledParty, "tel:+4930123"), unknown))
		cca := c.initial(0, inside, service(100, wants(60)))
		wantCode(t, cca, want)
		if want == 5001 {
			wantFailed(t, cca, 5001, unknownAVP)
		}
	}
}

// A client that asks more often than it may is told that the server is busy; another one is served meanwhile.
func TestGY_188_RateOfAClient(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	flood, other := s.connect(t, "smf1.slow.test"), s.client(t)
	c := flood.newCall(s.newTestSubscriber(t, 600, 0))
	calm := other.newCall(s.newTestSubscriber(t, 600, 0))
	var pending []<-chan message
	for number := range uint32(200) {
		pending = append(pending, flood.start(c.ccr(typeUpdate, number, service(100, uses(0)))))
	}
	began := time.Now()
	wantGrant(t, calm.initial(0, service(100, wants(60))), 100, 60, false)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("another client waited %v", took)
	}
	busy := 0
	for _, answer := range answersTo(t, pending) {
		if code := answer.resultCode(); code == 3002 {
			busy++
		} else if code != 5002 {
			t.Errorf("got %v, want 5002 or 3002", answer)
		}
	}
	if busy < 100 {
		t.Errorf("%d of 200 requests at once were refused, want nearly all beyond ten in a second", busy)
	}
}

func TestGY_189_CountersOfAPeer(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	l := s.client(t)
	c := l.newCall(s.newTestSubscriber(t, 600, 0))
	first := c.ccr(typeInitial, 0, service(100, wants(60)), octets(unknownAVP, 1, 2, 3, 4).optional())
	wantCode(t, l.call(first), 2001)
	wantCode(t, l.call(first.resent()), 2001)
	wantCode(t, c.update(2, service(100, uses(10), wants(60))), 2001)
	wantCode(t, c.update(1, service(100, uses(10), wants(60))), 2001)
	wantCode(t, c.terminate(3, service(100, uses(10))), 2001)
	wantCode(t, c.update(9, service(100, uses(5))), 5002)
	var shown []struct {
		Requests, Results map[string]int
		Duplicates        int
		OutOfOrder        int `json:"out_of_order"`
		LateUsage         int `json:"late_usage"`
		UnknownAVPs       int `json:"unknown_avps"`
		State             string
	}
	s.gyroJSON(t, &shown, "peer", "show", l.host)
	if len(shown) != 1 {
		t.Fatalf("got %d connections, want one", len(shown))
	}
	p := shown[0]
	if p.Requests["initial"] != 2 || p.Requests["update"] != 3 || p.Requests["termination"] != 1 || p.Results["2001"] != 5 || p.Results["5002"] != 1 ||
		p.Duplicates != 1 || p.OutOfOrder != 1 || p.LateUsage != 1 || p.UnknownAVPs != 2 || p.State != "okay" {
		t.Errorf("got %+v", p)
	}
}

func TestPeerIsDisconnectedByOrder(t *testing.T) {
	t.Parallel()
	s := fixtureServer(t)
	l := s.client(t)
	s.gyro(t, "peer", "disconnect", l.host, "--cause", "not-welcome")
	dpr := l.next()
	if cause, _ := dpr.find(disconnectCause); dpr.command != cmdDisconnect || cause.uint32() != 2 {
		t.Errorf("got %v, want a DPR with cause 2", dpr)
	}
	l.send(l.answer(dpr, 2001))
	l.wantClosed(patience)
	if _, _, code, err := s.run(t.Context(), "peer", "disconnect", l.host); code != 3 || err != nil {
		t.Errorf("who is not connected: exit %d, %v, want 3", code, err)
	}
}
