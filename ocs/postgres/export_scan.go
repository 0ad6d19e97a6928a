package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// An ExportSpan is a part of a source: the rows of a period, all or those between two keys.
type ExportSpan struct {
	From, To time.Time
	After    *ExportKey // excluded; nil: from the start
	First    *ExportKey // included
	Last     *ExportKey // included; nil: to the end
}

// keyed are the columns of a source by which its rows are ordered, with the order of ExportKey.
type keyed struct{ table, at, columns string }

var (
	keyedRecords  = keyed{"cdr", "ended_at", "ended_at, subscriber_id, session_id, sub_session, number"}
	keyedPostings = keyed{"posting", "posted_at", "posted_at, subscriber_id, movement, leg"}
)

// clauses of the rows of the span. The time is named by itself, so that partitions and indexes of it are used.
func (x ExportSpan) clauses(k keyed) *clauses {
	c := &clauses{}
	from, to := x.From, x.To
	if x.First != nil {
		from = x.First.At
	}
	if x.After != nil {
		from = x.After.At
	}
	c.period(k.at, from, to)
	compare := func(operator string, key *ExportKey) {
		if key == nil {
			return
		}
		if k.table == "cdr" {
			c.add("("+k.columns+") "+operator+" (?, ?::uuid, ?, ?, ?)", stored(key.At), string(key.Subscriber), key.ID, key.Sub, key.Number)
			return
		}
		c.add("("+k.columns+") "+operator+" (?, ?::uuid, ?, ?)", stored(key.At), string(key.Subscriber), key.ID, key.Number)
	}
	compare(">", x.After)
	compare(">=", x.First)
	compare("<=", x.Last)
	if x.Last != nil {
		c.add(k.at+" <= ?", stored(x.Last.At))
	}
	return c
}

// scan calls row for every row of a statement while they come in: memory does not grow with them.
func (s *Store) scan(ctx context.Context, what, statement string, arguments []any, row func(*sql.Rows) error) error {
	rows, err := s.bulk.QueryContext(ctx, statement, arguments...)
	if err != nil {
		return s.orClosed(fmt.Errorf("read %s: %w", what, err))
	}
	defer func() { _ = rows.Close() }() // an error was told by Err
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return s.orClosed(fmt.Errorf("read %s: %w", what, err))
	}
	return nil
}

// errEnough ends a scan whose reader wants no more.
var errEnough = sql.ErrNoRows

// sequence makes a sequence of what scan hands to row.
func sequence[T any](scan func(row func(T) error) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		over := false
		err := scan(func(value T) error {
			if !yield(value, nil) {
				over = true
				return errEnough
			}
			return nil
		})
		if err != nil && !over {
			var none T
			yield(none, err)
		}
	}
}

// ScanRecordKeys returns the keys of CDRs in their order.
func (s *Store) ScanRecordKeys(ctx context.Context, span ExportSpan) iter.Seq2[ExportKey, error] {
	c := span.clauses(keyedRecords)
	statement := `SELECT ended_at, subscriber_id, session_id, sub_session, number FROM cdr WHERE ` + whereOf(c) +
		` ORDER BY ` + keyedRecords.columns
	return sequence(func(row func(ExportKey) error) error {
		return s.scan(ctx, "CDRs", statement, c.arguments, func(rows *sql.Rows) error {
			var k ExportKey
			if err := rows.Scan(&k.At, &k.Subscriber, &k.ID, &k.Sub, &k.Number); err != nil {
				return err
			}
			k.At = k.At.UTC()
			return row(k)
		})
	})
}

// ScanRecords returns CDRs in the order of their keys.
func (s *Store) ScanRecords(ctx context.Context, span ExportSpan) iter.Seq2[ocs.Record, error] {
	c := span.clauses(keyedRecords)
	return s.scanRecords(ctx, `SELECT `+recordColumns+` FROM cdr WHERE `+whereOf(c)+` ORDER BY `+keyedRecords.columns, c.arguments)
}

func (s *Store) scanRecords(ctx context.Context, statement string, arguments []any) iter.Seq2[ocs.Record, error] {
	return sequence(func(row func(ocs.Record) error) error {
		var r recordRow
		return s.scan(ctx, "CDRs", statement, arguments, func(rows *sql.Rows) error {
			r = recordRow{Conditions: r.Conditions[:0], Lines: r.Lines[:0], MissingNumbers: r.MissingNumbers[:0]}
			if err := rows.Scan(r.fields()...); err != nil {
				return err
			}
			record, err := r.record()
			if err != nil {
				return err
			}
			return row(record)
		})
	})
}

// recordsAt finds rows by keys that come as one list for each column; the time bounds the partitions.
const recordsAt = `
	SELECT ` + recordColumns + ` FROM cdr
	WHERE (ended_at, subscriber_id, session_id, sub_session, number) IN
		(SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::integer[]))
	AND ended_at BETWEEN $6 AND $7
	ORDER BY ended_at, subscriber_id, session_id, sub_session, number`

