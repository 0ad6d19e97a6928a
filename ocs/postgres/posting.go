package postgres

import (
	"context"

	"github.com/gyro-ocs/gyro/ocs"
)

const insertPostings = `
	INSERT INTO posting (part, subscriber_id, posted_at, movement, leg, kind, account, bucket_id, unit, units, reason)
	SELECT
		unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::timestamptz[]), unnest($4::text[]),
		unnest($5::integer[]), unnest($6::text[]), unnest($7::text[]), unnest($8::uuid[]), unnest($9::text[]),
		unnest($10::bigint[]), unnest($11::text[])`

func (tx *Tx) insertPostings(ctx context.Context, postings []ocs.Posting) error {
	var parts, subscribers, times, movements, legs, kinds, accounts, buckets, units, amounts, reasons array
	for i := range postings {
		p := &postings[i]
		parts.integer(int64(p.Subscriber.Slot()))
		subscribers.string(string(p.Subscriber))
		times.time(p.At)
		movements.string(p.Movement)
		legs.integer(int64(p.Leg))
		kinds.string(string(p.Kind))
		accounts.string(p.Account)
		buckets.stringOrNull(string(p.Bucket))
		units.string(string(p.Unit))
		amounts.integer(int64(p.Units))
		reasons.string(p.Reason)
	}
	_, err := tx.exec(ctx, insertPostings, parts.value(), subscribers.value(), times.value(), movements.value(), legs.value(),
		kinds.value(), accounts.value(), buckets.value(), units.value(), amounts.value(), reasons.value())
	return err
}
