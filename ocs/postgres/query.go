package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"syscall"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// selectInto reads outside a transaction, with a statement that is not prepared: care, not charging.
func (s *Store) selectInto(ctx context.Context, rows any, statement string, arguments ...any) error {
	ctx, cancel := context.WithTimeout(ctx, s.statement)
	defer cancel()
	return s.orClosed(retryDead(s.maxConns, func() error { return s.db.SelectContext(ctx, rows, statement, arguments...) }))
}

// selectHot reads outside a transaction with a prepared statement.
func (s *Store) selectHot(ctx context.Context, rows any, statement string, arguments ...any) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.statement)
	defer cancel()
	prepared := (*s.prepared.Load())[statement]
	return s.orClosed(retryDead(s.maxConns, func() error { return prepared.SelectContext(ctx, rows, arguments...) }))
}

// run runs a statement that is not prepared and returns how many rows it touched.
func (tx *Tx) run(ctx context.Context, statement string, arguments ...any) (int64, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	result, err := tx.tx.ExecContext(ctx, statement, arguments...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// isDead reports whether a connection was closed from the other side. It is asked only where nothing has been done on it,
// or nothing but reading.
func isDead(err error) bool {
	for _, sign := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}

// isLockTimeout reports whether a row was held by somebody for as long as lock_timeout: trying again at once would only
// wait again.
func isLockTimeout(err error) bool { return pq.As(err, pqerror.LockNotAvailable) != nil }
