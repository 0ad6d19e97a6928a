package transfer

import (
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

func condition(t testing.TB, text string) Condition {
	t.Helper()
	c, err := ParseCondition(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c
}

// riskDecision is a decision about 600 s from ann, two days on net, to bob, with a past.
func riskDecision() *decision {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	p := Default()
	lot := ocs.Bucket{
		ID: "lot", Root: "root", Subscriber: "ann", Unit: rating.Seconds, Class: "purchased", Balance: 9000, Hops: 1, Parent: "b", CreatedAt: now,
	}
	return &decision{
		policy: p, now: now, sender: newBook([]ocs.Bucket{lot}), receiver: newBook(nil),
		request: Request{Operation: OpSend, Kind: P2P, Seconds: 600},
		state: State{
			Sender:   Party{Subscriber: ocs.Subscriber{ID: "ann"}, Profile: Profile{OnNetSince: ago(2 * day)}},
			Receiver: Party{Subscriber: ocs.Subscriber{ID: "bob"}},
			Past: []Past{
				{At: ago(time.Hour), Other: "cem", Kind: P2P, Seconds: 3000},
				{At: ago(50 * time.Minute), Other: "dia", Kind: P2P, Seconds: 3000},
				{At: ago(40 * time.Minute), Sent: true, Other: "bob", Kind: P2P, Seconds: 3000},
				{At: ago(30 * time.Minute), Sent: true, Other: "eve", Kind: Agent, Seconds: 2400},
				{At: ago(25 * time.Hour), Sent: true, Other: "bob", Kind: Agent, Seconds: 30000},
				{At: ago(25 * time.Hour), Other: "cem", Kind: P2P, Seconds: 1},
			},
			Returns: []Return{{Root: "root", At: ago(3 * day)}},
		},
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"amount = 600": true, "amount == 10min": true, "amount > 600": false, "amount < 601": true, "amount <= 599": false,
		"max = 500min": true, "amount > 0.02*max": false, "amount >= 0.02*max": true, "0 < amount": true,
		"account_age = 2d": true, "account_age < 48h": false, "account_age >= 172800s": true, "receiver_account_age = 0": true,
		"out_24h = 6000": true, "out_25h = 36000": true, "out_1h = 6000": true, "out_30m = 3000": true, "in_24h = 6000": true, "in_7d = 6001": true,
		"out_24h >= 0.9*in_24h and in_24h >= 6000 and median_hold < 30m": true, "median_hold = 20m": true,
		"count_24h = 3": true, "count_24h(amount between 2400 and 0.1*max) = 2": true, "count_24h(amount between amount and amount) = 1": true,
		"received_count_24h = 2": true, "distinct_senders_24h = 2": true, "distinct_senders_7d = 2": true, "distinct_receivers_24h = 2": true,
		"same_pair_count_24h = 2": true, "same_pair_count_7d = 3": true, "same_pair_agent_subscriber_count_7d = 1": true,
		"root_returns_to_former_owner within 7d": true, "root_returns_to_former_owner within 2d": false,
		"not amount = 600": false, "not (amount = 1 or amount = 2)": true, "amount = 1 or amount = 600 and count_1h = 9": false,
		"(amount = 1 or amount = 600) and count_1h = 3": true, "  amount\n >  1  ": true,
	} {
		f := facts{decision: riskDecision()}
		if got := condition(t, text).root.holds(&f); got != want {
			t.Errorf("%q is %v, want %v; %v", text, got, want, f.told)
		}
	}
}

// Nothing was sent on: that is no short time.
func TestMedianHoldOfNothing(t *testing.T) {
	t.Parallel()
	d := riskDecision()
	d.state.Past = nil
	f := facts{decision: d}
	if condition(t, "median_hold < 31d").root.holds(&f) {
		t.Errorf("told %v", f.told)
	}
}

// No condition panics, whatever people write, and one that is read is read again from its text.
func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		"out_24h >= 0.9*in_24h and not (median_hold < 30m)", "count_24h(amount between 0.9*max and max) >= 3", "root_returns_to_former_owner within 7d",
		"", "(", "not", "amount >", "9999999999999999999 > 1", "0.00001*max > 1", "amount = 5x", "count_24h(", "((((((((((((((((((((((((((amount", "_24h = 1", "ü = 1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCondition(text)
		if err != nil {
			if err.Error() == "" || strings.Contains(err.Error(), "%!") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		told := facts{decision: riskDecision()}
		again, err := ParseCondition(c.String())
		if err != nil {
			t.Fatalf("%q, read from %q: %v", c, text, err)
		}
		if c.root.holds(&told) != again.root.holds(&told) {
			t.Errorf("%q and %q decide differently", text, c)
		}
	})
}
