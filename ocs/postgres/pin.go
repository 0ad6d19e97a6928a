package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/transfer"
)

var _ pin.Store = (*Store)(nil)

type pinRow struct {
	Hash        string       `db:"pin_hash"`
	MustChange  bool         `db:"pin_must_change"`
	Tries       int          `db:"pin_tries"`
	Locks       int          `db:"pin_locks"`
	LockedUntil sql.NullTime `db:"pin_locked_until"`
	ChangedAt   sql.NullTime `db:"pin_changed_at"`
	Resets      int          `db:"pin_resets"`
	ResetsSince sql.NullTime `db:"pin_resets_since"`
	Asked       []byte       `db:"pin_asked"`
}

func (r pinRow) record() (pin.Record, error) {
	asked, err := readJSON[askedDocuments]("party.pin_asked", r.Asked)
	return pin.Record{
		Hash: r.Hash, MustChange: r.MustChange, Tries: r.Tries, Locks: r.Locks, LockedUntil: instant(r.LockedUntil),
		ChangedAt: instant(r.ChangedAt), Resets: r.Resets, ResetsSince: instant(r.ResetsSince), Asked: askedFromDocuments(asked),
	}, err
}

type askedDocument struct {
	Key    string                    `json:"key"`
	Owner  string                    `json:"by"`
	At     time.Time                 `json:"at"`
	Result transfer.CredentialResult `json:"is,omitzero"`
	Left   int                       `json:"left,omitzero"`
	Until  time.Time                 `json:"until,omitzero"`
}

type askedDocuments []askedDocument

func askedToDocuments(asked pin.AskedList) askedDocuments {
	d := askedDocuments{}
	for _, a := range asked {
		if a.Key != "" {
			d = append(d, askedDocument(a))
		}
	}
	return d
}

func askedFromDocuments(d askedDocuments) (asked pin.AskedList) {
	for i := range min(len(d), len(asked)) {
		asked[i] = pin.Asked(d[i])
	}
	return asked
}

const (
	selectPIN = `
		SELECT pin_hash, pin_must_change, pin_tries, pin_locks, pin_locked_until, pin_changed_at, pin_resets, pin_resets_since,
			pin_asked
		FROM party WHERE part = $1 AND subscriber_id = $2`
	// The row of party and not of the subscriber is locked: guessing a PIN keeps nobody's call waiting.
	lockPIN   = selectPIN + ` FOR NO KEY UPDATE`
	updatePIN = `
		UPDATE party SET pin_hash = $3, pin_must_change = $4, pin_tries = $5, pin_locks = $6, pin_locked_until = $7,
			pin_changed_at = $8, pin_resets = $9, pin_resets_since = $10, pin_asked = $11
		WHERE part = $1 AND subscriber_id = $2`
)

// PIN returns the record of a subscriber, the zero value where there is none.
func (s *Store) PIN(ctx context.Context, id ocs.SubscriberID) (pin.Record, error) {
	var rows []pinRow
	if err := s.selectInto(ctx, &rows, selectPIN, id.Slot(), string(id)); err != nil {
		return pin.Record{}, fmt.Errorf("PIN of subscriber %s: %w", id, err)
	}
	if len(rows) == 0 {
		return pin.Record{}, nil
	}
	r, err := rows[0].record()
	if err != nil {
		return pin.Record{}, fmt.Errorf("PIN of subscriber %s: %w", id, err)
	}
	return r, nil
}

// UpdatePIN stores what change makes of a subscriber's record, which is locked meanwhile; it is durable when UpdatePIN
// returns. change may run more than once. Its error ends the update, and nothing is stored.
func (s *Store) UpdatePIN(ctx context.Context, id ocs.SubscriberID, change func(pin.Record) (pin.Record, error)) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.run(ctx, newParty, id.Slot(), string(id)); err != nil {
			return err
		}
		ctx, cancel := tx.deadline(ctx)
		defer cancel()
		var row pinRow
		if err := tx.tx.GetContext(ctx, &row, lockPIN, id.Slot(), string(id)); err != nil {
			return err
		}
		before, err := row.record()
		if err != nil {
			return err
		}
		r, err := change(before)
		if err != nil || r == before {
			return err
		}
		_, err = tx.run(ctx, updatePIN, id.Slot(), string(id), r.Hash, r.MustChange, r.Tries, r.Locks,
			timeOrNull(r.LockedUntil), timeOrNull(r.ChangedAt), r.Resets, timeOrNull(r.ResetsSince), string(encode(askedToDocuments(r.Asked))))
		return err
	})
	if err != nil {
		return fmt.Errorf("PIN of subscriber %s: %w", id, err)
	}
	return nil
}

// timeOrNull binds a time that may be absent.
func timeOrNull(t time.Time) sql.NullTime { return sql.NullTime{Time: stored(t), Valid: !t.IsZero()} }
