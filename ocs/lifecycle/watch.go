package lifecycle

import (
	"cmp"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Charging tells a contract of a balance by one comparison: whatever leaves less than Watch in a bucket makes its contract
// due ([ocs.Bucket.IsLow]). What is told, and which balance is watched next, is found here.

// A level is a balance below which something is told.
type level struct {
	below   rating.Units
	percent int // that is used then; 0: it is the low mark
}

// levels returns the levels of a lot, highest first.
func (t Terms) levels(l Lot) []level {
	a, ok := t.allowance(l.Unit, l.Class)
	if !ok || t.Notices.Off {
		return nil
	}
	var all []level
	for _, percent := range t.Notices.Used {
		all = append(all, level{l.Units*rating.Units(100-percent)/100 + 1, percent})
	}
	if a.Low > 0 && a.Low <= l.Units {
		all = append(all, level{a.Low, 0})
	}
	slices.SortStableFunc(all, func(a, b level) int { return cmp.Compare(b.below, a.below) })
	return slices.CompactFunc(all, func(a, b level) bool { return a.below == b.below })
}

// tellLevels tells of the lowest level that the balance of each lot is below, once, and watches the next one.
func (w *work) tellLevels(t Terms, at time.Time) {
	for i := range w.contract.Lots {
		l := &w.contract.Lots[i]
		b := w.find(l.Bucket)
		if b == nil || l.Rolled {
			continue
		}
		var crossed *level
		var watch rating.Units
		for _, v := range t.levels(*l) {
			switch {
			case l.Told > 0 && v.below >= l.Told:
			case b.Balance < v.below:
				crossed = new(v)
			case watch == 0:
				watch = v.below
			}
		}
		if crossed != nil {
			l.Told = crossed.below
			message := Used
			switch crossed.percent {
			case 0:
				message = Low
			case 100:
				message = UsedUp
			}
			w.tell(Notice{
				Message: message, Percent: crossed.percent, Units: l.Units, Unit: l.Unit,
				Left: []Quantity{{w.left(l.Unit, at), l.Unit}}, ValidTo: w.contract.EndsAt,
			})
		}
		if b.Watch != watch {
			b.Watch, b.changed = watch, true
		}
	}
}

// watchForUse watches for the first unit that is used.
func (w *work) watchForUse() {
	for _, l := range w.contract.Lots {
		if b := w.find(l.Bucket); b != nil && b.Watch != l.Units {
			b.Watch, b.changed = l.Units, true
		}
	}
}

// tellEnd tells that the period is about to end.
func (w *work) tellEnd(t Terms) {
	c := w.contract
	c.EndTold = true
	if !w.now.Before(c.EndsAt) {
		return // it has ended meanwhile
	}
	n := Notice{Message: EndsSoon, Left: w.lefts(w.now), ValidTo: c.EndsAt}
	if !c.Cancelled && c.Next == "" {
		n.Message, n.Price, n.PriceUnit = RenewsSoon, t.Price.Units, t.Price.Unit
	}
	w.tell(n)
}

// lefts is what is left of every unit that the plan brings.
func (w *work) lefts(at time.Time) (all []Quantity) {
	for _, l := range w.contract.Lots {
		if !slices.ContainsFunc(all, func(q Quantity) bool { return q.Unit == l.Unit }) {
			all = append(all, Quantity{w.left(l.Unit, at), l.Unit})
		}
	}
	return all
}
