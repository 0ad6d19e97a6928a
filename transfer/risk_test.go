package transfer

import (
	"slices"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

// withRule gives the world one rule, and ann something to send.
func withRule(t *testing.T, r Rule) *world {
	t.Helper()
	w := newWorld()
	w.grant("ann", 200, "purchased", 30)
	w.policy.Rules = []Rule{r}
	return w
}

func send15(w *world) Outcome {
	return w.do("ann", "bob", Request{Operation: OpSend, Seconds: 15 * minute})
}

func decideBy(w *world, op Operation, ref Reference, person string) Outcome {
	return w.do("ann", "bob", Request{Operation: op, By: ByOperator, Person: person, Original: string(ref)})
}

func TestRiskRules(t *testing.T) {
	t.Parallel()
	big := condition(t, "amount > 10min")
	t.Run("deny", func(t *testing.T) {
		t.Parallel()
		w := withRule(t, Rule{Name: "big", When: big, Action: Deny})
		o := send15(w)
		want(t, w, o, RiskRefused)
		equal(t, "alerts", o.Alerts, []string{"big"})
		equal(t, "ann", w.free("ann"), 200*minute)
	})
	t.Run("does not apply", func(t *testing.T) {
		t.Parallel()
		w := withRule(t, Rule{Name: "big", When: condition(t, "amount > 20min"), Action: Deny})
		o := must(t, w, send15(w))
		equal(t, "alerts", o.Alerts, nil)
		if i := slices.IndexFunc(o.Checks, func(c Check) bool { return c.Rule == "rule big" }); i < 0 || o.Checks[i].Have != "amount 900 s" {
			t.Errorf("checks %+v", o.Checks)
		}
	})
	t.Run("of another kind", func(t *testing.T) {
		t.Parallel()
		w := withRule(t, Rule{Name: "big", When: big, Action: Deny, Kinds: []Kind{Merchant}})
		must(t, w, send15(w))
	})
	t.Run("shadow and alert do nothing", func(t *testing.T) {
		t.Parallel()
		for _, r := range []Rule{{Name: "big", When: big, Action: Deny, Shadow: true}, {Name: "big", When: big, Action: Alert}} {
			w := withRule(t, r)
			o := must(t, w, send15(w))
			equal(t, "status", o.Answer.Status, Completed)
			if len(o.Alerts) != 1 || !strings.HasSuffix(o.Alerts[0], "big") || strings.HasPrefix(o.Alerts[0], "shadow") != r.Shadow {
				t.Errorf("alerts %v", o.Alerts)
			}
		}
	})
	t.Run("challenge wants the PIN", func(t *testing.T) {
		t.Parallel()
		w := withRule(t, Rule{Name: "big", When: big, Action: Challenge})
		want(t, w, send15(w), PINNeeded)
		must(t, w, w.do("ann", "bob", Request{Operation: OpQuote, Seconds: 15 * minute}))
		must(t, w, w.do("ann", "bob", Request{Operation: OpSend, Seconds: 15 * minute, Credential: Credential{Result: Verified}}))
	})
}

// What a rule holds is decided by a person of the operator; it moves then, or goes back.
func TestHeldTransferIsDecided(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*world, Reference) {
		t.Helper()
		w := withRule(t, Rule{Name: "big", When: condition(t, "amount > 10min"), Action: Hold})
		o := must(t, w, send15(w))
		equal(t, "status", o.Answer.Status, Pending)
		equal(t, "text", o.Texts[0].Message, HeldForReview)
		equal(t, "ann", w.free("ann"), 185*minute)
		return w, o.Answer.Reference
	}
	t.Run("granted", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		o := must(t, w, decideBy(w, OpAccept, ref, "eve"))
		equal(t, "status", o.Answer.Status, Completed)
		equal(t, "bob", w.free("bob"), 15*minute)
		equal(t, "persons", w.transfers[ref].Persons, []string{"eve"})
		if !slices.ContainsFunc(o.Checks, func(c Check) bool { return c.Have == "rule big: amount 900 s" }) {
			t.Errorf("the decision does not tell why it was held: %+v", o.Checks)
		}
		want(t, w, decideBy(w, OpAccept, ref, "dan"), AlreadyDone)
	})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		must(t, w, decideBy(w, OpDecline, ref, "eve"))
		equal(t, "ann", w.free("ann"), 200*minute)
		equal(t, "status", w.transfers[ref].Status, Cancelled)
	})
	t.Run("the parties cannot decide", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		for _, by := range []Actor{BySender, ByReceiver} {
			want(t, w, w.do("ann", "bob", Request{Operation: OpAccept, By: by, Original: string(ref)}), OriginalUnknown)
		}
		must(t, w, w.do("ann", "bob", Request{Operation: OpCancel, Original: string(ref)}))
		equal(t, "ann", w.free("ann"), 200*minute)
	})
	t.Run("nobody decides", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		w.now = w.now.Add(w.policy.ReviewLife)
		must(t, w, w.do("ann", "bob", Request{Operation: OpLapse, By: BySystem, Original: string(ref)}))
		equal(t, "ann", w.free("ann"), 200*minute)
	})
	t.Run("not while transfers are stopped", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		w.policy.Stop = &Stop{}
		want(t, w, decideBy(w, OpAccept, ref, "eve"), Stopped)
	})
	t.Run("then the receiver must consent", func(t *testing.T) {
		t.Parallel()
		w, ref := start(t)
		rules := w.policy.Kinds[P2P]
		rules.ReceiverConsents = true
		w.policy.Kinds[P2P] = rules
		o := must(t, w, decideBy(w, OpAccept, ref, "eve"))
		equal(t, "status", o.Answer.Status, Pending)
		equal(t, "ann", w.free("ann"), 185*minute)
		must(t, w, w.do("ann", "bob", Request{Operation: OpAccept, By: ByReceiver, Original: string(ref)}))
		equal(t, "bob", w.free("bob"), 15*minute)
	})
	t.Run("a cash-out is paid out after it", func(t *testing.T) {
		t.Parallel()
		w := withRule(t, Rule{Name: "big", When: condition(t, "amount > 10min"), Action: Hold})
		o := must(t, w, w.do("ann", "trader", cashOut(100)))
		pay := Request{Operation: OpConfirm, By: ByReceiver, Original: string(o.Answer.Reference), Payout: Credential{Result: Verified}}
		want(t, w, w.do("ann", "trader", pay), OriginalUnknown)
		yes := Request{Operation: OpAccept, By: ByOperator, Person: "eve", Original: string(o.Answer.Reference)}
		must(t, w, w.do("ann", "trader", yes))
		pay.Reference = "again"
		must(t, w, w.do("ann", "trader", pay))
		equal(t, "trader", w.balance("trader"), 100*minute)
	})
}

