package ocs

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Reserve holds units for something that is no call, in the order of use or, with id, in that bucket only. It returns the
// buckets that change, and what is held of each; or false when the free units do not cover all of it. With 0 units it holds
// all that is free, and false means that nothing is. The argument is not modified.
func Reserve(buckets []Bucket, id BucketID, unit rating.Unit, units rating.Units, now time.Time) (changed []Bucket, held []Hold, ok bool) {
	all := units == 0
	for _, b := range usable(buckets, id, unit, now) {
		part := b.Free()
		if !all {
			part = min(part, units)
		}
		if part == 0 {
			continue
		}
		b.Reserved += part
		units -= part
		changed = append(changed, b)
		held = append(held, Hold{Bucket: b.ID, Units: part})
	}
	if all {
		return changed, held, len(held) > 0
	}
	return changed, held, units == 0
}

// Release gives back what is held, to the buckets that it is held in, expired or not. It returns those that change, or false
// when one is not there, which is our bug. The argument is not modified.
func Release(buckets []Bucket, held []Hold) (changed []Bucket, ok bool) {
	for _, h := range held {
		i := slices.IndexFunc(buckets, func(b Bucket) bool { return b.ID == h.Bucket })
		if i < 0 {
			return nil, false
		}
		b := buckets[i]
		b.Reserved -= h.Units
		changed = append(changed, b)
	}
	return changed, true
}

// Spend debits what is held, also from a bucket that expired meanwhile: it was promised. It returns the buckets that change
// and the legs of the movement, or false when a bucket is not there. The argument is not modified.
func Spend(buckets []Bucket, held []Hold, movementName, reason string, now time.Time) (changed []Bucket, legs []Posting, ok bool) {
	changed, ok = Release(buckets, held)
	if !ok || len(held) == 0 {
		return nil, nil, false
	}
	m := movement{
		name: movementName, subscriber: changed[0].Subscriber, kind: ReservePosting, unit: changed[0].Unit, reason: reason, at: now,
	}
	var sum rating.Units
	for i, h := range held {
		changed[i].Balance -= h.Units
		m.lot(h.Bucket, -h.Units)
		sum += h.Units
	}
	m.post("used", "", sum)
	return changed, m.legs, true
}
