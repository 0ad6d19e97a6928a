package charging_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/lib/pq"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
)

// A bench is a database with subscribers, and engines on it.
type bench struct {
	t     testing.TB
	dsn   string
	store *postgres.Store
	rules *ocs.Rules
	mu    sync.Mutex
	now   time.Time
}

func newBench(t testing.TB) *bench {
	t.Helper()
	home := rating.Tariff{Name: "home", Measures: rating.Seconds, Pays: rating.Seconds, First: 1, Next: 1, Price: rating.Price{Units: 1, Per: 1}}
	dsn := postgrestest.DSN(t)
	return &bench{
		t: t, dsn: dsn, store: postgrestest.Open(t, dsn, postgres.Options{}), now: time.Now().UTC().Truncate(time.Microsecond),
		rules: &ocs.Rules{
			Catalog: "test",
			Services: map[string]ocs.Service{"32260@3gpp.org": {
				Name: "32260@3gpp.org", Kind: rating.Voice, Measure: rating.Seconds, DefaultQuota: 60, MaxQuota: 3600,
				Ringing: 300 * time.Second, Supervision: 600 * time.Second,
			}},
			Plans: map[string]rating.Plan{"test": {
				Name: "test", Rates: map[rating.Kind]rating.Rates{rating.Voice: {Originating: rating.NewPrefixes(map[string]rating.Tariff{"": home})}},
			}},
		},
	}
}

func (b *bench) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// config is that of a server's engine on store.
func (b *bench) config(store *postgres.Store, change func(*charging.Config)) charging.Config {
	c := charging.Config{
		Store: store, Rules: func() *ocs.Rules { return b.rules }, Clock: b.clock, Sweep: 20 * time.Millisecond, Lanes: 2,
		Logger: slog.New(slog.NewTextHandler(b.t.Output(), nil)),
	}
	if change != nil {
		change(&c)
	}
	return c
}

// engine starts a server's engine on store; it ends with the test.
func (b *bench) engine(store *postgres.Store, change func(*charging.Config)) *charging.Engine {
	b.t.Helper()
	e := charging.New(b.config(store, change))
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- e.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			b.t.Error(err)
		}
	})
	return e
}

