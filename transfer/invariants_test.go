package transfer

import (
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

func send(minutes int) Request {
	return Request{Operation: OpSend, Seconds: rating.Units(minutes) * minute}
}

// The menu's example, in numbers: 15 minutes leave the sender and nothing else.
func TestI1_ConservationOfOneTransfer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	root := w.grant("ann", 170, "purchased", 30)
	o := must(t, w, w.do("ann", "bob", send(15)))
	equal(t, "ann", w.balance("ann"), 155*minute)
	equal(t, "bob", w.balance("bob"), 15*minute)
	equal(t, "status", o.Answer.Status, Completed)
	made := o.NewBuckets[0]
	equal(t, "new lot", made, ocs.Bucket{
		ID: made.ID, Subscriber: "bob", Unit: rating.Seconds, Class: "purchased", Balance: 15 * minute,
		ExpiresAt: w.buckets[root].ExpiresAt, CreatedAt: w.now, Root: root, Parent: root, Hops: 1,
	})
	equal(t, "texts", len(o.Texts), 2)
	equal(t, "same reference in both", o.Texts[0].Reference, o.Texts[1].Reference)
}

func TestI2_NothingGoesBelowZero(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 10, "purchased", 30)
	for range 20 {
		w.now = w.now.Add(time.Hour)
		w.do("ann", "bob", send(3))
		if err := w.check(); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "ann", w.balance("ann"), 1*minute)
}

func TestI3_HoldsAreThoseOfPendingTransfers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	lot := w.grant("ann", 60, "purchased", 30)
	w.call("ann", 5*minute)
	o := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 20 * minute}))
	equal(t, "reserved", w.buckets[lot].Reserved, 25*minute)
	must(t, w, w.do("ann", "bob", Request{Operation: OpCancel, Original: string(o.Answer.Reference)}))
	equal(t, "reserved", w.buckets[lot].Reserved, 5*minute)
}

func TestI4_SameReferenceSameAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 100, "purchased", 30)
	r := send(15)
	r.Reference = "once"
	first := must(t, w, w.do("ann", "bob", r))
	for range 3 {
		w.now = w.now.Add(24 * time.Hour)
		r.Number++ // a copy draws another number
		again := w.do("ann", "bob", r)
		equal(t, "answer", again.Answer, first.Answer)
		if !again.Repeated || len(again.Postings)+len(again.Buckets)+len(again.Counters)+len(again.Texts) > 0 {
			t.Errorf("a copy changed something: %+v", again)
		}
	}
	equal(t, "bob", w.balance("bob"), 15*minute)
}

func TestI5_SameReferenceOtherContent(t *testing.T) {
	t.Parallel()
	changes := map[string]func(*Request){
		"seconds":      func(r *Request) { r.Seconds += 60 },
		"kind":         func(r *Request) { r.Kind = Gift },
		"counterparty": func(r *Request) { r.Counterparty = "tel:82100000002" },
		"bearer":       func(r *Request) { r.Bearer = Receiver },
		"operation":    func(r *Request) { r.Operation = OpPrepare },
		"note":         func(r *Request) { r.Note = "bill 8" },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.grant("ann", 100, "purchased", 30)
			r := send(15)
			r.Reference, r.Note, r.Counterparty = "once", "bill 7", "tel:82100000001"
			must(t, w, w.do("ann", "bob", r))
			postings := len(w.postings)
			change(&r)
			want(t, w, w.do("ann", "bob", r), ReferenceReused)
			equal(t, "postings", len(w.postings), postings)
		})
	}
}

