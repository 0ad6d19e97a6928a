package charging

import (
	"context"
	"slices"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// loadLots reads the lots of a batch: all of them, but of shops and traders who only receive in it. Theirs are thousands, one for
// each lot of each customer, and a payment can be joined only to a lot of the same root: those are read, and the rest is summed
// up. Who gives has every lot looked at, since any of them may be taken from and what is told of a purse is exact.
func (l *ledger) loadLots(ctx context.Context, tx *postgres.Tx, batch []*pending, ids []ocs.SubscriberID, lots []ocs.BucketID) error {
	shops := shopsOf(batch)
	whole := slices.DeleteFunc(slices.Clone(ids), func(id ocs.SubscriberID) bool { return slices.Contains(shops, id) })
	buckets, err := tx.LoadBuckets(ctx, whole, l.now, lots...)
	if err != nil {
		return err
	}
	if len(shops) > 0 {
		roots := make([]ocs.BucketID, 0, len(buckets))
		for _, b := range buckets {
			roots = append(roots, b.Root)
		}
		slices.Sort(roots)
		received, rest, err := tx.LoadReceived(ctx, shops, slices.Compact(roots), l.now)
		if err != nil {
			return err
		}
		buckets = append(buckets, received...)
		for id, r := range rest {
			if h := l.of[id]; h != nil {
				h.rest = r
			}
		}
	}
	for _, b := range buckets {
		if h := l.of[b.Subscriber]; h != nil {
			h.buckets = append(h.buckets, b)
			h.state[b.ID] = &entry[struct{}]{}
		}
	}
	return nil
}

// shopsOf returns the shops and traders who only receive in a batch.
func shopsOf(batch []*pending) (shops []ocs.SubscriberID) {
	var others []ocs.SubscriberID
	for _, p := range batch {
		m := p.moving
		switch kind := m.Request.Kind; {
		case m.Request.Operation.OnStored() || m.code == "" || kind != transfer.Merchant && kind != transfer.CashOut:
			others = append(others, m.ids()...)
		default:
			others = append(others, m.sender)
			if m.receiver != "" && !slices.Contains(shops, m.receiver) {
				shops = append(shops, m.receiver)
			}
		}
	}
	return slices.DeleteFunc(shops, func(id ocs.SubscriberID) bool { return slices.Contains(others, id) })
}
