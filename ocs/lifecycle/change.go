package lifecycle

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// Why an act of customer care is refused. Nothing changes then.
var (
	ErrSamePlan = errors.New("the subscriber has this plan already")
	ErrNoTerms  = errors.New("the plan has no terms: it is not renewed and does not end")
	ErrUnpaid   = errors.New("the buckets that may pay do not cover the price of the plan")
	ErrRunning  = errors.New("the period is paid and runs: it is renewed when it ends")
	ErrEnded    = errors.New("the plan has ended already")
	ErrClosed   = errors.New("the subscriber is closed")
)

// Change gives the subscriber another plan, at once or when the period ends. id names the contract, should there be none
// yet. Changed at once, what is left of the old period expires or rolls over, and if the old plan is prorated, what was
// paid for whole days to come is given back.
func Change(rules Rules, a Account, plan, id string, atOnce bool, now time.Time) (Outcome, error) {
	w, err := ready(rules, a, now)
	if err != nil {
		return Outcome{}, err
	}
	c := w.contract
	t, hasTerms := rules.Terms(plan)
	if w.subscriber.Plan == plan && (c == nil && !hasTerms || c != nil && c.State != Ended) {
		if c != nil && c.Next != "" && !atOnce { // the change that was to come is taken back
			c.Next, w.touched = "", true
			return w.outcome(), nil
		}
		return Outcome{}, ErrSamePlan
	}
	if c != nil && c.State == Active && !atOnce {
		c.Next, c.Cancelled, w.touched = plan, false, true
		return w.outcome(), nil
	}
	if c != nil && c.State != Ended {
		w.giveBack()
	}
	if c == nil {
		if !hasTerms {
			w.subscriber.Plan, w.out.Plan = plan, plan
			return w.outcome(), nil
		}
		c = new(NewContract(id, w.subscriber.ID, plan, w.now))
		w.contract = c
	}
	w.touched = true
	if !hasTerms {
		if c.State != Ended {
			w.end(w.now)
		}
		w.setPlan(plan)
		return w.outcome(), nil
	}
	w.setPlan(plan)
	c.Cancelled, c.State = false, Active // else what fails to be paid would look as if it had failed before
	return w.start(t)
}

// Renew pays and begins a period now: of a contract that could not be paid or has ended, or that waits for its first use.
// One that was cancelled or is to be changed goes on as it is.
func Renew(rules Rules, a Account, now time.Time) (Outcome, error) {
	w, err := ready(rules, a, now)
	if err != nil {
		return Outcome{}, err
	}
	c := w.contract
	if c == nil {
		return Outcome{}, ErrNoTerms
	}
	t, ok := rules.Terms(c.Plan)
	if !ok {
		return Outcome{}, ErrNoTerms
	}
	w.touched = true
	switch c.State {
	case Waiting:
		w.activate(t, w.now)
		w.schedule(w.now)
		return w.outcome(), nil
	case Active:
		if !c.Cancelled && c.Next == "" {
			return Outcome{}, ErrRunning
		}
		c.Cancelled, c.Next = false, ""
		w.schedule(w.now)
		return w.outcome(), nil
	case New, Grace, Ended:
	}
	return w.start(t)
}

// Cancel ends the contract, at once or when the period ends.
func Cancel(rules Rules, a Account, atOnce bool, now time.Time) (Outcome, error) {
	w, err := ready(rules, a, now)
	if err != nil {
		return Outcome{}, err
	}
	c := w.contract
	switch {
	case c == nil:
		return Outcome{}, ErrNoTerms
	case c.State == Ended:
		return Outcome{}, ErrEnded
	}
	w.touched = true
	if c.State == Active && !atOnce {
		c.Cancelled, c.Next = true, ""
		w.schedule(w.now)
		return w.outcome(), nil
	}
	w.giveBack()
	w.end(w.now)
	return w.outcome(), nil
}

// ready does first what was due before.
func ready(rules Rules, a Account, now time.Time) (*work, error) {
	if a.Subscriber.State == ocs.Closed {
		return nil, ErrClosed
	}
	w := newWork(rules, a, now)
	w.advance()
	return w, nil
}

// start begins a period that must be paid now.
func (w *work) start(t Terms) (Outcome, error) {
	w.begin(t, w.now)
	if w.contract.State != Active && w.contract.State != Waiting || !w.out.Renewed || !w.contract.StartsAt.Equal(w.now) {
		return Outcome{}, ErrUnpaid
	}
	w.schedule(w.now)
	return w.outcome(), nil
}

// giveBack gives back what was paid for the days after today of a prorated period.
func (w *work) giveBack() {
	c := w.contract
	t, ok := w.rules.Terms(c.Plan)
	if !ok || !t.Prorate || c.Paid == 0 || c.State != Active && c.State != Waiting {
		return
	}
	back := c.Paid
	if c.State == Active {
		all := t.days(c.StartsAt, c.EndsAt)
		unused := t.days(w.now, c.EndsAt) - 1
		if all <= 0 || unused <= 0 {
			return
		}
		back = share{min(unused, all), all}.costs(c.Paid)
	}
	if back == 0 {
		return
	}
	to := w.purse(t, c.PaidUnit)
	to.Balance += back
	to.changed = true
	w.post(w.named("refund"), ocs.RefundPosting, c.PaidUnit, fmt.Sprintf("plan %s, days not used", c.Plan), w.now,
		leg{"sale:" + c.Plan, "", -back}, lotLeg(to.ID, back))
	c.Paid -= back
}

// purse returns the bucket that may pay and lasts longest, or a new one.
func (w *work) purse(t Terms, unit rating.Unit) *holding {
	var best *holding
	for _, b := range w.buckets {
		if b.Unit != unit || b.Expired(w.now) || !w.maySpend(t, b) {
			continue
		}
		if best == nil || !best.ExpiresAt.IsZero() && (b.ExpiresAt.IsZero() || b.ExpiresAt.After(best.ExpiresAt)) {
			best = b
		}
	}
	if best != nil {
		return best
	}
	id := w.rules.NewBucketID()
	best = &holding{isNew: true, Bucket: Bucket{Bucket: ocs.Bucket{
		ID: id, Subscriber: w.subscriber.ID, Unit: unit, Class: append(slices.Clone(t.Price.Classes), "refund")[0], CreatedAt: w.now, Root: id,
	}}}
	w.buckets = append(w.buckets, best)
	return best
}
