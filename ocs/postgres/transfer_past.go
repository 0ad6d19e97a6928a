package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// mostPast bounds how many earlier transfers one batch looks at for its risk rules, the newest first. Who made more than that
// is told by fewer.
const mostPast = 20_000

// Only policies with risk rules that look back run these. Reversals are no transfers of their own.
const (
	loadPast = `
		SELECT t.sender_id AS whose, true AS sent, t.receiver_id AS other, t.kind, t.seconds, t.created_at
		FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, since)
		JOIN transfer t ON t.sender_id = ANY(ARRAY[u.id]) AND t.created_at >= u.since
		WHERE t.status = ANY('{pending,completed,reversal-pending}') AND t.receiver_id IS NOT NULL AND t.document->>'op' <> 'reverse'
		UNION ALL
		SELECT t.receiver_id, false, t.sender_id, t.kind, t.seconds, t.created_at
		FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, since)
		JOIN transfer t ON t.receiver_id = ANY(ARRAY[u.id]) AND t.created_at >= u.since
		WHERE t.status = ANY('{pending,completed,reversal-pending}') AND t.document->>'op' <> 'reverse'
		ORDER BY created_at DESC LIMIT $3`

	// The lots that a transfer took from are its sender's.
	loadReturns = `
		SELECT t.sender_id, b.root, max(t.created_at) AS at
		FROM unnest($1::uuid[], $2::timestamptz[]) AS u (id, since)
		JOIN transfer t ON t.sender_id = ANY(ARRAY[u.id]) AND t.sender_id = ANY($1) AND t.created_at >= u.since
			AND t.status = ANY('{completed,reversal-pending}')
		CROSS JOIN json_array_elements(t.document->'moves') AS m (move)
		JOIN bucket b ON b.subscriber_id = ANY($1) AND b.id = ANY(ARRAY[(m.move->>'from')::uuid])
		GROUP BY t.sender_id, b.root`
)

// Since tells from when on somebody's transfers are looked at.
type Since map[ocs.SubscriberID]time.Time

// Look notes that the transfers of id are looked at from a time on.
func (s Since) Look(id ocs.SubscriberID, from time.Time) {
	if before, there := s[id]; id != "" && (!there || from.Before(before)) {
		s[id] = from
	}
}

func (s Since) arrays() (ids, times []byte) {
	var subscribers, since array
	for id, from := range s {
		subscribers.string(string(id))
		since.time(from)
	}
	return subscribers.value(), since.value()
}

// LoadPast returns the transfers of locked subscribers, sent and received, that moved or hold minutes.
func (tx *Tx) LoadPast(ctx context.Context, since Since) (map[ocs.SubscriberID][]transfer.Past, error) {
	past := make(map[ocs.SubscriberID][]transfer.Past, len(since))
	if len(since) == 0 {
		return past, nil
	}
	var rows []struct {
		Whose     string    `db:"whose"`
		Sent      bool      `db:"sent"`
		Other     string    `db:"other"`
		Kind      string    `db:"kind"`
		Seconds   int64     `db:"seconds"`
		CreatedAt time.Time `db:"created_at"`
	}
	ids, times := since.arrays()
	if err := tx.selectInto(ctx, &rows, loadPast, ids, times, mostPast); err != nil {
		return nil, fmt.Errorf("load earlier transfers: %w", err)
	}
	for _, r := range rows {
		id := ocs.SubscriberID(r.Whose)
		past[id] = append(past[id], transfer.Past{
			At: r.CreatedAt.UTC(), Sent: r.Sent, Other: ocs.SubscriberID(r.Other), Kind: transfer.Kind(r.Kind), Seconds: rating.Units(r.Seconds),
		})
	}
	return past, nil
}

// LoadReturns returns of which roots locked subscribers gave minutes away, and when last.
func (tx *Tx) LoadReturns(ctx context.Context, since Since) (map[ocs.SubscriberID][]transfer.Return, error) {
	returns := make(map[ocs.SubscriberID][]transfer.Return, len(since))
	if len(since) == 0 {
		return returns, nil
	}
	var rows []struct {
		Whose string    `db:"sender_id"`
		Root  string    `db:"root"`
		At    time.Time `db:"at"`
	}
	ids, times := since.arrays()
	if err := tx.selectInto(ctx, &rows, loadReturns, ids, times); err != nil {
		return nil, fmt.Errorf("load roots that were given away: %w", err)
	}
	for _, r := range rows {
		id := ocs.SubscriberID(r.Whose)
		returns[id] = append(returns[id], transfer.Return{Root: ocs.BucketID(r.Root), At: r.At.UTC()})
	}
	return returns, nil
}