// No two contents share a fingerprint, wherever one part ends and the next begins.
func TestI5_FingerprintKeepsPartsApart(t *testing.T) {
	t.Parallel()
	seen := map[string]Request{}
	for _, r := range []Request{
		{}, {Counterparty: "a"}, {Original: "a"}, {Note: "a"}, {Counterparty: "a:", Original: "b"}, {Counterparty: "a", Original: ":b"},
		{Counterparty: "1:a", Original: ""}, {Counterparty: "", Original: "1:a"}, {Seconds: 1}, {Bearer: "1"}, {Person: "a"},
	} {
		if other, there := seen[r.Fingerprint()]; there {
			t.Errorf("%+v and %+v are both %q", r, other, r.Fingerprint())
		}
		seen[r.Fingerprint()] = r
	}
	again := Request{Counterparty: "a", Number: 7, Credential: Credential{Result: Verified}, Again: true, Confirmed: true, QuoteID: "q"}
	equal(t, "what a copy may differ in", again.Fingerprint(), Request{Counterparty: "a"}.Fingerprint())
}

func TestI6_RefusedReferenceStaysRefused(t *testing.T) {
	t.Parallel()
	w := newWorld()
	r := send(15)
	r.Reference = "too-early"
	want(t, w, w.do("ann", "bob", r), NotEnough)
	w.grant("ann", 100, "purchased", 30)
	want(t, w, w.do("ann", "bob", r), NotEnough)
	r.Reference = "later"
	must(t, w, w.do("ann", "bob", r))
}

func TestI8_CycleComesBackExactly(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 10, "purchased", 30)
	for _, leg := range [][2]string{{"ann", "bob"}, {"bob", "cem"}, {"cem", "ann"}} {
		must(t, w, w.do(leg[0], leg[1], send(10)))
	}
	equal(t, "ann", w.balance("ann"), 10*minute)
	equal(t, "bob and cem", w.balance("bob")+w.balance("cem"), 0)
}

func TestI9_SelfTransferRefused(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 100, "purchased", 30)
	want(t, w, w.do("ann", "ann", send(1)), SameParty)
	w.parties["ann"].Profile.SharedAccount, w.parties["bob"].Profile.SharedAccount = "family", "family"
	want(t, w, w.do("ann", "bob", send(1)), SameParty)
}

func TestI10_NoMinuteOutlivesItsOrigin(t *testing.T) {
	t.Parallel()
	for _, e := range []ExpiryRule{
		{Mode: Inherit}, {Mode: Shorten, Days: 7}, {Mode: Fixed, Days: 7},
		{Mode: ByAmount, Band: []DaysBand{{UpTo: 10 * minute, Days: 3}, {Days: 20}}},
	} {
		t.Run(string(e.Mode), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.policy.Expiry = e
			for _, days := range []int{1, 5, 10, 40, 0} {
				w.grant("ann", 30, "purchased", days)
			}
			for i := range 12 {
				w.now = w.now.Add(7 * time.Hour)
				from, to := []string{"ann", "bob", "cem"}[i%3], []string{"bob", "cem", "ann"}[i%3]
				w.do(from, to, send(4+i*3))
			}
			moved := 0
			for _, b := range w.buckets {
				root := w.buckets[b.Root]
				if b.Hops > 0 {
					moved++
				}
				if !root.ExpiresAt.IsZero() && (b.ExpiresAt.IsZero() || b.ExpiresAt.After(root.ExpiresAt)) {
					t.Errorf("%s of %d hops dies at %v, its root at %v", b.ID, b.Hops, b.ExpiresAt, root.ExpiresAt)
				}
			}
			if moved == 0 {
				t.Error("nothing was moved")
			}
		})
	}
}

func TestI11_ExtendedLifeIsCapped(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Expiry = ExpiryRule{Mode: Extend, Days: 30, Life: 40}
	for class, rules := range w.policy.Classes {
		rules.MaxHops = 1
		w.policy.Classes[class] = rules
	}
	if err := w.policy.Validate(); err != nil {
		t.Fatal(err)
	}
	granted := w.now
	w.grant("ann", 60, "purchased", 20)
	w.now = w.now.Add(5 * day)
	o := must(t, w, w.do("ann", "bob", send(10)))
	equal(t, "30 days on", o.NewBuckets[0].ExpiresAt, granted.Add(35*day))
	w.now = w.now.Add(10 * day)
	o = must(t, w, w.do("ann", "bob", send(10)))
	equal(t, "no later than 40 days after the grant", o.NewBuckets[0].ExpiresAt, granted.Add(40*day))
	want(t, w, w.do("bob", "ann", send(5)), KindNotAllowed) // and never a second time
}

