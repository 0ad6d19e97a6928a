package lifecycle

import (
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// begin begins a period at at, from which its ends are counted, or waits for the money.
func (w *work) begin(t Terms, at time.Time) {
	c := w.contract
	if c.Next != "" {
		var ok bool
		if t, ok = w.rules.Terms(c.Next); !ok {
			w.end(at)
			w.setPlan(c.Next)
			return
		}
	}
	part := t.part(at, 1, at)
	price := part.costs(t.Price.Units)
	if t.FirstFree && c.Period == 0 {
		price = 0
	}
	if !w.pay(t, price, at) {
		w.fail(t, at)
		return
	}
	if c.Next != "" {
		w.setPlan(c.Next)
	}
	c.Anchor, c.Boundary, c.Length = at, 1, t.Period
	if t.FirstUse && c.Period == 0 {
		w.open(t, Waiting, at, time.Time{}, whole)
		return
	}
	w.open(t, Active, at, t.boundary(at, 1), part)
}

// activate begins the first period, whose lots were there to be used before.
func (w *work) activate(t Terms, at time.Time) {
	c := w.contract
	c.State, c.Anchor, c.Boundary, c.Length, c.StartsAt, c.EndsAt = Active, at, 1, t.Period, at, t.boundary(at, 1)
	c.EndTold = t.tellsNoEnd(c)
	for _, l := range c.Lots {
		if b := w.find(l.Bucket); b != nil {
			b.ExpiresAt, b.LookAt, b.changed = c.EndsAt, t.lookAt(c.EndsAt), true
		}
	}
	w.tell(Notice{Message: Started, Left: w.lefts(at), ValidTo: c.EndsAt})
}

// renew ends the period at at and begins the next one, if it can be paid.
func (w *work) renew(t Terms, at time.Time) {
	c := w.contract
	if c.Cancelled {
		w.end(at)
		return
	}
	next := t
	if c.Next != "" {
		var ok bool
		if next, ok = w.rules.Terms(c.Next); !ok {
			w.end(at)
			w.setPlan(c.Next)
			return
		}
	}
	anchor, boundary := c.Anchor, c.Boundary+1
	if c.Next != "" || next.Period != c.Length || !next.boundary(anchor, boundary).After(at) {
		anchor, boundary = at, 1
	}
	part := next.part(anchor, boundary, at)
	if !w.pay(next, part.costs(next.Price.Units), at) {
		w.fail(next, at)
		return
	}
	if c.Next != "" {
		w.setPlan(c.Next)
	}
	c.Anchor, c.Boundary, c.Length = anchor, boundary, next.Period
	w.open(next, Active, at, next.boundary(anchor, boundary), part)
}

func (w *work) setPlan(plan string) {
	w.contract.Plan, w.contract.Next = plan, ""
	w.subscriber.Plan, w.out.Plan = plan, plan
}

// open begins a paid period: what is left of the one before rolls over or expires, and the allowances are granted.
func (w *work) open(t Terms, state State, at, end time.Time, part share) {
	c := w.contract
	isFirst := c.Period == 0
	c.Period++
	c.State, c.StartsAt, c.EndsAt, c.GraceUntil = state, at, end, time.Time{}
	c.EndTold = t.tellsNoEnd(c)
	old := c.Lots
	c.Lots = nil
	for _, a := range t.Allowances {
		w.rollOver(t, a, old, at)
	}
	w.close(old, at)
	for i, a := range t.Allowances {
		w.grant(t, i, a, part.brings(a.Units), at)
	}
	w.out.Renewed = true
	message := Renewed
	if isFirst {
		message = Started
	}
	if state == Active {
		w.tell(Notice{Message: message, Left: w.lefts(at), ValidTo: end, Price: c.Paid, PriceUnit: c.PaidUnit})
	}
}

// tellsNoEnd reports whether the end of the running period is not told beforehand: it would be told as it begins.
func (t Terms) tellsNoEnd(c *Contract) bool {
	return t.Notices.Off || t.Notices.Before == 0 || !c.StartsAt.Before(c.EndsAt.Add(-t.Notices.Before))
}

// lookAt is when the lot of a period that ends at end is looked at, should its contract be gone: later than that could
// need it.
func (t Terms) lookAt(end time.Time) time.Time { return end.Add(t.Grace + day) }

// grant makes the lot of an allowance.
func (w *work) grant(t Terms, n int, a Allowance, units rating.Units, at time.Time) {
	c := w.contract
	name := w.named(fmt.Sprintf("allowance:%d", n))
	made, legs := ocs.GrantBucket(ocs.Grant{
		Movement: name, Subscriber: w.subscriber.ID, Bucket: w.rules.NewBucketID(), Unit: a.Unit, Units: units, Class: a.Class,
		Priority: a.Priority, ExpiresAt: c.EndsAt, Offer: c.Plan, Reason: w.reason(),
	}, at)
	w.out.Postings = append(w.out.Postings, legs...)
	w.add(t, made)
	c.Lots = append(c.Lots, Lot{Bucket: made.ID, Unit: a.Unit, Class: a.Class, Units: units})
}

func (w *work) add(t Terms, b ocs.Bucket) {
	made := &holding{Bucket: Bucket{Bucket: b}, isNew: true}
	if !b.ExpiresAt.IsZero() {
		made.LookAt = t.lookAt(b.ExpiresAt)
	}
	w.buckets = append(w.buckets, made)
}

// rollOver moves what is left of an allowance into lots of the new period, each with its origin, up to the cap; of the
// lot of the last period first, so that there are few of them.
func (w *work) rollOver(t Terms, a Allowance, old []Lot, at time.Time) {
	room := a.Rollover
	for i, l := range slices.Backward(old) {
		b := w.find(l.Bucket)
		if b == nil || l.Unit != a.Unit || l.Class != a.Class {
			continue
		}
		part := min(room, b.Free())
		if part == 0 {
			continue
		}
		room -= part
		b.Balance -= part
		b.changed = true
		to := ocs.Bucket{
			ID: w.rules.NewBucketID(), Subscriber: w.subscriber.ID, Unit: a.Unit, Class: a.Class, Priority: b.Priority, Balance: part,
			ExpiresAt: w.contract.EndsAt, CreatedAt: at, Root: b.Root, Parent: b.ID, Hops: b.Hops,
		}
		name := w.named(fmt.Sprintf("rollover:%s:%d", a.Unit, i))
		w.post(name, ocs.RolloverPosting, a.Unit, w.reason(), at, lotLeg(b.ID, -part), lotLeg(to.ID, part))
		w.add(t, to)
		w.contract.Lots = append(w.contract.Lots, Lot{Bucket: to.ID, Unit: a.Unit, Class: a.Class, Units: part, Rolled: true})
	}
}

// close has lots expire, at the instant that they bear or, when they were to last longer, at at.
func (w *work) close(lots []Lot, at time.Time) {
	for _, l := range lots {
		b := w.find(l.Bucket)
		if b == nil || b.Booked {
			continue
		}
		when := at
		if !b.ExpiresAt.IsZero() && b.ExpiresAt.Before(at) {
			when = b.ExpiresAt
		}
		if b.ExpiresAt.IsZero() || b.ExpiresAt.After(at) {
			b.ExpiresAt = at
		}
		w.expire(b, when)
	}
}

// fail notes that a period could not be paid. What would roll over stays for as long as it may still be.
func (w *work) fail(t Terms, at time.Time) {
	c := w.contract
	if c.State == Grace {
		return
	}
	if t.Grace == 0 {
		w.end(at)
		return
	}
	c.State, c.GraceUntil = Grace, at.Add(t.Grace)
	keeps := func(l Lot) bool {
		a, ok := t.allowance(l.Unit, l.Class)
		return ok && a.Rollover > 0
	}
	var kept, gone []Lot
	for _, l := range c.Lots {
		if keeps(l) {
			kept = append(kept, l)
		} else {
			gone = append(gone, l)
		}
	}
	w.close(gone, at)
	c.Lots = kept
	w.tell(Notice{Message: Unpaid, Plan: t.Plan, ValidTo: c.GraceUntil, Price: t.Price.Units, PriceUnit: t.Price.Unit})
}

// end ends the contract.
func (w *work) end(at time.Time) {
	c := w.contract
	lots := c.Lots
	c.State, c.Lots, c.DueAt, c.Cancelled, c.GraceUntil = Ended, nil, time.Time{}, false, time.Time{}
	w.close(lots, at)
	w.tell(Notice{Message: PlanEnded})
}

// pay takes units of the price from the buckets that may pay it at at, all or nothing.
func (w *work) pay(t Terms, units rating.Units, at time.Time) bool {
	c := w.contract
	c.Paid, c.PaidUnit = 0, ""
	if units == 0 {
		return true
	}
	var purses []ocs.Bucket
	var sum rating.Units
	for _, b := range w.buckets {
		if b.Unit == t.Price.Unit && b.Free() > 0 && !b.Expired(at) && !b.CreatedAt.After(at) && w.maySpend(t, b) {
			purses = append(purses, b.Bucket.Bucket)
			sum = rating.Add(sum, b.Free())
		}
	}
	if sum < units {
		return false
	}
	ocs.InOrder(purses)
	var legs []leg
	left := units
	for _, p := range purses {
		part := min(left, p.Free())
		if part == 0 {
			break
		}
		b := w.find(p.ID)
		b.Balance -= part
		b.changed = true
		left -= part
		legs = append(legs, lotLeg(p.ID, -part))
	}
	name := fmt.Sprintf("plan:%s:%d:price", c.ID, c.Period+1)
	w.post(name, ocs.SalePosting, t.Price.Unit, "plan "+t.Plan, at, append(legs, leg{"sale:" + t.Plan, "", units})...)
	c.Paid, c.PaidUnit = units, t.Price.Unit
	return true
}

// maySpend reports whether b may pay for a plan, counted in the right unit and not expired.
func (w *work) maySpend(t Terms, b *holding) bool {
	return !w.isContracts(b.ID) && (len(t.Price.Classes) == 0 || slices.Contains(t.Price.Classes, b.Class))
}
