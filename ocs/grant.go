package ocs

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Grant gives a subscriber units that were not there before: a plan bought, an add-on, a gift of the operator.
type Grant struct {
	Movement   string // names the grant: the caller's id, so that repeating it changes nothing
	Subscriber SubscriberID
	Bucket     BucketID
	Unit       rating.Unit
	Units      rating.Units // at least 1
	Class      string
	Priority   int
	ExpiresAt  time.Time // zero: never
	Offer      string    // what was bought; names the account that the units come from
	Reason     string
}

// GrantBucket returns the bucket that g makes and the two legs of its movement: the offer loses what the lot gains.
func GrantBucket(g Grant, now time.Time) (Bucket, []Posting) {
	leg := func(n int, account string, bucket BucketID, units rating.Units) Posting {
		return Posting{
			Movement: g.Movement, Leg: n, Subscriber: g.Subscriber, At: now, Kind: GrantPosting,
			Account: account, Bucket: bucket, Unit: g.Unit, Units: units, Reason: g.Reason,
		}
	}
	bucket := Bucket{
		ID: g.Bucket, Subscriber: g.Subscriber, Unit: g.Unit, Class: g.Class, Priority: g.Priority,
		Balance: g.Units, ExpiresAt: g.ExpiresAt, CreatedAt: now, Root: g.Bucket,
	}
	return bucket, []Posting{
		leg(0, "issue:"+g.Offer, "", -g.Units),
		leg(1, "lot:"+string(g.Bucket), g.Bucket, g.Units),
	}
}

// GrantInto returns b with the units of g, and the legs of the movement. It is for units that are to share the origin, class
// and expiry of b, whatever g says of them.
func GrantInto(b Bucket, g Grant, now time.Time) (Bucket, []Posting) {
	g.Bucket, g.Unit = b.ID, b.Unit
	_, legs := GrantBucket(g, now)
	b.Balance += g.Units
	return b, legs
}
