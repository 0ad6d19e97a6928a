package postgres

import (
	"context"
	"fmt"
	"time"
)

const (
	insertCatalog = `
		INSERT INTO catalog_version (version, document, saved_at) VALUES ($1, $2, $3)
		ON CONFLICT (version) DO NOTHING`
	selectCatalog = `SELECT document FROM catalog_version WHERE version = $1`
)

// SaveCatalog keeps a catalogue, so that a rated event can be explained for as long as it is kept. A version is saved
// once and never changes.
func (s *Store) SaveCatalog(ctx context.Context, version string, document []byte, now time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, insertCatalog, version, string(document), stored(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("save catalogue %s: %w", version, err)
	}
	return nil
}

// Catalog returns the catalogue of a version, or ErrNotFound.
func (s *Store) Catalog(ctx context.Context, version string) ([]byte, error) {
	var documents []string
	if err := s.selectInto(ctx, &documents, selectCatalog, version); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", version, err)
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("catalogue %s: %w", version, ErrNotFound)
	}
	return []byte(documents[0]), nil
}
