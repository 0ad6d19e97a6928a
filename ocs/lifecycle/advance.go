package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// Advance does everything that is due by now, in order of time. Arguments are not modified. It may be called at any time:
// when nothing is due, nothing changes.
func Advance(rules Rules, a Account, now time.Time) Outcome {
	w := newWork(rules, a, now)
	w.advance()
	return w.outcome()
}

// How long what cannot be done now is left alone.
const (
	lookAgain  = time.Minute // an expired bucket of which calls still hold a part
	orphanRest = time.Hour   // a contract whose plan is not in the catalogue
)

// A work is one account while it is advanced. It owns all that it changes.
type work struct {
	rules      Rules
	subscriber ocs.Subscriber
	contract   *Contract
	touched    bool // the contract was
	buckets    []*holding
	now        time.Time
	out        Outcome
}

// A holding is a bucket and what became of it.
type holding struct {
	Bucket
	isNew   bool
	changed bool
}

func newWork(rules Rules, a Account, now time.Time) *work {
	w := &work{rules: rules, subscriber: a.Subscriber, now: now.UTC().Truncate(time.Microsecond)}
	if a.Contract != nil {
		c := *a.Contract
		c.Lots = slices.Clone(c.Lots)
		w.contract = &c
	}
	w.buckets = make([]*holding, len(a.Buckets))
	for i, b := range a.Buckets {
		w.buckets[i] = &holding{Bucket: b}
	}
	return w
}

func (w *work) outcome() Outcome {
	if w.touched {
		w.out.Contract = w.contract
	}
	for _, b := range w.buckets {
		switch {
		case b.isNew:
			w.out.NewBuckets = append(w.out.NewBuckets, b.Bucket)
		case b.changed:
			w.out.Buckets = append(w.out.Buckets, b.Bucket)
		}
	}
	return w.out
}

// advance goes from instant to instant. At the same one lots expire first: what expires then can pay for nothing.
func (w *work) advance() {
	for {
		bucket, at := w.soonest()
		isDue := bucket != nil && !at.After(w.now)
		c := w.contract
		switch {
		case c != nil && !c.DueAt.IsZero() && !c.DueAt.After(w.now) && (!isDue || c.DueAt.Before(at)):
			w.live(c.DueAt)
		case isDue:
			w.look(bucket, at)
		default:
			w.putOff()
			return
		}
	}
}

// live does what the contract is due for at at.
func (w *work) live(at time.Time) {
	c := w.contract
	w.touched = true
	if w.subscriber.State == ocs.Closed {
		w.end(at)
		return
	}
	t, ok := w.rules.Terms(c.Plan)
	if !ok && c.State != Ended {
		w.out.Orphan = c.Plan
		c.DueAt = w.now.Add(orphanRest)
		return
	}
	switch c.State {
	case New:
		w.begin(t, at)
	case Waiting:
		w.activate(t, at)
	case Active:
		if !at.Before(c.EndsAt) {
			w.renew(t, c.EndsAt)
		}
	case Grace:
		if at.Before(c.GraceUntil) {
			w.begin(t, at)
		} else {
			w.end(at)
		}
	case Ended:
	}
	w.schedule(at)
	if !c.DueAt.IsZero() && !c.DueAt.After(at) {
		panic(fmt.Sprintf("lifecycle: contract %s in state %s is due again at %v", c.ID, c.State, at))
	}
}

// schedule tells what is to be told at at, and says when something is due next.
func (w *work) schedule(at time.Time) {
	c := w.contract
	c.DueAt = time.Time{}
	t, ok := w.rules.Terms(c.Plan)
	if !ok {
		return // it has ended, or goes on with a plan that has no terms
	}
	switch c.State {
	case Waiting:
		w.watchForUse()
		if t.Within > 0 {
			c.DueAt = c.StartsAt.Add(t.Within)
		}
	case Active:
		w.tellLevels(t, at)
		c.DueAt = c.EndsAt
		if notice := c.EndsAt.Add(-t.Notices.Before); !c.EndTold {
			if at.Before(notice) {
				c.DueAt = notice
			} else {
				w.tellEnd(t)
			}
		}
	case Grace:
		c.DueAt = at.Add(max(t.Retry, minRetry))
		if c.DueAt.After(c.GraceUntil) {
			c.DueAt = c.GraceUntil
		}
	case New, Ended:
	}
}

// find returns the bucket of id, or nil.
func (w *work) find(id ocs.BucketID) *holding {
	for _, b := range w.buckets {
		if b.ID == id {
			return b
		}
	}
	return nil
}

// left is what the subscriber may use of a unit at at.
func (w *work) left(unit rating.Unit, at time.Time) (sum rating.Units) {
	for _, b := range w.buckets {
		if b.Unit == unit && !b.Expired(at) {
			sum = rating.Add(sum, b.Free())
		}
	}
	return sum
}

// A leg is one side of a movement.
type leg struct {
	account string
	bucket  ocs.BucketID
	units   rating.Units
}

func lotLeg(id ocs.BucketID, units rating.Units) leg { return leg{"lot:" + string(id), id, units} }

// post writes a movement.
func (w *work) post(name string, kind ocs.PostingKind, unit rating.Unit, reason string, at time.Time, legs ...leg) {
	for i, l := range legs {
		w.out.Postings = append(w.out.Postings, ocs.Posting{
			Movement: name, Leg: i, Subscriber: w.subscriber.ID, At: at, Kind: kind, Account: l.account, Bucket: l.bucket,
			Unit: unit, Units: l.units, Reason: reason,
		})
	}
}

// named names a movement of the running period.
func (w *work) named(what string) string {
	return fmt.Sprintf("plan:%s:%d:%s", w.contract.ID, w.contract.Period, what)
}

func (w *work) reason() string {
	return fmt.Sprintf("plan %s, period %d", w.contract.Plan, w.contract.Period)
}
