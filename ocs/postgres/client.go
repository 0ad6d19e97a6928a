package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A lower value than the one before is kept and means nothing (RFC 6733 §8.16 says that it only rises).
const noteClient = `
	INSERT INTO client AS c (origin_host, state_id, told_at) VALUES ($1, $2, $3)
	ON CONFLICT (origin_host) DO UPDATE SET
		state_id = excluded.state_id, told_at = excluded.told_at,
		restarted_at = CASE WHEN excluded.state_id > c.state_id THEN excluded.told_at ELSE c.restarted_at END
	WHERE c.state_id <> excluded.state_id`

// NoteClient stores the Origin-State-Id that a client told.
func (s *Store) NoteClient(ctx context.Context, host string, stateID uint32, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, noteClient, host, int64(stateID), stored(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("note the state of a client: %w", err)
	}
	return nil
}

// A Restart is a client that told a higher Origin-State-Id, and whose older sessions are still to be closed.
type Restart struct {
	Host    string
	StateID uint32
	At      time.Time
}

const selectRestarts = `SELECT origin_host, state_id, restarted_at FROM client WHERE restarted_at <= $1 ORDER BY origin_host`

// Restarts returns the clients that restarted until a time.
func (s *Store) Restarts(ctx context.Context, until time.Time) ([]Restart, error) {
	var rows []struct {
		Host    string    `db:"origin_host"`
		StateID uint32    `db:"state_id"`
		At      time.Time `db:"restarted_at"`
	}
	if err := s.selectInto(ctx, &rows, selectRestarts, stored(until)); err != nil {
		return nil, fmt.Errorf("restarted clients: %w", err)
	}
	restarts := make([]Restart, len(rows))
	for i, r := range rows {
		restarts[i] = Restart(r)
	}
	return restarts, nil
}

// It reads all sessions that may be open, by the index of the sweep: clients restart rarely, and an index of their own would
// cost every call.
const selectLost = `
	SELECT subscriber_id, session_id, sub_session FROM session
	WHERE NOT resting AND state = 'open' AND origin_host = $1 AND origin_state_id BETWEEN 1 AND $2 - 1 AND started_at < $3
	LIMIT $4`

// LostSessions returns open sessions that began before a restart, under an older Origin-State-Id. Those that began
// without one are not among them: nobody can tell.
func (s *Store) LostSessions(ctx context.Context, r Restart, limit int) ([]SessionRef, error) {
	var rows []struct {
		Subscriber string `db:"subscriber_id"`
		ID         string `db:"session_id"`
		Sub        string `db:"sub_session"`
	}
	if err := s.bulk.SelectContext(ctx, &rows, selectLost, r.Host, int64(r.StateID), stored(r.At), limit); err != nil {
		return nil, s.orClosed(fmt.Errorf("sessions lost in a restart: %w", err))
	}
	refs := make([]SessionRef, len(rows))
	for i, row := range rows {
		refs[i] = SessionRef{ocs.SubscriberID(row.Subscriber), ocs.SessionKey{ID: row.ID, Sub: row.Sub}}
	}
	return refs, nil
}

const settleRestart = `UPDATE client SET restarted_at = NULL WHERE origin_host = $1 AND restarted_at = $2`

// SettleRestart tells that all lost sessions of a restart are closed.
func (s *Store) SettleRestart(ctx context.Context, r Restart) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, settleRestart, r.Host, stored(r.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("settle a restart: %w", err)
	}
	return nil
}
