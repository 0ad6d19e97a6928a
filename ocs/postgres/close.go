package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// ErrHeld is a subscriber whose units are held by open sessions or by what is pending.
var ErrHeld = errors.New("open sessions or pending transfers hold units")

// A Closing ends a subscriber for good.
type Closing struct {
	Subscriber ocs.SubscriberID
	Movement   string // under which what is left is posted out
	Reason     string
	At         time.Time
	FreeAt     time.Time // when somebody else may have its names
}

// CloseSubscriber closes a subscriber: what is left in the buckets, expired ones too, is posted out, and the
// names rest: until somebody else may have them they lead to the one that is closed, so that a call is refused as unauthorised
// and care finds the account. Nothing may be held; else the error is ErrHeld and nothing changes. One that is closed already stays as it is,
// and closed is false.
func (s *Store) CloseSubscriber(ctx context.Context, c Closing, entry AuditEntry) (closed bool, err error) {
	id := c.Subscriber
	err = s.InTx(ctx, func(tx *Tx) error {
		closed = false
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return ErrNotFound
		}
		names, err := tx.identities(ctx, id)
		if err != nil {
			return err
		}
		if locked[0].State == ocs.Closed {
			rests, err := tx.restOf(ctx, names, c.At)
			if err != nil || len(rests) == len(names) {
				return err
			}
		}
		closed = true
		changes, err := tx.emptied(ctx, c)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := tx.letRest(ctx, id, name, c.At, c.FreeAt); err != nil {
				return err
			}
		}
		if _, err := tx.run(ctx, setState, id.Slot(), string(id), string(ocs.Closed)); err != nil {
			return err
		}
		if err := tx.AppendAudit(ctx, []AuditEntry{entry}); err != nil {
			return err
		}
		return tx.Save(ctx, changes)
	})
	if err != nil {
		return false, fmt.Errorf("close subscriber %s: %w", id, err)
	}
	return closed, nil
}

// emptied posts out what the buckets of a locked subscriber hold.
func (tx *Tx) emptied(ctx context.Context, c Closing) (changes Changes, err error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows []bucketRow
	if err := tx.tx.SelectContext(ctx, &rows, selectBuckets, c.Subscriber.Slot(), string(c.Subscriber)); err != nil {
		return changes, err
	}
	for _, b := range each(rows, bucketRow.bucket) {
		switch {
		case b.Reserved > 0:
			return changes, ErrHeld
		case b.Balance == 0:
			continue
		}
		emptied, legs := ocs.Empty(b, c.Movement+":"+string(b.ID), c.Reason, c.At)
		changes.Buckets = append(changes.Buckets, emptied)
		changes.Postings = append(changes.Postings, legs...)
	}
	return changes, nil
}
