package transfer

import (
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A book is the working copy of a party's lots while one request is decided, in the order of use.
type book struct {
	lots    []ocs.Bucket
	rest    Rest
	touched map[ocs.BucketID]bool
	made    map[ocs.BucketID]bool
}

func newBook(lots []ocs.Bucket) *book {
	b := &book{lots: slices.Clone(lots), touched: map[ocs.BucketID]bool{}, made: map[ocs.BucketID]bool{}}
	ocs.InOrder(b.lots)
	return b
}

// lot returns the lot id, to be changed.
func (b *book) lot(id ocs.BucketID) *ocs.Bucket {
	b.touched[id] = true
	return &b.lots[b.index(id)]
}

// peek returns the lot id as it is.
func (b *book) peek(id ocs.BucketID) ocs.Bucket { return b.lots[b.index(id)] }

// index finds a lot that a transfer names. One that is not there was not loaded: our bug.
func (b *book) index(id ocs.BucketID) int {
	i := slices.IndexFunc(b.lots, func(l ocs.Bucket) bool { return l.ID == id })
	if i < 0 {
		panic(fmt.Sprintf("transfer: lot %s was not loaded", id))
	}
	return i
}

// hold reserves what is planned.
func (b *book) hold(moves []Move) {
	for _, m := range moves {
		b.lot(m.From).Reserved += m.Units
	}
}

// release gives back what was held, to the same lots.
func (b *book) release(moves []Move) {
	for _, m := range moves {
		b.lot(m.From).Reserved -= m.Units
	}
}

// put adds what m brings to a lot of b: the one that m names, one that agrees in everything, or a new one.
func (b *book) put(m Move, from ocs.Bucket, owner ocs.SubscriberID, now time.Time, newID func() ocs.BucketID) ocs.BucketID {
	if m.To != "" {
		b.lot(m.To).Balance += m.Units
		return m.To
	}
	moved := ocs.Bucket{
		Subscriber: owner, Unit: from.Unit, Class: m.Class, Priority: from.Priority, Balance: m.Units,
		ExpiresAt: m.ExpiresAt, CreatedAt: now, Root: from.Root, Parent: from.ID, Hops: from.Hops + 1,
	}
	for i := range b.lots {
		if l := &b.lots[i]; mergeable(*l, moved) {
			l.Balance += m.Units
			b.touched[l.ID] = true
			return l.ID
		}
	}
	moved.ID = newID()
	b.lots = append(b.lots, moved)
	b.made[moved.ID] = true
	return moved.ID
}

// mergeable reports whether the seconds of two lots cannot be told apart in anything that will ever matter.
func mergeable(a, b ocs.Bucket) bool {
	return a.Root == b.Root && a.Parent == b.Parent && a.Hops == b.Hops && a.Class == b.Class && a.Unit == b.Unit &&
		a.Priority == b.Priority && a.ExpiresAt.Equal(b.ExpiresAt)
}

// changes returns the lots that are no longer as they were, and the new ones.
func (b *book) changes() (changed, made []ocs.Bucket) {
	for _, l := range b.lots {
		switch {
		case b.made[l.ID]:
			made = append(made, l)
		case b.touched[l.ID]:
			changed = append(changed, l)
		}
	}
	return changed, made
}

// total is what b holds in lots that count.
func (b *book) total(now time.Time) (sum rating.Units) {
	sum = b.rest.Total
	for _, l := range b.lots {
		if counts(l, now) {
			sum = rating.Add(sum, l.Balance)
		}
	}
	return sum
}

// free is total without what is held.
func (b *book) free(now time.Time) (sum rating.Units) {
	sum = b.rest.Free
	for _, l := range b.lots {
		if counts(l, now) {
			sum = rating.Add(sum, l.Free())
		}
	}
	return sum
}

// counts reports whether a lot holds seconds that can still be used.
func counts(l ocs.Bucket, now time.Time) bool { return l.Unit == rating.Seconds && !l.Expired(now) }
