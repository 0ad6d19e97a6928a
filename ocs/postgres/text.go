package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/outbox"
)

// A WaitingText is a text that was not sent yet.
type WaitingText struct {
	outbox.Message
	DueAt   time.Time // zero: it was given up
	Problem string    // of the last try
}

const (
	textsTo = `
		SELECT ` + messageColumns + `, due_at, problem FROM outbox WHERE receiver = $1 AND kind = 'text' ORDER BY created_at DESC, id LIMIT 100`
	resendText = `UPDATE outbox SET due_at = $4, problem = '' WHERE part = $1 AND id = $2 AND receiver = $3 AND kind = 'text'`
)

// TextsTo returns the texts to a number that were not sent yet, newest first, also those that were given up.
func (s *Store) TextsTo(ctx context.Context, msisdn string) ([]WaitingText, error) {
	var rows []struct {
		messageRow
		DueAt   sql.NullTime `db:"due_at"`
		Problem string       `db:"problem"`
	}
	if err := s.selectInto(ctx, &rows, textsTo, msisdn); err != nil {
		return nil, fmt.Errorf("texts to a number: %w", err)
	}
	texts := make([]WaitingText, len(rows))
	for i, r := range rows {
		texts[i] = WaitingText{r.message(), instant(r.DueAt), r.Problem}
	}
	return texts, nil
}

// Resend makes a text to a number due at once, also one that was given up, with the audit entry of it. It keeps its id, so
// that a gateway which got it knows it.
func (s *Store) Resend(ctx context.Context, id, msisdn string, now time.Time, entry AuditEntry) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		count, err := tx.run(ctx, resendText, ocs.SubscriberID(id).Slot(), id, msisdn, stored(now))
		switch {
		case err != nil:
			return err
		case count == 0:
			return ErrNotFound
		}
		return tx.AppendAudit(ctx, []AuditEntry{entry})
	})
	if err != nil {
		return fmt.Errorf("send text %s again: %w", id, err)
	}
	return nil
}
