package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

const subscriberColumns = `id, state, plan, identity_version, msisdn, imsi, created_at, barred`

type subscriberRow struct {
	ID              string    `db:"id"`
	State           string    `db:"state"`
	Plan            string    `db:"plan"`
	IdentityVersion int64     `db:"identity_version"`
	MSISDN          string    `db:"msisdn"`
	IMSI            string    `db:"imsi"`
	CreatedAt       time.Time `db:"created_at"`
	Barred          ocs.Bars  `db:"barred"`
}

func (r subscriberRow) subscriber() ocs.Subscriber {
	return ocs.Subscriber{
		ID: ocs.SubscriberID(r.ID), State: ocs.SubscriberState(r.State), Plan: r.Plan, IdentityVersion: r.IdentityVersion,
		MSISDN: r.MSISDN, IMSI: r.IMSI, CreatedAt: r.CreatedAt.UTC(), Barred: r.Barred,
	}
}

// lockSubscribers locks in (part, id) order. Calls and transfers take the same locks; one order for all prevents deadlock.
// It locks the subscriber and not the buckets: a subscriber may have none, and a row that is not there cannot be locked.
const (
	lockSubscribers       = selectLocked + lockInOrder
	lockSubscribersOfSlot = selectLocked + ` AND part = $2::smallint` + lockInOrder

	// Who never waits can be in no deadlock, and needs no order.
	lockFreeSubscribers       = selectLocked + ` FOR NO KEY UPDATE SKIP LOCKED`
	lockFreeSubscribersOfSlot = selectLocked + ` AND part = $2::smallint FOR NO KEY UPDATE SKIP LOCKED`

	selectLocked = `SELECT ` + subscriberColumns + ` FROM subscriber WHERE id = ANY($1::uuid[])`
	// It sorts by expressions that come to the same, because an index which offers the order would be tempting: commonSlot.
	lockInOrder = ` ORDER BY part::integer, id::text COLLATE "C" FOR NO KEY UPDATE`
)

// LockSubscribers locks subscribers until the end of the transaction and returns those that exist, each once, in the
// order of the locks. All that a transaction reads of a subscriber it must read after this.
func (tx *Tx) LockSubscribers(ctx context.Context, ids []ocs.SubscriberID) ([]ocs.Subscriber, error) {
	return tx.lockWith(ctx, lockSubscribers, lockSubscribersOfSlot, ids)
}

// LockFreeSubscribers is LockSubscribers for those that nobody else holds: it never waits, and keeps no order. Whom it
// leaves out is held, or does not exist.
func (tx *Tx) LockFreeSubscribers(ctx context.Context, ids []ocs.SubscriberID) ([]ocs.Subscriber, error) {
	return tx.lockWith(ctx, lockFreeSubscribers, lockFreeSubscribersOfSlot, ids)
}

const existing = `SELECT id FROM subscriber WHERE id = ANY($1::uuid[])`

const setBars = `UPDATE subscriber SET barred = $3 WHERE part = $1 AND id = $2`

// SetBars bars a subscriber from services, with the audit entry of it. The clients of open sessions are summoned to ask again.
func (s *Store) SetBars(ctx context.Context, id ocs.SubscriberID, bars ocs.Bars, now time.Time, entry AuditEntry) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		switch {
		case err != nil:
			return err
		case len(locked) == 0:
			return ErrNotFound
		}
		if err := tx.AppendAudit(ctx, []AuditEntry{entry}); err != nil || locked[0].Barred == bars {
			return err
		}
		if _, err := tx.run(ctx, setBars, id.Slot(), string(id), int64(bars)); err != nil {
			return err
		}
		return tx.SummonAll(ctx, id, ocs.Reauthorise, ocs.StateChanged, now)
	})
	if err != nil {
		return fmt.Errorf("bar services of subscriber %s: %w", id, err)
	}
	return nil
}

