package transfer

import (
	"slices"
	"time"
)

// pending reports whether t still waits for what the request brings. One whose time is over lapses here and now, whatever
// was asked: the sweep may be late, but nobody can act on it any more.
func (d *decision) pending(t *Transfer) bool {
	if t.Status != Pending {
		d.answerWith(t)
		refusal := AlreadyDone
		if t.Status == Expired {
			refusal = WindowClosed
		}
		return d.check("still pending", false, refusal, string(t.Status), string(Pending))
	}
	if d.request.Operation == OpLapse {
		return d.check("due", t.Due(d.now), NotConfirmed, instant(d.now), "from "+instant(t.DueAt))
	}
	if t.Due(d.now) {
		d.check("in time", false, WindowClosed, instant(d.now), "before "+instant(t.DueAt))
		d.giveBack(t, Expired)
		return false
	}
	return d.check("your turn", d.turn(t), OriginalUnknown, string(d.request.By)+": "+d.request.Operation.String(), "awaits "+string(t.Awaits))
}

// turn reports whether the actor may do what it asks with a transfer that waits.
func (d *decision) turn(t *Transfer) bool {
	by, operator := d.request.By, d.request.By == ByOperator
	switch d.request.Operation {
	case OpConfirm:
		return t.Awaits == AwaitsConfirm && (by == BySender || operator) || t.Awaits == AwaitsPayout && by == ByReceiver
	case OpCancel:
		switch t.Awaits {
		case AwaitsConfirm, AwaitsPayout, AwaitsReceipt, AwaitsReview:
			return by == BySender || operator
		case AwaitsSender, AwaitsConsent:
			return by == ByReceiver || operator
		}
	case OpAccept, OpDecline:
		return t.Awaits == AwaitsReceipt && by == ByReceiver || t.Awaits == AwaitsSender && by == BySender ||
			t.Awaits == AwaitsReview && operator
	case OpReverseAccept, OpReverseRefuse:
		return t.Awaits == AwaitsConsent && (by == BySender || operator)
	case OpLapse:
		return true
	case OpQuote, OpSend, OpPrepare, OpReverse, OpEnquire, OpAllowance, OpSolicit:
	}
	return false
}

// settle does with a transfer that waits what the request asks.
func (d *decision) settle(t *Transfer) {
	switch d.request.Operation {
	case OpLapse:
		d.giveBack(t, Expired)
	case OpCancel, OpDecline:
		d.giveBack(t, Cancelled)
	case OpReverseRefuse:
		d.refuseClaim(t)
	case OpReverseAccept:
		d.acceptClaim(t)
	case OpConfirm:
		d.confirm(t)
	case OpAccept:
		d.accept(t)
	case OpQuote, OpSend, OpPrepare, OpReverse, OpEnquire, OpAllowance, OpSolicit:
	}
}

// giveBack ends t without moving anything: what was held goes back to the lots that it was held in, and what was counted
// is taken back.
func (d *decision) giveBack(t *Transfer, end Status) {
	from, _ := d.booksOf(t)
	from.release(t.Moves)
	d.uncount(t)
	awaited := t.Awaits
	t.Status, t.Awaits, t.EndedAt, t.DueAt, t.PayoutHash = end, "", d.now, time.Time{}, ""
	switch awaited {
	case AwaitsConsent:
		d.reopen(t)
	case AwaitsSender:
		d.tell(t.Receiver, NotGiven, t)
	case AwaitsConfirm, AwaitsPayout, AwaitsReceipt, AwaitsReview:
		d.tell(t.Sender, GivenBack, t)
	}
	d.save(*t)
}

// mayGoOn judges again what may have changed since t was promised. Price, limits and lots were settled then.
func (d *decision) mayGoOn(t *Transfer) bool {
	d.going()
	d.standing()
	return d.stay(t)
}

// stay answers with t, unchanged but for its checks, when something spoke against the request.
func (d *decision) stay(t *Transfer) bool {
	if d.answer.Refusal == None {
		return true
	}
	d.save(*t)
	return false
}

// confirm is the second phase: of a client, or of the trader who has seen the pay-out code.
func (d *decision) confirm(t *Transfer) {
	if t.Awaits == AwaitsPayout {
		d.check("roles", d.roles(), KindNotAllowed, yesNo(d.roles()), "those of "+string(t.Kind))
	}
	if !d.mayGoOn(t) || t.Awaits == AwaitsPayout && !d.paidOut(t) {
		return
	}
	if t.Awaits == AwaitsConfirm && d.policy.Kinds[t.Kind].ReceiverConsents {
		from, _ := d.booksOf(t)
		from.release(t.Moves)
		d.wait(t, AwaitsReceipt, d.policy.ConsentLife)
	} else {
		d.complete(t)
	}
	d.save(*t)
}

// paidOut judges the pay-out code. After too many wrong ones the minutes go back: somebody is guessing.
func (d *decision) paidOut(t *Transfer) bool {
	switch d.request.Payout.Result {
	case Verified:
		return true
	case Wrong:
		t.WrongCodes++
		left := d.policy.PayoutTries - t.WrongCodes
		d.answer.TriesLeft = max(0, left)
		d.check("pay-out code", false, WrongCode, string(Wrong), string(Verified))
		if left <= 0 {
			d.giveBack(t, Cancelled)
			return false
		}
	case NoCredential, Locked, MustChange:
		d.check("pay-out code", false, Incomplete, "no", string(Verified))
	}
	return d.stay(t)
}

// accept is the receiver's consent, or the yes of who was asked for minutes.
func (d *decision) accept(t *Transfer) {
	switch t.Awaits {
	case AwaitsReceipt:
		if d.mayGoOn(t) {
			d.complete(t)
			d.save(*t)
		}
		return
	case AwaitsReview:
		d.approve(t)
		return
	case AwaitsConfirm, AwaitsPayout, AwaitsSender, AwaitsConsent:
	}
	if !d.judge() {
		d.stay(t)
		return
	}
	d.promise(t)
	d.review(t)
	d.save(*t)
}

// solicit asks somebody for minutes. Nothing is held: the one who is asked decides like any sender, once and for all.
func (d *decision) solicit() {
	if d.parties() && d.going() {
		d.standing()
		d.mayAskFor()
		if d.amount() {
			d.limits()
		}
	}
	t := d.newTransfer()
	t.Fee = 0
	if d.answer.Refusal != None {
		d.fail(t)
		return
	}
	d.counted() // and not kept in t: an unanswered request has been a nuisance all the same
	t.Status, t.Awaits, t.DueAt = Pending, AwaitsSender, d.due(d.sender, nil, d.policy.Solicit.Life)
	d.tell(t.Sender, AskedFor, &t)
	d.save(t)
}

// mayAskFor judges who may ask, and for what kind.
func (d *decision) mayAskFor() {
	rules, kind := d.policy.Solicit, d.policy.Kinds[d.request.Kind]
	friends := slices.Contains([]Kind{P2P, Gift}, d.request.Kind)
	d.check("asking is on", rules.Enabled && friends && kind.Step > 0 && !kind.Off, KindNotAllowed, yesNo(rules.Enabled), "for "+string(P2P))
	if rules.Quiet != (Quiet{}) {
		end, quiet := rules.Quiet.until(d.now)
		d.checkUntil("quiet hours", !quiet, SenderNotEligible, instant(d.now), "not in "+rules.Quiet.String(), end)
	}
	if rules.OnlyLess > 0 {
		has := d.receiver.free(d.now)
		d.check("in need", has < rules.OnlyLess, SenderNotEligible, seconds(has), "less than "+seconds(rules.OnlyLess))
	}
}
