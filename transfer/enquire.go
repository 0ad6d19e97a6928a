package transfer

import (
	"slices"

	"github.com/gyro-ocs/gyro/rating"
)

// enquire tells what became of a transfer, to its parties and to the operator.
func (d *decision) enquire(t *Transfer) {
	d.answerWith(t)
	d.answer.Original, d.answer.Refusal = t.Reverses, t.Refusal
	if t.Due(d.now) {
		d.answer.Status = Expired // the sweep will say so too
	}
}

// quoteIt prices a transfer and promises the price. It judges everything but what a person still has to do.
func (d *decision) quoteIt() {
	if !d.judge() {
		return
	}
	t := d.newTransfer()
	amount, need := d.parts()
	t.Moves = d.policy.plan(d.sender, d.request, amount, d.fee, d.now)
	d.answerWith(&t)
	q := Quote{
		ID: string(t.Reference), Sender: t.Sender, Receiver: t.Receiver, Kind: t.Kind, Channel: t.Channel, Seconds: t.Seconds,
		Fee: d.fee, Bearer: t.Bearer, ExpiresAt: d.due(d.sender, t.Moves, d.policy.QuoteLife), Policy: d.policy.Version,
	}
	for _, c := range d.counting {
		if c.promised {
			q.Counted = append(q.Counted, c.counter)
		}
	}
	d.quote = &q
	d.answer.QuoteID, d.answer.ValidTo, d.answer.Reference = q.ID, q.ExpiresAt, ""
	d.answer.Left -= min(d.answer.Left, need)
}

// quoted takes the fee from the quote that the request brings.
func (d *decision) quoted() {
	r, q := d.request, d.state.Quote
	ok := q != nil && q.ID == r.QuoteID && q.UsedBy == "" && d.now.Before(q.ExpiresAt) &&
		q.Sender == d.state.Sender.Subscriber.ID && q.Receiver == d.state.Receiver.Subscriber.ID &&
		q.Kind == r.Kind && q.Channel == r.Channel && q.Seconds == r.Seconds && q.Bearer == d.bearer()
	have := "none of this transfer, or used"
	if q != nil {
		have = "until " + instant(q.ExpiresAt)
	}
	if !d.check("quote", ok, QuoteExpired, have, "unused, of the same transfer, after "+instant(d.now)) {
		return
	}
	d.fee = q.Fee
	for _, c := range q.Counted {
		d.counting = append(d.counting, counting{counter: c})
	}
	d.acceptedFee()
}

// allowance tells how much may be sent now in one transfer, and what keeps the rest.
func (d *decision) allowance() {
	d.check("you are known", d.state.Sender.known(), SenderUnknown, yesNo(d.state.Sender.known()), "yes")
	rules, known := d.policy.Kinds[d.request.Kind]
	if d.answer.Refusal != None || !d.check("kind", known, KindNotAllowed, string(d.request.Kind), "one that is on") {
		return
	}
	most := min(rules.Most, MaxSeconds)
	for _, l := range d.policy.Limits {
		if l.Scope == PerSender && l.applies(d.request) {
			most = min(most, l.left(d.state.counted(l.counters(d.state, d.now))))
		}
	}
	purse := d.policy.purse(d.sender, d.request.Kind, most, d.now)
	d.answer.Purse, d.answer.Left = &purse, d.sender.free(d.now)
	if rule, ok := d.policy.feeRule(d.request); ok && d.policy.Stop == nil && !rules.Off {
		d.answer.May = rule.affords(rules, d.bearer(), min(most, MaxSeconds), purse.Movable-rules.MinRemaining)
	}
}

// affords returns the most that may be sent out of movable, with the fee, in steps. A fee may fall from one band to the
// next, but within a band amount and fee rise together: the highest band that affords anything affords the most.
func (f FeeRule) affords(k KindRules, bearer Bearer, most, movable rating.Units) rating.Units {
	upTo := func(band int) rating.Units {
		if end := f.Bands[band].UpTo; end != 0 {
			return min(end, most)
		}
		return most
	}
	costs := func(n rating.Units) rating.Units {
		if fee, _ := f.fee(n); bearer == Originator {
			return n + fee
		}
		return n
	}
	for band := range slices.Backward(f.Bands) {
		low, high := k.Least, upTo(band)
		if band > 0 {
			low = max(low, f.Bands[band-1].UpTo+1)
		}
		first, last := (low+k.Step-1)/k.Step, high/k.Step // in steps
		for first < last {                                // the last that is covered, if any is, lies in [first, last]
			if middle := last - (last-first)/2; costs(middle*k.Step) <= movable {
				first = middle
			} else {
				last = middle - 1
			}
		}
		n := first * k.Step
		if fee, ok := f.fee(n); first == last && ok && costs(n) <= movable && (bearer == Originator || fee < n) {
			return n
		}
	}
	return 0
}
