package postgres

import (
	"context"
	"fmt"
	"time"
)

// A Subscription is somebody's wish to be told of events.
type Subscription struct {
	ID        string    `db:"id"` // a UUID
	Caller    string    `db:"caller"`
	Callback  string    `db:"callback"` // URL that events are sent to
	Query     string    `db:"query"`    // which events; empty: all
	CreatedAt time.Time `db:"created_at"`
}

const (
	insertSubscription  = `INSERT INTO subscription (id, caller, callback, query, created_at) VALUES ($1, $2, $3, $4, $5)`
	deleteSubscription  = `DELETE FROM subscription WHERE id = $1`
	selectSubscriptions = `SELECT id, caller, callback, query, created_at FROM subscription ORDER BY created_at, id`
)

// Subscribe stores a subscription.
func (tx *Tx) Subscribe(ctx context.Context, s Subscription) error {
	if _, err := tx.run(ctx, insertSubscription, s.ID, s.Caller, s.Callback, s.Query, stored(s.CreatedAt)); err != nil {
		return fmt.Errorf("subscribe to events: %w", err)
	}
	return nil
}

// Unsubscribe ends a subscription. Events that wait for delivery are still delivered. Where there is none, the error is
// ErrNotFound.
func (s *Store) Unsubscribe(ctx context.Context, id string) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		count, err := tx.run(ctx, deleteSubscription, id)
		if err == nil && count == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("end subscription %s: %w", id, err)
	}
	return nil
}

// Subscriptions returns all of them, the oldest first.
func (tx *Tx) Subscriptions(ctx context.Context) ([]Subscription, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var all []Subscription
	if err := tx.tx.SelectContext(ctx, &all, selectSubscriptions); err != nil {
		return nil, fmt.Errorf("subscriptions: %w", err)
	}
	return all, nil
}
