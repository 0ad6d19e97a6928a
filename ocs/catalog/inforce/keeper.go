// Package inforce keeps what catalogue a server charges by, among many servers on one database.
package inforce

import (
	"context"
	"log/slog"
	"time"

	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/ocs/inforce"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Keeper holds the catalogue that new sessions begin with: the one that was put in force for all servers, else that of this
// server's configuration. A session that runs finishes by the one that it began with, which the keeper finds again.
type Keeper struct {
	*inforce.Keeper[*catalog.Catalog]
}

// Taken is told which catalogue is taken up, and all that are known, by version.
type Taken func(now *catalog.Catalog, known map[string]*catalog.Catalog)

// New keeps own, so that what is charged by it can be explained later, and takes up what is in force.
func New(ctx context.Context, store *postgres.Store, own *catalog.Catalog, taken Taken, log *slog.Logger, now time.Time) (*Keeper, error) {
	if err := store.SaveCatalog(ctx, own.Version(), own.Source(), "server", now); err != nil {
		return nil, err
	}
	k, err := inforce.New(ctx, inforce.Source[*catalog.Catalog]{
		What: "catalogue",
		InForce: func(ctx context.Context) (string, error) {
			state, err := store.CatalogInForce(ctx)
			return state.Version, err
		},
		Load: func(ctx context.Context, version string) ([]byte, error) {
			saved, err := store.Catalog(ctx, version)
			return saved.Document, err
		},
		Parse: catalog.Parse,
		Taken: taken,
	}, own, log)
	return &Keeper{k}, err
}

// Catalog is the one in force, as far as this server knows.
func (k *Keeper) Catalog() *catalog.Catalog { return k.Current() }
