package integration

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
)

// An activity is what was done in a database, and so what must be found there.
type activity uint8

const (
	perhapsNothing activity = iota
	calls
	callsAndTransfers
)

// found reports whether an invariant looked at as much as there must be.
func (a activity) found(i postgres.Invariant) bool {
	return i.Checked > 0 || a == perhapsNothing || a == calls && strings.Contains(i.Name, "a transfer")
}

// checkDatabase holds the whole of a database against the invariants of docs/spec/store.md part 3 and returns what breaks them. Each
// must have found something to look at, as far as there was any activity.
func checkDatabase(ctx context.Context, dsn string, done activity) error {
	store, err := postgres.Open(ctx, dsn, postgres.Options{})
	if err != nil {
		return err
	}
	invariants, err := store.CheckInvariants(ctx)
	faults := []error{err}
	for _, invariant := range invariants {
		if !done.found(invariant) {
			faults = append(faults, fmt.Errorf("%s: there was nothing to look at", invariant.Name))
		}
		for _, violation := range invariant.Violations {
			faults = append(faults, fmt.Errorf("%s: %s", invariant.Name, violation))
		}
	}
	return errors.Join(append(faults, store.Close())...)
}

// checkPrivateDatabase is checkDatabase for the private Postgres of a server that was stopped.
func checkPrivateDatabase(ctx context.Context, dir string, done activity) error {
	private, err := cluster.Start(ctx, cluster.Options{Dir: filepath.Join(dir, "postgres")})
	if err != nil {
		return err
	}
	return errors.Join(checkDatabase(ctx, private.DSN(), done), private.Stop(context.WithoutCancel(ctx)))
}

// wantSound stops the server, on which calls were made, and looks at everything that it has stored.
func (s *server) wantSound(t *testing.T) {
	t.Helper()
	s.wantStored(t, calls)
}

// wantTransfersSound is wantSound where minutes were moved.
func (s *server) wantTransfersSound(t *testing.T) {
	t.Helper()
	s.makeCall(t)
	s.wantStored(t, callsAndTransfers)
}

func (s *server) wantStored(t *testing.T, done activity) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if err := checkPrivateDatabase(t.Context(), s.dir, done); err != nil {
		t.Error(err)
	}
}

// wantSound looks at everything that the servers of the database have stored.
func (db *database) wantSound(t *testing.T, done activity) {
	t.Helper()
	if err := checkDatabase(t.Context(), db.dsn, done); err != nil {
		t.Error(err)
	}
}

// makeCall makes a call, so that every invariant of calls has something to look at.
func (s *server) makeCall(t *testing.T) {
	t.Helper()
	l := s.client(t)
	defer l.drop() // the server need not wait for it when it stops
	c := l.newCall(s.newSubscriber(t, 600))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	wantCode(t, c.terminate(1, service(100, uses(10))), 2001)
	s.wantAccount(t, c.msisdn, 590, 0)
}
