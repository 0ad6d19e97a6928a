package postgres_test

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// ownCluster starts a Postgres that the test may reconfigure and kill.
func ownCluster(t *testing.T) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), cluster.Options{Dir: filepath.Join(postgrestest.Dir(t), "pg"), Scratch: true, Settings: map[string]string{
		"shared_buffers": "32MB", "max_wal_size": "64MB", "min_wal_size": "32MB",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

func openMigrated(t *testing.T, dsn string, o postgres.Options) *postgres.Store {
	t.Helper()
	s := postgrestest.Open(t, dsn, o)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	committing = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
	reload     = `SELECT pg_reload_conf()`
)

const cutShort = `SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`

// missStandby makes every COMMIT wait for a standby that does not exist. It returns how to end that.
func missStandby(t *testing.T, dsn string) (end func()) {
	t.Helper()
	db := raw(t, dsn)
	do(t, db, `CREATE TABLE probe (n int)`)
	do(t, db, `ALTER SYSTEM SET synchronous_standby_names = 'missing'`)
	do(t, db, reload)
	for waited := false; !waited; { // until another process has seen to it
		done := make(chan struct{})
		go func() {
			defer close(done)
			do(t, db, `INSERT INTO probe VALUES (1)`)
		}()
		eventually(t, "the setting to work", func() bool {
			select {
			case <-done:
				return true
			default:
				waited = ask[int](t, db, cutShort) > 0
				return waited
			}
		})
		<-done
	}
	return func() {
		do(t, db, `ALTER SYSTEM SET synchronous_standby_names = ''`)
		do(t, db, reload)
	}
}

// The deadline of a request may end its statements but not its COMMIT (H2): Postgres would stop to wait for the standby
// and call it success.
func TestDeadlineDoesNotReachCommit(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	s := openMigrated(t, c.DSN(), postgres.Options{StatementTimeout: 20 * time.Second})
	n := create(t, s, 1)[0]
	end := missStandby(t, c.DSN())
	db := raw(t, c.DSN())

	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		session, bucket := newSession(n, "a", 60)
		done <- s.InTx(ctx, func(tx *postgres.Tx) error {
			return saveIn(ctx, tx, postgres.Changes{Sessions: []ocs.Session{session}, Buckets: []ocs.Bucket{bucket}})
		})
	}()
	eventually(t, "COMMIT to wait for its standby", func() bool { return ask[int](t, db, committing) == 1 })
	cancel()
	for range 20 { // give a cancel every chance to arrive
		select {
		case err := <-done:
			t.Fatalf("InTx returned %v before the standby confirmed", err)
		default:
		}
		if got := ask[int](t, db, committing); got != 1 {
			t.Fatalf("%d transactions wait for the standby, want 1: COMMIT was cancelled", got)
		}
	}
	end()
	if err := <-done; err != nil {
		t.Errorf("got %v, want success once it was durable", err)
	}
}

// A COMMIT whose wait for the standby was cut short returns success and a warning. It must not be taken for success (H3).
func TestCommitWithoutStandbyIsUnknown(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	s := openMigrated(t, c.DSN(), postgres.Options{StatementTimeout: 20 * time.Second})
	n := create(t, s, 1)[0]
	end := missStandby(t, c.DSN())
	db := raw(t, c.DSN())
	session, bucket := newSession(n, "a", 60)
	changes := postgres.Changes{Sessions: []ocs.Session{session}, Buckets: []ocs.Bucket{bucket}}
	done := make(chan error, 1)
	go func() {
		done <- s.InTx(context.Background(), func(tx *postgres.Tx) error { return saveIn(context.Background(), tx, changes) })
	}()
	eventually(t, "COMMIT to wait for its standby", func() bool { return ask[int](t, db, committing) == 1 })
	eventually(t, "the wait to be cut short", func() bool {
		ask[int](t, db, cutShort)
		return ask[int](t, db, committing) == 0
	})
	if err := <-done; err == nil || postgres.Classify(err) != postgres.Unknown {
		t.Errorf("got %v, want an unknown outcome", err)
	}
	end()
	save(t, s, changes) // the connection does not remember it for ever
}

// A COMMIT that takes too long is unknown, and so is one whose server was killed.
func TestOverdueCommitIsUnknown(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	s := openMigrated(t, c.DSN(), postgres.Options{StatementTimeout: time.Second})
	n := create(t, s, 1)[0]
	missStandby(t, c.DSN())
	session, bucket := newSession(n, "a", 60)
	begin := time.Now()
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		return saveIn(t.Context(), tx, postgres.Changes{Sessions: []ocs.Session{session}, Buckets: []ocs.Bucket{bucket}})
	})
	if err == nil || postgres.Classify(err) != postgres.Unknown {
		t.Errorf("got %v, want an unknown outcome", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("waited %v", took)
	}

	patient := postgrestest.Open(t, c.DSN(), postgres.Options{StatementTimeout: time.Minute})
	db := raw(t, c.DSN())
	done := make(chan error, 1)
	go func() {
		done <- patient.InTx(context.Background(), func(tx *postgres.Tx) error {
			other := session
			other.Key.ID = "b"
			return saveIn(context.Background(), tx, postgres.Changes{Sessions: []ocs.Session{other}})
		})
	}()
	eventually(t, "COMMIT to wait for its standby", func() bool { return ask[int](t, db, committing) == 2 })
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || postgres.Classify(err) != postgres.Unknown {
		t.Errorf("got %v, want an unknown outcome", err)
	}
}

