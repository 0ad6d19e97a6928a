package transfer

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"pgregory.net/rapid"
)

// "You may send 42 of 170, 30 are in use by a call, 98 are bonus."
func TestAllowanceOfTheMenu(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 72, "purchased", 3)
	w.grant("ann", 98, "bonus", 30)
	w.call("ann", 30*minute)
	o := must(t, w, w.do("ann", "", Request{Operation: OpAllowance}))
	equal(t, "may send", o.Answer.May, 42*minute)
	equal(t, "purse", *o.Answer.Purse, Purse{
		Total: 170 * minute, Movable: 42 * minute, InUse: 30 * minute,
		Kept: []Kept{{Class: "bonus", Reason: ByClass, Units: 98 * minute}},
	})
	if o.Remembered != nil {
		t.Error("a question was remembered")
	}
}

func TestAllowanceHeedsLimitsAndMinimum(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 400, "purchased", 30)
	w.change(func(k *KindRules) { k.MinRemaining = 50 * minute })
	w.policy.Limits = []Limit{{Name: "day", Scope: PerSender, Window: Window{Period: Day}, Seconds: 120 * minute}}
	must(t, w, w.do("ann", "bob", send(20)))
	equal(t, "by limit", w.do("ann", "", Request{Operation: OpAllowance}).Answer.May, 100*minute)
	w.policy.Limits = nil
	equal(t, "by minimum", w.do("ann", "", Request{Operation: OpAllowance}).Answer.May, 330*minute)
	w.policy.Stop = &Stop{Since: w.now}
	equal(t, "stopped", w.do("ann", "", Request{Operation: OpAllowance}).Answer.May, 0)
}

// What the allowance promises can be sent, and one step more cannot, whatever the fee.
func TestAllowanceIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		units := func(name string, most int) rating.Units { return rating.Units(rapid.IntRange(0, most).Draw(t, name)) }
		w.policy.Limits = nil
		step := 1 + units("step", 90)
		w.change(func(k *KindRules) {
			k.Least, k.Most, k.Step, k.MinRemaining = 1, 1200, step, units("remain", 100)
			k.Bearer = rapid.SampledFrom([]Bearer{Originator, Receiver}).Draw(t, "bearer")
		})
		fee := FeeRule{Name: "f", Least: units("least", 20)}
		end := rating.Units(0)
		for range rapid.IntRange(0, 3).Draw(t, "bands") {
			end += 1 + units("band", 300)
			fee.Bands = append(fee.Bands, FeeBand{UpTo: end, Flat: units("flat", 50), BasisPoints: int64(units("points", 3000))})
		}
		fee.Bands = append(fee.Bands, FeeBand{Flat: units("flat", 50), BasisPoints: int64(units("points", 3000))})
		w.policy.Fees = []FeeRule{fee}
		if has := units("has", 1000); has > 0 {
			w.grantUntil("ann", has, "purchased", w.now.Add(day))
		}
		may := w.do("ann", "", Request{Operation: OpAllowance}).Answer.May
		try := func(n rating.Units) Refusal {
			r := Request{Operation: OpSend, Seconds: n}
			w.complete(&r)
			return Decide(w.policy, w.state("ann", "bob", r), r, w.now).Answer.Refusal
		}
		if may > 0 && try(may) != None {
			t.Fatalf("may send %d, and it is refused as %s", may, try(may))
		}
		for n := may - may%step + step; n <= 1200; n += step {
			if try(n) == None {
				t.Fatalf("may send %d, and %d is sent", may, n)
			}
		}
	})
}

func TestLotsInOrderAmongThoseForSending(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.BeforeExpiry = 2 * time.Hour
	w.policy.Classes["plan"] = ClassRules{Movable: true, MaxHops: 1}
	dying := w.grantUntil("ann", 10*minute, "purchased", w.now.Add(2*time.Hour-1))
	justNot := w.grantUntil("ann", 10*minute, "purchased", w.now.Add(2*time.Hour))
	bonus := w.grant("ann", 10, "bonus", 1)
	must(t, w, w.do("ann", "bob", send(10)))
	equal(t, "dying", w.buckets[dying].Balance, 10*minute)
	equal(t, "just not", w.buckets[justNot].Balance, 0)
	equal(t, "bonus", w.buckets[bonus].Balance, 10*minute)
	w.grant("cem", 10, "plan", 9)
	must(t, w, w.do("cem", "dia", send(10)))
	want(t, w, w.do("dia", "bob", send(5)), KindNotAllowed) // one hop, no more
}

func TestMergeOnlyWhatAgreesInEverything(t *testing.T) {
	t.Parallel()
	w := newWorld()
	lot := w.grant("ann", 60, "purchased", 30)
	o := must(t, w, w.do("ann", "bob", send(10)))
	made := o.NewBuckets[0].ID
	o = must(t, w, w.do("ann", "bob", send(10)))
	equal(t, "joined", len(o.NewBuckets), 0)
	equal(t, "both", w.buckets[made].Balance, 20*minute)
	must(t, w, w.do("ann", "cem", send(10)))
	o = must(t, w, w.do("cem", "bob", send(10)))
	equal(t, "another way, another lot", len(o.NewBuckets), 1)
	equal(t, "of two hops", [2]any{o.NewBuckets[0].Hops, o.NewBuckets[0].Root}, [2]any{2, lot})
	must(t, w, w.do("ann", "dia", send(10)))
	o = must(t, w, w.do("dia", "bob", send(10)))
	equal(t, "of the same root and hops, but another parent", len(o.NewBuckets), 1)
	w.grant("ann", 60, "purchased", 30) // looks the same, and is not
	w.call("ann", 30*minute)
	o = must(t, w, w.do("ann", "bob", send(10)))
	equal(t, "another root, another lot", len(o.NewBuckets), 1)
}