// Held returns which of those that LockFreeSubscribers left out exist: somebody else holds them.
func (tx *Tx) Held(ctx context.Context, ids []ocs.SubscriberID, locked []ocs.Subscriber) (map[ocs.SubscriberID]bool, error) {
	if len(locked) == len(ids) {
		return nil, nil
	}
	missing := slices.DeleteFunc(slices.Clone(ids), func(id ocs.SubscriberID) bool {
		return slices.ContainsFunc(locked, func(s ocs.Subscriber) bool { return s.ID == id })
	})
	held := map[ocs.SubscriberID]bool{}
	if len(missing) == 0 {
		return held, nil
	}
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var found []string
	if err := tx.tx.SelectContext(ctx, &found, existing, subscriberArray(missing)); err != nil {
		return nil, fmt.Errorf("held subscribers: %w", err)
	}
	for _, id := range found {
		held[ocs.SubscriberID(id)] = true
	}
	return held, nil
}

func (tx *Tx) lockWith(ctx context.Context, many, one string, ids []ocs.SubscriberID) ([]ocs.Subscriber, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	statement, arguments := tx.slotted(many, one, ids, subscriberArray(ids))
	subscribers := make([]ocs.Subscriber, 0, len(ids))
	var r subscriberRow
	err := tx.each(ctx, statement, arguments, func(row *sql.Rows) error {
		if err := row.Scan(&r.ID, &r.State, &r.Plan, &r.IdentityVersion, &r.MSISDN, &r.IMSI, &r.CreatedAt, &r.Barred); err != nil {
			return err
		}
		subscribers = append(subscribers, r.subscriber())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lock subscribers: %w", err)
	}
	return subscribers, nil
}

const selectSubscriber = `SELECT ` + subscriberColumns + ` FROM subscriber WHERE part = $1 AND id = $2`

// Subscriber returns one subscriber, or ErrNotFound.
func (s *Store) Subscriber(ctx context.Context, id ocs.SubscriberID) (ocs.Subscriber, error) {
	var rows []subscriberRow
	if err := s.selectInto(ctx, &rows, selectSubscriber, id.Slot(), string(id)); err != nil {
		return ocs.Subscriber{}, fmt.Errorf("subscriber %s: %w", id, err)
	}
	if len(rows) == 0 {
		return ocs.Subscriber{}, fmt.Errorf("subscriber %s: %w", id, ErrNotFound)
	}
	return rows[0].subscriber(), nil
}

// SubscriberByIdentity returns the subscriber that has a name, or ErrNotFound.
func (s *Store) SubscriberByIdentity(ctx context.Context, identity ocs.Identity) (ocs.Subscriber, error) {
	found, err := s.Resolve(ctx, []ocs.Identity{identity})
	if err != nil {
		return ocs.Subscriber{}, err
	}
	if found[0].Subscriber == "" {
		return ocs.Subscriber{}, fmt.Errorf("subscriber by identity: %w", ErrNotFound)
	}
	return s.Subscriber(ctx, found[0].Subscriber)
}

const listSubscribers = `
	SELECT ` + subscriberColumns + ` FROM subscriber
	WHERE msisdn > $1
	ORDER BY msisdn LIMIT $2`

// ListSubscribers returns up to limit subscribers in the order of their MSISDNs, from behind after on.
func (s *Store) ListSubscribers(ctx context.Context, after string, limit int) ([]ocs.Subscriber, error) {
	var rows []subscriberRow
	if err := s.selectInto(ctx, &rows, listSubscribers, after, limit); err != nil {
		return nil, fmt.Errorf("list subscribers: %w", err)
	}
	return each(rows, subscriberRow.subscriber), nil
}

const setState = `UPDATE subscriber SET state = $3 WHERE part = $1 AND id = $2`

// SetState blocks, unblocks or closes a subscriber, with the audit entries of it. It waits for a decision about that
// subscriber that is being made. The clients of open sessions are summoned: to ask again, or, of one that is closed, to end.
func (s *Store) SetState(
	ctx context.Context, id ocs.SubscriberID, state ocs.SubscriberState, now time.Time, entries ...AuditEntry,
) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		switch {
		case err != nil:
			return err
		case len(locked) == 0:
			return ErrNotFound
		}
		if err := tx.AppendAudit(ctx, entries); err != nil || locked[0].State == state {
			return err
		}
		if _, err := tx.run(ctx, setState, id.Slot(), string(id), string(state)); err != nil {
			return err
		}
		kind := ocs.Reauthorise
		if state == ocs.Closed {
			kind = ocs.Abort
		}
		return tx.SummonAll(ctx, id, kind, ocs.StateChanged, now)
	})
	if err != nil {
		return fmt.Errorf("set state of subscriber %s: %w", id, err)
	}
	return nil
}
