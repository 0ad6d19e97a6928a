package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// An APIKey lets a person or a program use the API. What is stored does not open anything.
type APIKey struct {
	ID        string // part of the key, and no secret
	Name      string // of who has it
	Role      string
	Hash      []byte // SHA-256 of the secret
	CreatedAt time.Time
	CreatedBy string
	ExpiresAt time.Time // first instant at which it opens nothing; zero: never
	RevokedAt time.Time // zero: it is not
	RevokedBy string
}

type apiKeyRow struct {
	ID        string       `db:"id"`
	Name      string       `db:"name"`
	Role      string       `db:"role"`
	Hash      []byte       `db:"hash"`
	CreatedAt time.Time    `db:"created_at"`
	CreatedBy string       `db:"created_by"`
	ExpiresAt sql.NullTime `db:"expires_at"`
	RevokedAt sql.NullTime `db:"revoked_at"`
	RevokedBy string       `db:"revoked_by"`
}

func (r apiKeyRow) key() APIKey {
	return APIKey{
		ID: r.ID, Name: r.Name, Role: r.Role, Hash: r.Hash, CreatedAt: r.CreatedAt.UTC(), CreatedBy: r.CreatedBy,
		ExpiresAt: instant(r.ExpiresAt), RevokedAt: instant(r.RevokedAt), RevokedBy: r.RevokedBy,
	}
}

const (
	insertAPIKey = `
		INSERT INTO api_key (id, name, role, hash, created_at, created_by, expires_at, revoked_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '')`
	selectAPIKeys = `SELECT id, name, role, hash, created_at, created_by, expires_at, revoked_at, revoked_by FROM api_key`
	selectAPIKey  = selectAPIKeys + ` WHERE id = $1`
	listAPIKeys   = selectAPIKeys + ` ORDER BY created_at, id`
	revokeAPIKey  = `UPDATE api_key SET revoked_at = $2, revoked_by = $3 WHERE id = $1 AND revoked_at IS NULL`
)

// CreateAPIKey stores a key, and the audit entry of it.
func (s *Store) CreateAPIKey(ctx context.Context, k APIKey, entry AuditEntry) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, insertAPIKey, k.ID, k.Name, k.Role, k.Hash, stored(k.CreatedAt), k.CreatedBy, optional(k.ExpiresAt))
		if err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []AuditEntry{entry})
	})
	if err != nil {
		return fmt.Errorf("create API key %s: %w", k.ID, err)
	}
	return nil
}

// APIKey returns a key, revoked and expired ones too, or ErrNotFound.
func (s *Store) APIKey(ctx context.Context, id string) (APIKey, error) {
	var rows []apiKeyRow
	if err := s.selectInto(ctx, &rows, selectAPIKey, id); err != nil {
		return APIKey{}, fmt.Errorf("API key: %w", err)
	}
	if len(rows) == 0 {
		return APIKey{}, fmt.Errorf("API key: %w", ErrNotFound)
	}
	return rows[0].key(), nil
}

// APIKeys returns all keys, revoked and expired ones too, oldest first.
func (s *Store) APIKeys(ctx context.Context) ([]APIKey, error) {
	var rows []apiKeyRow
	if err := s.selectInto(ctx, &rows, listAPIKeys); err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return each(rows, apiKeyRow.key), nil
}

// RevokeAPIKey takes a key from its holder for good, with the audit entry of it. revoked is false when it was before.
func (s *Store) RevokeAPIKey(ctx context.Context, id, by string, at time.Time, entry AuditEntry) (revoked bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		count, err := tx.run(ctx, revokeAPIKey, id, stored(at), by)
		if revoked = count == 1; err != nil || !revoked {
			return err
		}
		return tx.AppendAudit(ctx, []AuditEntry{entry})
	})
	if err != nil {
		return false, fmt.Errorf("revoke API key %s: %w", id, err)
	}
	return revoked, nil
}
