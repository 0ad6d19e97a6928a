package integration

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver

	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
)

// A database is a Postgres that the test owns and one or several servers are given by --database. It can be held up, and it
// can crash and come back under the same address.
type database struct {
	dir     string
	dsn     string
	socket  string // symbolic link to the directory of the socket, which is another one after each start
	cluster *cluster.Cluster
}

var hostInDSN = regexp.MustCompile(`host='([^']*)'`)

func ownDatabase(t *testing.T) *database {
	t.Helper()
	base := dataDir(t)
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	db := &database{dir: filepath.Join(base, "pg"), socket: filepath.Join(base, "s")}
	t.Cleanup(func() { db.stop(t) })
	db.start(t)
	return db
}

func (db *database) start(t *testing.T) {
	t.Helper()
	var err error
	if db.cluster, err = cluster.Start(t.Context(), cluster.Options{Dir: db.dir}); err != nil {
		t.Fatal(err)
	}
	socket := hostInDSN.FindStringSubmatch(db.cluster.DSN())
	if socket == nil {
		t.Fatalf("no directory of a socket in %q", db.cluster.DSN())
	}
	os.Remove(db.socket) //nolint:errcheck // there is none the first time
	if err := os.Symlink(socket[1], db.socket); err != nil {
		t.Fatal(err)
	}
	db.dsn = hostInDSN.ReplaceAllLiteralString(db.cluster.DSN(), "host='"+db.socket+"'")
}

// stop ends it in good order.
func (db *database) stop(t *testing.T) {
	t.Helper()
	if db.cluster == nil {
		return
	}
	if err := db.cluster.Stop(context.Background()); err != nil {
		t.Errorf("stop the database: %v", err)
	}
	db.cluster = nil
}

// crash ends it without any order, and it stays away until start.
func (db *database) crash(t *testing.T) {
	t.Helper()
	ended, cancel := context.WithCancel(context.Background())
	cancel() // no time for a checkpoint
	if err := db.cluster.Stop(ended); err == nil {
		t.Log("the database was quicker than its crash")
	}
	db.cluster = nil
}

func (db *database) open(t *testing.T) *sql.DB {
	t.Helper()
	pool, err := sql.Open("postgres", db.dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() }) //nolint:errcheck // the test is over
	return pool
}

// hold keeps every request from getting past the lock of its subscriber until release is called.
func (db *database) hold(t *testing.T) (release func()) {
	t.Helper()
	tx, err := db.open(t).BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "LOCK TABLE subscriber IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Errorf("release the subscribers: %v", err)
		}
	}
}

// awaitBlocked waits until a transaction waits for a lock.
func (db *database) awaitBlocked(t *testing.T) {
	t.Helper()
	pool := db.open(t)
	eventually(t, patience, func() string {
		var blocked int
		err := pool.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").Scan(&blocked)
		switch {
		case err != nil:
			return err.Error()
		case blocked == 0:
			return "no transaction waits for a lock"
		}
		return ""
	})
}

// answersTo collects the answers of a batch of requests.
func answersTo(t *testing.T, pending []<-chan message) []message {
	t.Helper()
	deadline := time.After(patience)
	var answers []message
	for i, answer := range pending {
		select {
		case m := <-answer:
			answers = append(answers, m)
		case <-deadline:
			t.Fatalf("%d of %d requests were not answered within %v", len(pending)-i, len(pending), patience)
		}
	}
	return answers
}
