package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/outbox"
)

var _ outbox.Store = (*Store)(nil)

type messageRow struct {
	ID        string    `db:"id"`
	Kind      string    `db:"kind"`
	Receiver  string    `db:"receiver"`
	Body      string    `db:"body"`
	Secret    string    `db:"secret"`
	Reference string    `db:"reference"`
	CreatedAt time.Time `db:"created_at"`
	Tries     int       `db:"tries"`
}

func (r messageRow) message() outbox.Message {
	return outbox.Message{
		ID: r.ID, Kind: outbox.Kind(r.Kind), To: r.Receiver, Body: r.Body, Secret: r.Secret, Reference: r.Reference,
		CreatedAt: r.CreatedAt.UTC(), Tries: r.Tries,
	}
}

const messageColumns = `id, kind, receiver, body, secret, reference, created_at, tries`

const (
	insertOutbox = `
		INSERT INTO outbox (part, id, kind, receiver, body, secret, reference, created_at, due_at, tries, problem)
		SELECT u.part, u.id, u.kind, u.receiver, u.body, u.secret, u.reference, u.created_at, u.created_at, 0, ''
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
			AS u (part, id, kind, receiver, body, secret, reference, created_at)
		ON CONFLICT (part, id) DO NOTHING`

	claimOutbox = `
		WITH found AS (
			SELECT part, id FROM outbox WHERE kind = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
		)
		UPDATE outbox t SET due_at = $4, tries = t.tries + 1
		FROM found f WHERE t.part = ANY(ARRAY[f.part]) AND t.id = ANY(ARRAY[f.id])
		RETURNING t.id, t.kind, t.receiver, t.body, t.secret, t.reference, t.created_at, t.tries`

	deleteOutbox = `
		DELETE FROM outbox t USING unnest($1::smallint[], $2::uuid[]) AS u (part, id)
		WHERE t.part = ANY(ARRAY[u.part]) AND t.id = ANY(ARRAY[u.id])`
	putOffOutbox = `
		UPDATE outbox t SET due_at = u.due_at, problem = u.problem
		FROM unnest($1::smallint[], $2::uuid[], $3::integer[], $4::timestamptz[], $5::text[]) AS u (part, id, tries, due_at, problem)
		WHERE t.part = ANY(ARRAY[u.part]) AND t.id = ANY(ARRAY[u.id]) AND t.tries IS NOT DISTINCT FROM u.tries`

	countOutbox  = `SELECT count(*) FROM outbox WHERE due_at IS NOT NULL`
	selectOutbox = `SELECT ` + messageColumns + ` FROM outbox WHERE reference = $1 ORDER BY created_at, id LIMIT 100`
)

// OutboxAppend adds messages by themselves. Those of a transfer are added with it.
func (s *Store) OutboxAppend(ctx context.Context, messages []outbox.Message) error {
	if err := s.InTx(ctx, func(tx *Tx) error { return tx.AppendOutbox(ctx, messages) }); err != nil {
		return fmt.Errorf("append to outbox: %w", err)
	}
	return nil
}

// AppendOutbox adds messages, due at once. One that is there is left as it is.
func (tx *Tx) AppendOutbox(ctx context.Context, messages []outbox.Message) error {
	if len(messages) == 0 {
		return nil
	}
	var parts, ids, kinds, receivers, bodies, secrets, references, created array
	for i := range messages {
		m := &messages[i]
		parts.integer(int64(ocs.SubscriberID(m.ID).Slot()))
		ids.string(m.ID)
		kinds.string(string(m.Kind))
		receivers.string(m.To)
		bodies.string(m.Body)
		secrets.string(m.Secret)
		references.string(m.Reference)
		created.time(m.CreatedAt)
	}
	_, err := tx.exec(ctx, insertOutbox, parts.value(), ids.value(), kinds.value(), receivers.value(), bodies.value(), secrets.value(),
		references.value(), created.value())
	return err
}

// OutboxClaim takes up to limit messages of a kind that are due at now, those first that are due longest, and has nobody
// else take them before until. What is being claimed elsewhere is passed over.
func (s *Store) OutboxClaim(ctx context.Context, kind outbox.Kind, now, until time.Time, limit int) ([]outbox.Message, error) {
	var rows []messageRow
	err := s.InTx(ctx, func(tx *Tx) error {
		ctx, cancel := tx.deadline(ctx)
		defer cancel()
		rows = nil
		return tx.tx.SelectContext(ctx, &rows, claimOutbox, string(kind), stored(now), limit, stored(until))
	})
	if err != nil {
		return nil, fmt.Errorf("claim from outbox: %w", err)
	}
	return each(rows, messageRow.message), nil
}

// OutboxDone stores what came of claimed messages. A result of another try than the last is passed over, unless it is
// that the message was sent.
func (s *Store) OutboxDone(ctx context.Context, results []outbox.Result) error {
	var sentParts, sent, parts, ids, tries, due, problems array
	isSent, isPutOff := false, false
	for _, r := range results {
		if r.State == outbox.Sent {
			isSent = true
			sentParts.integer(int64(ocs.SubscriberID(r.ID).Slot()))
			sent.string(r.ID)
			continue
		}
		isPutOff = true
		parts.integer(int64(ocs.SubscriberID(r.ID).Slot()))
		ids.string(r.ID)
		tries.integer(int64(r.Tries))
		if r.State == outbox.Failed {
			due.null()
		} else {
			due.time(r.NextAt)
		}
		problems.string(r.Problem)
	}
	err := s.InTx(ctx, func(tx *Tx) error {
		if isSent {
			if _, err := tx.run(ctx, deleteOutbox, sentParts.value(), sent.value()); err != nil {
				return err
			}
		}
		if isPutOff {
			_, err := tx.run(ctx, putOffOutbox, parts.value(), ids.value(), tries.value(), due.value(), problems.value())
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("done with outbox: %w", err)
	}
	return nil
}

// OutboxLength returns how many messages wait to be sent.
func (s *Store) OutboxLength(ctx context.Context) (int64, error) {
	var counts []int64
	if err := s.selectInto(ctx, &counts, countOutbox); err != nil {
		return 0, fmt.Errorf("length of outbox: %w", err)
	}
	return counts[0], nil
}

// OutboxOf returns the messages about a transfer that are not sent yet, also those that were given up.
func (s *Store) OutboxOf(ctx context.Context, reference string) ([]outbox.Message, error) {
	var rows []messageRow
	if err := s.bulk.SelectContext(ctx, &rows, selectOutbox, reference); err != nil {
		return nil, s.orClosed(fmt.Errorf("outbox of transfer %s: %w", reference, err))
	}
	return each(rows, messageRow.message), nil
}
