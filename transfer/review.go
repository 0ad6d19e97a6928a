package transfer

import (
	"slices"
	"strconv"
)

// review lets what was promised go on, unless persons of the operator have to look at it first: because it is big, or because a
// risk rule wants it. It is held meanwhile.
func (d *decision) review(t *Transfer) {
	if d.request.By == ByOperator {
		t.Maker = d.request.Person
	}
	t.Needed = d.policy.checkers(OpSend, t.Kind, t.Seconds, false)
	if len(d.heldBy) > 0 {
		t.Needed = max(t.Needed, 1)
	}
	if t.Needed > 0 {
		t.HeldBy = append(d.heldBy, strconv.Itoa(t.Needed)+" to approve")
		d.tellHeld(t)
		d.wait(t, AwaitsReview, d.policy.ReviewLife)
		return
	}
	d.proceed(t)
}

// tellHeld tells why t awaits or awaited review: what is kept of a decision are the rules that were looked at last.
func (d *decision) tellHeld(t *Transfer) {
	for _, why := range t.HeldBy {
		d.check("held for review", true, None, why, "approved")
	}
}

// proceed goes on with what was promised: it is done, or waits for somebody else. What is held for one is held for the next.
func (d *decision) proceed(t *Transfer) {
	life := d.policy.HoldLife
	var awaits Awaits
	switch {
	case t.Operation == OpPrepare && t.Kind == CashOut:
		awaits, life = AwaitsPayout, d.policy.PayoutLife
	case t.Operation == OpPrepare:
		awaits = AwaitsConfirm
	case t.Operation == OpSend && d.policy.Kinds[t.Kind].ReceiverConsents:
		awaits, life = AwaitsReceipt, d.policy.ConsentLife
	default:
		d.complete(t)
		return
	}
	if t.Status == Pending {
		from, _ := d.booksOf(t)
		from.release(t.Moves)
	}
	d.wait(t, awaits, life)
}

// approve is the yes of one person. It takes as many as the policy wanted, none twice, and none of them who asked for it.
func (d *decision) approve(t *Transfer) {
	d.tellHeld(t)
	person := d.request.Person
	d.check("not who asked for it", person != t.Maker, NotConfirmed, yesNo(person != t.Maker), "yes")
	isNew := !slices.Contains(t.Persons, person)
	d.check("another person", isNew, AlreadyDone, yesNo(isNew), "yes")
	if !d.mayGoOn(t) {
		return
	}
	t.Persons = append(slices.Clip(t.Persons), person)
	if len(t.Persons) >= t.Needed {
		d.proceed(t)
	}
	d.save(*t)
}
