package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A RequestKey names a request of a caller, so that it can be repeated.
type RequestKey struct {
	Caller string
	Key    string
}

const (
	claimKey = `
		INSERT INTO request_key (key, caller, fingerprint, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key, caller) DO NOTHING`
	selectKey = `SELECT fingerprint, answer FROM request_key WHERE key = $1 AND caller = $2`
	answerKey = `UPDATE request_key SET answer = $3 WHERE key = $1 AND caller = $2`
)

// ClaimKey makes the key stand for what was asked for, whose fingerprint is asked. A second claim waits for the
// transaction of the first. When the key stood for the same already, its answer is returned, nil if there is none yet; when it
// stood for something else, the error is ErrMovementDiffers.
func (tx *Tx) ClaimKey(ctx context.Context, k RequestKey, asked [sha256.Size]byte, now time.Time) (known bool, answer json.RawMessage, err error) {
	count, err := tx.run(ctx, claimKey, k.Key, k.Caller, asked[:], stored(now))
	if err != nil {
		return false, nil, fmt.Errorf("claim a request key: %w", err)
	}
	if count == 1 {
		return false, nil, nil
	}
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var made struct {
		Fingerprint []byte `db:"fingerprint"`
		Answer      []byte `db:"answer"`
	}
	err = tx.tx.GetContext(ctx, &made, selectKey, k.Key, k.Caller)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil, fmt.Errorf("request key is there and is not: %w", err)
	case err != nil:
		return false, nil, fmt.Errorf("claim a request key: %w", err)
	case string(made.Fingerprint) != string(asked[:]):
		return false, nil, ErrMovementDiffers
	}
	return true, made.Answer, nil
}

// AnswerKey remembers what the request of a claimed key was answered.
func (tx *Tx) AnswerKey(ctx context.Context, k RequestKey, answer json.RawMessage) error {
	if _, err := tx.run(ctx, answerKey, k.Key, k.Caller, []byte(answer)); err != nil {
		return fmt.Errorf("answer a request key: %w", err)
	}
	return nil
}