// Above a limit it takes other persons than the one who asked, as many as the policy wants, none of them twice.
func TestApprovals(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 2000, "purchased", 30)
	w.policy.Approvals = []Approval{
		{Operation: OpSend, Kinds: []Kind{P2P}, Above: 60 * minute, Checkers: 1},
		{Operation: OpSend, Above: 200 * minute, Checkers: 2},
	}
	byOperator := func(n int) Outcome {
		return w.do("ann", "bob", Request{Operation: OpSend, By: ByOperator, Person: "max", Seconds: unitsOf(n) * minute})
	}
	equal(t, "at the limit", must(t, w, byOperator(60)).Answer.Status, Completed)
	o := must(t, w, byOperator(61))
	equal(t, "above it", o.Answer.Status, Pending)
	want(t, w, decideBy(w, OpAccept, o.Answer.Reference, "max"), NotConfirmed)
	equal(t, "by another", must(t, w, decideBy(w, OpAccept, o.Answer.Reference, "eve")).Answer.Status, Completed)

	o = must(t, w, byOperator(201))
	equal(t, "first", must(t, w, decideBy(w, OpAccept, o.Answer.Reference, "eve")).Answer.Status, Pending)
	want(t, w, decideBy(w, OpAccept, o.Answer.Reference, "eve"), AlreadyDone)
	equal(t, "second", must(t, w, decideBy(w, OpAccept, o.Answer.Reference, "dan")).Answer.Status, Completed)
	equal(t, "bob", w.free("bob"), (60+61+201)*minute)

	o = must(t, w, w.do("ann", "bob", Request{Operation: OpSend, Seconds: 100 * minute}))
	equal(t, "by a subscriber", o.Answer.Status, Pending)
	equal(t, "one person is enough", must(t, w, decideBy(w, OpAccept, o.Answer.Reference, "max")).Answer.Status, Completed)
}

// A big claim takes more persons than a small one, and more still when its window has closed.
func TestApprovalOfClaims(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		minutes, days int
		needed        int
	}{{"small", 10, 0, 2}, {"big", 101, 0, 4}, {"big and late", 101, 4, 5}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.grant("ann", 500, "purchased", 30)
			w.policy.Approvals = []Approval{{Operation: OpReverse, Above: 100 * minute, Checkers: 3, AfterWindow: 4}}
			o := must(t, w, w.do("ann", "bob", Request{Operation: OpSend, Seconds: unitsOf(c.minutes) * minute}))
			w.now = w.now.AddDate(0, 0, c.days)
			claim := must(t, w, decideBy(w, OpReverse, o.Answer.Reference, "max"))
			equal(t, "needed", w.transfers[claim.Answer.Reference].Needed, c.needed)
		})
	}
}

func unitsOf(n int) rating.Units { return rating.Units(n) }
