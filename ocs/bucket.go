package ocs

import (
	"cmp"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// BucketID names a bucket for good: a UUID in text form.
type BucketID string

// A Bucket is a lot of prepaid units: it has one origin, one class and one expiry, and never mixes two.
// Always 0 <= Reserved <= Balance; the constraint bucket_reserved_within_balance says it again in the database.
type Bucket struct {
	ID         BucketID
	Subscriber SubscriberID
	Unit       rating.Unit
	Class      string       // where it came from: plan, purchased, gift, bonus, received
	Priority   int          // smaller is used first
	Balance    rating.Units // not yet charged
	Reserved   rating.Units // part of Balance, held by open sessions
	ExpiresAt  time.Time    // first instant at which it no longer counts; zero: never
	CreatedAt  time.Time
	Root       BucketID     // the lot that the units were first granted in: the bucket itself, or where they were moved from at first
	Parent     BucketID     // the lot that they were moved from last; empty for a granted one
	Hops       int          // how often they were moved
	Watch      rating.Units // a balance below it is to be told to the plan's contract; 0: none
}

// Free is what a new reservation may take.
func (b Bucket) Free() rating.Units { return b.Balance - b.Reserved }

// Expired reports whether b no longer counts. At ExpiresAt itself it does not.
func (b Bucket) Expired(now time.Time) bool { return !b.ExpiresAt.IsZero() && !now.Before(b.ExpiresAt) }

// IsLow reports whether less is left than the contract of the plan wants to be told of.
func (b Bucket) IsLow() bool { return b.Balance < b.Watch }

// A Hold is the part of a bucket that one quota reserves.
type Hold struct {
	Bucket BucketID
	Units  rating.Units
}

// InOrder sorts buckets in the order in which they are used: priority, then soonest expiry, then oldest.
func InOrder(buckets []Bucket) {
	slices.SortFunc(buckets, func(a, b Bucket) int {
		return cmp.Or(
			cmp.Compare(a.Priority, b.Priority),
			compareExpiry(a.ExpiresAt, b.ExpiresAt),
			a.CreatedAt.Compare(b.CreatedAt),
			cmp.Compare(a.ID, b.ID),
		)
	})
}

func compareExpiry(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}
