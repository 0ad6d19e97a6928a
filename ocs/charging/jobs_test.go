package charging_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
)

// flat are the terms of the plan "test" of the bench.
func flat() map[string]lifecycle.Terms {
	return map[string]lifecycle.Terms{"test": {
		Plan: "test", Period: lifecycle.Period{Days: 30}, Price: lifecycle.Price{Units: 100, Unit: "EUR"},
		Allowances: []lifecycle.Allowance{{Unit: rating.Seconds, Units: 1000, Class: "plan", Rollover: 300}},
		Grace:      72 * time.Hour, Retry: 24 * time.Hour,
		Notices: lifecycle.Notices{Used: []int{75, 100}, Before: 72 * time.Hour},
	}}
}

func withTerms(c *charging.Config) { c.Terms = flat }

// enrol makes count subscribers with money and a contract that is due.
func (b *bench) enrol(count int, money rating.Units) []ocs.SubscriberID {
	b.t.Helper()
	return b.enrolFrom(0, count, money)
}

// enrolFrom is enrol with numbers from first on.
func (b *bench) enrolFrom(first, count int, money rating.Units) []ocs.SubscriberID {
	b.t.Helper()
	all := make([]postgres.NewSubscriber, count)
	ids := make([]ocs.SubscriberID, count)
	for i := range all {
		id := ocs.SubscriberID(uuid.Must(uuid.NewV7()).String())
		ids[i] = id
		msisdn := fmt.Sprintf("49176%07d", first+i)
		bucket, postings := ocs.GrantBucket(ocs.Grant{
			Movement: "open", Subscriber: id, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: "EUR", Units: money, Class: "money", Offer: "test",
		}, b.clock())
		contract := lifecycle.NewContract(uuid.Must(uuid.NewV7()).String(), id, "test", b.clock())
		all[i] = postgres.NewSubscriber{
			Subscriber: ocs.Subscriber{ID: id, State: ocs.Active, Plan: "test", MSISDN: msisdn, CreatedAt: b.clock()},
			Identities: []ocs.Identity{{Kind: ocs.E164, Value: msisdn}}, Bucket: &bucket, Postings: postings, Contract: &contract,
		}
	}
	if err := b.store.CreateSubscribers(b.t.Context(), all, b.clock()); err != nil {
		b.t.Fatal(err)
	}
	return ids
}

// contract returns the contract of a subscriber.
func (b *bench) contract(id ocs.SubscriberID) *lifecycle.Contract {
	b.t.Helper()
	c, err := b.store.Contract(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// untilDone waits until nothing is due any more. Nothing tells of it: the jobs run in servers of their own.
func (b *bench) untilDone() {
	b.t.Helper()
	db := b.raw()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var due int
		err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM contract WHERE due_at <= $1) + (SELECT count(*) FROM bucket
			WHERE NOT expiry_booked AND (expiry_look_at <= $1 OR expiry_look_at IS NULL AND expires_at <= $1))`, b.clock()).Scan(&due)
		if err != nil {
			b.t.Fatal(err)
		}
		if due == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatalf("%d are still due", due)
		}
	}
}

// Three servers renew the same subscribers at the same time, while calls go on and servers are stopped in the middle of
// their work: each period begins once, and is posted once.
func TestNothingIsRenewedTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ids := b.enrol(300, 1000)
	servers := make([]*charging.Engine, 3)
	for i := range servers {
		servers[i] = b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), withTerms)
	}
	b.untilDone()
	for range 3 {
		b.wait(30*24*time.Hour + time.Minute)
		b.brokenServers(5)
		var calls sync.WaitGroup
		for n := range 60 {
			msisdn, session := fmt.Sprintf("49176%07d", n), fmt.Sprintf("c;%v;%d", b.clock().Unix(), n)
			calls.Add(1)
			servers[n%3].Submit(context.Background(), ccr(msisdn, session, ocs.Initial, 0, 0, true), func(ocs.Answer) {
				servers[(n+1)%3].Submit(context.Background(), ccr(msisdn, session, ocs.Termination, 1, 30, false), func(ocs.Answer) { calls.Done() })
			})
		}
		calls.Wait()
		b.untilDone()
	}
	postgrestest.CheckInvariants(t, b.store)
	db := b.raw()
	for _, c := range []struct {
		what, query string
		want        int
	}{
		{"periods begun", `SELECT sum(period) FROM contract WHERE state = 'active'`, 4 * len(ids)},
		{"prices paid", `SELECT sum(units) FROM posting WHERE kind = 'sale' AND account = 'sale:test'`, 400 * len(ids)},
		{"grants", `SELECT count(DISTINCT (subscriber_id, movement)) FROM posting WHERE kind = 'grant' AND account = 'issue:test' AND unit = 'seconds'`, 4 * len(ids)},
		{"texts of a beginning or renewal", `SELECT count(*) FROM outbox WHERE kind = 'text' AND body LIKE '%valid to%You have%Price%' AND body NOT LIKE '%renews then%'`, 4 * len(ids)},
	} {
		var got int
		if err := db.QueryRowContext(t.Context(), c.query).Scan(&got); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// brokenServers starts servers that lose their database in the middle of a transaction of their jobs.
func (b *bench) brokenServers(count int) {
	b.t.Helper()
	for range count {
		store, err := postgres.Open(b.t.Context(), b.dsn, postgres.Options{MaxConns: 2})
		if err != nil {
			b.t.Fatal(err)
		}
		started := make(chan struct{})
		var once sync.Once
		e := charging.New(charging.Config{
			Store: store, Rules: func() *ocs.Rules { return b.rules }, Clock: b.clock, Sweep: 5 * time.Millisecond,
			Terms: func() map[string]lifecycle.Terms {
				once.Do(func() { close(started) })
				return flat()
			},
		})
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan error, 1)
		go func() { over <- e.Run(ctx) }()
		<-started
		_, err = b.raw().ExecContext(b.t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND state <> 'idle' AND query LIKE '%contract%' AND pid <> pg_backend_pid()`)
		if err != nil {
			b.t.Fatal(err)
		}
		cancel()
		if err := <-over; err != nil {
			b.t.Fatal(err)
		}
		if err := store.Close(); err != nil {
			b.t.Fatal(err)
		}
	}
}

