package postgres

import (
	"context"
	"fmt"
	"time"
)

const (
	insertBirth = `INSERT INTO birth (one, at) VALUES (true, $1) ON CONFLICT (one) DO NOTHING`
	selectBirth = `SELECT at FROM birth WHERE one`
)

// Birth returns when this database began to keep sessions: the time at which the first server asked.
func (s *Store) Birth(ctx context.Context, now time.Time) (time.Time, error) {
	var birth time.Time
	err := s.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.run(ctx, insertBirth, stored(now)); err != nil {
			return err
		}
		return tx.tx.GetContext(ctx, &birth, selectBirth)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("birth of the database: %w", err)
	}
	return birth.UTC(), nil
}
