package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// claim is how long the other servers leave a session to the one that was given it by Sweep.
const claim = 10 * time.Second

// Charging never writes sweep_at, so that its updates stay HOT; the sweep makes up for it. A row that it comes upon is
// forgotten, handed out, or put off until it is due. It locks without waiting: a row that somebody else has comes next
// time. For the ways in which it says "equal" see updateBuckets.
const (
	forgetSessions = `
		WITH found AS (
			SELECT subscriber_id, session_id, sub_session FROM session
			WHERE resting = ANY('{false,true}') AND sweep_at <= $1 AND state <> 'open' AND due_at <= $1
			ORDER BY sweep_at LIMIT $2 FOR UPDATE SKIP LOCKED
		)
		DELETE FROM session t USING found f
		WHERE t.session_id = ANY(ARRAY[f.session_id]) AND t.sub_session IS NOT DISTINCT FROM f.sub_session
		AND t.subscriber_id IS NOT DISTINCT FROM f.subscriber_id AND t.state <> 'open' AND t.due_at <= $1`

	sweepSessions = `
		WITH found AS (
			SELECT subscriber_id, session_id, sub_session FROM session
			WHERE resting = ANY('{false,true}') AND sweep_at <= $1 AND (state = 'open' OR due_at > $1)
			ORDER BY sweep_at LIMIT $2 FOR UPDATE SKIP LOCKED
		)
		UPDATE session t SET resting = t.state <> 'open', sweep_at = GREATEST(t.due_at, $3)
		FROM found f
		WHERE t.session_id = ANY(ARRAY[f.session_id]) AND t.sub_session IS NOT DISTINCT FROM f.sub_session
		AND t.subscriber_id IS NOT DISTINCT FROM f.subscriber_id
		RETURNING t.subscriber_id, t.session_id, t.sub_session, t.state = 'open' AND t.due_at <= $1 AS due`
)

// Sweep looks at sessions whose time has come, at most about limit of them, and returns those that were silent until
// their DueAt, for [ocs.Supervise] to decide. It returns a session again 10 s later when it was not decided. Sessions
// that ended are forgotten when they are due. Several servers may sweep at once.
func (s *Store) Sweep(ctx context.Context, now time.Time, limit int) ([]SessionRef, error) {
	now = stored(now)
	due := []SessionRef{}
	for len(due) < limit {
		found, err := s.sweepOnce(ctx, now, limit-len(due), &due)
		if err != nil {
			return nil, fmt.Errorf("sweep sessions: %w", err)
		}
		if found == 0 {
			break
		}
	}
	return due, nil
}

// sweepOnce appends to due and returns how many sessions it found in any state.
func (s *Store) sweepOnce(ctx context.Context, now time.Time, limit int, due *[]SessionRef) (found int64, err error) {
	var rows []struct {
		Subscriber string `db:"subscriber_id"`
		ID         string `db:"session_id"`
		Sub        string `db:"sub_session"`
		Due        bool   `db:"due"`
	}
	err = s.InTx(ctx, func(tx *Tx) (err error) {
		rows = nil
		if found, err = tx.run(ctx, forgetSessions, now, limit); err != nil {
			return err
		}
		ctx, cancel := tx.deadline(ctx)
		defer cancel()
		return tx.tx.SelectContext(ctx, &rows, sweepSessions, now, limit, now.Add(claim))
	})
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		if r.Due {
			*due = append(*due, SessionRef{ocs.SubscriberID(r.Subscriber), ocs.SessionKey{ID: r.ID, Sub: r.Sub}})
		}
	}
	return found + int64(len(rows)), nil
}