// A call that uses 75 % of an allowance makes its contract due, and the subscriber is told once; what the plan promises goes
// on at the end of the period, and what expired has its posting at the exact instant.
func TestLevelsAreToldOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.enrol(1, 100)[0]
	e := b.engine(b.store, withTerms)
	b.untilDone()
	profile := postgres.Profile{}
	profile.Language = "ko"
	if err := b.store.SetProfile(t.Context(), id, profile.Profile); err != nil {
		t.Fatal(err)
	}
	call := func(session string, used int) {
		want(t, ask(e, ccr("491760000000", session, ocs.Initial, 0, 0, true)), ocs.Granted)
		want(t, ask(e, ccr("491760000000", session, ocs.Termination, 1, used, false)), ocs.Granted)
		b.untilDone()
	}
	call("a", 740)
	b.wantTexts("test has begun, valid to")
	call("b", 60)
	b.wantTexts("test has begun, valid to", "75% 사용")
	call("c", 30)
	call("d", 60)
	b.wantTexts("test has begun, valid to", "75% 사용")
	call("e", 110)
	b.wantTexts("test has begun, valid to", "75% 사용", "모두 사용")
	end := b.contract(id).EndsAt
	b.wait(end.Sub(b.clock()))
	b.untilDone()
	b.wantTexts("test has begun, valid to", "75% 사용", "모두 사용", "갱신 실패")
	if c := b.contract(id); c.State != lifecycle.Grace || !c.GraceUntil.Equal(end.Add(72*time.Hour)) {
		t.Errorf("contract %+v, want it in its grace", c)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// wantTexts fails the test unless the outbox holds one text with each part, in the order of time, and no more.
func (b *bench) wantTexts(parts ...string) {
	b.t.Helper()
	messages, err := b.store.OutboxOf(b.t.Context(), "plan")
	if err != nil {
		b.t.Fatal(err)
	}
	var bodies []string
	for _, m := range messages {
		if m.Kind == outbox.Text {
			bodies = append(bodies, m.Body)
		}
	}
	ok := len(bodies) == len(parts)
	for i := range min(len(bodies), len(parts)) {
		ok = ok && strings.Contains(bodies[i], parts[i])
	}
	if !ok {
		b.t.Errorf("texts %q, want them with %q", bodies, parts)
	}
}

// raw is a connection past the store.
func (b *bench) raw() *sql.DB {
	b.t.Helper()
	db, err := sql.Open("postgres", b.dsn)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	return db
}

// A lot that expires while a call holds a part of it: what is free has its posting at the instant, the rest when the call
// has given it back.
func TestExpiryLeavesWhatACallHolds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.subscriber("4917612345", 1)
	end := b.clock().Add(time.Minute)
	bucket, postings := ocs.GrantBucket(ocs.Grant{
		Movement: "gift", Subscriber: id, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds, Units: 1000, Class: "gift",
		ExpiresAt: end, Offer: "test",
	}, b.clock())
	if _, err := b.store.Grant(t.Context(), "gift", id, bucket, postings); err != nil {
		t.Fatal(err)
	}
	e := b.engine(b.store, nil)
	want(t, ask(e, ccr("4917612345", "s", ocs.Initial, 0, 0, true)), ocs.Granted)
	_, held := b.balance(id)
	b.wait(5 * time.Minute)
	b.untilDone()
	b.wantBalance(id, held+1, held)
	want(t, ask(e, ccr("4917612345", "s", ocs.Termination, 1, 20, false)), ocs.Granted)
	b.wantBalance(id, held-19, 0)
	b.wait(2 * time.Minute)
	b.untilDone()
	b.wantBalance(id, 1, 0)
	var first time.Time
	var sum rating.Units
	err := b.raw().QueryRowContext(t.Context(), `SELECT min(posted_at), sum(units) FROM posting WHERE kind = 'expiry' AND bucket_id IS NOT NULL`).Scan(&first, &sum)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Equal(end) || sum != -980 {
		t.Errorf("expired %d from %v on, want -980 from %v on", sum, first, end)
	}
	postgrestest.CheckInvariants(t, b.store)
}