func TestI12_TakenAsCallsTakeThem(t *testing.T) {
	t.Parallel()
	w := newWorld()
	late, soon, never := w.grant("ann", 10, "plan", 30), w.grant("ann", 10, "plan", 3), w.grant("ann", 10, "plan", 0)
	o := must(t, w, w.do("ann", "bob", send(15)))
	equal(t, "first lot", w.buckets[soon].Balance, 0)
	equal(t, "second lot", w.buckets[late].Balance, 5*minute)
	equal(t, "third lot", w.buckets[never].Balance, 10*minute)
	equal(t, "lines", o.Answer.Lots, []LotLine{
		{Seconds: 10 * minute, ExpiresAt: w.now.Add(3 * day), Class: "plan"},
		{Seconds: 5 * minute, ExpiresAt: w.now.Add(30 * day), Class: "plan"},
	})
	w.call("ann", 5*minute)
	equal(t, "a call goes on with the same lot", w.calls[late], 5*minute)
}

func TestI13_ExpiryIsDecidedByOneClock(t *testing.T) {
	t.Parallel()
	w := newWorld()
	end := w.now.Add(time.Hour)
	w.grantUntil("ann", 10*minute, "purchased", end)
	w.now = end.Add(-time.Nanosecond)
	must(t, w, w.do("ann", "bob", send(5)))
	w.now = end // the expiry instant is already expired
	want(t, w, w.do("ann", "bob", send(5)), NotEnough)
}

// A prepared transfer ends no later than its lots: it cannot be confirmed with seconds that died meanwhile.
func TestI13_HoldEndsWithItsLot(t *testing.T) {
	t.Parallel()
	w := newWorld()
	end := w.now.Add(time.Hour)
	lot := w.grantUntil("ann", 10*minute, "purchased", end)
	o := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 5 * minute}))
	equal(t, "due", o.Answer.ValidTo, end)
	w.now = end
	late := w.do("ann", "bob", Request{Operation: OpConfirm, Original: string(o.Answer.Reference)})
	want(t, w, late, WindowClosed)
	equal(t, "status", w.transfers[o.Answer.Reference].Status, Expired)
	equal(t, "given back", w.buckets[lot].Free(), 10*minute)
}

func TestI14_WhatACallHoldsNeverMoves(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 170, "purchased", 30)
	w.call("ann", 30*minute)
	o := w.do("ann", "bob", send(141))
	want(t, w, o, NotTransferable)
	equal(t, "told", *o.Answer.Purse, Purse{Total: 170 * minute, Movable: 140 * minute, InUse: 30 * minute})
	must(t, w, w.do("ann", "bob", send(140)))
	w.hangUp()
	if err := w.check(); err != nil {
		t.Error(err)
	}
	equal(t, "ann", w.balance("ann"), 0)
}

func TestI15_FeeIsAsQuoted(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Fees = []FeeRule{{Name: "dear", Bands: []FeeBand{{Flat: 30, BasisPoints: 333}}}}
	first := w.grant("ann", 20, "purchased", 5)
	second := w.grant("ann", 80, "purchased", 30)
	quote := must(t, w, w.do("ann", "bob", Request{Operation: OpQuote, Seconds: 19 * minute}))
	equal(t, "quoted", quote.Answer.Fee, 30+38) // 37.962 rounded up
	equal(t, "nothing moved", w.balance("ann"), 100*minute)
	w.policy.Fees[0].Bands[0].Flat = 600 // dearer now, but the quote stands
	r := send(19)
	r.QuoteID = quote.Answer.QuoteID
	o := must(t, w, w.do("ann", "bob", r))
	equal(t, "fee", w.account("fee"), quote.Answer.Fee)
	equal(t, "left as quoted", o.Answer.Left, quote.Answer.Left)
	equal(t, "amount first, then the fee from what follows", w.buckets[first].Balance, 0)
	equal(t, "rest of the fee", w.buckets[second].Balance, 80*minute-8)
	r.Reference = "again"
	want(t, w, w.do("ann", "bob", r), QuoteExpired) // one quote, one transfer
	quote = must(t, w, w.do("ann", "bob", Request{Operation: OpQuote, Seconds: 5 * minute}))
	w.grant("cem", 80, "purchased", 30)
	for _, other := range []struct{ from, to string }{{"cem", "bob"}, {"ann", "dia"}} {
		r = send(5)
		r.QuoteID = quote.Answer.QuoteID
		want(t, w, w.do(other.from, other.to, r), QuoteExpired) // nobody else's
	}
	w.now = quote.Answer.ValidTo
	r = send(5)
	r.QuoteID = quote.Answer.QuoteID
	want(t, w, w.do("ann", "bob", r), QuoteExpired)
	equal(t, "no fee for a failure", w.account("fee"), 68)
}