// subscriber makes a subscriber with one bucket.
func (b *bench) subscriber(msisdn string, seconds rating.Units) ocs.SubscriberID {
	b.t.Helper()
	id := ocs.SubscriberID(uuid.Must(uuid.NewV7()).String())
	bucket, postings := ocs.GrantBucket(ocs.Grant{
		Movement: "open", Subscriber: id, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()),
		Unit: rating.Seconds, Units: seconds, Class: "plan", Offer: "test",
	}, b.clock())
	err := b.store.CreateSubscribers(b.t.Context(), []postgres.NewSubscriber{{
		Subscriber: ocs.Subscriber{ID: id, State: ocs.Active, Plan: "test", MSISDN: msisdn, CreatedAt: b.clock()},
		Identities: []ocs.Identity{{Kind: ocs.E164, Value: msisdn}},
		Bucket:     &bucket, Postings: postings,
	}}, b.clock())
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) balance(id ocs.SubscriberID) (balance, reserved rating.Units) {
	b.t.Helper()
	buckets, err := b.store.Buckets(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, bucket := range buckets {
		balance += bucket.Balance
		reserved += bucket.Reserved
	}
	return balance, reserved
}

func (b *bench) wantBalance(id ocs.SubscriberID, balance, reserved rating.Units) {
	b.t.Helper()
	if gotBalance, gotReserved := b.balance(id); gotBalance != balance || gotReserved != reserved {
		b.t.Errorf("balance %d reserved %d, want %d and %d", gotBalance, gotReserved, balance, reserved)
	}
}

func ccr(msisdn, session string, t ocs.RequestType, number uint32, used int, more bool) ocs.Request {
	r := ocs.Request{
		Session: ocs.SessionKey{ID: session}, Type: t, Number: number, Context: ocs.Context{Name: "32260@3gpp.org"},
		Origin: ocs.Origin{Host: "tas1.ims.test", Realm: "ims.test"},
	}
	if msisdn != "" {
		r.Identities = []ocs.Identity{{Kind: ocs.E164, Value: msisdn}}
	}
	if t == ocs.Initial {
		r.Conditions = &ocs.Conditions{Called: "tel:+4940123"}
	}
	var s ocs.ServiceRequest
	if used > 0 {
		s.Used = []ocs.Used{{Measured: ocs.Measured{Time: new(uint64(used))}}}
	}
	if more {
		s.Requested = &ocs.Measured{}
	}
	r.Services = []ocs.ServiceRequest{s}
	return r
}

func ask(e *charging.Engine, r ocs.Request) ocs.Answer {
	answered := make(chan ocs.Answer, 1)
	e.Submit(context.Background(), r, func(a ocs.Answer) { answered <- a })
	return <-answered
}

func want(t testing.TB, a ocs.Answer, v ocs.Verdict) {
	t.Helper()
	if a.Verdict != v {
		t.Errorf("verdict %d, want %d", a.Verdict, v)
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	id := b.subscriber("491700000001", 600)
	want(t, ask(e, ccr("491700000001", "a", ocs.Initial, 0, 0, true)), ocs.Granted)
	b.wantBalance(id, 600, 60)
	want(t, ask(e, ccr("491700000001", "a", ocs.Update, 1, 45, true)), ocs.Granted)
	b.wantBalance(id, 555, 60)
	want(t, ask(e, ccr("491700000001", "a", ocs.Termination, 2, 33, false)), ocs.Granted)
	b.wantBalance(id, 522, 0)
	records, err := b.store.Records(t.Context(), postgres.RecordFilter{Subscriber: id, Limit: 10})
	if err != nil || len(records) != 1 || records[0].Lines[0].Charged != 78 {
		t.Errorf("CDRs %+v, %v; want one that charges 78", records, err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// The same request five times over two servers, at once: charged once, and every copy gets the same answer (I2, I11).
func TestCopiesOverTwoServers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := []*charging.Engine{b.engine(b.store, nil), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), nil)}
	id := b.subscriber("491700000001", 600)
	for number, r := range []ocs.Request{
		ccr("491700000001", "a", ocs.Initial, 0, 0, true),
		ccr("491700000001", "a", ocs.Update, 1, 20, true),
		ccr("491700000001", "a", ocs.Termination, 2, 5, false),
	} {
		answers := make(chan ocs.Answer, 5)
		for i := range 5 {
			engines[i%2].Submit(context.Background(), r, func(a ocs.Answer) {
				a.Notes = 0 // that it is a copy
				answers <- a
			})
		}
		first := fmt.Sprintf("%+v", <-answers)
		for range 4 {
			if again := fmt.Sprintf("%+v", <-answers); again != first {
				t.Errorf("request %d was answered %s and %s", number, first, again)
			}
		}
	}
	b.wantBalance(id, 575, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// Every identity is unknown, no identity, another subscriber's identity: an update finds the subscriber by its session.
func TestUpdateFindsItsSession(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	id := b.subscriber("491700000001", 600)
	b.subscriber("491700000002", 600)
	want(t, ask(e, ccr("491700000001", "a", ocs.Initial, 0, 0, true)), ocs.Granted)
	for i, msisdn := range []string{"", "491799999999", "491700000002", ""} {
		want(t, ask(e, ccr(msisdn, "a", ocs.Update, uint32(i+1), 10, true)), ocs.Granted)
	}
	b.wantBalance(id, 560, 60)
	want(t, ask(e, ccr("491700000001", "b", ocs.Update, 1, 10, true)), ocs.UnknownSession)
	want(t, ask(e, ccr("", "b", ocs.Termination, 1, 10, true)), ocs.UnknownSession)
	want(t, ask(e, ccr("491799999999", "c", ocs.Initial, 0, 0, true)), ocs.UserUnknown)
	want(t, ask(e, ccr("", "c", ocs.Initial, 0, 0, true)), ocs.UserUnknown)
	b.wantBalance(id, 560, 60)
	postgrestest.CheckInvariants(t, b.store)
}

// A message that the database refuses costs only itself (I14).
func TestPoison(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.Lanes = 1 })
	id := b.subscriber("491700000001", 6000)
	want(t, ask(e, ccr("491700000001", "warm", ocs.Initial, 0, 0, true)), ocs.Granted)
	var all sync.WaitGroup
	for i := range 60 {
		session, verdict := fmt.Sprintf("s%d", i), ocs.Granted
		if i == 30 {
			session, verdict = "poison\x00", ocs.UnableToComply
		}
		all.Add(1)
		e.Submit(context.Background(), ccr("491700000001", session, ocs.Initial, 0, 0, true), func(a ocs.Answer) {
			want(t, a, verdict)
			all.Done()
		})
	}
	all.Wait()
	b.wantBalance(id, 6000, 60*60)
	postgrestest.CheckInvariants(t, b.store)
}

// hold takes a subscriber's row as somebody at a console might, until release is called.
func (b *bench) hold(id ocs.SubscriberID) (release func()) {
	b.t.Helper()
	return b.holdRows("SELECT 1 FROM subscriber WHERE id = $1 FOR UPDATE", string(id))
}

// holdRows locks the rows of a statement, until release is called.
func (b *bench) holdRows(statement string, arguments ...any) (release func()) {
	b.t.Helper()
	db, err := sql.Open("postgres", b.dsn)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = db.Close() })
	tx, err := db.BeginTx(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := tx.ExecContext(b.t.Context(), statement, arguments...); err != nil {
		b.t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			b.t.Error(err)
		}
	}
}

