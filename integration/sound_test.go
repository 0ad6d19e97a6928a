package integration

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
)

// checkDatabase holds the whole of a database against the invariants of docs/spec/store.md part 3 and returns what breaks them. Of
// one where calls were made, each invariant must have found something to look at.
func checkDatabase(ctx context.Context, dsn string, called bool) error {
	store, err := postgres.Open(ctx, dsn, postgres.Options{})
	if err != nil {
		return err
	}
	invariants, err := store.CheckInvariants(ctx)
	faults := []error{err}
	for _, invariant := range invariants {
		if called && invariant.Checked == 0 {
			faults = append(faults, fmt.Errorf("%s: there was nothing to look at", invariant.Name))
		}
		for _, violation := range invariant.Violations {
			faults = append(faults, fmt.Errorf("%s: %s", invariant.Name, violation))
		}
	}
	return errors.Join(append(faults, store.Close())...)
}

// checkPrivateDatabase is checkDatabase for the private Postgres of a server that was stopped.
func checkPrivateDatabase(ctx context.Context, dir string, called bool) error {
	private, err := cluster.Start(ctx, cluster.Options{Dir: filepath.Join(dir, "postgres")})
	if err != nil {
		return err
	}
	return errors.Join(checkDatabase(ctx, private.DSN(), called), private.Stop(context.WithoutCancel(ctx)))
}

// wantSound stops the server and looks at everything that it has stored.
func (s *server) wantSound(t *testing.T) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := checkPrivateDatabase(t.Context(), s.dir, true); err != nil {
		t.Error(err)
	}
}

// wantSound looks at everything that the servers of the database have stored.
func (db *database) wantSound(t *testing.T) {
	t.Helper()
	if err := checkDatabase(t.Context(), db.dsn, true); err != nil {
		t.Error(err)
	}
}
