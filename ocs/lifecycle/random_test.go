package lifecycle

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

var seed = flag.Uint64("seed", 0, "run the random tests from this seed only")

// seeds runs a test from many seeds, or from the one that is to be replayed.
func seeds(t *testing.T, count uint64, run func(*testing.T, *rand.Rand)) {
	t.Helper()
	first, last := uint64(1), count
	if *seed != 0 {
		first, last = *seed, *seed
	}
	for n := first; n <= last; n++ {
		run(t, rand.New(rand.NewPCG(n, 0)))
		if t.Failed() {
			t.Fatalf("replay with: go test ./ocs/lifecycle -run %s -seed %d", t.Name(), n)
		}
	}
}

func oneOf[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

var zones = []string{"UTC", "Europe/Berlin", "Asia/Seoul", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "Australia/Lord_Howe"}

// randomTerms returns terms that are right.
func randomTerms(t *testing.T, r *rand.Rand, plan string) Terms {
	t.Helper()
	zone, err := time.LoadLocation(oneOf(r, zones...))
	if err != nil {
		t.Fatal(err)
	}
	terms := Terms{
		Plan: plan, Zone: zone, Period: Period{Days: 1 + r.IntN(40)}, Prorate: r.IntN(2) == 0,
		Grace: time.Duration(r.IntN(6)) * day, Retry: time.Duration(1+r.IntN(40)) * time.Hour,
		Price:   Price{Units: rating.Units(r.IntN(4)) * 100, Unit: "EUR"},
		Notices: Notices{Used: []int{75, 100}, Before: time.Duration(r.IntN(4)) * day},
	}
	if r.IntN(2) == 0 {
		terms.Period = Period{Months: 1 + r.IntN(3)}
	}
	switch {
	case terms.Period.Months > 0 && r.IntN(3) == 0:
		terms.Day = 1 + r.IntN(28)
	case r.IntN(3) == 0:
		terms.FirstUse, terms.Within = true, time.Duration(r.IntN(20))*day
	}
	terms.Exact = terms.Day == 0 && r.IntN(2) == 0
	terms.FirstFree = r.IntN(3) == 0
	for _, unit := range []rating.Unit{rating.Seconds, rating.Events} {
		if r.IntN(3) > 0 {
			terms.Allowances = append(terms.Allowances, Allowance{
				Unit: unit, Units: rating.Units(1 + r.IntN(1000)), Class: "plan", Rollover: rating.Units(r.IntN(3) * r.IntN(800)),
			})
		}
	}
	if err := terms.Validate(); err != nil {
		t.Fatal(err)
	}
	return terms
}

// What is done late is what would have been done in time: one world is advanced every few hours, the other seldom or only
// at the end. Both are given the same lots at the same times.
func TestLateIsAsGoodAsInTime(t *testing.T) {
	t.Parallel()
	seeds(t, 100, func(t *testing.T, r *rand.Rand) {
		t.Helper()
		terms := randomTerms(t, r, "a")
		start := time.Date(2026, time.Month(1+r.IntN(12)), 1+r.IntN(31), r.IntN(24), r.IntN(60), r.IntN(60), 0, time.UTC)
		prompt, late := newWorld(), newWorld()
		laziness := 1 + r.IntN(400)
		for _, w := range []*world{prompt, late} {
			w.terms["a"], w.now, w.account.Subscriber.Plan = terms, start, "a"
			c := NewContract("c", "s", "a", start)
			w.account.Contract = &c
		}
		gifts := 0
		for step := range 500 {
			now := start.Add(time.Duration(step) * 7 * time.Hour)
			prompt.now, late.now = now, now
			prompt.apply(Advance(prompt.rules(), prompt.account, now))
			if step%laziness == 0 || step == 499 {
				late.apply(Advance(late.rules(), late.account, now))
			}
			if r.IntN(10) == 0 {
				gifts++
				unit, units, expires := oneOf(r, rating.Unit("EUR"), rating.Seconds), rating.Units(r.IntN(500)+1), time.Time{}
				if r.IntN(2) == 0 {
					expires = now.Add(time.Duration(1+r.IntN(300)) * 5 * time.Hour)
				}
				for _, w := range []*world{prompt, late} { // a second later: what comes at the instant of a renewal may come before or after it
					w.now = now.Add(time.Second)
					ids := w.ids
					w.ids = 10_000 + gifts
					w.give("gift", unit, units, expires)
					w.ids = ids
				}
			}
		}
		for _, w := range []*world{prompt, late} {
			if err := w.check(); err != nil {
				t.Fatalf("%+v\n%v", terms, err)
			}
		}
		if got, want := late.ledger(), prompt.ledger(); got != want {
			t.Fatalf("%+v\nlate:\n%s\nin time:\n%s", terms, got, want)
		}
	})
}

// ledger tells every posting in order, what buckets hold, and the contract.
func (w *world) ledger() string {
	var lines []string
	for _, p := range w.postings {
		lines = append(lines, fmt.Sprintf("%s %s %d %s %s %+d", w.say(p.At), p.Movement, p.Leg, p.Kind, p.Account, p.Units))
	}
	slices.Sort(lines)
	slices.SortFunc(w.account.Buckets, func(a, b Bucket) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return strings.Join(lines, "\n") + "\n" + w.describe()
}

// Nonsense of customer care, calls that hold and use, closings and new plans: no unit appears or vanishes, nothing is posted
// twice, no period begins before the one before has, and what is not due stays as it is.
func TestNothingAppearsOrVanishes(t *testing.T) {
	t.Parallel()
	seeds(t, 100, func(t *testing.T, r *rand.Rand) {
		t.Helper()
		w := newWorld()
		for _, plan := range []string{"a", "b", "c"} {
			w.terms[plan] = randomTerms(t, r, plan)
		}
		w.now = time.Date(2026, 1, 31, 13, 0, 0, 0, time.UTC)
		w.account.Subscriber.Plan = "none"
		held := map[ocs.BucketID]rating.Units{}
		for step := range 150 {
			w.now = w.now.Add(time.Duration(r.IntN(60*60*oneOf(r, 1, 30, 400))) * time.Second)
			period := 0
			if w.account.Contract != nil {
				period = w.account.Contract.Period
			}
			w.nonsense(r, held)
			if err := w.check(); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			if c := w.account.Contract; c != nil && c.Period < period {
				t.Fatalf("step %d: period %d after %d", step, c.Period, period)
			}
			w.apply(Advance(w.rules(), w.account, w.now))
			if o := Advance(w.rules(), w.account, w.now); o.Contract != nil || len(o.Buckets)+len(o.NewBuckets)+len(o.Postings)+len(o.Notices) > 0 {
				t.Fatalf("step %d: done twice: %+v", step, o)
			}
			for _, b := range w.account.Buckets {
				if b.Reserved != held[b.ID] {
					t.Fatalf("step %d: bucket %s reserves %d, held %d", step, b.ID, b.Reserved, held[b.ID])
				}
			}
		}
	})
}

func (w *world) nonsense(r *rand.Rand, held map[ocs.BucketID]rating.Units) {
	id := fmt.Sprintf("c%d", w.ids)
	apply := func(o Outcome, err error) {
		if err == nil {
			w.apply(o)
		}
	}
	switch r.IntN(9) {
	case 0:
		apply(Change(w.rules(), w.account, oneOf(r, "a", "b", "c", "none"), id, r.IntN(2) == 0, w.now))
	case 1:
		apply(Renew(w.rules(), w.account, w.now))
	case 2:
		if r.IntN(3) == 0 {
			apply(Cancel(w.rules(), w.account, r.IntN(2) == 0, w.now))
		}
	case 3:
		expires := time.Time{}
		if r.IntN(2) == 0 {
			expires = w.now.Add(time.Duration(1+r.IntN(1000)) * time.Hour)
		}
		w.give("gift", oneOf(r, rating.Unit("EUR"), rating.Seconds), rating.Units(1+r.IntN(900)), expires)
	case 4, 5:
		if len(w.account.Buckets) > 0 {
			b := &w.account.Buckets[r.IntN(len(w.account.Buckets))]
			if free := b.Free(); free > 0 && !b.Expired(w.now) {
				w.use(b, 1+rating.Units(r.Int64N(int64(free))))
			}
		}
	case 6:
		if len(w.account.Buckets) > 0 {
			b := &w.account.Buckets[r.IntN(len(w.account.Buckets))]
			if free := b.Free(); free > 0 && !b.Expired(w.now) {
				n := 1 + rating.Units(r.Int64N(int64(free)))
				b.Reserved += n
				held[b.ID] += n
			}
		}
	case 7:
		for i := range w.account.Buckets {
			b := &w.account.Buckets[i]
			b.Reserved -= held[b.ID]
			if n := held[b.ID]; n > 0 && r.IntN(2) == 0 {
				w.use(b, n)
			}
			held[b.ID] = 0
		}
	}
}
