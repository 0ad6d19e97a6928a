package transfer

import (
	"slices"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// The kinds of posting that transfers make.
const (
	TransferPosting ocs.PostingKind = "transfer"
	ReversalPosting ocs.PostingKind = "reversal"
)

// A movement writes the legs of one transfer.
type movement struct {
	decision *decision
	transfer *Transfer
	legs     int
}

// post adds a leg to account, which lies with owner.
func (m *movement) post(owner ocs.SubscriberID, account string, lot ocs.BucketID, units rating.Units) {
	if units == 0 {
		return
	}
	kind, reason := TransferPosting, string(m.transfer.Kind)
	if m.transfer.Reverses != "" {
		kind, reason = ReversalPosting, "reverses "+string(m.transfer.Reverses)
	}
	m.decision.postings = append(m.decision.postings, ocs.Posting{
		Movement: "transfer:" + string(m.transfer.Reference), Leg: m.legs, Subscriber: owner, At: m.decision.now,
		Kind: kind, Account: account, Bucket: lot, Unit: rating.Seconds, Units: units, Reason: reason,
	})
	m.legs++
}

func (m *movement) lot(owner ocs.SubscriberID, lot ocs.BucketID, units rating.Units) {
	m.post(owner, "lot:"+string(lot), lot, units)
}

// move does the moves of t: from lot to lot, and to the fee with its shares. held tells that they are reserved.
func (d *decision) move(t *Transfer, held bool) {
	from, to := d.booksOf(t)
	m := movement{decision: d, transfer: t}
	t.Moves = slices.Clone(t.Moves)
	if held {
		from.release(t.Moves)
	}
	for i := range t.Moves {
		step := &t.Moves[i]
		lot := from.lot(step.From)
		lot.Balance -= step.Units
		m.lot(t.Sender, lot.ID, -step.Units)
		if !step.Fee {
			step.To = to.put(*step, *lot, t.Receiver, d.now, d.request.NewBucketID)
			m.lot(t.Receiver, step.To, step.Units)
		}
	}
	m.fee(t.Sender, t.Fee, t.Shares)
	if t.Reverses != "" {
		d.refundFee(&m)
	}
}

// fee divides fee: what the agents do not earn is the operator's.
func (m *movement) fee(payer ocs.SubscriberID, fee rating.Units, shares []Share) {
	for _, s := range shares {
		m.post(payer, "commission:"+s.Agent, "", s.Units)
		fee -= s.Units
	}
	m.post(payer, "fee", "", fee)
}
