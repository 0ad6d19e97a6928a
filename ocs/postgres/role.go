package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Role is what a subscriber does for a living, under a code of its own.
type Role struct {
	transfer.Role
	Subscriber ocs.SubscriberID
	CreatedAt  time.Time
}

// ErrCodeTaken is a short code that another role has.
var ErrCodeTaken = errors.New("code belongs to another role")

const roleColumns = `code, subscriber_id, kind, parent, owner_id, closed, created_at`

type roleRow struct {
	Code       string         `db:"code"`
	Subscriber string         `db:"subscriber_id"`
	Kind       string         `db:"kind"`
	Parent     string         `db:"parent"`
	Owner      sql.NullString `db:"owner_id"`
	Closed     bool           `db:"closed"`
	CreatedAt  time.Time      `db:"created_at"`
}

func (r roleRow) role() Role {
	return Role{
		Role: transfer.Role{
			Kind: transfer.RoleKind(r.Kind), Code: r.Code, Parent: r.Parent, Owner: ocs.SubscriberID(r.Owner.String), Closed: r.Closed,
		},
		Subscriber: ocs.SubscriberID(r.Subscriber), CreatedAt: r.CreatedAt.UTC(),
	}
}

const (
	insertRole = `
		INSERT INTO role (code, part, subscriber_id, kind, parent, owner_id, closed, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (code) DO NOTHING`
	selectRoles   = `SELECT ` + roleColumns + ` FROM role WHERE code = ANY($1::text[])`
	selectRolesOf = `SELECT ` + roleColumns + ` FROM role WHERE subscriber_id = ANY($1::uuid[]) ORDER BY created_at, code`
	listRoles     = `SELECT ` + roleColumns + ` FROM role WHERE kind = $1 AND code > $2 ORDER BY code LIMIT $3`
	closeRole     = `UPDATE role SET closed = $2 WHERE code = $1`
)

// CreateRole gives a subscriber a role. Its code must be free, or the error is ErrCodeTaken; the agent above must exist.
func (s *Store) CreateRole(ctx context.Context, r Role) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{r.Subscriber})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return ErrNotFound
		}
		if r.Parent != "" {
			var parents []roleRow
			if err := tx.tx.SelectContext(ctx, &parents, selectRoles, textArray([]string{r.Parent})); err != nil {
				return err
			}
			if len(parents) == 0 {
				return fmt.Errorf("agent above: %w", ErrNotFound)
			}
		}
		owner := sql.NullString{String: string(r.Owner), Valid: r.Owner != ""}
		count, err := tx.run(ctx, insertRole, r.Code, r.Subscriber.Slot(), string(r.Subscriber), string(r.Kind), r.Parent, owner,
			r.Closed, stored(r.CreatedAt))
		if err == nil && count == 0 {
			err = ErrCodeTaken
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("create role: %w", err)
	}
	return nil
}

// Role returns the role that has a code, or ErrNotFound.
func (s *Store) Role(ctx context.Context, code string) (Role, error) {
	found, err := s.Roles(ctx, []string{code})
	if err != nil {
		return Role{}, err
	}
	if len(found) == 0 {
		return Role{}, fmt.Errorf("role: %w", ErrNotFound)
	}
	return found[0], nil
}

// Roles returns the roles that have the codes; codes that nobody has are left out.
func (s *Store) Roles(ctx context.Context, codes []string) ([]Role, error) {
	var rows []roleRow
	if err := s.selectHot(ctx, &rows, selectRoles, textArray(codes)); err != nil {
		return nil, fmt.Errorf("roles: %w", err)
	}
	return each(rows, roleRow.role), nil
}

// RolesOf returns the roles of a subscriber, oldest first.
func (s *Store) RolesOf(ctx context.Context, id ocs.SubscriberID) ([]Role, error) {
	var rows []roleRow
	if err := s.selectHot(ctx, &rows, selectRolesOf, subscriberArray([]ocs.SubscriberID{id})); err != nil {
		return nil, fmt.Errorf("roles of subscriber %s: %w", id, err)
	}
	return each(rows, roleRow.role), nil
}

// ListRoles returns up to limit roles of a kind in the order of their codes, from behind after on.
func (s *Store) ListRoles(ctx context.Context, kind transfer.RoleKind, after string, limit int) ([]Role, error) {
	var rows []roleRow
	if err := s.selectInto(ctx, &rows, listRoles, string(kind), after, limit); err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	return each(rows, roleRow.role), nil
}

// CloseRole closes or opens a role.
func (s *Store) CloseRole(ctx context.Context, code string, closed bool) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		count, err := tx.run(ctx, closeRole, code, closed)
		if err == nil && count == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("close role: %w", err)
	}
	return nil
}

// RolesOf returns the roles of locked subscribers.
func (tx *Tx) RolesOf(ctx context.Context, ids []ocs.SubscriberID) ([]Role, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []roleRow
	if err := tx.selectInto(ctx, &rows, selectRolesOf, subscriberArray(ids)); err != nil {
		return nil, fmt.Errorf("roles of subscribers: %w", err)
	}
	return each(rows, roleRow.role), nil
}

func textArray(texts []string) []byte {
	var list array
	for _, text := range texts {
		list.string(text)
	}
	return list.value()
}