// A server that hangs does not answer the cancel either, which lib/pq alone would wait for (H4).
func TestHangingServerIsGivenUp(t *testing.T) {
	t.Parallel()
	s := postgrestest.Open(t, postgrestest.DSN(t), postgres.Options{StatementTimeout: time.Second, MaxConns: 1})
	n := create(t, s, 1)[0]
	var backend int
	begin := time.Now()
	err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
		backend = postgres.BackendOf(t, tx)
		if err := syscall.Kill(backend, syscall.SIGSTOP); err != nil {
			return err
		}
		_, err := tx.LockSubscribers(t.Context(), []ocs.SubscriberID{n.Subscriber.ID})
		return err
	})
	took := time.Since(begin)
	if killErr := syscall.Kill(backend, syscall.SIGCONT); killErr != nil {
		t.Fatal(killErr)
	}
	if err == nil || postgres.Classify(err) != postgres.Unavailable {
		t.Errorf("got %v, want it to be unavailable and not applied", err)
	}
	if took > 10*time.Second {
		t.Errorf("waited %v", took)
	}
}

// A deadline that passes while a statement waits for a lock ends the statement, and the connection is good again.
func TestDeadlineEndsAStatement(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	s := postgrestest.Open(t, dsn, postgres.Options{MaxConns: 2})
	n := create(t, s, 1)[0]
	ids := []ocs.SubscriberID{n.Subscriber.ID}
	err := s.InTx(t.Context(), func(holder *postgres.Tx) error {
		if _, err := holder.LockSubscribers(t.Context(), ids); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.InTx(ctx, func(tx *postgres.Tx) error {
			_, err := tx.LockSubscribers(ctx, ids)
			return err
		})
		if err == nil || postgres.Classify(err) != postgres.Unavailable {
			t.Errorf("got %v, want it to be unavailable and not applied", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Subscriber(t.Context(), ids[0]); err != nil {
		t.Error(err)
	}
}

// A row that is held for too long is told so by the server, and not by our own deadline.
func TestLockTimeout(t *testing.T) {
	t.Parallel()
	s := postgrestest.Open(t, postgrestest.DSN(t), postgres.Options{MaxConns: 2, StatementTimeout: time.Second})
	n := create(t, s, 1)[0]
	ids := []ocs.SubscriberID{n.Subscriber.ID}
	err := s.InTx(t.Context(), func(holder *postgres.Tx) error {
		if _, err := holder.LockSubscribers(t.Context(), ids); err != nil {
			return err
		}
		err := s.InTx(t.Context(), func(tx *postgres.Tx) error {
			_, err := tx.LockSubscribers(t.Context(), ids)
			return err
		})
		if err == nil || postgres.Classify(err) != postgres.Retryable {
			t.Errorf("got %v, want a lock timeout", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Everything that was committed is there after Postgres was killed, and the pool finds back by itself.
func TestKilledPostgresLosesNothing(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	s := openMigrated(t, c.DSN(), postgres.Options{MaxConns: 4})
	n := create(t, s, 1)[0]
	db := raw(t, c.DSN())
	db.SetMaxIdleConns(0) // every question on a new connection: backends of a killed postmaster answer for a moment more
	postmaster := func() (started time.Time, err error) {
		err = db.QueryRowContext(t.Context(), `SELECT pg_postmaster_start_time()`).Scan(&started)
		return started, err
	}
	acknowledged := 0
	charge := func() error {
		event := ocs.RatedEvent{
			Subscriber: n.Subscriber.ID, Session: ocs.SessionKey{ID: "a"}, Type: ocs.Update, Number: uint32(acknowledged),
			At: now, Measure: "seconds", Used: 1, Unit: "seconds", Charged: 1, Taken: []ocs.Hold{{Bucket: n.Bucket.ID, Units: 1}},
		}
		return s.InTx(t.Context(), func(tx *postgres.Tx) error {
			ids := []ocs.SubscriberID{n.Subscriber.ID}
			if _, err := tx.LockSubscribers(t.Context(), ids); err != nil {
				return err
			}
			buckets, err := tx.LoadBuckets(t.Context(), ids, now)
			if err != nil {
				return err
			}
			buckets[0].Balance--
			return saveIn(t.Context(), tx, postgres.Changes{Buckets: buckets, Events: []ocs.RatedEvent{event}})
		})
	}
	for round := range 3 {
		for range 20 {
			if err := charge(); err != nil {
				t.Fatal(err)
			}
			acknowledged++
		}
		before, err := postmaster()
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the store to find back", func() bool {
			err := charge()
			if err == nil {
				acknowledged++
				now, err := postmaster()
				return err == nil && now.After(before)
			}
			if class := postgres.Classify(err); class != postgres.Unavailable && class != postgres.Unknown {
				t.Fatalf("round %d: %v is %v", round, err, class)
			}
			// What is unknown is found out by looking, as the engine does by the answer that it remembers.
			eventually(t, "Postgres", func() bool {
				now, err := postmaster()
				return err == nil && now.After(before)
			})
			there := ask[int](t, db, `SELECT count(*) FROM rated_event`)
			if there < acknowledged {
				t.Fatalf("round %d: %d rated events were acknowledged, %d are there", round, acknowledged, there)
			}
			acknowledged = there
			return false
		})
	}
	if got := ask[int](t, db, `SELECT count(*) FROM rated_event`); got != acknowledged {
		t.Errorf("%d rated events, want %d", got, acknowledged)
	}
	postgrestest.CheckInvariants(t, s)
}
