package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// send is OpSend and OpPrepare.
func (d *decision) send() {
	ok := d.judge()
	t := d.newTransfer()
	if !ok {
		d.fail(t)
		return
	}
	d.promise(&t)
	d.review(&t)
	d.save(t)
}

// newTransfer makes the record of the request, which is not decided yet.
func (d *decision) newTransfer() Transfer {
	r, from, to := d.request, d.state.Sender.Subscriber.ID, d.state.Receiver.Subscriber.ID
	return Transfer{
		Reference: NewReference(from, r.Number), Operation: r.Operation, Kind: r.Kind, Channel: r.Channel,
		Caller: r.Caller, ClientRef: r.Reference, Counterparty: r.Counterparty, Sender: from, Receiver: to,
		Seconds: r.Seconds, Fee: d.fee, Bearer: d.bearer(), Note: r.Note, PayoutHash: r.PayoutHash, CreatedAt: d.now,
	}
}

// fail keeps the record of a refused transfer, so that it can be looked up and explained. A refusal for want of a sender
// has nowhere to lie.
func (d *decision) fail(t Transfer) {
	if t.Sender == "" {
		return
	}
	t.Status, t.Refusal, t.EndedAt, t.PayoutHash, t.Fee = Failed, d.answer.Refusal, d.now, "", 0
	d.transfers = append(d.transfers, t)
	d.answer.Status, d.answer.Reference, d.answer.Seconds, d.answer.Bearer = Failed, t.Reference, t.Seconds, t.Bearer
}

// promise plans the moves of t, divides its fee, and counts it. Only now is it sure to be done or held.
func (d *decision) promise(t *Transfer) {
	amount, _ := d.parts()
	t.Fee = d.fee
	t.Moves = d.policy.plan(d.sender, d.request, amount, d.fee, d.now)
	t.Shares = d.policy.shares(d.request, d.state, d.fee)
	t.Counted = d.counted()
	if d.request.QuoteID != "" {
		used := *d.state.Quote
		used.UsedBy = t.Reference
		d.quote = &used
	}
}

// wait holds the moves of t until somebody confirms it, but no longer than the first of the lots lives.
func (d *decision) wait(t *Transfer, awaits Awaits, life time.Duration) {
	from, _ := d.booksOf(t)
	from.hold(t.Moves)
	t.Status, t.Awaits = Pending, awaits
	t.DueAt = d.due(from, t.Moves, life)
	switch awaits {
	case AwaitsReceipt:
		d.tell(t.Receiver, ConsentAsked, t)
		d.tell(t.Sender, HeldForConsent, t)
	case AwaitsPayout:
		d.tell(t.Sender, HeldForPayout, t)
	case AwaitsReview:
		d.tell(t.Sender, HeldForReview, t)
	case AwaitsConfirm, AwaitsSender, AwaitsConsent: // a client waits, or the caller tells
	}
}

func (d *decision) due(from *book, moves []Move, life time.Duration) time.Time {
	if v := d.request.ValidFor; v > 0 {
		life = min(life, v)
	}
	return sooner(from.firstExpiry(moves), d.now.Add(life))
}

// booksOf returns the lots that t takes from and those that it goes to.
func (d *decision) booksOf(t *Transfer) (from, to *book) {
	if t.Sender == d.state.Sender.Subscriber.ID {
		return d.sender, d.receiver
	}
	return d.receiver, d.sender
}

// complete does what t planned.
func (d *decision) complete(t *Transfer) {
	d.move(t, t.Status == Pending && t.Awaits != AwaitsSender) // a request for minutes holds none
	t.Status, t.Awaits, t.EndedAt, t.DueAt = Completed, "", d.now, time.Time{}
	if t.Reverses == "" {
		d.tell(t.Sender, Sent, t)
		d.tell(t.Receiver, Received, t)
	}
}

// save stores t and answers with it.
func (d *decision) save(t Transfer) {
	d.transfers = append(d.transfers, t)
	d.answerWith(&t)
}

// answerWith tells the actor of t, and the sender what is left.
func (d *decision) answerWith(t *Transfer) {
	a := &d.answer
	a.Status, a.Reference, a.Kind, a.Fee, a.Bearer = t.Status, t.Reference, t.Kind, t.Fee, t.Bearer
	a.Seconds, a.Lots, a.ValidTo = t.Seconds, t.lots(), t.DueAt
	if t.Reverses != "" {
		a.Original, a.Seconds = t.Reverses, t.moved()
	}
	_, other := d.sides()
	a.Name = MaskName(other.Profile.Name)
	d.tellPurse(t)
}

// tellPurse tells the sender, and the operator, what the sender has. Nobody else learns it.
func (d *decision) tellPurse(t *Transfer) {
	isSender := d.request.By == BySender && t.Sender == d.state.Sender.Subscriber.ID ||
		d.request.By == ByReceiver && t.Sender == d.state.Receiver.Subscriber.ID
	if !isSender && d.request.By != ByOperator {
		return
	}
	from, _ := d.booksOf(t)
	purse := d.policy.purse(from, t.Kind, t.Seconds, d.now)
	d.answer.Purse, d.answer.Left = &purse, from.free(d.now)
}

// sum adds up moves.
func sum(moves []Move) (all rating.Units) {
	for _, m := range moves {
		all += m.Units
	}
	return all
}
