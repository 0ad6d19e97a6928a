package rating

import (
	"errors"
	"fmt"
	"slices"
)

// A Tariff prices usage of one kind: a setup fee with the first unit, then whole increments at a price.
// A tariff that [Tariff.Validate] accepts is assumed by every other method.
type Tariff struct {
	Name     string
	Measures Unit     // what the usage is counted in
	Pays     Unit     // what the buckets are counted in that pay for it
	Setup    Units    // of Pays, once, when there is any usage at all
	First    Units    // first increment: usage counts at least this much (30 of 30/6)
	Next     Units    // every further increment (6 of 30/6)
	Price    Price    // of a unit of usage that was rounded up to whole increments
	Buckets  []string // classes of buckets that may pay; none named: all that are counted in Pays
	Then     []Payer  // who pays, in this order, each increment that the ones before cannot
	Barred   bool     // the destination may not be called: 4010
}

// A Payer is another way to pay for the usage of a tariff.
type Payer struct {
	Pays        Unit
	Setup       Units
	First, Next Units
	Price       Price
	Buckets     []string
}

// By returns t as payer prices it: 0 is t itself, and n the n-th of Then.
func (t Tariff) By(payer int) Tariff {
	if payer > 0 {
		p := t.Then[payer-1]
		t.Pays, t.Setup, t.First, t.Next, t.Price, t.Buckets = p.Pays, p.Setup, p.First, p.Next, p.Price, p.Buckets
	}
	t.Then = nil
	return t
}

// A Price is Units of a bucket for every Per units of usage: {4, 1} takes four seconds for one, {20, 60} a third.
type Price struct{ Units, Per Units }

// Free reports whether no usage under t ever costs anything.
func (t Tariff) Free() bool { return t.Setup == 0 && t.Price.Units == 0 }

// RoundUp returns used rounded up to whole increments. Zero stays zero: a call never answered costs nothing.
// What would be too large stays at Unlimited.
func (t Tariff) RoundUp(used Units) Units {
	switch {
	case used <= 0:
		return 0
	case used <= t.First:
		return t.First
	}
	further := (used - t.First - 1) / t.Next // whole increments that are surely needed, less one
	whole := scaleDown(further+1, t.Next, 1)
	return Add(t.First, whole)
}

// Charge returns what used costs in all, from the first unit on. It never falls as used grows. A fraction of a bucket
// unit is charged as a whole one, once for the whole usage and not once for every report.
func (t Tariff) Charge(used Units) Units {
	if used <= 0 {
		return 0
	}
	return Add(t.Setup, scaleUp(t.RoundUp(used), t.Price.Units, t.Price.Per))
}

// Afford returns the greatest usage that Charge prices at balance or less: the exact inverse of Charge. It is Unlimited
// under a free price, and 0 when balance does not cover the first increment.
func (t Tariff) Afford(balance Units) Units {
	if balance < t.Setup || balance < 0 {
		return 0
	}
	if t.Price.Units == 0 {
		return Unlimited
	}
	rounded := scaleDown(balance-t.Setup, t.Price.Per, t.Price.Units)
	switch {
	case rounded == Unlimited:
		return Unlimited
	case rounded < t.First:
		return 0
	}
	return t.First + (rounded-t.First)/t.Next*t.Next
}

// Validate returns every reason why t cannot price anything, joined.
func (t Tariff) Validate() error {
	var faults []error
	if t.Measures == "" {
		faults = append(faults, errors.New("no unit of usage"))
	}
	faults = append(faults, t.By(0).validatePayer())
	for i := range t.Then {
		if err := t.By(i + 1).validatePayer(); err != nil {
			faults = append(faults, fmt.Errorf("payer %d: %w", i+1, err))
		}
	}
	return errors.Join(faults...)
}

func (t Tariff) validatePayer() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(t.Pays == "", "no unit of the buckets that pay")
	fault(t.Setup < 0, "setup %d is negative", t.Setup)
	fault(t.First < 1, "first increment %d is less than 1", t.First)
	fault(t.Next < 1, "next increment %d is less than 1", t.Next)
	fault(t.Price.Units < 0, "price %d is negative", t.Price.Units)
	fault(t.Price.Per < 1, "price is for %d units of usage, less than 1", t.Price.Per)
	return errors.Join(faults...)
}

// Equal reports whether t and other price every usage alike and are paid from the same buckets.
func (t Tariff) Equal(other Tariff) bool {
	return t.Name == other.Name && t.Measures == other.Measures && t.Pays == other.Pays && t.Setup == other.Setup &&
		t.First == other.First && t.Next == other.Next && t.Price == other.Price && t.Barred == other.Barred &&
		slices.Equal(t.Buckets, other.Buckets) && slices.EqualFunc(t.Then, other.Then, Payer.equal)
}

func (p Payer) equal(other Payer) bool {
	return p.Pays == other.Pays && p.Setup == other.Setup && p.First == other.First && p.Next == other.Next &&
		p.Price == other.Price && slices.Equal(p.Buckets, other.Buckets)
}