// Somebody holds a subscriber's row: others are served, and the held request is answered when the row is free.
func TestHeldRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.Lanes = 1; c.Deadline = time.Minute })
	held, free := b.subscriber("491700000001", 600), b.subscriber("491700000002", 600)
	release := b.hold(held)
	answered := make(chan ocs.Answer, 1)
	e.Submit(context.Background(), ccr("491700000001", "held", ocs.Initial, 0, 0, true), func(a ocs.Answer) { answered <- a })
	for i := range 10 {
		want(t, ask(e, ccr("491700000002", fmt.Sprintf("free%d", i), ocs.Initial, 0, 0, true)), ocs.Granted)
	}
	select {
	case a := <-answered:
		t.Errorf("answered %d while the row was held", a.Verdict)
	default:
	}
	release()
	want(t, <-answered, ocs.Granted)
	b.wantBalance(held, 600, 60)
	b.wantBalance(free, 600, 600)
}

// While one row is held, a call whose row is held for a moment only is served: the lane that waits does not wait for one
// row alone.
func TestShortlyHeldRow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.Deadline = time.Minute })
	long, short := b.subscriber("491700000001", 600), b.subscriber("491700000002", 600)
	releaseLong, releaseShort := b.hold(long), b.hold(short)
	answered := make(chan ocs.Answer, 2)
	e.Submit(context.Background(), ccr("491700000001", "long", ocs.Initial, 0, 0, true), func(a ocs.Answer) { answered <- a })
	done := make(chan ocs.Answer, 1)
	e.Submit(context.Background(), ccr("491700000002", "short", ocs.Initial, 0, 0, true), func(a ocs.Answer) { done <- a })
	releaseShort()
	want(t, <-done, ocs.Granted)
	if len(answered) > 0 {
		t.Error("answered while the row was held")
	}
	releaseLong()
	want(t, <-answered, ocs.Granted)
}

// A request that cannot be decided in time is answered Busy, and has no effect that its copy would not find.
func TestDeadline(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.Deadline = 300 * time.Millisecond })
	id := b.subscriber("491700000001", 600)
	release := b.hold(id)
	want(t, ask(e, ccr("491700000001", "a", ocs.Initial, 0, 0, true)), ocs.Busy)
	release()
	want(t, ask(e, ccr("491700000001", "a", ocs.Initial, 0, 0, true)), ocs.Granted)
	b.wantBalance(id, 600, 60)
}

