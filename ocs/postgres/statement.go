package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A StatementFilter names a part of the movements of a subscriber.
type StatementFilter struct {
	Subscriber ocs.SubscriberID
	From       time.Time // first instant that belongs; zero: the first of all
	Before     time.Time // first instant that no longer belongs; zero: until now
	Limit      int       // of lines; all lines of one instant come together, so there may be a few more
}

// A Statement is what moved the buckets of a subscriber, newest first, with all the buckets as they were at the same moment.
type Statement struct {
	Buckets  []ocs.Bucket
	Events   []ocs.RatedEvent             // newest first
	Postings []ocs.Posting                // newest first, legs that are no lot too
	Since    time.Time                    // everything after it is here; zero: everything since From is
	Later    map[rating.Unit]rating.Units // what moved from Before on, by unit
}

const (
	statementEvents = `
		SELECT subscriber_id, rated_at, session_id, sub_session, request_type, request_number, line, service, rating_group, tariff,
			plan, catalog, measure, used, unit, charged, overrun, taken, late
		FROM rated_event
		WHERE part = $1 AND subscriber_id = $2 AND rated_at >= $3 AND rated_at < $4
		ORDER BY rated_at DESC LIMIT $5`
	statementPostings = `
		SELECT subscriber_id, posted_at, movement, leg, kind, account, bucket_id, unit, units, reason
		FROM posting
		WHERE part = $1 AND subscriber_id = $2 AND posted_at >= $3 AND posted_at < $4
		ORDER BY posted_at DESC LIMIT $5`
	laterEvents = `
		SELECT unit, -sum(charged)::bigint AS units FROM rated_event
		WHERE part = $1 AND subscriber_id = $2 AND rated_at >= $3 GROUP BY unit`
	laterPostings = `
		SELECT unit, sum(units)::bigint AS units FROM posting
		WHERE part = $1 AND subscriber_id = $2 AND posted_at >= $3 AND bucket_id IS NOT NULL GROUP BY unit`
)

type postingRow struct {
	Subscriber string         `db:"subscriber_id"`
	PostedAt   time.Time      `db:"posted_at"`
	Movement   string         `db:"movement"`
	Leg        int            `db:"leg"`
	Kind       string         `db:"kind"`
	Account    string         `db:"account"`
	Bucket     sql.NullString `db:"bucket_id"`
	Unit       string         `db:"unit"`
	Units      int64          `db:"units"`
	Reason     string         `db:"reason"`
}

func (r postingRow) posting() ocs.Posting {
	return ocs.Posting{
		Movement: r.Movement, Leg: r.Leg, Subscriber: ocs.SubscriberID(r.Subscriber), At: r.PostedAt.UTC(), Kind: ocs.PostingKind(r.Kind),
		Account: r.Account, Bucket: ocs.BucketID(r.Bucket.String), Unit: rating.Unit(r.Unit), Units: rating.Units(r.Units), Reason: r.Reason,
	}
}

// Bounds of time that Postgres keeps in any case.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Statement reads the movements of one subscriber and its buckets in one snapshot, so that they agree to the unit whatever
// is charged meanwhile. It locks nothing.
func (s *Store) Statement(ctx context.Context, f StatementFilter) (statement Statement, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*s.statement)
	defer cancel()
	err = s.inSnapshot(ctx, func(tx *sqlx.Tx) error {
		statement, err = readStatement(ctx, tx, f)
		return err
	})
	if err != nil {
		return Statement{}, fmt.Errorf("statement of subscriber %s: %w", f.Subscriber, err)
	}
	return statement, nil
}

// inSnapshot calls read in a transaction that sees one moment and changes nothing. It may be called more than once.
func (s *Store) inSnapshot(ctx context.Context, read func(*sqlx.Tx) error) error {
	return s.orClosed(retryDead(s.maxConns, func() error {
		tx, err := s.db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // it has nothing to keep
		return read(tx)
	}))
}

