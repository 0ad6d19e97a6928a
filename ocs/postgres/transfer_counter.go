package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

const (
	loadCounters = `
		SELECT t.subscriber_id, t.rule, t.other, t.start, t.count, t.seconds
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) AS u (part, subscriber_id, rule, other, since)
		JOIN transfer_counter t ON t.part = ANY(ARRAY[u.part]) AND t.subscriber_id = ANY(ARRAY[u.subscriber_id])
			AND t.rule = ANY(ARRAY[u.rule]) AND t.other = ANY(ARRAY[u.other]) AND t.start >= u.since`

	addCounters = `
		INSERT INTO transfer_counter (part, subscriber_id, rule, other, start, count, seconds)
		SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::text[]), unnest($5::timestamptz[]),
			unnest($6::bigint[]), unnest($7::bigint[])
		ON CONFLICT (part, subscriber_id, rule, other, start) DO UPDATE SET
			count = transfer_counter.count + excluded.count, seconds = transfer_counter.seconds + excluded.seconds`

	forgetCounters = `
		DELETE FROM transfer_counter WHERE (part, subscriber_id, rule, other, start) IN (
			SELECT part, subscriber_id, rule, other, start FROM transfer_counter WHERE start < $1 LIMIT $2 FOR UPDATE SKIP LOCKED
		)`
)

// LoadCounters returns the counters of locked subscribers that ranges name, each once.
func (tx *Tx) LoadCounters(ctx context.Context, ranges []transfer.CounterRange) ([]transfer.Counter, error) {
	if len(ranges) == 0 {
		return nil, nil
	}
	var parts, subscribers, rules, others, since array
	seen := make(map[transfer.CounterRange]bool, len(ranges))
	for _, r := range ranges {
		if seen[r] {
			continue
		}
		seen[r] = true
		parts.integer(int64(r.Subscriber.Slot()))
		subscribers.string(string(r.Subscriber))
		rules.string(r.Row)
		others.string(string(r.Other))
		since.time(r.Since)
	}
	var rows []struct {
		Subscriber string    `db:"subscriber_id"`
		Rule       string    `db:"rule"`
		Other      string    `db:"other"`
		Start      time.Time `db:"start"`
		Count      int64     `db:"count"`
		Seconds    int64     `db:"seconds"`
	}
	err := tx.selectInto(ctx, &rows, loadCounters, parts.value(), subscribers.value(), rules.value(), others.value(), since.value())
	if err != nil {
		return nil, fmt.Errorf("load counters: %w", err)
	}
	counters := make([]transfer.Counter, len(rows))
	for i, r := range rows {
		counters[i] = transfer.Counter{
			Subscriber: ocs.SubscriberID(r.Subscriber), Row: r.Rule, Other: ocs.SubscriberID(r.Other), Start: r.Start.UTC(),
			Count: r.Count, Seconds: rating.Units(r.Seconds),
		}
	}
	return counters, nil
}

// addCounters adds to what is stored, each row once and in one order.
func (tx *Tx) addCounters(ctx context.Context, all []transfer.Counter) error {
	sums := make(map[transfer.Counter]transfer.Counter, len(all))
	for _, c := range all {
		key := transfer.Counter{Subscriber: c.Subscriber, Row: c.Row, Other: c.Other, Start: stored(c.Start)}
		sum := sums[key]
		sum.Count, sum.Seconds = sum.Count+c.Count, sum.Seconds+c.Seconds
		sums[key] = sum
	}
	keys := make([]transfer.Counter, 0, len(sums))
	for key := range sums {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b transfer.Counter) int {
		return cmp.Or(cmp.Compare(a.Subscriber.Slot(), b.Subscriber.Slot()), cmp.Compare(a.Subscriber, b.Subscriber),
			cmp.Compare(a.Row, b.Row), cmp.Compare(a.Other, b.Other), a.Start.Compare(b.Start))
	})
	var parts, subscribers, rules, others, starts, counts, amounts array
	for _, key := range keys {
		parts.integer(int64(key.Subscriber.Slot()))
		subscribers.string(string(key.Subscriber))
		rules.string(key.Row)
		others.string(string(key.Other))
		starts.time(key.Start)
		counts.integer(sums[key].Count)
		amounts.integer(int64(sums[key].Seconds))
	}
	_, err := tx.exec(ctx, addCounters, parts.value(), subscribers.value(), rules.value(), others.value(), starts.value(), counts.value(),
		amounts.value())
	return err
}

// ForgetCounters deletes counters of windows that began before a time, which no policy looks at any more, at most limit of them.
// What another server is deleting is left to it.
func (s *Store) ForgetCounters(ctx context.Context, before time.Time, limit int) (forgotten int, err error) {
	err = s.inTx(ctx, s.bulk, func(tx *Tx) error {
		n, err := tx.run(ctx, forgetCounters, stored(before), limit)
		forgotten = int(n)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget counters: %w", err)
	}
	return forgotten, nil
}
