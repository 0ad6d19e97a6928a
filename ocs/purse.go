package ocs

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A purse is the working copy of a subscriber's buckets while one request is decided, in the order of use.
type purse struct {
	buckets []Bucket
	touched []bool
	now     time.Time
}

func newPurse(buckets []Bucket, now time.Time) *purse {
	p := &purse{buckets: slices.Clone(buckets), touched: make([]bool, len(buckets)), now: now}
	InOrder(p.buckets)
	return p
}

// pays reports whether b may pay for new usage under t.
func (p *purse) pays(b Bucket, t rating.Tariff) bool { return suits(b, t) && !b.Expired(p.now) }

// suits reports whether b is of the kind that pays under t.
func suits(b Bucket, t rating.Tariff) bool {
	return b.Unit == t.Pays && (len(t.Buckets) == 0 || slices.Contains(t.Buckets, b.Class))
}

// free returns what new usage under t may cost.
func (p *purse) free(t rating.Tariff) (sum rating.Units) {
	for _, b := range p.buckets {
		if p.pays(b, t) {
			sum = rating.Add(sum, b.Free())
		}
	}
	return sum
}

// expired returns what of held is in buckets that expired meanwhile.
func (p *purse) expired(held []Hold) (old []Hold) {
	for _, h := range held {
		if i := p.index(h.Bucket); i >= 0 && p.buckets[i].Expired(p.now) {
			old = append(old, h)
		}
	}
	return old
}

// freeFor returns what usage under t may cost for which held was reserved, and is released already: the grant was promised,
// also from a bucket that expired meanwhile.
func (p *purse) freeFor(t rating.Tariff, held []Hold) (sum rating.Units) {
	sum = p.free(t)
	for _, h := range held {
		if i := p.index(h.Bucket); i >= 0 && suits(p.buckets[i], t) && p.buckets[i].Expired(p.now) {
			sum = rating.Add(sum, min(h.Units, p.buckets[i].Free()))
		}
	}
	return sum
}

// balance returns what the buckets of a unit hold, reserved or not.
func (p *purse) balance(unit rating.Unit) (sum rating.Units) {
	for _, b := range p.buckets {
		if b.Unit == unit && !b.Expired(p.now) {
			sum = rating.Add(sum, b.Balance)
		}
	}
	return sum
}

// hold reserves units for usage under t. The caller has made sure that free covers them.
func (p *purse) hold(t rating.Tariff, units rating.Units) (held []Hold) {
	for i := range p.buckets {
		b := &p.buckets[i]
		if units == 0 {
			break
		}
		if !p.pays(*b, t) || b.Free() == 0 {
			continue
		}
		part := min(units, b.Free())
		b.Reserved += part
		p.touched[i] = true
		units -= part
		held = append(held, Hold{Bucket: b.ID, Units: part})
	}
	return held
}

// reserve holds what was found to be free.
func (p *purse) reserve(held []Hold) {
	for _, h := range held {
		if i := p.index(h.Bucket); i >= 0 {
			p.buckets[i].Reserved += h.Units
			p.touched[i] = true
		}
	}
}

// holdAgain reserves up to units of what was held and is released, also in a bucket that expired meanwhile.
func (p *purse) holdAgain(held []Hold, units rating.Units) (again []Hold) {
	for _, h := range held {
		i := p.index(h.Bucket)
		if i < 0 {
			continue
		}
		if part := min(h.Units, units, p.buckets[i].Free()); part > 0 {
			p.buckets[i].Reserved += part
			p.touched[i] = true
			units -= part
			again = append(again, Hold{Bucket: h.Bucket, Units: part})
		}
	}
	return again
}

// release gives held back.
func (p *purse) release(held []Hold) {
	for _, h := range held {
		if i := p.index(h.Bucket); i >= 0 {
			p.buckets[i].Reserved -= h.Units
			p.touched[i] = true
		}
	}
}

// take debits due for usage under t and says from which buckets, and how much none could pay. What was held for the
// usage, and is released already, goes first, even from a bucket that expired meanwhile: the grant was promised.
func (p *purse) take(t rating.Tariff, due rating.Units, held []Hold) (taken []Hold, short rating.Units) {
	for _, h := range held {
		if i := p.index(h.Bucket); i >= 0 && suits(p.buckets[i], t) {
			taken, due = p.takeFrom(i, min(h.Units, due), due, taken)
		}
	}
	for i, b := range p.buckets {
		if p.pays(b, t) {
			taken, due = p.takeFrom(i, min(b.Free(), due), due, taken)
		}
	}
	return taken, due
}

func (p *purse) takeFrom(i int, part, due rating.Units, taken []Hold) ([]Hold, rating.Units) {
	if part == 0 {
		return taken, due
	}
	p.buckets[i].Balance -= part
	p.touched[i] = true
	return addHold(taken, Hold{Bucket: p.buckets[i].ID, Units: part}), due - part
}

// credit gives back what a debit took. It reports false when a bucket is not there any more, and changes nothing then.
func (p *purse) credit(taken []Hold) bool {
	for _, h := range taken {
		if p.index(h.Bucket) < 0 {
			return false
		}
	}
	for _, h := range taken {
		i := p.index(h.Bucket)
		p.buckets[i].Balance += h.Units
		p.touched[i] = true
	}
	return true
}

func (p *purse) index(id BucketID) int {
	return slices.IndexFunc(p.buckets, func(b Bucket) bool { return b.ID == id })
}

// changes returns the buckets that are no longer as they were.
func (p *purse) changes() (changed []Bucket) {
	for i, b := range p.buckets {
		if p.touched[i] {
			changed = append(changed, b)
		}
	}
	return changed
}

// addHold returns holds with one more, joined to the one of the same bucket. holds itself stays as it is.
func addHold(holds []Hold, more Hold) []Hold {
	for i, h := range holds {
		if h.Bucket == more.Bucket {
			holds = slices.Clone(holds)
			holds[i].Units += more.Units
			return holds
		}
	}
	return append(slices.Clip(holds), more)
}

func addHolds(holds, more []Hold) []Hold {
	for _, h := range more {
		holds = addHold(holds, h)
	}
	return holds
}

// hasAnything reports whether any bucket that may pay under t holds anything.
func (p *purse) hasAnything(t rating.Tariff) bool {
	for payer := range len(t.Then) + 1 {
		if p.free(t.By(payer)) > 0 {
			return true
		}
	}
	return false
}