// RecordsAt returns the CDRs with these keys, in the order of the keys. keys are not empty and in that order.
func (s *Store) RecordsAt(ctx context.Context, keys []ExportKey) iter.Seq2[ocs.Record, error] {
	var times, subscribers, ids, subs, numbers array
	for _, k := range keys {
		times.time(k.At)
		subscribers.string(string(k.Subscriber))
		ids.string(k.ID)
		subs.string(k.Sub)
		numbers.integer(int64(k.Number))
	}
	return s.scanRecords(ctx, recordsAt, []any{
		times.value(), subscribers.value(), ids.value(), subs.value(), numbers.value(), stored(keys[0].At), stored(keys[len(keys)-1].At),
	})
}

const postingColumns = `subscriber_id, posted_at, movement, leg, kind, account, coalesce(bucket_id::text, ''), unit, units, reason`

// ScanPostings returns postings in the order of their keys: the legs of a movement that lie with one subscriber follow
// each other.
func (s *Store) ScanPostings(ctx context.Context, span ExportSpan) iter.Seq2[ocs.Posting, error] {
	c := span.clauses(keyedPostings)
	return s.scanPostings(ctx, `SELECT `+postingColumns+` FROM posting WHERE `+whereOf(c)+` ORDER BY `+keyedPostings.columns, c.arguments)
}

const postingsAt = `
	SELECT ` + postingColumns + ` FROM posting
	WHERE (posted_at, subscriber_id, movement) IN (SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $3::text[]))
	AND posted_at BETWEEN $4 AND $5
	ORDER BY posted_at, subscriber_id, movement, leg`

// PostingsAt returns all legs of the movements with these keys, in the order of the keys.
func (s *Store) PostingsAt(ctx context.Context, keys []ExportKey) iter.Seq2[ocs.Posting, error] {
	var times, subscribers, movements array
	for _, k := range keys {
		times.time(k.At)
		subscribers.string(string(k.Subscriber))
		movements.string(k.ID)
	}
	return s.scanPostings(ctx, postingsAt, []any{
		times.value(), subscribers.value(), movements.value(), stored(keys[0].At), stored(keys[len(keys)-1].At),
	})
}

func (s *Store) scanPostings(ctx context.Context, statement string, arguments []any) iter.Seq2[ocs.Posting, error] {
	return sequence(func(row func(ocs.Posting) error) error {
		return s.scan(ctx, "postings", statement, arguments, func(rows *sql.Rows) error {
			var p ocs.Posting
			var unit string
			if err := rows.Scan(&p.Subscriber, &p.At, &p.Movement, &p.Leg, &p.Kind, &p.Account, &p.Bucket, &unit, &p.Units, &p.Reason); err != nil {
				return err
			}
			p.At, p.Unit = p.At.UTC(), rating.Unit(unit)
			return row(p)
		})
	})
}

// CountExport returns how many rows of a source a period has, for showing how far a closing is.
func (s *Store) CountExport(ctx context.Context, source ExportSource, from, to time.Time) (n int64, err error) {
	k := keyedRecords
	if source == FromPostings {
		k = keyedPostings
	}
	c := ExportSpan{From: from, To: to}.clauses(k)
	if err := s.bulk.GetContext(ctx, &n, `SELECT count(*) FROM `+k.table+` WHERE `+whereOf(c), c.arguments...); err != nil {
		return 0, s.orClosed(fmt.Errorf("count rows of %s: %w", k.table, err))
	}
	return n, nil
}

// OldestExport returns the time of the oldest row of either source, zero when there is none.
func (s *Store) OldestExport(ctx context.Context) (time.Time, error) {
	var oldest time.Time
	for _, k := range []keyed{keyedRecords, keyedPostings} {
		var at sql.NullTime
		if err := s.bulk.GetContext(ctx, &at, `SELECT min(`+k.at+`) FROM `+k.table); err != nil {
			return oldest, s.orClosed(fmt.Errorf("find the oldest row of %s: %w", k.table, err))
		}
		if at.Valid && (oldest.IsZero() || at.Time.Before(oldest)) {
			oldest = at.Time.UTC()
		}
	}
	return oldest, nil
}

const numbersOf = `SELECT id, msisdn FROM subscriber WHERE id = ANY($1::uuid[])`

// NumbersOf returns the MSISDNs that subscribers have now.
func (s *Store) NumbersOf(ctx context.Context, ids []ocs.SubscriberID) (map[ocs.SubscriberID]string, error) {
	numbers := make(map[ocs.SubscriberID]string, len(ids))
	err := s.scan(ctx, "subscribers", numbersOf, []any{subscriberArray(ids)}, func(rows *sql.Rows) error {
		var id ocs.SubscriberID
		var msisdn string
		if err := rows.Scan(&id, &msisdn); err != nil {
			return err
		}
		numbers[id] = msisdn
		return nil
	})
	return numbers, err
}

const partiesOf = `SELECT reference, sender_id::text, coalesce(receiver_id::text, '') FROM transfer WHERE reference = ANY($1::text[])`

// PartiesOf returns sender and receiver of transfers, by reference.
func (s *Store) PartiesOf(ctx context.Context, references []string) (map[string][2]ocs.SubscriberID, error) {
	parties := make(map[string][2]ocs.SubscriberID, len(references))
	err := s.scan(ctx, "transfers", partiesOf, []any{textArray(references)}, func(rows *sql.Rows) error {
		var reference string
		var p [2]ocs.SubscriberID
		if err := rows.Scan(&reference, &p[0], &p[1]); err != nil {
			return err
		}
		parties[reference] = p
		return nil
	})
	return parties, err
}