// A request whose deadline passes while its decision is being written was answered Busy, which says that nothing was done: it
// is undone when the transaction comes to its end (spec/gy 3.7). Those decided with it are decided again.
func TestBusyHasNoEffectLater(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.Lanes, c.Deadline = 1, 2*time.Second })
	id := b.subscriber("491700000001", 600)
	release := b.holdRows("SELECT 1 FROM bucket WHERE subscriber_id = $1 FOR UPDATE", string(id))
	busy := make(chan ocs.Answer, 1)
	e.Submit(context.Background(), ccr("491700000001", "a", ocs.Initial, 0, 0, true), func(a ocs.Answer) { busy <- a })
	b.awaitLock("bucket")
	want(t, <-busy, ocs.Busy)
	release()
	want(t, ask(e, ccr("491700000001", "b", ocs.Initial, 0, 0, true)), ocs.Granted) // comes after it in the lane
	b.wantBalance(id, 600, 60)
	sessions, err := b.store.Sessions(t.Context(), postgres.SessionFilter{Subscriber: id, Limit: 10})
	if err != nil || len(sessions) != 1 || sessions[0].Key.ID != "b" {
		t.Errorf("sessions %+v, %v, want b alone", sessions, err)
	}
	want(t, ask(e, ccr("491700000001", "a", ocs.Initial, 0, 0, true)), ocs.Granted)
	b.wantBalance(id, 600, 120)
	postgrestest.CheckInvariants(t, b.store)
}

// awaitLock returns when a statement that names a table waits for a lock.
func (b *bench) awaitLock(table string) {
	b.t.Helper()
	db, err := sql.Open("postgres", b.dsn)
	if err != nil {
		b.t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // only read
	for {
		var waiting bool
		err := db.QueryRowContext(b.t.Context(), `SELECT EXISTS (SELECT 1 FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%')`, table).Scan(&waiting)
		switch {
		case err != nil:
			b.t.Fatal(err)
		case waiting:
			return
		}
		runtime.Gosched()
	}
}

func TestFullQueueIsAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, func(c *charging.Config) { c.Lanes, c.QueueSize, c.MaxBatch = 1, 4, 1 })
	b.subscriber("491700000001", 600000)
	want(t, ask(e, ccr("491700000001", "warm", ocs.Initial, 0, 0, true)), ocs.Granted)
	const many = 200
	verdicts := make(chan ocs.Verdict, many)
	for i := range many {
		e.Submit(context.Background(), ccr("491700000001", fmt.Sprintf("s%d", i), ocs.Initial, 0, 0, true), func(a ocs.Answer) { verdicts <- a.Verdict })
	}
	count := map[ocs.Verdict]int{}
	for range many {
		count[<-verdicts]++
	}
	if count[ocs.Busy] == 0 || count[ocs.Granted] == 0 || count[ocs.Busy]+count[ocs.Granted] != many {
		t.Errorf("answers %v, want some granted, the others busy", count)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// Silent sessions are closed once, though two servers look for them. GY-106, GY-107
func TestSupervision(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.engine(b.store, nil)
	b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), nil)
	id := b.subscriber("491700000001", 60000)
	for i := range 50 {
		want(t, ask(first, ccr("491700000001", fmt.Sprintf("s%d", i), ocs.Initial, 0, 0, true)), ocs.Granted)
	}
	b.wait(700 * time.Second)
	want(t, ask(first, ccr("491700000001", "s0", ocs.Update, 1, 10, true)), ocs.Granted)
	b.wait(21 * time.Second)
	until(t, func() bool { _, reserved := b.balance(id); return reserved == 60 })
	b.wait(700 * time.Second)
	until(t, func() bool { _, reserved := b.balance(id); return reserved == 0 })
	b.wantBalance(id, 59990, 0)
	records, err := b.store.Records(t.Context(), postgres.RecordFilter{Subscriber: id, Limit: 100})
	if err != nil || len(records) != 50 {
		t.Errorf("%d CDRs, %v; want 50", len(records), err)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// until waits for something that another goroutine brings about.
func until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it never happened")
		}
	}
}

