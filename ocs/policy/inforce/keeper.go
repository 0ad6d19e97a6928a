// Package inforce keeps what policy of transfers a server decides by, among many servers on one database.
package inforce

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// look is how often a server looks whether another policy was put in force, by itself or through another server.
const look = time.Second

// A Keeper holds the policy of transfers that this server decides by: the one that was put in force for all, else
// its own, from its configuration.
type Keeper struct {
	store *postgres.Store
	log   *slog.Logger
	own   *policy.Policy

	loading sync.Mutex
	current atomic.Pointer[policy.Policy]
}

// New keeps own, so that what is decided by it can be explained later, and takes up what is in force.
func New(ctx context.Context, store *postgres.Store, own *policy.Policy, log *slog.Logger, now time.Time) (*Keeper, error) {
	k := &Keeper{store: store, log: log, own: own}
	k.current.Store(own)
	if err := store.SavePolicy(ctx, own.Version(), own.Source(), "server", now); err != nil {
		return nil, err
	}
	return k, k.Refresh(ctx)
}

// Policy is the one in force, as far as this server knows.
func (k *Keeper) Policy() *policy.Policy { return k.current.Load() }

// Refresh takes up the policy that is in force now.
func (k *Keeper) Refresh(ctx context.Context) error {
	k.loading.Lock()
	defer k.loading.Unlock()
	inForce, err := k.store.PolicyInForce(ctx)
	if err != nil {
		return err
	}
	next := k.own
	if inForce.Version != "" && inForce.Version != k.own.Version() {
		if inForce.Version == k.Policy().Version() {
			return nil
		}
		saved, err := k.store.Policy(ctx, inForce.Version)
		if err != nil {
			return err
		}
		if next, err = policy.Parse("policy "+inForce.Version, saved.Document); err != nil {
			return err
		}
	}
	if before := k.current.Swap(next); before.Version() != next.Version() {
		k.log.Info("another policy of transfers is in force", "before", before.Version(), "now", next.Version())
	}
	return nil
}

// Follow looks again and again until ctx ends.
func (k *Keeper) Follow(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
			k.log.Warn("the policy in force was not looked for", "error", err)
		}
	}
}