func readStatement(ctx context.Context, tx *sqlx.Tx, f StatementFilter) (Statement, error) {
	part, id := f.Subscriber.Slot(), string(f.Subscriber)
	s := Statement{Later: map[rating.Unit]rating.Units{}}
	var buckets []bucketRow
	if err := tx.SelectContext(ctx, &buckets, selectBuckets, part, id); err != nil {
		return s, err
	}
	s.Buckets = each(buckets, bucketRow.bucket)
	from, before := earliest, latest
	if !f.From.IsZero() {
		from = stored(f.From)
	}
	if !f.Before.IsZero() {
		before = stored(f.Before)
		for _, statement := range []string{laterEvents, laterPostings} {
			var sums []struct {
				Unit  rating.Unit  `db:"unit"`
				Units rating.Units `db:"units"`
			}
			if err := tx.SelectContext(ctx, &sums, statement, part, id, before); err != nil {
				return s, err
			}
			for _, sum := range sums {
				s.Later[sum.Unit] += sum.Units
			}
		}
	}
	// A list that is as long as its bound may break off in the middle of an instant, which then does not count. Should a whole
	// list be of one instant, it is read again with a wider bound.
	for limit := f.Limit + 1; ; limit *= 8 {
		var events []ratedEventRow
		if err := tx.SelectContext(ctx, &events, statementEvents, part, id, from, before, limit); err != nil {
			return s, err
		}
		var postings []postingRow
		if err := tx.SelectContext(ctx, &postings, statementPostings, part, id, from, before, limit); err != nil {
			return s, err
		}
		s.Since = time.Time{}
		if n := len(events); n == limit {
			s.Since = events[n-1].RatedAt
		}
		if n := len(postings); n == limit && postings[n-1].PostedAt.After(s.Since) {
			s.Since = postings[n-1].PostedAt
		}
		s.Since = s.Since.UTC()
		first := earliest
		if len(events) > 0 {
			first = events[0].RatedAt
		}
		if len(postings) > 0 && postings[0].PostedAt.After(first) {
			first = postings[0].PostedAt
		}
		if !s.Since.IsZero() && !first.After(s.Since) {
			continue
		}
		s.Postings = each(postings, postingRow.posting)
		s.Events = make([]ocs.RatedEvent, len(events))
		for i := range events {
			var err error
			if s.Events[i], err = events[i].ratedEvent(); err != nil {
				return s, err
			}
		}
		return s, nil
	}
}

const eventsOfSessions = `
	SELECT subscriber_id, rated_at, session_id, sub_session, request_type, request_number, line, service, rating_group, tariff,
		plan, catalog, measure, used, unit, charged, overrun, taken, late
	FROM rated_event
	WHERE part = $1 AND subscriber_id = $2 AND rated_at >= $3 AND rated_at < $4 AND session_id = ANY($5::text[])
	ORDER BY rated_at, request_number, line LIMIT $6`

// EventsOfSessions returns the rated events of some sessions of a subscriber within a period, oldest first, at most limit.
func (s *Store) EventsOfSessions(
	ctx context.Context, id ocs.SubscriberID, sessions []string, from, to time.Time, limit int,
) ([]ocs.RatedEvent, error) {
	var rows []ratedEventRow
	if err := s.selectInto(ctx, &rows, eventsOfSessions, id.Slot(), string(id), stored(from), stored(to), textArray(sessions), limit); err != nil {
		return nil, fmt.Errorf("rated events of sessions: %w", err)
	}
	events := make([]ocs.RatedEvent, len(rows))
	for i := range rows {
		var err error
		if events[i], err = rows[i].ratedEvent(); err != nil {
			return nil, fmt.Errorf("rated events of sessions: %w", err)
		}
	}
	return events, nil
}

const recordsOfSessions = `
	SELECT ` + recordColumns + ` FROM cdr
	WHERE part = $1 AND subscriber_id = $2 AND ended_at >= $3 AND session_id = ANY($4::text[])
	ORDER BY ended_at, number LIMIT $5`

// RecordsOfSessions returns the CDRs of some sessions of a subscriber that ended at or after an instant, oldest first, at
// most limit.
func (s *Store) RecordsOfSessions(ctx context.Context, id ocs.SubscriberID, sessions []string, from time.Time, limit int) ([]ocs.Record, error) {
	var rows []recordRow
	if err := s.selectInto(ctx, &rows, recordsOfSessions, id.Slot(), string(id), stored(from), textArray(sessions), limit); err != nil {
		return nil, fmt.Errorf("records of sessions: %w", err)
	}
	records := make([]ocs.Record, len(rows))
	for i := range rows {
		var err error
		if records[i], err = rows[i].record(); err != nil {
			return nil, fmt.Errorf("records of sessions: %w", err)
		}
	}
	return records, nil
}

const sessionsOfIDs = `
	SELECT ` + sessionColumns + ` FROM session
	WHERE session_id = ANY($1::text[]) AND part = $2 AND subscriber_id = $3`

// SessionsOf returns those sessions of a subscriber that are remembered, in any order.
func (s *Store) SessionsOf(ctx context.Context, id ocs.SubscriberID, sessions []string) ([]ocs.Session, error) {
	var rows []sessionRow
	if err := s.selectInto(ctx, &rows, sessionsOfIDs, textArray(sessions), id.Slot(), string(id)); err != nil {
		return nil, fmt.Errorf("sessions of a subscriber: %w", err)
	}
	return sessionsOf(rows)
}
