package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A PolicyVersion is a policy that was loaded once. It never changes.
type PolicyVersion struct {
	Version  string
	Document []byte // empty in lists
	SavedAt  time.Time
	SavedBy  string
}

// An InForce is the policy that is in force on all servers, and the kill switch.
type InForce struct {
	Version    string    // empty: none was put in force, each server has its own
	StoppedAt  time.Time // zero: transfers go on
	StopReason string
	ChangedAt  time.Time
	ChangedBy  string
}

type inForceRow struct {
	Version    string       `db:"version"`
	StoppedAt  sql.NullTime `db:"stopped_at"`
	StopReason string       `db:"stop_reason"`
	ChangedAt  sql.NullTime `db:"changed_at"`
	ChangedBy  string       `db:"changed_by"`
}

func (r inForceRow) inForce() InForce {
	return InForce{r.Version, instant(r.StoppedAt), r.StopReason, instant(r.ChangedAt), r.ChangedBy}
}

const (
	insertPolicy = `
		INSERT INTO policy_version (version, document, saved_at, saved_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (version) DO NOTHING`
	selectPolicy   = `SELECT version, document, saved_at, saved_by FROM policy_version WHERE version = $1`
	selectPolicies = `SELECT version, '' AS document, saved_at, saved_by FROM policy_version ORDER BY saved_at DESC, version LIMIT $1`

	selectInForce = `SELECT version, stopped_at, stop_reason, changed_at, changed_by FROM policy_in_force WHERE one`
	shareInForce  = selectInForce + ` FOR SHARE`

	setInForce = `UPDATE policy_in_force SET version = $1, changed_at = $2, changed_by = $3 WHERE one`
	setStop    = `UPDATE policy_in_force SET stopped_at = $1, stop_reason = $2, changed_at = $3, changed_by = $4 WHERE one`
)

type policyRow struct {
	Version  string    `db:"version"`
	Document string    `db:"document"`
	SavedAt  time.Time `db:"saved_at"`
	SavedBy  string    `db:"saved_by"`
}

func (r policyRow) policy() PolicyVersion {
	return PolicyVersion{Version: r.Version, Document: []byte(r.Document), SavedAt: r.SavedAt.UTC(), SavedBy: r.SavedBy}
}

// SavePolicy keeps a policy, so that a decision can be explained for as long as it is kept.
func (s *Store) SavePolicy(ctx context.Context, version string, document []byte, by string, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, insertPolicy, version, string(document), stored(now), by)
		return err
	})
	if err != nil {
		return fmt.Errorf("save policy %s: %w", version, err)
	}
	return nil
}

// Policy returns the policy of a version, or ErrNotFound.
func (s *Store) Policy(ctx context.Context, version string) (PolicyVersion, error) {
	var rows []policyRow
	if err := s.selectInto(ctx, &rows, selectPolicy, version); err != nil {
		return PolicyVersion{}, fmt.Errorf("policy %s: %w", version, err)
	}
	if len(rows) == 0 {
		return PolicyVersion{}, fmt.Errorf("policy %s: %w", version, ErrNotFound)
	}
	return rows[0].policy(), nil
}

// PolicyVersions returns up to limit policies without their documents, newest first.
func (s *Store) PolicyVersions(ctx context.Context, limit int) ([]PolicyVersion, error) {
	var rows []policyRow
	if err := s.selectInto(ctx, &rows, selectPolicies, limit); err != nil {
		return nil, fmt.Errorf("list policies: %w", err)
	}
	return each(rows, policyRow.policy), nil
}

// PolicyInForce returns which policy is in force, and whether transfers are stopped.
func (s *Store) PolicyInForce(ctx context.Context) (InForce, error) {
	var rows []inForceRow
	if err := s.selectInto(ctx, &rows, selectInForce); err != nil {
		return InForce{}, fmt.Errorf("policy in force: %w", err)
	}
	if len(rows) == 0 {
		return InForce{}, fmt.Errorf("policy in force: %w", ErrNotFound)
	}
	return rows[0].inForce(), nil
}

// PutPolicyInForce makes a saved version the one that all servers decide by, each from when on it notices.
func (s *Store) PutPolicyInForce(ctx context.Context, version, by string, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, setInForce, version, stored(now), by)
		return err
	})
	if err != nil {
		return fmt.Errorf("put policy %s in force: %w", version, err)
	}
	return nil
}

// StopTransfers throws the kill switch. When it returns, no transfer commits any more, on any server.
func (s *Store) StopTransfers(ctx context.Context, reason, by string, now time.Time) error {
	return s.setStop(ctx, timeOrNull(now), reason, by, now)
}

// ResumeTransfers undoes StopTransfers.
func (s *Store) ResumeTransfers(ctx context.Context, by string, now time.Time) error {
	return s.setStop(ctx, sql.NullTime{}, "", by, now)
}

func (s *Store) setStop(ctx context.Context, since sql.NullTime, reason, by string, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, setStop, since, reason, stored(now), by)
		return err
	})
	if err != nil {
		return fmt.Errorf("stop or resume transfers: %w", err)
	}
	return nil
}

// ShareInForce returns which policy is in force. It stays so until the end of the transaction.
func (tx *Tx) ShareInForce(ctx context.Context) (InForce, error) {
	var rows []inForceRow
	if err := tx.selectInto(ctx, &rows, shareInForce); err != nil {
		return InForce{}, fmt.Errorf("policy in force: %w", err)
	}
	if len(rows) == 0 {
		return InForce{}, fmt.Errorf("policy in force: %w", errMalformed)
	}
	return rows[0].inForce(), nil
}