// Many calls of few subscribers over two servers, with copies: every second is accounted for, and nothing deadlocks.
func TestTwoServersUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := []*charging.Engine{b.engine(b.store, nil), b.engine(postgrestest.Open(t, b.dsn, postgres.Options{}), nil)}
	var ids []ocs.SubscriberID
	for i := range 8 {
		ids = append(ids, b.subscriber(fmt.Sprintf("49170000%d", i), 100_000))
	}
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for call := range 10 {
				msisdn, session := fmt.Sprintf("49170000%d", (worker+call)%8), fmt.Sprintf("%d-%d", worker, call)
				for number := range 4 {
					kind := []ocs.RequestType{ocs.Initial, ocs.Update, ocs.Update, ocs.Termination}[number]
					r := ccr(msisdn, session, kind, uint32(number), 10*number, number < 3)
					want(t, ask(engines[(worker+number)%2], r), ocs.Granted)
					want(t, ask(engines[(worker+number+1)%2], r), ocs.Granted)
				}
			}
		})
	}
	all.Wait()
	left := rating.Units(0)
	for _, id := range ids {
		balance, reserved := b.balance(id)
		if reserved != 0 {
			t.Errorf("%d reserved after all calls", reserved)
		}
		left += balance
	}
	if spent := 8*100_000 - left; spent != 16*10*60 {
		t.Errorf("%d seconds were charged, want %d", spent, 16*10*60)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// A client that tells a higher Origin-State-Id has lost its sessions: they are closed 30 s later, those of other clients
// and younger ones are not. GY-109, GY-110
func TestClientRestart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := b.engine(b.store, nil)
	id := b.subscriber("491700000001", 60000)
	from := func(r ocs.Request, host string, stateID uint32) ocs.Request {
		r.Origin = ocs.Origin{Host: host, Realm: "ims.test", StateID: stateID, Peer: host}
		return r
	}
	e.ClientState("tas1.ims.test", 5)
	want(t, ask(e, from(ccr("491700000001", "old", ocs.Initial, 0, 0, true), "tas1.ims.test", 5)), ocs.Granted)
	want(t, ask(e, from(ccr("491700000001", "silent", ocs.Initial, 0, 0, true), "tas1.ims.test", 0)), ocs.Granted)
	want(t, ask(e, from(ccr("491700000001", "other", ocs.Initial, 0, 0, true), "tas2.ims.test", 5)), ocs.Granted)
	b.wait(time.Second)
	e.ClientState("tas1.ims.test", 4) // lower: nothing
	e.ClientState("tas1.ims.test", 0)
	e.ClientState("tas1.ims.test", 6)
	noted(t, b, 1)
	b.wait(time.Second)
	want(t, ask(e, from(ccr("491700000001", "new", ocs.Initial, 0, 0, true), "tas1.ims.test", 6)), ocs.Granted)
	b.wantBalance(id, 60000, 240)
	b.wait(29 * time.Second)
	until(t, func() bool { _, reserved := b.balance(id); return reserved == 180 })
	noted(t, b, 0)
	want(t, ask(e, from(ccr("491700000001", "new", ocs.Update, 1, 10, true), "tas1.ims.test", 6)), ocs.Granted)
	want(t, ask(e, from(ccr("491700000001", "other", ocs.Update, 1, 10, true), "tas2.ims.test", 5)), ocs.Granted)
	want(t, ask(e, from(ccr("491700000001", "silent", ocs.Update, 1, 10, true), "tas1.ims.test", 0)), ocs.Granted)
	want(t, ask(e, from(ccr("491700000001", "old", ocs.Update, 1, 10, true), "tas1.ims.test", 6)), ocs.UnknownSession)
	b.wantBalance(id, 59960, 180)
	postgrestest.CheckInvariants(t, b.store)
}

// noted waits until so many restarts are known and not settled.
func noted(t *testing.T, b *bench, restarts int) {
	t.Helper()
	until(t, func() bool {
		found, err := b.store.Restarts(t.Context(), b.clock())
		if err != nil {
			t.Fatal(err)
		}
		return len(found) == restarts
	})
}
