package lifecycle

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// soonest returns the bucket whose expiry is to be looked at first, and when. Those of a running contract are left to it:
// they may roll over.
func (w *work) soonest() (first *holding, when time.Time) {
	for _, b := range w.buckets {
		if b.Booked || b.ExpiresAt.IsZero() || w.isContracts(b.ID) {
			continue
		}
		at := w.lookAt(b)
		if first == nil || at.Before(when) || at.Equal(when) && b.ID < first.ID {
			first, when = b, at
		}
	}
	return first, when
}

// lookAt is when a bucket is looked at next: some time before it expires, so that its subscriber can be told, and then.
func (w *work) lookAt(b *holding) time.Time {
	if !b.LookAt.IsZero() {
		return b.LookAt
	}
	if notice := b.ExpiresAt.Add(-w.lead()); b.CreatedAt.Before(notice) {
		return notice
	}
	return b.ExpiresAt
}

// putOff notes when each bucket is looked at that never was, so that it is not found before.
func (w *work) putOff() {
	for _, b := range w.buckets {
		if b.LookAt.IsZero() && !b.Booked && !b.ExpiresAt.IsZero() && !w.isContracts(b.ID) {
			b.LookAt, b.changed = w.lookAt(b), true
		}
	}
}

func (w *work) isContracts(id ocs.BucketID) bool {
	return w.contract != nil && w.contract.State != Ended &&
		slices.ContainsFunc(w.contract.Lots, func(l Lot) bool { return l.Bucket == id })
}

// lead is how long before the end of a lot its subscriber is told.
func (w *work) lead() time.Duration {
	if t, ok := w.terms(); ok && !t.Notices.Off {
		return t.Notices.Before
	}
	return 0
}

func (w *work) terms() (Terms, bool) { return w.rules.Terms(w.subscriber.Plan) }

// look looks at the expiry of a bucket at the instant that soonest told.
func (w *work) look(b *holding, at time.Time) {
	b.changed = true
	if at.Before(b.ExpiresAt) {
		b.LookAt = b.ExpiresAt
		if w.now.Before(b.ExpiresAt) {
			w.tellLot(LotEnds, b, b.Free())
		}
		return
	}
	if b.LookAt.After(b.ExpiresAt) { // it was promised to a call, which gave it back later
		w.expire(b, w.now)
		return
	}
	if left := b.Free(); left > 0 {
		w.expire(b, b.ExpiresAt)
		w.tellLot(LotEnded, b, left)
		return
	}
	w.expire(b, b.ExpiresAt)
}

// expire takes what is free out of a bucket that no longer counts, at at. What calls hold was promised to them: it stays,
// and is looked at again.
func (w *work) expire(b *holding, at time.Time) {
	b.changed = true
	b.Watch = 0
	if left := b.Free(); left > 0 {
		b.Balance -= left
		w.post("expiry:"+string(b.ID), ocs.ExpiryPosting, b.Unit, "expiry", at, lotLeg(b.ID, -left), leg{"expired", "", left})
	}
	if b.Balance == 0 {
		b.Booked = true
		return
	}
	b.LookAt = w.now.Add(lookAgain)
	if !b.LookAt.After(b.ExpiresAt) { // taken back before its time
		b.LookAt = b.ExpiresAt.Add(lookAgain)
	}
}
