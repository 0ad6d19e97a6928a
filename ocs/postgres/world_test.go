package postgres_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newSubscriber makes subscriber number n with one bucket.
func newSubscriber(n int, seconds rating.Units) postgres.NewSubscriber {
	id := ocs.SubscriberID(newID())
	msisdn, imsi := fmt.Sprintf("49301%07d", n), fmt.Sprintf("26201%010d", n)
	bucket, postings := ocs.GrantBucket(ocs.Grant{
		Movement: newID(), Subscriber: id, Bucket: ocs.BucketID(newID()), Unit: rating.Seconds, Units: seconds,
		Class: "plan", Offer: "test",
	}, now)
	return postgres.NewSubscriber{
		Subscriber: ocs.Subscriber{ID: id, State: ocs.Active, Plan: "test", IdentityVersion: 1, MSISDN: msisdn, IMSI: imsi, CreatedAt: now},
		Identities: []ocs.Identity{{Kind: ocs.E164, Value: msisdn}, {Kind: ocs.IMSI, Value: imsi}},
		Bucket:     &bucket, Postings: postings,
	}
}

// create creates count subscribers and returns them.
func create(t testing.TB, s *postgres.Store, count int) []postgres.NewSubscriber {
	t.Helper()
	all := make([]postgres.NewSubscriber, count)
	for i := range all {
		all[i] = newSubscriber(i, 1000)
	}
	if err := s.CreateSubscribers(t.Context(), all, now); err != nil {
		t.Fatal(err)
	}
	return all
}

// newSession makes an open session that holds units of the bucket of n, and the bucket as it is then.
func newSession(n postgres.NewSubscriber, key string, units rating.Units) (ocs.Session, ocs.Bucket) {
	bucket := *n.Bucket
	bucket.Reserved += units
	return ocs.Session{
		Key: ocs.SessionKey{ID: key}, Subscriber: n.Subscriber.ID, State: ocs.Open, Service: "32260@3gpp.org",
		StartedAt: now, DueAt: now.Add(10 * time.Minute),
		Quotas: []ocs.Quota{{
			Tariff:  rating.Tariff{Name: "home", Measures: rating.Seconds, Pays: rating.Seconds, First: 1, Next: 1, Price: rating.Price{Units: 1, Per: 1}},
			Granted: units, Held: []ocs.Hold{{Bucket: bucket.ID, Units: units}},
		}},
	}, bucket
}

func save(t testing.TB, s *postgres.Store, c postgres.Changes) {
	t.Helper()
	if err := s.InTx(t.Context(), func(tx *postgres.Tx) error { return saveIn(t.Context(), tx, c) }); err != nil {
		t.Fatal(err)
	}
}

// load loads one session, nil when there is none.
func load(t testing.TB, s *postgres.Store, ref postgres.SessionRef) *ocs.Session {
	t.Helper()
	var found []ocs.Session
	err := s.InTx(t.Context(), func(tx *postgres.Tx) (err error) {
		found, err = tx.LoadSessions(t.Context(), []postgres.SessionRef{ref})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		return nil
	}
	return &found[0]
}

// raw is a connection past the store.
func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	connector, err := pq.NewConnector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// ask returns the only value that a query has.
func ask[T any](t testing.TB, db *sql.DB, query string, arguments ...any) (answer T) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, arguments...).Scan(&answer); err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("%s: %v", query, err)
	}
	return answer
}

func do(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// eventually asks until it is told yes. What it waits for is the work of another process, of which nothing tells us.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// same fails the test when got is not want, and prints both from where they begin to differ.
func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	a, b := pretty(got), pretty(want)
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	at = max(0, at-60)
	t.Errorf("%s\ngot  …%.400s\nwant …%.400s", what, a[at:], b[at:])
}

func pretty(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(text)
}

func sortSessions(sessions []ocs.Session) {
	slices.SortFunc(sessions, func(a, b ocs.Session) int {
		if a.Key.ID < b.Key.ID {
			return -1
		}
		return 1
	})
}

// saveIn saves c, of which a test need not say which sessions are there already.
func saveIn(ctx context.Context, tx *postgres.Tx, c postgres.Changes) error {
	all := c.Sessions
	c.Sessions = nil
	refs := make([]postgres.SessionRef, len(all))
	for i, s := range all {
		refs[i] = postgres.SessionRef{Subscriber: s.Subscriber, Key: s.Key}
	}
	found, err := tx.LoadSessions(ctx, refs)
	if err != nil {
		return err
	}
	for i, s := range all {
		if slices.ContainsFunc(found, func(f ocs.Session) bool { return f.Subscriber == refs[i].Subscriber && f.Key == refs[i].Key }) {
			c.Sessions = append(c.Sessions, s)
		} else {
			c.NewSessions = append(c.NewSessions, s)
		}
	}
	return tx.Save(ctx, c)
}
