package transfer

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// Every rule about who, whether and with what right, and what a violation is called.
func TestWhoMaySend(t *testing.T) {
	t.Parallel()
	maxFee := rating.Units(10)
	for _, c := range []struct {
		name   string
		change func(w *world, r *Request)
		want   Refusal
	}{
		{"nothing special", func(*world, *Request) {}, None},
		{"sender closed", func(w *world, _ *Request) { w.parties["ann"].Subscriber.State = ocs.Closed }, SenderUnknown},
		{"sender blocked", func(w *world, _ *Request) { w.parties["ann"].Subscriber.State = ocs.Blocked }, SenderFrozen},
		{"receiver closed", func(w *world, _ *Request) { w.parties["bob"].Subscriber.State = ocs.Closed }, ReceiverUnknown},
		{"receiver blocked", func(w *world, _ *Request) { w.parties["bob"].Subscriber.State = ocs.Blocked }, ReceiverFrozen},
		{"freeze is over", func(w *world, _ *Request) {
			w.parties["ann"].Profile.Freeze, w.parties["ann"].Profile.FrozenUntil = Frozen, w.now
		}, None},
		{"kind off", func(w *world, _ *Request) { delete(w.policy.Kinds, P2P) }, KindNotAllowed},
		{"kind switched off", func(w *world, _ *Request) { w.policy.Kinds[P2P] = KindRules{Off: true} }, KindNotAllowed},
		{"unknown kind", func(_ *world, r *Request) { r.Kind = "loan" }, KindNotAllowed},
		{"channel off", func(w *world, _ *Request) { delete(w.policy.Channels, API) }, KindNotAllowed},
		{"no merchant", func(_ *world, r *Request) { r.Kind = Merchant }, KindNotAllowed},
		{"no agent", func(_ *world, r *Request) { r.Kind = Agent }, KindNotAllowed},
		{"no floats", func(_ *world, r *Request) { r.Kind = Float }, KindNotAllowed},
		{"sender too new", func(w *world, _ *Request) {
			w.policy.Eligibility.SenderAge = 90 * day
			w.parties["ann"].Profile.OnNetSince = w.now.Add(-89 * day)
		}, SenderNotEligible},
		{"sender old enough to the second", func(w *world, _ *Request) {
			w.policy.Eligibility.SenderAge = 90 * day
			w.parties["ann"].Profile.OnNetSince = w.now.Add(-90 * day)
		}, None},
		{"sender's age unknown", func(w *world, _ *Request) {
			w.policy.Eligibility.SenderAge = day
			w.parties["ann"].Profile.OnNetSince = time.Time{}
		}, SenderNotEligible},
		{"receiver too new", func(w *world, _ *Request) {
			w.policy.Eligibility.ReceiverAge = 30 * day
			w.parties["bob"].Profile.OnNetSince = w.now
		}, ReceiverNotEligible},
		{"no recharge lately", func(w *world, _ *Request) {
			w.policy.Eligibility.RechargeWithin = 30 * day
			w.parties["ann"].Profile.RechargedAt = w.now.Add(-31 * day)
		}, SenderNotEligible},
		{"abroad", func(w *world, _ *Request) { w.parties["ann"].Profile.Roaming = true }, SenderNotEligible},
		{"abroad and allowed", func(w *world, _ *Request) {
			w.parties["ann"].Profile.Roaming, w.policy.Eligibility.Roaming = true, true
		}, None},
		{"postpaid sender", func(w *world, _ *Request) { w.parties["ann"].Profile.Postpaid = true }, SenderNotEligible},
		{"postpaid receiver", func(w *world, _ *Request) {
			w.parties["bob"].Profile.Postpaid, w.policy.Eligibility.PostpaidReceives = true, false
		}, ReceiverNotEligible},
		{"owes lent minutes", func(w *world, _ *Request) {
			w.parties["ann"].Profile.Advance, w.policy.Eligibility.RepayFirst = true, true
		}, SenderNotEligible},
		{"plans that do not mix", func(w *world, _ *Request) { w.policy.Eligibility.Families = []FamilyPair{{"home", "home"}} }, KindNotAllowed},
		{"SIM changed", func(w *world, _ *Request) { w.parties["ann"].Profile.SIMChangedAt = w.now.Add(-time.Hour) }, CoolingOff},
		{"PIN reset", func(w *world, _ *Request) { w.parties["ann"].Profile.PINChangedAt = w.now.Add(-time.Hour) }, CoolingOff},
		{"cooled off to the second", func(w *world, _ *Request) { w.parties["ann"].Profile.SIMChangedAt = w.now.Add(-3 * day) }, None},
		{"on the block list", func(w *world, _ *Request) { w.parties["bob"].Profile.BlocksOther = true }, ReceiverDeclines},
		{"risk rule", func(w *world, _ *Request) { w.risk = "fan_in" }, RiskRefused},
		{"no PIN", func(_ *world, r *Request) { r.Channel = USSD }, PINNeeded},
		{"PIN", func(_ *world, r *Request) { r.Channel, r.Credential.Result = USSD, Verified }, None},
		{"wrong PIN", func(_ *world, r *Request) { r.Channel, r.Credential.Result = USSD, Wrong }, WrongPIN},
		{"wrong PIN where none is needed", func(_ *world, r *Request) { r.Credential.Result = Wrong }, WrongPIN},
		{"locked PIN", func(_ *world, r *Request) { r.Channel, r.Credential.Result = USSD, Locked }, PINLocked},
		{"default PIN", func(_ *world, r *Request) { r.Channel, r.Credential.Result = USSD, MustChange }, PINMustChange},
		{"small sums need no PIN", func(w *world, r *Request) {
			r.Channel = USSD
			w.policy.Channels[USSD] = ChannelRules{Step: PIN, StepAbove: 10 * minute}
		}, None},
		{"no papers", func(w *world, r *Request) {
			r.Channel, r.Credential.Result = USSD, Verified
			w.policy.Channels[USSD] = ChannelRules{Step: PINAndID}
		}, PINNeeded},
		{"not confirmed", func(w *world, _ *Request) { w.policy.Channels[API] = ChannelRules{Step: YesNo} }, NotConfirmed},
		{"confirmed", func(w *world, r *Request) {
			r.Confirmed = true
			w.policy.Channels[API] = ChannelRules{Step: YesNo}
		}, None},
		{"looks like a copy", func(w *world, r *Request) {
			r.Channel, r.Credential.Result, w.lastSame = USSD, Verified, w.now.Add(-59*time.Second)
		}, RepeatSuspected},
		{"is meant", func(w *world, r *Request) {
			r.Channel, r.Credential.Result, r.Again, w.lastSame = USSD, Verified, true, w.now
		}, None},
		{"a minute later", func(w *world, r *Request) {
			r.Channel, r.Credential.Result, w.lastSame = USSD, Verified, w.now.Add(-time.Minute)
		}, None},
		{"a machine may repeat", func(w *world, _ *Request) { w.lastSame = w.now }, None},
		{"no fee rule", func(w *world, _ *Request) { w.policy.Fees = nil }, NoFeeRule},
		{"fee above accepted", func(w *world, r *Request) {
			w.policy.Fees, r.MaxFee = []FeeRule{{Name: "f", Bands: []FeeBand{{Flat: 11}}}}, &maxFee
		}, FeeTooHigh},
		{"fee as accepted", func(w *world, r *Request) {
			w.policy.Fees, r.MaxFee = []FeeRule{{Name: "f", Bands: []FeeBand{{Flat: 10}}}}, &maxFee
		}, None},
		{"some must remain", func(w *world, _ *Request) { w.change(func(k *KindRules) { k.MinRemaining = 91 * minute }) }, MinimumRemaining},
		{"just as much remains", func(w *world, _ *Request) { w.change(func(k *KindRules) { k.MinRemaining = 90 * minute }) }, None},
		{"receiver would be too rich", func(w *world, _ *Request) { w.change(func(k *KindRules) { k.ReceiverCap = 10*minute - 1 }) }, ReceiverFull},
		{"receiver is just not too rich", func(w *world, _ *Request) { w.change(func(k *KindRules) { k.ReceiverCap = 10 * minute }) }, None},
		{"class not for sending", func(w *world, _ *Request) { w.policy.Classes["purchased"] = ClassRules{} }, NotTransferable},
		{"class not for this kind", func(w *world, _ *Request) {
			w.policy.Classes["purchased"] = ClassRules{Movable: true, Kinds: []Kind{Merchant}}
		}, NotTransferable},
		{"too near to the end", func(w *world, _ *Request) { w.policy.BeforeExpiry = 30*day + 1 }, NotTransferable},
		{"unknown reference of a stored one", func(_ *world, r *Request) { r.Operation, r.Original = OpConfirm, "nothing" }, OriginalUnknown},
		{"no such quote", func(_ *world, r *Request) { r.QuoteID = "nothing" }, QuoteExpired},
		{"reference of 65", func(_ *world, r *Request) { r.Reference = string(make([]byte, 65)) }, Malformed},
		{"note with a line feed", func(_ *world, r *Request) { r.Note = "a\nb" }, Malformed},
		{"odd bearer", func(_ *world, r *Request) { r.Bearer = "nobody" }, Malformed},
		{"odd actor", func(_ *world, r *Request) { r.By = BySystem }, Malformed},
		{"nameless person", func(_ *world, r *Request) { r.By = ByOperator }, Incomplete},
		{"odd operation", func(_ *world, r *Request) { r.Operation = 99 }, Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, r := newWorld(), send(10)
			w.grant("ann", 100, "purchased", 30)
			c.change(w, &r)
			o := w.do("ann", "bob", r)
			want(t, w, o, c.want)
			if c.want != None {
				equal(t, "ann", w.balance("ann"), 100*minute)
				equal(t, "postings", len(o.Postings), 0)
			}
		})
	}
}

