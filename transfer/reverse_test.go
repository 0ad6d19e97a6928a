package transfer

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// sent is a world in which ann has sent bob 20 of her 60 minutes.
func sent(t *testing.T) (w *world, ref string) {
	t.Helper()
	w = newWorld()
	w.grant("ann", 60, "purchased", 30)
	o := must(t, w, w.do("ann", "bob", send(20)))
	return w, string(o.Answer.Reference)
}

// onClaim asks something about a claim, whose sender is bob: he holds the minutes.
func (w *world) onClaim(op Operation, by Actor, person, claim string) Outcome {
	return w.do("bob", "ann", Request{Operation: op, By: by, Person: person, Original: claim})
}

func TestI19_ClaimWithConsent(t *testing.T) {
	t.Parallel()
	w, ref := sent(t)
	claim := must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}))
	equal(t, "status", claim.Answer.Status, Pending)
	equal(t, "original", w.transfers[Reference(ref)].Status, ReversalPending)
	equal(t, "bob can use none of it", w.free("bob"), 0)
	if claim.Answer.Purse != nil {
		t.Error("ann was told what bob has")
	}
	id := string(claim.Answer.Reference)
	want(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}), AlreadyDone)
	want(t, w, w.onClaim(OpReverseAccept, ByReceiver, "", id), OriginalUnknown) // ann cannot consent for bob
	must(t, w, w.onClaim(OpReverseAccept, BySender, "", id))
	equal(t, "ann", w.balance("ann"), 60*minute)
	equal(t, "lots of ann: it came back to where it came from", len(w.load("ann").Buckets), 1)
	equal(t, "original", w.transfers[Reference(ref)].Status, Reversed)
	want(t, w, w.onClaim(OpReverseAccept, BySender, "", id), AlreadyDone)
	want(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}), AlreadyDone)
	want(t, w, w.do("bob", "ann", Request{Operation: OpReverse, Original: id}), NotReversible)
}

func TestI19_OnlyWhatIsTraceable(t *testing.T) {
	t.Parallel()
	w, ref := sent(t)
	w.grant("bob", 500, "purchased", 40)
	must(t, w, w.do("bob", "cem", send(12)))
	claim := must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}))
	equal(t, "frozen", claim.Answer.Seconds, 8*minute)
	equal(t, "remainder reported", claim.Answer.Short, 12*minute)
	equal(t, "bob's own is free", w.free("bob"), 500*minute)
	must(t, w, w.onClaim(OpReverseAccept, BySender, "", string(claim.Answer.Reference)))
	equal(t, "ann", w.balance("ann"), 48*minute)
	equal(t, "returned", w.transfers[Reference(ref)].Returned, 8*minute)

	w, ref = sent(t)
	must(t, w, w.do("bob", "cem", send(20)))
	o := w.do("ann", "bob", Request{Operation: OpReverse, Original: ref})
	want(t, w, o, AlreadySpent)
	equal(t, "told", o.Answer.Seconds, 0)
}

func TestI19_OriginalExpiryIsRestored(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Expiry = ExpiryRule{Mode: Shorten, Days: 2}
	lot := w.grant("ann", 60, "purchased", 30)
	before := w.buckets[lot]
	o := must(t, w, w.do("ann", "bob", send(20)))
	must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, By: ByReceiver, Original: string(o.Answer.Reference)}))
	equal(t, "lot", w.buckets[lot], before)
}

// What has died at the receiver is gone: it does not come to life again with the sender, whose lot lives longer.
func TestI19_WhatHasExpiredStaysExpired(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Expiry = ExpiryRule{Mode: Shorten, Days: 2}
	w.grant("ann", 60, "purchased", 30)
	o := must(t, w, w.do("ann", "bob", send(20)))
	w.now = w.now.Add(2 * day)
	refund := Request{Operation: OpReverse, By: ByReceiver, Original: string(o.Answer.Reference)}
	want(t, w, w.do("ann", "bob", refund), AlreadySpent)
	equal(t, "ann", w.free("ann"), 40*minute)
}

// What the claim freezes cannot be spent; what is spent before cannot be claimed. Together never more than the lot.
func TestI20_ReversalAgainstSpend(t *testing.T) {
	t.Parallel()
	for _, claimFirst := range []bool{true, false} {
		w, ref := sent(t)
		claim := func() Outcome { return w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}) }
		var spent, frozen rating.Units
		if claimFirst {
			frozen = claim().Answer.Seconds
			spent = w.call("bob", 15*minute)
		} else {
			spent = w.call("bob", 15*minute)
			frozen = claim().Answer.Seconds
		}
		if err := w.check(); err != nil {
			t.Error(err)
		}
		equal(t, "together", spent+frozen, 20*minute)
	}
}

func TestClaimOfTheOperatorTakesTwoPersons(t *testing.T) {
	t.Parallel()
	w, ref := sent(t)
	claim := must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, By: ByOperator, Person: "eve", Original: ref}))
	id := string(claim.Answer.Reference)
	want(t, w, w.onClaim(OpReverseAccept, ByOperator, "eve", id), AlreadyDone) // maker is never checker
	want(t, w, w.onClaim(OpReverseRefuse, BySender, "", id), KindNotAllowed)   // bob cannot close it
	o := must(t, w, w.onClaim(OpReverseAccept, ByOperator, "fay", id))
	equal(t, "status", o.Answer.Status, Completed)
	equal(t, "ann", w.balance("ann"), 60*minute)
}