func TestI15_ReceiverBearsTheFee(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Fees = []FeeRule{{Name: "flat", Bands: []FeeBand{{Flat: 90}}}}
	w.grant("ann", 10, "purchased", 30)
	r := send(10)
	r.Bearer = Receiver
	must(t, w, w.do("ann", "bob", r))
	equal(t, "bob", w.balance("bob"), 10*minute-90)
	equal(t, "ann", w.balance("ann"), 0)
	w.grant("ann", 10, "purchased", 30)
	r = send(1)
	r.Bearer = Receiver
	want(t, w, w.do("ann", "bob", r), FeeTooHigh) // it would eat the whole amount
}

func TestI16_SharesAddUpToTheFee(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Fees = []FeeRule{{Name: "some", Bands: []FeeBand{{BasisPoints: 77}}}}
	w.policy.Commissions = []CommissionRule{{Name: "odd", Bands: []CommissionBand{{UpTo: 50 * minute, Agent: 3333, Parent: 1111}, {Agent: 5000, Parent: 5000}}}}
	w.grant("vendor", 1000, "float", 0)
	for _, minutes := range []int{1, 7, 50, 51, 333} {
		before := [3]rating.Units{w.account("fee"), w.account("commission:222227"), w.account("commission:111114")}
		r := send(minutes)
		r.Kind = Agent
		o := must(t, w, w.do("vendor", "bob", r))
		operator, agent, parent := w.account("fee")-before[0], w.account("commission:222227")-before[1], w.account("commission:111114")-before[2]
		if min(operator, agent, parent) < 0 || operator+agent+parent != o.Answer.Fee {
			t.Errorf("%d min: %d + %d + %d of fee %d", minutes, operator, agent, parent, o.Answer.Fee)
		}
	}
	equal(t, "class of what was sold", w.load("bob").Buckets[0].Class, "purchased")
}

func TestI16_NoCommissionOnOnesOwnMoney(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 1000, "purchased", 0)
	w.parties["trader"].Role.Owner = "ann"
	o := must(t, w, w.do("ann", "trader", cashOut(100)))
	equal(t, "shares", w.transfers[o.Answer.Reference].Shares, nil)
}

func cashOut(minutes int) Request {
	return Request{Operation: OpPrepare, Kind: CashOut, Seconds: rating.Units(minutes) * minute, PayoutHash: "hash"}
}

func TestI17_ExactlyTheAllowedNumber(t *testing.T) {
	t.Parallel()
	for _, window := range []Window{{Period: Day}, {Period: Week}, {Period: Month}, {Period: Rolling, Length: day}} {
		t.Run(window.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.policy.Limits = []Limit{{Name: "l", Scope: PerSender, Window: window, Count: 4, Seconds: 10 * minute}}
			w.grant("ann", 1000, "purchased", 0)
			for i := range 10 {
				o := w.do("ann", "bob", send(1))
				if got, want := o.Answer.Refusal == None, i < 4; got != want {
					t.Fatalf("transfer %d passed: %v, want %v", i, got, want)
				}
				w.now = w.now.Add(time.Minute)
			}
			o := w.do("ann", "bob", send(1))
			w.now = w.now.Add(o.Answer.RetryAfter - time.Second)
			before := w.do("ann", "bob", send(1))
			if before.Answer.Refusal == None {
				t.Error("passed before the time that was told")
			}
			w.now = w.now.Add(time.Second)
			must(t, w, w.do("ann", "bob", send(1)))
		})
	}
}

