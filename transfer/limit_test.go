package transfer

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"pgregory.net/rapid"
)

// A rolling limit never lets more through in any span of its length, and refuses only what would come near to it.
func TestI17_RollingLimitHoldsInEverySpan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		window := Window{Period: Rolling, Length: time.Duration(rapid.IntRange(1, 3000).Draw(t, "minutes")) * time.Minute}
		count := rapid.Int64Range(1, 5).Draw(t, "count")
		w.policy.Limits = []Limit{{Name: "l", Scope: PerSender, Window: window, Count: count, Seconds: 20 * minute}}
		w.grant("ann", 1_000_000, "purchased", 0)
		type passed struct {
			at time.Time
			n  rating.Units
		}
		var all []passed
		inSpan := func(since time.Time) (n int64, sum rating.Units) {
			for _, p := range all {
				if p.at.After(since) {
					n, sum = n+1, sum+p.n
				}
			}
			return n, sum
		}
		for range 60 {
			w.now = w.now.Add(time.Duration(rapid.Int64Range(0, int64(window.Length/3)).Draw(t, "wait")))
			n := rating.Units(rapid.IntRange(1, 21).Draw(t, "send")) * minute
			o := w.do("ann", "bob", Request{Operation: OpSend, Seconds: n})
			if o.Answer.Refusal == None {
				all = append(all, passed{w.now, n})
				if had, sum := inSpan(w.now.Add(-window.Length)); had > count || sum > 20*minute {
					t.Fatalf("%d transfers of %d s within %v", had, sum, window)
				}
				continue
			}
			if had, sum := inSpan(w.now.Add(-window.Length - window.slice())); had < count && sum+n <= 20*minute {
				t.Fatalf("refused as %s after %d transfers of %d s", o.Answer.Refusal, had, sum)
			}
			if o.Answer.RetryAfter == 0 && n <= 20*minute {
				t.Fatalf("refused %d s without saying until when", n)
			}
		}
	})
}

func TestScopesOfLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scope Scope
		want  map[string]Refusal // of a second transfer between these two, after one from ann to bob
	}{
		{PerSender, map[string]Refusal{"ann bob": DayCountLimit, "ann cem": DayCountLimit, "cem bob": None, "bob ann": None}},
		{PerReceiver, map[string]Refusal{"ann bob": ReceiverLimit, "ann cem": None, "cem bob": ReceiverLimit, "bob ann": None}},
		{PerPair, map[string]Refusal{"ann bob": PairLimit, "ann cem": None, "cem bob": None, "bob ann": None}},
	} {
		for pair, refusal := range c.want {
			t.Run(string(c.scope)+" "+pair, func(t *testing.T) {
				t.Parallel()
				w := newWorld()
				for _, name := range []string{"ann", "bob", "cem"} {
					w.grant(name, 100, "purchased", 30)
				}
				w.policy.Limits = []Limit{{Name: "one", Scope: c.scope, Window: Window{Period: Day}, Count: 1}}
				must(t, w, w.do("ann", "bob", send(1)))
				want(t, w, w.do(pair[:3], pair[4:], send(1)), refusal)
			})
		}
	}
}

func TestLimitsOfSomeChannelsAndKinds(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 1000, "purchased", 30)
	w.policy.Limits = []Limit{
		{Name: "sms", Scope: PerSender, Channels: []Channel{SMS}, Window: Window{Period: Month}, Seconds: 30 * minute},
		{Name: "gifts", Scope: PerSender, Kinds: []Kind{Gift}, Window: Window{Period: Month}, Count: 1},
	}
	r := send(31)
	must(t, w, w.do("ann", "bob", r))
	r.Channel, r.Credential.Result = SMS, Verified
	o := w.do("ann", "bob", r)
	want(t, w, o, MonthSecondsLimit)
	equal(t, "no time helps", o.Answer.RetryAfter, 0)
	r = send(1)
	r.Kind = Gift
	must(t, w, w.do("ann", "bob", r))
	o = w.do("ann", "bob", r)
	want(t, w, o, MonthCountLimit)
	equal(t, "next month", w.now.Add(o.Answer.RetryAfter), time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
}

// A counter that no longer counts is not counted, also when the store hands it in.
func TestLimitLeavesOutWhatIsOver(t *testing.T) {
	t.Parallel()
	w := newWorld()
	l := Limit{Name: "l", Scope: PerSender, Window: Window{Period: Day}, Count: 1}
	s := State{Sender: w.load("ann"), Receiver: w.load("bob")}
	today := l.counters(s, w.now)
	for _, start := range []time.Time{today.Since.Add(-time.Second), today.Since.Add(-30 * day)} {
		s.Sender.Counters = append(s.Sender.Counters, Counter{Subscriber: "ann", Row: l.row(), Start: start, Count: 9})
	}
	equal(t, "counted", len(s.counted(today)), 0)
	s.Sender.Counters = append(s.Sender.Counters, Counter{Subscriber: "ann", Row: l.row(), Start: today.Since, Count: 1})
	equal(t, "counted", len(s.counted(today)), 1)
}

// A counter from the future, written before the clock was put back, counts: the limit is not to be escaped by it.
func TestLimitAfterTheClockWasPutBack(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 1000, "purchased", 30)
	w.policy.Limits = []Limit{{Name: "r", Scope: PerSender, Window: Window{Period: Rolling, Length: time.Hour}, Count: 1}}
	must(t, w, w.do("ann", "bob", send(1)))
	w.now = w.now.Add(-10 * time.Minute)
	want(t, w, w.do("ann", "bob", send(1)), DayCountLimit)
}
