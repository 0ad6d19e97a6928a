package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// Servers that start at the same time on an empty database all come up.
func TestManyServersMigrateAtOnce(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.EmptyDSN(t)
	var all sync.WaitGroup
	for range 4 {
		s := postgrestest.Open(t, dsn, postgres.Options{MaxConns: 2})
		all.Go(func() {
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.MakePartitions(t.Context(), now); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	db := raw(t, dsn)
	if got := ask[int](t, db, `SELECT count(*) FROM pg_inherits WHERE inhparent = 'cdr'::regclass`); got != 5 {
		t.Errorf("cdr has %d partitions, want 4 months and the default", got)
	}
}

func TestWithoutTables(t *testing.T) {
	t.Parallel()
	s := postgrestest.Open(t, postgrestest.EmptyDSN(t), postgres.Options{})
	err := s.InTx(t.Context(), func(*postgres.Tx) error { return nil })
	if err == nil || postgres.Classify(err) != postgres.Bug {
		t.Errorf("got %v, want that the tables are missing", err)
	}
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.InTx(t.Context(), func(*postgres.Tx) error { return nil }); err != nil {
		t.Error(err)
	}
}

// Rows of a month without a partition are kept, and move into it when it is made.
func TestPartitions(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	s := postgrestest.Open(t, dsn, postgres.Options{})
	db := raw(t, dsn)
	n := create(t, s, 1)[0]
	future := time.Date(2031, 5, 31, 23, 59, 59, 999999000, time.UTC)
	event := func(at time.Time) ocs.RatedEvent {
		return ocs.RatedEvent{Subscriber: n.Subscriber.ID, Session: ocs.SessionKey{ID: fmt.Sprint(at.Unix())}, Type: ocs.Event, At: at, Taken: []ocs.Hold{{Bucket: n.Bucket.ID}}}
	}
	save(t, s, postgres.Changes{Events: []ocs.RatedEvent{event(future), event(future.Add(time.Microsecond)), event(future.AddDate(5, 0, 0))}})
	count := func(table string) int { return ask[int](t, db, `SELECT count(*) FROM `+table) }
	if got := count("rated_event_other"); got != 3 {
		t.Fatalf("%d rows in the default partition, want 3", got)
	}
	for range 2 { // the second time nothing is to do
		if err := s.MakePartitions(t.Context(), future); err != nil {
			t.Fatal(err)
		}
	}
	for table, want := range map[string]int{"rated_event_203105": 1, "rated_event_203106": 1, "rated_event_203108": 0, "rated_event_other": 1, "rated_event": 3} {
		if got := count(table); got != want {
			t.Errorf("%d rows in %s, want %d", got, table, want)
		}
	}
	save(t, s, postgres.Changes{Events: []ocs.RatedEvent{event(future.Add(-time.Hour))}})
	if got := count("rated_event_203105"); got != 2 {
		t.Errorf("%d rows in rated_event_203105, want 2", got)
	}
	if got := ask[string](t, db, `SELECT to_regclass('rated_event_203109')::text IS NULL`); got != "true" {
		t.Error("more months are made than three ahead")
	}
}

// What is broken by hand is found, each by its own invariant.
func TestInvariantsFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	s := postgrestest.Open(t, dsn, postgres.Options{})
	db := raw(t, dsn)
	all := create(t, s, 2)
	n := all[0]
	session, bucket := newSession(n, "a", 60)
	session.Quotas[0].Used, session.Quotas[0].Charged = 40, 40
	session.Quotas[0].Taken = []ocs.Hold{{Bucket: bucket.ID, Units: 40}}
	bucket.Balance -= 40
	event := ocs.RatedEvent{
		Subscriber: n.Subscriber.ID, Session: session.Key, Type: ocs.Update, At: now, Measure: "seconds", Used: 40, Unit: "seconds", Charged: 40,
		Taken: session.Quotas[0].Taken,
	}
	ended, _ := newSession(n, "b", 0)
	ended.State = ocs.Ended
	save(t, s, postgres.Changes{Sessions: []ocs.Session{session, ended}, Buckets: []ocs.Bucket{bucket}, Events: []ocs.RatedEvent{event}})
	moveTo(t, s, n, all[1], 30)
	postgrestest.CheckInvariants(t, s)
	for _, test := range []struct{ breaks, statement, undo string }{
		{"balance", `UPDATE bucket SET balance = balance + 1`, `UPDATE bucket SET balance = balance - 1`},
		{"took from", `UPDATE rated_event SET charged = charged + 1`, `UPDATE rated_event SET charged = charged - 1`},
		{"posted what it moved", `UPDATE transfer SET document = replace(document::text, '"units":30', '"units":31')::json`,
			`UPDATE transfer SET document = replace(document::text, '"units":31', '"units":30')::json`},
		{"pending transfers", `UPDATE transfer SET status = 'pending', due_at = '2026-03-01'`, `UPDATE transfer SET status = 'completed', due_at = NULL`},
		{"legs", `UPDATE posting SET units = units + 1 WHERE leg = 0`, `UPDATE posting SET units = units - 1 WHERE leg = 0`},
		{"what sessions, pending", `UPDATE bucket SET reserved = reserved - 1 WHERE reserved > 0`, `UPDATE bucket SET reserved = reserved + 1 WHERE reserved > 0`},
		{"rated events say", `UPDATE rated_event SET used = used + 1`, `UPDATE rated_event SET used = used - 1`},
		{"holds nothing", `UPDATE session SET state = 'ended' WHERE session_id = 'a'`, `UPDATE session SET state = 'open' WHERE session_id = 'a'`},
		{"CDRs", `UPDATE rated_event SET session_id = 'b'`, `UPDATE rated_event SET session_id = 'a'`},
	} {
		do(t, db, test.statement)
		found, err := s.CheckInvariants(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		broken := false
		for _, invariant := range found {
			if strings.Contains(invariant.Name, test.breaks) && len(invariant.Violations) > 0 {
				broken = true
			}
			if invariant.Checked == 0 {
				t.Errorf("%s looked at nothing", invariant.Name)
			}
		}
		if !broken {
			t.Errorf("%s: nothing was found after %s", test.breaks, test.statement)
		}
		do(t, db, test.undo)
	}
	postgrestest.CheckInvariants(t, s)
}
