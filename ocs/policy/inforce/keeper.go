// Package inforce keeps what policy of transfers a server decides by, among many servers on one database.
package inforce

import (
	"context"
	"log/slog"
	"time"

	"github.com/gyro-ocs/gyro/ocs/inforce"
	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Keeper holds the policy of transfers that this server decides by: the one that was put in force for all, else
// its own, from its configuration.
type Keeper struct {
	*inforce.Keeper[*policy.Policy]
}

// New keeps own, so that what is decided by it can be explained later, and takes up what is in force.
func New(ctx context.Context, store *postgres.Store, own *policy.Policy, log *slog.Logger, now time.Time) (*Keeper, error) {
	if err := store.SavePolicy(ctx, own.Version(), own.Source(), "server", now); err != nil {
		return nil, err
	}
	k, err := inforce.New(ctx, inforce.Source[*policy.Policy]{
		What: "policy of transfers",
		InForce: func(ctx context.Context) (string, error) {
			state, err := store.PolicyInForce(ctx)
			return state.Version, err
		},
		Load: func(ctx context.Context, version string) ([]byte, error) {
			saved, err := store.Policy(ctx, version)
			return saved.Document, err
		},
		Parse: policy.Parse,
	}, own, log)
	return &Keeper{k}, err
}

// Policy is the one in force, as far as this server knows.
func (k *Keeper) Policy() *policy.Policy { return k.Current() }
