package transfer

import (
	"slices"

	"github.com/gyro-ocs/gyro/rating"
)

// reverse undoes a completed transfer by a new one in the other direction. Who received may give back at once. The sender
// may claim, within a window, and so may a person of the operator: what is left is frozen until it is decided.
func (d *decision) reverse(o *Transfer) {
	rules := d.policy.Kinds[o.Kind].Reversal
	if !d.reversible(o, rules) {
		d.answer.Status, d.answer.Reference = o.Status, o.Reference
		return
	}
	d.credential()
	if d.request.By != ByOperator {
		d.going()
		self, other := d.sides()
		d.check("your account", self.known(), SenderFrozen, string(self.Subscriber.State), "not closed")
		d.check("the other's account", other.known(), ReceiverFrozen, string(other.Subscriber.State), "not closed")
	}
	moves, left := d.traceable(o)
	want := d.request.Seconds
	if d.answer.Refusal == None {
		d.answer.Seconds, d.answer.Short = left, want-left
	}
	enough := left > 0 && (left == want || d.request.By != ByReceiver) // a claim takes what is left, a shop means what it says
	d.check("traceable", enough, AlreadySpent, seconds(left)+" left", seconds(want))
	if d.answer.Refusal != None {
		d.answer.Status, d.answer.Reference = o.Status, o.Reference
		return
	}
	t := d.newReversal(o, moves)
	if d.request.By == ByReceiver {
		d.undo(&t, o)
		return
	}
	d.freeze(&t, o, rules)
}

// reversible judges the transfer that is to be undone.
func (d *decision) reversible(o *Transfer, rules ReversalRules) bool {
	by := d.request.By
	way := rules.Way == Claim || rules.Way == Refund && by == ByReceiver
	ok := d.check("kind can be reversed", way && o.Reverses == "", NotReversible, string(o.Kind)+" by "+string(by), "as the policy says")
	switch o.Status {
	case Completed:
	case Reversed, ReversalPending:
		ok = d.check("not yet reversed", false, AlreadyDone, string(o.Status), string(Completed)) && ok
	case Pending, Failed, Cancelled, Expired:
		ok = d.check("completed", false, NotReversible, string(o.Status), string(Completed)) && ok
	}
	moved := o.moved()
	ok = d.check("no more than moved", d.request.Seconds <= o.Seconds, AboveMaximum, seconds(d.request.Seconds), atMost(moved)) && ok
	d.request.Seconds = min(d.request.Seconds, moved) // of a fee that the receiver bore nothing is with the receiver
	if by == BySender && rules.Way == Claim {
		end := o.EndedAt.Add(rules.Window)
		ok = d.check("window", d.now.Before(end), WindowClosed, instant(d.now), "before "+instant(end)) && ok
		ok = d.check("claims", o.Claims < rules.Claims, AlreadyDone, "claimed before", "fewer") && ok
	}
	return ok
}

// traceable plans to give back, from the very lots that the transfer went to, what is still free there, up to what the
// request wants. Each part goes back to the lot that it came from, and so gets its expiry again. What has expired at the
// receiver is gone.
func (d *decision) traceable(o *Transfer) (moves []Move, left rating.Units) {
	want := d.request.Seconds
	for _, m := range o.Moves {
		if m.Fee {
			continue
		}
		now, origin := d.receiver.peek(m.To), d.sender.peek(m.From)
		part := min(m.Units, now.Free(), want-left)
		if now.Expired(d.now) || part <= 0 {
			continue
		}
		moves = append(moves, Move{From: m.To, To: m.From, Units: part, Class: origin.Class, ExpiresAt: origin.ExpiresAt})
		left += part
	}
	return moves, left
}

// newReversal makes the record of a reversal, whose sender is who received.
func (d *decision) newReversal(o *Transfer, moves []Move) Transfer {
	r := d.request
	return Transfer{
		Reference: NewReference(o.Receiver, r.Number), Operation: OpReverse, Kind: o.Kind, Channel: r.Channel,
		Caller: r.Caller, ClientRef: r.Reference, Counterparty: o.Counterparty, Sender: o.Receiver, Receiver: o.Sender,
		Seconds: sum(moves), Bearer: o.Bearer, Note: r.Note, Moves: moves, Reverses: o.Reference, CreatedAt: d.now,
	}
}