func TestClaimOfTheSenderDecidedByTwoPersons(t *testing.T) {
	t.Parallel()
	w, ref := sent(t)
	claim := must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}))
	id := string(claim.Answer.Reference)
	w.policy.Stop = &Stop{Reason: "incident", Since: w.now} // the operator decides claims also then
	o := must(t, w, w.onClaim(OpReverseAccept, ByOperator, "eve", id))
	equal(t, "after one", o.Answer.Status, Pending)
	want(t, w, w.onClaim(OpReverseAccept, ByOperator, "eve", id), AlreadyDone)
	o = must(t, w, w.onClaim(OpReverseAccept, ByOperator, "fay", id))
	equal(t, "after two", o.Answer.Status, Completed)
}

func TestClaimRefusedOrLapsed(t *testing.T) {
	t.Parallel()
	for _, op := range []Operation{OpReverseRefuse, OpLapse} {
		w, ref := sent(t)
		claim := must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}))
		by := BySender
		if op == OpLapse {
			w.now, by = claim.Answer.ValidTo, BySystem
		}
		must(t, w, w.onClaim(op, by, "", string(claim.Answer.Reference)))
		equal(t, "bob's again", w.free("bob"), 20*minute)
		equal(t, "original", w.transfers[Reference(ref)].Status, Completed)
		want(t, w, w.do("ann", "bob", Request{Operation: OpReverse, Original: ref}), map[Operation]Refusal{
			OpReverseRefuse: AlreadyDone, OpLapse: WindowClosed, // one claim for each transfer, in three days
		}[op])
	}
}

func TestClaimWindow(t *testing.T) {
	t.Parallel()
	w, ref := sent(t)
	w.now = w.now.Add(3*day - time.Second)
	early := w.state("ann", "bob", Request{Original: ref})
	r := Request{Operation: OpReverse, Original: ref}
	w.complete(&r)
	equal(t, "last second", Decide(w.policy, early, r, w.now).Answer.Refusal, None)
	w.now = w.now.Add(time.Second)
	want(t, w, w.do("ann", "bob", r), WindowClosed)
	o := must(t, w, w.do("ann", "bob", Request{Operation: OpReverse, By: ByOperator, Person: "eve", Original: ref}))
	equal(t, "persons after the window", w.transfers[o.Answer.Reference].Needed, 3)
}

func TestShopRefundsWhatItMeans(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 60, "purchased", 30)
	pay := send(20)
	pay.Kind, pay.Note = Merchant, "bill 7"
	o := must(t, w, w.do("ann", "shop", pay))
	ref := string(o.Answer.Reference)
	want(t, w, w.do("ann", "shop", Request{Operation: OpReverse, Original: ref}), NotReversible) // no chargeback by claim
	w.call("shop", 15*minute)
	refund := Request{Operation: OpReverse, By: ByReceiver, Original: ref, Seconds: 6 * minute}
	o = w.do("ann", "shop", refund)
	want(t, w, o, AlreadySpent)
	equal(t, "partial amount told", o.Answer.Seconds, 5*minute)
	refund.Seconds = 5 * minute
	o = must(t, w, w.do("ann", "shop", refund))
	equal(t, "ann", w.balance("ann"), 45*minute)
	equal(t, "texts", [2]Message{o.Texts[0].Message, o.Texts[1].Message}, [2]Message{GaveBack, GotBack})
	want(t, w, w.do("ann", "shop", refund), AlreadyDone)
}

func TestFeeOfAReversal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		refund, atOurs bool
		spent          int
		fee, agent     rating.Units // left in the accounts
	}{
		{"kept", false, false, 0, 31, 60},
		{"given back with its shares", true, false, 0, 0, 0},
		{"given back in part", true, false, 50, 14, 31},
		{"our fault", false, true, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.policy.Fees = []FeeRule{{Name: "flat", Bands: []FeeBand{{Flat: 101}}}}
			rules := w.policy.Kinds[Agent]
			rules.Reversal.FeeRefunded = c.refund
			w.policy.Kinds[Agent] = rules
			w.grant("vendor", 1000, "float", 0)
			r := send(100)
			r.Kind = Agent
			o := must(t, w, w.do("vendor", "bob", r))
			equal(t, "operator and parent before", w.account("fee")+w.account("commission:111114"), 31+10)
			w.call("bob", rating.Units(c.spent)*minute)
			claim := must(t, w, w.do("vendor", "bob", Request{
				Operation: OpReverse, By: ByOperator, Person: "eve", Original: string(o.Answer.Reference),
			}))
			must(t, w, w.do("bob", "vendor", Request{
				Operation: OpReverseAccept, By: ByOperator, Person: "fay", AtFault: c.atOurs, Original: string(claim.Answer.Reference),
			}))
			equal(t, "fee", w.account("fee"), c.fee)
			equal(t, "agent", w.account("commission:222227"), c.agent)
		})
	}
}
