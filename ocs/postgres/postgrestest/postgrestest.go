// Package postgrestest gives tests a real Postgres: one private cluster for a test binary, one database for a test.
//
// The cluster is started by the first test that wants a database. A small shell waits for the end of the binary, whatever
// that is, and then stops Postgres and removes its directory: nothing is left behind by a test that panics or is killed.
package postgrestest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
)

// template is the migrated database that every test gets a copy of.
const template = "template_gyro"

type server struct {
	cluster *cluster.Cluster
	admin   *sql.DB // of another database than those of the tests
	reaper  *os.File
}

var start = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	base, err := os.MkdirTemp("", "gyro-test-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(base, 0o711); err != nil {
		return nil, err
	}
	s := &server{}
	if s.reaper, err = startReaper(base); err != nil {
		return nil, err
	}
	s.cluster, err = cluster.Start(ctx, cluster.Options{Dir: filepath.Join(base, "pg"), Scratch: true, Settings: map[string]string{
		"shared_buffers": "64MB", "max_wal_size": "256MB", "min_wal_size": "80MB", "max_connections": "400",
	}})
	if err != nil {
		return nil, err
	}
	connector, err := pq.NewConnector(s.cluster.DSN())
	if err != nil {
		return nil, err
	}
	s.admin = sql.OpenDB(connector)
	if _, err := s.admin.ExecContext(ctx, `CREATE DATABASE `+template); err != nil {
		return nil, err
	}
	return s, s.migrateTemplate(ctx)
})

func (s *server) migrateTemplate(ctx context.Context) error {
	store, err := postgres.Open(ctx, s.dsn(template), postgres.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	if err := store.MakePartitions(ctx, time.Now()); err != nil {
		return err
	}
	return store.Close() // a database that somebody is connected to cannot be copied
}

func (s *server) dsn(database string) string {
	return strings.Replace(s.cluster.DSN(), "dbname=gyro", "dbname="+database, 1)
}

// reap waits until its input ends, which it does when its writer is gone, stops Postgres and removes the directory.
const reap = `
	read -r nothing
	pid=$(head -n 1 "$1/pg/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
	tries=0
	while [ -n "$pid" ] && kill -0 "$pid" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
	socket=$(sed -n 2p "$1/pg/lock")
	case "$socket" in */gyro-pg-*) rm -rf "$socket" ;; esac
	rm -rf "$1"`

func startReaper(base string) (*os.File, error) {
	input, output, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = input.Close() }()
	cmd := exec.Command("sh", "-c", reap, "sh", base) //nolint:noctx // it outlives us
	cmd.Stdin = input
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C ends the tests, and with them its input
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the shell that cleans up: %w", err)
	}
	return output, cmd.Process.Release()
}

// Dir returns a directory for a cluster of the test's own. Unlike t.TempDir it may be entered by the user that Postgres
// runs as.
func Dir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/" && d != "."; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var databases atomic.Int64

// DSN returns the name of a new database with all tables in it, which is dropped after the test.
func DSN(t testing.TB) string {
	t.Helper()
	return newDatabase(t, template)
}

// EmptyDSN returns the name of a new database without tables.
func EmptyDSN(t testing.TB) string {
	t.Helper()
	return newDatabase(t, "template0")
}

func newDatabase(t testing.TB, template string) string {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatalf("Postgres for tests: %v", err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if _, err := s.admin.ExecContext(t.Context(), `CREATE DATABASE `+name+` TEMPLATE `+template); err != nil {
		t.Fatalf("database for a test: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if _, err := s.admin.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("database of a test: %v", err)
		}
	})
	return s.dsn(name)
}

// New returns a store on a new database. Both are gone after the test, which fails when an error of Postgres was seen
// that has no class.
func New(t testing.TB) *postgres.Store {
	t.Helper()
	return Open(t, DSN(t), postgres.Options{MaxConns: 4})
}

// Open returns one more store on a database of [DSN]: another server.
func Open(t testing.TB, dsn string, o postgres.Options) *postgres.Store {
	t.Helper()
	before := postgres.UnclassifiedErrors()
	s, err := postgres.Open(t.Context(), dsn, o)
	if err != nil {
		t.Fatalf("store for a test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("store of a test: %v", err)
		}
		if after := postgres.UnclassifiedErrors(); after != before {
			t.Errorf("%d errors of Postgres have no class: see postgres.Classify", after-before)
		}
	})
	return s
}

// CheckInvariants fails the test when an invariant does not hold (spec/store part 3).
func CheckInvariants(t testing.TB, s *postgres.Store) {
	t.Helper()
	found, err := s.CheckInvariants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, invariant := range found {
		t.Logf("%6d × %s", invariant.Checked, invariant.Name)
		for _, violation := range invariant.Violations {
			t.Errorf("%s: %s", invariant.Name, violation)
		}
	}
}
