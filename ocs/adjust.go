package ocs

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// An Adjustment corrects a balance, up or down, by order of the operator.
type Adjustment struct {
	Movement   string // names the adjustment
	Subscriber SubscriberID
	Bucket     BucketID // to be corrected; empty: what is taken is taken in the order of use
	Unit       rating.Unit
	Units      rating.Units // signed, not 0: what the balance gains
	Reason     string
}

// Adjust returns the buckets that a changes and the legs of its movement, or false when a cannot be made as a whole: the
// free units do not cover it, the bucket is not there, counts other units or has expired, or a rise names no bucket. What is
// reserved is not touched. The argument is not modified.
func Adjust(buckets []Bucket, a Adjustment, now time.Time) (changed []Bucket, legs []Posting, ok bool) {
	if a.Units > 0 && a.Bucket == "" {
		return nil, nil, false
	}
	m := movement{name: a.Movement, subscriber: a.Subscriber, kind: AdjustPosting, unit: a.Unit, reason: a.Reason, at: now}
	left := -a.Units // to be taken; below zero: to be given
	for _, b := range usable(buckets, a.Bucket, a.Unit, now) {
		part := left
		if left > 0 {
			part = min(left, b.Free())
		}
		if part == 0 {
			continue
		}
		b.Balance -= part
		left -= part
		changed = append(changed, b)
		m.lot(b.ID, -part)
	}
	m.post("adjust", "", -a.Units)
	return changed, m.legs, left == 0
}

// Empty takes all of b that is free, expired or not, and returns it with the legs of the movement.
func Empty(b Bucket, movementName, reason string, now time.Time) (Bucket, []Posting) {
	m := movement{name: movementName, subscriber: b.Subscriber, kind: AdjustPosting, unit: b.Unit, reason: reason, at: now}
	free := b.Free()
	b.Balance -= free
	m.lot(b.ID, -free)
	m.post("closed", "", free)
	return b, m.legs
}

// usable returns copies of the buckets that may be used at now, in that order; with id, only that one.
func usable(buckets []Bucket, id BucketID, unit rating.Unit, now time.Time) []Bucket {
	all := slices.DeleteFunc(slices.Clone(buckets), func(b Bucket) bool {
		return b.Unit != unit || b.Expired(now) || id != "" && b.ID != id
	})
	InOrder(all)
	return all
}

// A movement collects its legs.
type movement struct {
	name       string
	subscriber SubscriberID
	kind       PostingKind
	unit       rating.Unit
	reason     string
	at         time.Time
	legs       []Posting
}

func (m *movement) post(account string, bucket BucketID, units rating.Units) {
	m.legs = append(m.legs, Posting{
		Movement: m.name, Leg: len(m.legs), Subscriber: m.subscriber, At: m.at, Kind: m.kind,
		Account: account, Bucket: bucket, Unit: m.unit, Units: units, Reason: m.reason,
	})
}

func (m *movement) lot(bucket BucketID, units rating.Units) {
	m.post("lot:"+string(bucket), bucket, units)
}