// freeze opens a claim.
func (d *decision) freeze(t *Transfer, o *Transfer, rules ReversalRules) {
	late := !d.now.Before(o.EndedAt.Add(rules.Window))
	t.Needed = rules.Persons
	if late {
		t.Needed = rules.PersonsAfter
	}
	t.Needed = max(t.Needed, 1+d.policy.checkers(OpReverse, t.Kind, sum(t.Moves), late))
	if d.request.By == ByOperator {
		t.Persons = []string{d.request.Person}
	} else {
		o.Claims++
	}
	d.wait(t, AwaitsConsent, rules.Decide)
	o.Status, o.ReversedBy = ReversalPending, t.Reference
	d.transfers = append(d.transfers, *o)
	d.tell(t.Sender, ClaimedFrom, t)
	d.tell(t.Receiver, ClaimFiled, t)
	d.save(*t)
}

// undo does the reversal t of o.
func (d *decision) undo(t, o *Transfer) {
	d.state.Claimed = o
	d.complete(t)
	o.Status, o.ReversedBy, o.Returned = Reversed, t.Reference, t.moved()
	d.transfers = append(d.transfers, *o)
	d.tell(t.Sender, GaveBack, t)
	d.tell(t.Receiver, GotBack, t)
	d.save(*t)
}

// claimed returns the transfer that the claim t wants reversed. It was loaded with the claim, or that is our bug.
func (d *decision) claimed(t *Transfer) *Transfer {
	if d.state.Claimed == nil || d.state.Claimed.Reference != t.Reverses {
		panic("transfer: " + string(t.Reverses) + ", which " + string(t.Reference) + " claims, was not loaded")
	}
	o := *d.state.Claimed
	return &o
}

// acceptClaim is the consent of who holds the minutes, or the word of one person of the operator. It takes several, none
// twice, and who opened the claim is one of them.
func (d *decision) acceptClaim(t *Transfer) {
	if d.request.By == ByOperator {
		isNew := !slices.Contains(t.Persons, d.request.Person)
		d.check("another person", isNew, AlreadyDone, yesNo(isNew), "yes")
		if !d.stay(t) {
			return
		}
		t.Persons = append(slices.Clip(t.Persons), d.request.Person)
		if len(t.Persons) < t.Needed {
			d.save(*t)
			return
		}
	} else {
		d.going()
		d.credential()
		if !d.stay(t) {
			return
		}
	}
	d.undo(t, d.claimed(t))
}

// refuseClaim closes a claim. What the operator opened the holder cannot close.
func (d *decision) refuseClaim(t *Transfer) {
	mayClose := d.request.By == ByOperator || len(t.Persons) == 0
	d.check("not the operator's claim", mayClose, KindNotAllowed, yesNo(mayClose), "yes")
	if d.stay(t) {
		d.giveBack(t, Cancelled)
	}
}

// reopen puts the transfer that t claimed back to what it was.
func (d *decision) reopen(t *Transfer) {
	o := d.claimed(t)
	o.Status, o.ReversedBy = Completed, ""
	d.transfers = append(d.transfers, *o)
	d.tell(t.Sender, ClaimClosedHolder, t)
	d.tell(t.Receiver, ClaimClosed, t)
}

// refundFee gives the fee back, as far as the minutes come back: so much of every share, rounded down, and the rest of it
// from the operator.
func (d *decision) refundFee(m *movement) {
	o := d.state.Claimed
	back := portion(o.Fee, m.transfer.moved(), o.moved())
	if !d.policy.Kinds[o.Kind].Reversal.FeeRefunded && !d.request.AtFault || back == 0 {
		return
	}
	rest := back
	for _, s := range o.Shares {
		part := portion(s.Units, back, o.Fee)
		m.post(o.Sender, "commission:"+s.Agent, "", -part)
		rest -= part
	}
	m.post(o.Sender, "fee", "", -rest)
	_, to := d.booksOf(m.transfer)
	for _, step := range o.Moves {
		if part := min(step.Units, back); step.Fee && part > 0 {
			to.lot(step.From).Balance += part
			m.lot(o.Sender, step.From, part)
			back -= part
		}
	}
}
