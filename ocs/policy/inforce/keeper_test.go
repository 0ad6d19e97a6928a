package inforce_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/policy/inforce"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func another(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("another", bytes.Replace(policy.Default().Source(), []byte("policy_version: default"), []byte("policy_version: another"), 1))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A server goes by its own policy until one is put in force for all, then by that, also after a restart.
func TestKeeper(t *testing.T) {
	t.Parallel()
	store, own, next := postgrestest.New(t), policy.Default(), another(t)
	log := slog.New(slog.DiscardHandler)
	begin := func() *inforce.Keeper {
		t.Helper()
		k, err := inforce.New(t.Context(), store, own, log, now)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	want := func(k *inforce.Keeper, version string) {
		t.Helper()
		if got := k.Policy().Version(); got != version {
			t.Errorf("in force is %s, want %s", got, version)
		}
	}
	first := begin()
	want(first, own.Version())
	if kept, err := store.Policy(t.Context(), own.Version()); err != nil || !bytes.Equal(kept.Document, own.Source()) {
		t.Errorf("its own policy is not kept: %v", err)
	}
	if err := store.SavePolicy(t.Context(), next.Version(), next.Source(), "carla", now); err != nil {
		t.Fatal(err)
	}
	want(begin(), own.Version()) // saved is not yet in force
	if err := store.PutPolicyInForce(t.Context(), next.Version(), "carla", now); err != nil {
		t.Fatal(err)
	}
	want(begin(), next.Version())
	if err := first.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(first, next.Version())
	if err := store.PutPolicyInForce(t.Context(), own.Version(), "carla", now); err != nil {
		t.Fatal(err)
	}
	if err := first.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(first, own.Version())
}

// What is in force and cannot be read leaves the policy as it was.
func TestKeeperKeepsWhatWorks(t *testing.T) {
	t.Parallel()
	store, own := postgrestest.New(t), policy.Default()
	k, err := inforce.New(t.Context(), store, own, slog.New(slog.DiscardHandler), now)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SavePolicy(t.Context(), "newer", []byte("transfer: {a_key_of_tomorrow: 1}"), "carla", now); err != nil {
		t.Fatal(err)
	}
	if err := store.PutPolicyInForce(t.Context(), "newer", "carla", now); err != nil {
		t.Fatal(err)
	}
	if err := k.Refresh(t.Context()); err == nil || k.Policy().Version() != own.Version() {
		t.Errorf("in force is %s, %v; want an error and %s", k.Policy().Version(), err, own.Version())
	}
}
