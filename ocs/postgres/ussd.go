package postgres

import (
	"context"
	"fmt"
	"time"
)

// A USSDSession is a dialogue as it is stored between two inputs.
type USSDSession struct {
	Gateway  string
	Session  string // what the gateway calls it, hashed together with the number
	Key      string // drawn when it began
	Version  int64  // counts what was stored
	Document []byte // JSON; the caller's
}

const (
	// A session whose name is used again after its time is another one.
	beginUSSD = `
		INSERT INTO ussd_session AS s (gateway, session, key, version, document, touched_at) VALUES ($1, $2, $3, 0, $4, $5)
		ON CONFLICT (gateway, session) DO UPDATE
		SET key = EXCLUDED.key, version = 0, document = EXCLUDED.document, touched_at = EXCLUDED.touched_at
		WHERE s.touched_at < $6`
	selectUSSD = `SELECT gateway, session, key, version, document FROM ussd_session WHERE gateway = $1 AND session = $2`
	updateUSSD = `
		UPDATE ussd_session SET version = version + 1, document = $5, touched_at = $6
		WHERE gateway = $1 AND session = $2 AND key = $3 AND version = $4`
	sweepUSSD = `
		DELETE FROM ussd_session WHERE (gateway, session) IN (
			SELECT gateway, session FROM ussd_session WHERE touched_at < $1 ORDER BY touched_at LIMIT $2 FOR UPDATE SKIP LOCKED
		)`
)

// BeginUSSD stores a session that begins, unless there is one of that name that lived after deadline: then it returns
// that. It forgets a few sessions that did not, on the way.
func (s *Store) BeginUSSD(ctx context.Context, begun USSDSession, now, deadline time.Time) (held USSDSession, err error) {
	const forgotten = 16
	err = s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.run(ctx, beginUSSD, begun.Gateway, begun.Session, begun.Key, begun.Document, stored(now), stored(deadline)); err != nil {
			return err
		}
		if _, err := tx.run(ctx, sweepUSSD, stored(deadline), forgotten); err != nil {
			return err
		}
		ctx, cancel := tx.deadline(ctx)
		defer cancel()
		var row ussdRow
		err := tx.tx.GetContext(ctx, &row, selectUSSD, begun.Gateway, begun.Session)
		held = row.session()
		return err
	})
	if err != nil {
		return USSDSession{}, fmt.Errorf("begin a USSD session: %w", err)
	}
	return held, nil
}

// USSD returns a session, or [ErrNotFound].
func (s *Store) USSD(ctx context.Context, gateway, session string) (USSDSession, error) {
	var rows []ussdRow
	if err := s.selectInto(ctx, &rows, selectUSSD, gateway, session); err != nil {
		return USSDSession{}, fmt.Errorf("load a USSD session: %w", err)
	}
	if len(rows) == 0 {
		return USSDSession{}, ErrNotFound
	}
	return rows[0].session(), nil
}

// SaveUSSD stores where a session is now. saved is false when another server was first: what it stored holds.
func (s *Store) SaveUSSD(ctx context.Context, at USSDSession, now time.Time) (saved bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		count, err := tx.run(ctx, updateUSSD, at.Gateway, at.Session, at.Key, at.Version, at.Document, stored(now))
		saved = count == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("save a USSD session: %w", err)
	}
	return saved, nil
}

type ussdRow struct {
	Gateway  string `db:"gateway"`
	Session  string `db:"session"`
	Key      string `db:"key"`
	Version  int64  `db:"version"`
	Document []byte `db:"document"`
}

func (r ussdRow) session() USSDSession { return USSDSession(r) }
