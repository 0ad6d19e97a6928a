package transfer

import (
	"testing"

	"time"
)

func TestCashOut(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*world, string) {
		t.Helper()
		w := newWorld()
		w.grant("ann", 200, "purchased", 30)
		o := must(t, w, w.do("ann", "trader", cashOut(100)))
		equal(t, "fee of 2 %", o.Answer.Fee, 2*minute)
		equal(t, "in escrow", w.free("ann"), 98*minute)
		equal(t, "nothing with the trader yet", w.balance("trader"), 0)
		return w, string(o.Answer.Reference)
	}
	payOut := func(w *world, ref string, code CredentialResult) Outcome {
		return w.do("ann", "trader", Request{Operation: OpConfirm, By: ByReceiver, Original: ref, Payout: Credential{Result: code}})
	}
	t.Run("paid out with the code", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		want(t, w, payOut(w, ref, NoCredential), Incomplete)
		o := must(t, w, payOut(w, ref, Verified))
		equal(t, "trader", w.balance("trader"), 100*minute)
		equal(t, "his commission", w.account("commission:333331"), 72)
		equal(t, "his boss's", w.account("commission:111114"), 12)
		equal(t, "operator's", w.account("fee"), 36)
		if o.Answer.Purse != nil {
			t.Error("the trader was told what ann has")
		}
	})
	t.Run("the sender cannot pay out to herself", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		want(t, w, w.do("ann", "trader", Request{Operation: OpConfirm, Original: ref, Payout: Credential{Result: Verified}}), OriginalUnknown)
	})
	t.Run("guessing gives it back", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		for left := 2; left >= 0; left-- {
			o := payOut(w, ref, Wrong)
			want(t, w, o, WrongCode)
			equal(t, "tries left", o.Answer.TriesLeft, left)
		}
		equal(t, "ann", w.free("ann"), 200*minute)
		want(t, w, payOut(w, ref, Verified), AlreadyDone)
	})
	t.Run("the trader has lost his trade", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		w.parties["trader"].Role.Closed = true
		want(t, w, payOut(w, ref, Verified), KindNotAllowed)
		equal(t, "still pending", w.transfers[Reference(ref)].Status, Pending)
	})
	t.Run("nobody came", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		w.now = w.transfers[Reference(ref)].DueAt
		want(t, w, payOut(w, ref, Verified), WindowClosed)
		equal(t, "ann", w.free("ann"), 200*minute)
		equal(t, "no hash is kept", w.transfers[Reference(ref)].PayoutHash, "")
	})
	t.Run("not without a code, and not in one step", func(t *testing.T) {
		t.Parallel()
		w, _ := start(t)
		r := cashOut(10)
		r.PayoutHash = ""
		want(t, w, w.do("ann", "trader", r), Incomplete)
		r = cashOut(10)
		r.Operation = OpSend
		want(t, w, w.do("ann", "trader", r), Malformed)
		want(t, w, w.do("ann", "bob", cashOut(10)), KindNotAllowed) // bob is no trader
	})
}

func TestReceiverConsents(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T, op Operation) (*world, string) {
		t.Helper()
		w := newWorld()
		rules := w.policy.Kinds[P2P]
		rules.ReceiverConsents = true
		w.policy.Kinds[P2P] = rules
		w.grant("ann", 60, "purchased", 30)
		o := must(t, w, w.do("ann", "bob", Request{Operation: op, Seconds: 20 * minute}))
		equal(t, "status", o.Answer.Status, Pending)
		return w, string(o.Answer.Reference)
	}
	answer := func(w *world, op Operation, ref string) Outcome {
		return w.do("ann", "bob", Request{Operation: op, By: ByReceiver, Original: ref})
	}
	t.Run("yes", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t, OpSend)
		want(t, w, w.do("ann", "bob", Request{Operation: OpAccept, Original: ref}), OriginalUnknown) // not the sender's turn
		must(t, w, answer(w, OpAccept, ref))
		equal(t, "bob", w.balance("bob"), 20*minute)
	})
	t.Run("no", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t, OpSend)
		o := must(t, w, answer(w, OpDecline, ref))
		equal(t, "status", o.Answer.Status, Cancelled)
		equal(t, "ann", w.free("ann"), 60*minute)
	})
	t.Run("after two phases", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t, OpPrepare)
		o := must(t, w, w.do("ann", "bob", Request{Operation: OpConfirm, Original: ref}))
		equal(t, "status", o.Answer.Status, Pending)
		must(t, w, answer(w, OpAccept, ref))
		equal(t, "bob", w.balance("bob"), 20*minute)
	})
}

func TestAskingForMinutes(t *testing.T) {
	t.Parallel()
	ask := Request{Operation: OpSolicit, By: ByReceiver, Seconds: 10 * minute}
	start := func(t *testing.T) (*world, string) {
		t.Helper()
		w := newWorld()
		o := must(t, w, w.do("ann", "bob", ask))
		equal(t, "ann is told", [2]any{o.Texts[0].To, o.Texts[0].Message}, [2]any{w.parties["ann"].Subscriber.ID, AskedFor})
		if o.Answer.Purse != nil {
			t.Error("bob was told what ann has")
		}
		return w, string(o.Answer.Reference)
	}
	t.Run("accepted", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		accept := Request{Operation: OpAccept, Original: ref, Reference: "first"}
		want(t, w, w.do("ann", "bob", accept), NotEnough)
		equal(t, "still open", w.transfers[Reference(ref)].Status, Pending)
		w.grant("ann", 30, "purchased", 30)
		want(t, w, w.do("ann", "bob", accept), NotEnough) // a refused reference stays refused
		accept.Reference = "second"
		must(t, w, w.do("ann", "bob", accept))
		equal(t, "bob", w.balance("bob"), 10*minute)
		accept.Reference = "third"
		want(t, w, w.do("ann", "bob", accept), AlreadyDone)
	})
	t.Run("declined, cancelled, lapsed", func(t *testing.T) {
		t.Parallel()
		for _, r := range []Request{{Operation: OpDecline}, {Operation: OpCancel, By: ByReceiver}, {Operation: OpLapse, By: BySystem}} {
			w, ref := start(t)
			w.now = w.now.Add(map[Operation]time.Duration{OpLapse: day}[r.Operation])
			r.Original = ref
			o := must(t, w, w.do("ann", "bob", r))
			equal(t, "bob is told", o.Texts[0].Message, NotGiven)
		}
	})
	t.Run("five a day, answered or not", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		must(t, w, w.do("ann", "bob", Request{Operation: OpDecline, Original: ref}))
		for range 4 {
			must(t, w, w.do("cem", "bob", ask))
		}
		want(t, w, w.do("dia", "bob", ask), DayCountLimit)
	})
	t.Run("who may ask", func(t *testing.T) {
		t.Parallel()
		w, _ := start(t)
		w.policy.Solicit.OnlyLess = 5 * minute
		w.grant("bob", 5, "bonus", 0)
		want(t, w, w.do("ann", "bob", ask), SenderNotEligible)
		w.policy.Solicit.OnlyLess = 0
		w.parties["ann"].Profile.BlocksOther = true
		want(t, w, w.do("ann", "bob", ask), ReceiverDeclines)
		w.policy.Solicit.Enabled = false
		want(t, w, w.do("cem", "bob", ask), KindNotAllowed)
		want(t, w, w.do("nobody", "bob", ask), ReceiverUnknown)
	})
}