// change changes the rules of transfers between friends.
func (w *world) change(change func(*KindRules)) {
	rules := w.policy.Kinds[P2P]
	change(&rules)
	w.policy.Kinds[P2P] = rules
}

// A refusal says when trying again makes sense, if time alone can help.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 100, "purchased", 30)
	w.parties["ann"].Profile.SIMChangedAt = w.now.Add(-day)
	w.parties["ann"].Profile.PINChangedAt = w.now.Add(-time.Hour)
	o := w.do("ann", "bob", send(1))
	want(t, w, o, CoolingOff)
	equal(t, "after the later of both", o.Answer.RetryAfter, 2*day)
	o = w.do("ann", "nobody", send(1))
	want(t, w, o, ReceiverUnknown)
	equal(t, "never", o.Answer.RetryAfter, 0)
}

// A refused transfer leaves a record that can be looked up by its sender, and by nobody else.
func TestRefusedTransferIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld()
	o := w.do("ann", "bob", send(5))
	want(t, w, o, NotEnough)
	kept := w.transfers[o.Answer.Reference]
	equal(t, "status", kept.Status, Failed)
	equal(t, "checks", len(kept.Checks), len(o.Checks))
	equal(t, "policy", kept.Policy, "default")
	enquire := Request{Operation: OpEnquire, Original: string(o.Answer.Reference)}
	equal(t, "stored outcome", w.do("ann", "bob", enquire).Answer.Refusal, NotEnough)
	enquire.By = ByReceiver
	want(t, w, w.do("ann", "bob", enquire), OriginalUnknown)
}

// All rules are looked at, also after one has failed, so that the decision can be explained.
func TestChecksGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.parties["ann"].Profile.Roaming = true
	w.parties["ann"].Profile.SIMChangedAt = w.now
	o := w.do("ann", "bob", send(5))
	want(t, w, o, SenderNotEligible)
	var rules []string
	for _, c := range failed(o.Checks) {
		rules = append(rules, c.Rule)
	}
	equal(t, "failed", rules, []string{"sender at home", "cooling off: SIM", "balance"})
}