func TestI18_FailedAttemptsCountNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Limits = []Limit{
		{Name: "strict", Scope: PerSender, Window: Window{Period: Day}, Count: 5, Refused: true},
		{Name: "normal", Scope: PerSender, Window: Window{Period: Day}, Count: 5, Seconds: 100 * minute},
	}
	want(t, w, w.do("ann", "bob", send(50)), NotEnough)
	for _, c := range w.counters {
		if c.Seconds != 0 || c.Count > 1 {
			t.Errorf("a refused transfer counts %+v", c)
		}
	}
	equal(t, "counters", len(w.counters), 1)
	w.grant("ann", 500, "purchased", 30)
	o := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 60 * minute}))
	want(t, w, w.do("ann", "bob", send(60)), DaySecondsLimit) // what is held is counted
	must(t, w, w.do("ann", "bob", Request{Operation: OpCancel, Original: string(o.Answer.Reference)}))
	must(t, w, w.do("ann", "bob", send(60))) // and given back
}

func TestI21_TwoPhases(t *testing.T) {
	t.Parallel()
	prepared := func(t *testing.T) (*world, string, ocs.BucketID) {
		t.Helper()
		w := newWorld()
		lot := w.grant("ann", 60, "purchased", 30)
		o := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 20 * minute, ValidFor: time.Hour}))
		equal(t, "status", o.Answer.Status, Pending)
		return w, string(o.Answer.Reference), lot
	}
	act := func(w *world, op Operation, ref string) Outcome {
		r := Request{Operation: op, Original: ref}
		if op == OpLapse {
			r.By = BySystem
		}
		return w.do("ann", "bob", r)
	}
	t.Run("confirmed, and only once", func(t *testing.T) {
		t.Parallel()
		w, ref, _ := prepared(t)
		must(t, w, act(w, OpConfirm, ref))
		want(t, w, act(w, OpConfirm, ref), AlreadyDone)
		want(t, w, act(w, OpCancel, ref), AlreadyDone)
		equal(t, "bob", w.balance("bob"), 20*minute)
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		w, ref, lot := prepared(t)
		must(t, w, act(w, OpCancel, ref))
		want(t, w, act(w, OpConfirm, ref), AlreadyDone)
		equal(t, "lot", w.buckets[lot].Free(), 60*minute)
	})
	t.Run("lapsed", func(t *testing.T) {
		t.Parallel()
		w, ref, lot := prepared(t)
		want(t, w, act(w, OpLapse, ref), NotConfirmed) // not before it is due
		w.now = w.now.Add(time.Hour)
		must(t, w, act(w, OpLapse, ref))
		want(t, w, act(w, OpConfirm, ref), WindowClosed)
		equal(t, "lot", w.buckets[lot].Free(), 60*minute)
	})
	t.Run("nobody else's", func(t *testing.T) {
		t.Parallel()
		w, ref, _ := prepared(t)
		want(t, w, w.do("cem", "bob", Request{Operation: OpConfirm, Original: ref}), OriginalUnknown)
		want(t, w, w.do("ann", "bob", Request{Operation: OpConfirm, Original: ref, By: ByReceiver}), OriginalUnknown)
	})
}

