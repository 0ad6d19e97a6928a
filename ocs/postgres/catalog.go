package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A CatalogVersion is a catalogue that was loaded once. It never changes.
type CatalogVersion struct {
	Version  string
	Document []byte // empty in lists
	SavedAt  time.Time
	SavedBy  string
}

// A CatalogInForce is which catalogue all servers go by.
type CatalogInForce struct {
	Version   string // empty: none was put in force, each server has its own
	Before    string // what was in force before; empty: nothing was put in force yet
	ChangedAt time.Time
	ChangedBy string
}

const (
	insertCatalog = `
		INSERT INTO catalog_version (version, document, saved_at, saved_by) VALUES ($1, $2, $3, $4)
		ON CONFLICT (version) DO NOTHING`
	selectCatalog  = `SELECT version, document, saved_at, saved_by FROM catalog_version WHERE version = $1`
	selectCatalogs = `SELECT version, '' AS document, saved_at, saved_by FROM catalog_version ORDER BY saved_at DESC, version LIMIT $1`

	selectCatalogInForce = `SELECT version, before, changed_at, changed_by FROM catalog_in_force WHERE one`
	setCatalogInForce    = `
		UPDATE catalog_in_force
		SET before = CASE version WHEN '' THEN $4 ELSE version END, version = $1, changed_at = $2, changed_by = $3
		WHERE one AND version <> $1`

	selectPlanInUse = `SELECT EXISTS (SELECT 1 FROM subscriber WHERE plan = $1 AND state <> 'closed') AS used`
)

type catalogRow struct {
	Version  string    `db:"version"`
	Document string    `db:"document"`
	SavedAt  time.Time `db:"saved_at"`
	SavedBy  string    `db:"saved_by"`
}

func (r catalogRow) catalog() CatalogVersion {
	return CatalogVersion{Version: r.Version, Document: []byte(r.Document), SavedAt: r.SavedAt.UTC(), SavedBy: r.SavedBy}
}

type catalogInForceRow struct {
	Version   string       `db:"version"`
	Before    string       `db:"before"`
	ChangedAt sql.NullTime `db:"changed_at"`
	ChangedBy string       `db:"changed_by"`
}

// SaveCatalog keeps a catalogue, so that a rated event can be explained for as long as it is kept. A version is saved
// once and never changes.
func (s *Store) SaveCatalog(ctx context.Context, version string, document []byte, by string, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, insertCatalog, version, string(document), stored(now), by)
		return err
	})
	if err != nil {
		return fmt.Errorf("save catalogue %s: %w", version, err)
	}
	return nil
}

// Catalog returns the catalogue of a version, or ErrNotFound.
func (s *Store) Catalog(ctx context.Context, version string) (CatalogVersion, error) {
	var rows []catalogRow
	if err := s.selectInto(ctx, &rows, selectCatalog, version); err != nil {
		return CatalogVersion{}, fmt.Errorf("catalogue %s: %w", version, err)
	}
	if len(rows) == 0 {
		return CatalogVersion{}, fmt.Errorf("catalogue %s: %w", version, ErrNotFound)
	}
	return rows[0].catalog(), nil
}

// CatalogVersions returns up to limit catalogues without their documents, newest first.
func (s *Store) CatalogVersions(ctx context.Context, limit int) ([]CatalogVersion, error) {
	var rows []catalogRow
	if err := s.selectInto(ctx, &rows, selectCatalogs, limit); err != nil {
		return nil, fmt.Errorf("list catalogues: %w", err)
	}
	return each(rows, catalogRow.catalog), nil
}

// CatalogInForce returns which catalogue is in force.
func (s *Store) CatalogInForce(ctx context.Context) (CatalogInForce, error) {
	var rows []catalogInForceRow
	if err := s.selectInto(ctx, &rows, selectCatalogInForce); err != nil {
		return CatalogInForce{}, fmt.Errorf("catalogue in force: %w", err)
	}
	if len(rows) == 0 {
		return CatalogInForce{}, fmt.Errorf("catalogue in force: %w", ErrNotFound)
	}
	r := rows[0]
	return CatalogInForce{Version: r.Version, Before: r.Before, ChangedAt: instant(r.ChangedAt), ChangedBy: r.ChangedBy}, nil
}

// PutCatalogInForce makes a saved version the one that all servers go by, each from when on it notices. own is that of the
// server that asks, which a rollback goes back to when none was in force. Putting what is in force there again changes nothing.
func (s *Store) PutCatalogInForce(ctx context.Context, version, own, by string, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, setCatalogInForce, version, stored(now), by, own)
		return err
	})
	if err != nil {
		return fmt.Errorf("put catalogue %s in force: %w", version, err)
	}
	return nil
}

// PlanInUse reports whether a subscriber that is not closed has a plan. It looks at all of them.
func (s *Store) PlanInUse(ctx context.Context, plan string) (bool, error) {
	var rows []struct {
		Used bool `db:"used"`
	}
	if err := s.selectInto(ctx, &rows, selectPlanInUse, plan); err != nil {
		return false, fmt.Errorf("who has plan %s: %w", plan, err)
	}
	return rows[0].Used, nil
}
