package lifecycle

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Contract is the plan of one subscriber as it runs.
type Contract struct {
	ID         string // a UUID; with Period it names what is posted
	Subscriber ocs.SubscriberID
	Plan       string
	State      State
	Next       string // plan from the next period on; empty: the same
	Cancelled  bool   // it ends with the period
	Period     int    // of those begun, from 1, counted on over changes of the plan
	Length     Period // of the running one: when the catalogue has another, counting begins anew
	Anchor     time.Time
	Boundary   int // number of EndsAt, counted from Anchor
	StartsAt   time.Time
	EndsAt     time.Time // zero while it waits for its first use
	GraceUntil time.Time
	Lots       []Lot // of the running period
	Paid       rating.Units
	PaidUnit   rating.Unit
	EndTold    bool
	DueAt      time.Time // when Advance has something to do next; zero: never
	CreatedAt  time.Time
}

// State is where in its life a contract is.
type State string

// The states of a contract.
const (
	New     State = "new"     // to be begun as soon as it is due
	Waiting State = "waiting" // for its first use
	Active  State = "active"
	Grace   State = "grace" // what it costs could not be paid, and is tried again
	Ended   State = "ended"
)

// A Lot is a bucket that a period brought.
type Lot struct {
	Bucket ocs.BucketID
	Unit   rating.Unit
	Class  string
	Units  rating.Units // that it began with
	Rolled bool         // out of the period before
	Told   rating.Units // the lowest level that the subscriber was told of; 0: none
}

// NewContract returns the contract of a subscriber who has plan from now on. It begins when it is advanced.
func NewContract(id string, subscriber ocs.SubscriberID, plan string, now time.Time) Contract {
	now = now.UTC().Truncate(time.Microsecond)
	return Contract{ID: id, Subscriber: subscriber, Plan: plan, State: New, DueAt: now, CreatedAt: now}
}

// A Bucket is a bucket with what its expiry needs.
type Bucket struct {
	ocs.Bucket
	LookAt time.Time // when its expiry is looked at next; zero: it never was
	Booked bool      // it expired, and nothing is left in it
}

// An Account is all that [Advance] looks at. The caller has locked the subscriber.
type Account struct {
	Subscriber ocs.Subscriber
	Contract   *Contract // nil: the plan has no terms
	Buckets    []Bucket  // all that have units, and those whose expiry is due
}

// An Outcome is what it came to: every row as it is to be. What is not named stays as it was.
type Outcome struct {
	Contract   *Contract // nil: as it was
	Plan       string    // of the subscriber from now on; empty: as it was
	Buckets    []Bucket  // that exist: balance, expiry, watch and look are set
	NewBuckets []Bucket
	Postings   []ocs.Posting
	Notices    []Notice
	Renewed    bool   // a period began
	Orphan     string // a plan that the catalogue does not have, so that nothing could be done
}

// Rules are what Advance goes by.
type Rules struct {
	Terms       func(plan string) (Terms, bool) // of the catalogue in force
	NewBucketID func() ocs.BucketID
}