func TestI22_FrozenAccountsLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 60, "purchased", 30)
	w.grant("bob", 60, "purchased", 30)
	o := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 20 * minute}))
	w.parties["ann"].Profile.Freeze = Frozen
	want(t, w, w.do("ann", "bob", send(1)), SenderFrozen)
	want(t, w, w.do("bob", "ann", send(1)), ReceiverFrozen)
	want(t, w, w.do("ann", "bob", Request{Operation: OpConfirm, Original: string(o.Answer.Reference)}), SenderFrozen)
	w.now = w.now.Add(day)
	must(t, w, w.do("ann", "bob", Request{Operation: OpLapse, By: BySystem, Original: string(o.Answer.Reference)}))
	equal(t, "ann", w.free("ann"), 60*minute)
	for freeze, refused := range map[Freeze][2]Refusal{
		SendBlocked: {SenderFrozen, None}, ReceiveBlocked: {None, ReceiverFrozen}, Closing: {None, ReceiverFrozen},
	} {
		w.parties["ann"].Profile.Freeze = freeze
		want(t, w, w.do("ann", "bob", send(1)), refused[0])
		want(t, w, w.do("bob", "ann", send(1)), refused[1])
	}
}

func TestI24_TextsForWhatWasDoneAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld()
	o := w.do("ann", "bob", send(5))
	want(t, w, o, NotEnough)
	equal(t, "texts of a refusal", len(o.Texts), 0)
	w.grant("ann", 60, "purchased", 30)
	o = must(t, w, w.do("ann", "bob", send(5)))
	equal(t, "to both", [2]Message{o.Texts[0].Message, o.Texts[1].Message}, [2]Message{Sent, Received})
	equal(t, "to whom", [2]ocs.SubscriberID{o.Texts[0].To, o.Texts[1].To}, [2]ocs.SubscriberID{"ann", "bob"})
}

func TestI26_OddQuantities(t *testing.T) {
	t.Parallel()
	for n, refusal := range map[rating.Units]Refusal{
		0: BelowMinimum, -60: Malformed, 59: BelowMinimum, 61: WrongStep, 501 * minute: AboveMaximum,
		MaxSeconds + minute: AboveMaximum, math.MaxInt64: AboveMaximum, math.MinInt64: Malformed,
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.grant("ann", 1000, "purchased", 30)
			want(t, w, w.do("ann", "bob", Request{Operation: OpSend, Seconds: n}), refusal)
		})
	}
}

func TestI28_KillSwitch(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 60, "purchased", 30)
	done := must(t, w, w.do("ann", "bob", send(10)))
	held := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 20 * minute}))
	w.policy.Stop = &Stop{Reason: "incident", Since: w.now}
	stopped := []Request{
		send(1), {Operation: OpPrepare, Seconds: minute}, {Operation: OpQuote, Seconds: minute},
		{Operation: OpConfirm, Original: string(held.Answer.Reference)},
		{Operation: OpReverse, Original: string(done.Answer.Reference)},
		{Operation: OpSolicit, By: ByReceiver, Seconds: minute},
	}
	for _, r := range stopped {
		want(t, w, w.do("ann", "bob", r), Stopped)
	}
	equal(t, "spendable", w.call("ann", 60*minute), 30*minute)
	must(t, w, w.do("ann", "bob", Request{Operation: OpEnquire, Original: string(done.Answer.Reference)}))
	must(t, w, w.do("ann", "bob", Request{Operation: OpAllowance}))
	must(t, w, w.do("ann", "bob", Request{Operation: OpCancel, Original: string(held.Answer.Reference)}))
}

// Decide changes none of its arguments: what is stored and what is decided on must not share memory.
func TestDecideChangesNoArgument(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 60, "purchased", 30)
	w.grant("bob", 60, "purchased", 10)
	held := must(t, w, w.do("ann", "bob", Request{Operation: OpPrepare, Seconds: 20 * minute}))
	for _, r := range []Request{send(5), {Operation: OpConfirm, Original: string(held.Answer.Reference)}, {Operation: OpCancel, Original: string(held.Answer.Reference)}} {
		w.complete(&r)
		s, untouched := w.state("ann", "bob", r), w.state("ann", "bob", r)
		Decide(w.policy, s, r, w.now)
		if !reflect.DeepEqual(s, untouched) {
			t.Errorf("%s changed its state", r.Operation)
		}
	}
}
