package charging_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

var (
	renewals = flag.Int("renewals", 2000, "subscribers whose plans BenchmarkRenewals renews")
	callRate = flag.Int("calls", 500, "requests of calls a second beside them")
)

// BenchmarkRenewals has the plans of many subscribers renewed at one midnight, while some of them make calls, on a Postgres
// that forces every transaction to the disk. It reports how long that takes, and what the requests of the calls wait for
// before, meanwhile and afterwards.
//
//	make renewals ARGS="-renewals 1000000"
func BenchmarkRenewals(b *testing.B) {
	c, err := cluster.Start(b.Context(), cluster.Options{Dir: filepath.Join(postgrestest.Dir(b), "pg")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	w := newBenchOn(b, c.DSN())
	if err := w.store.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := w.store.MakePartitions(b.Context(), w.clock()); err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	w.enrolMany(*renewals)
	b.Logf("%d subscribers made in %v", *renewals, time.Since(began).Round(time.Second))
	e := w.engine(w.store, func(c *charging.Config) {
		c.Terms, c.Sweep, c.Logger = monthly, time.Second, slog.New(slog.NewTextHandler(b.Output(), nil))
	})
	calls := newCalls(e, *renewals, *callRate)
	stop := make(chan struct{})
	var caller sync.WaitGroup
	caller.Go(func() { calls.run(stop) })
	const around = 10 * time.Second
	time.Sleep(around)
	calls.next("meanwhile")
	w.wait(31 * 24 * time.Hour)
	began = time.Now()
	w.untilRenewed()
	took := time.Since(began)
	calls.next("afterwards")
	time.Sleep(around)
	close(stop)
	caller.Wait()
	b.Logf("%d plans renewed in %v, %.0f a second", *renewals, took.Round(time.Millisecond), float64(*renewals)/took.Seconds())
	calls.report(b)
	b.ReportMetric(float64(*renewals)/took.Seconds(), "renewals/s")
	b.ReportMetric(0, "ns/op")
	w.wantRenewed(*renewals)
	postgrestest.CheckInvariants(b, w.store)
}

// newBenchOn is newBench on a database of its own, whose tables are to be made.
func newBenchOn(t testing.TB, dsn string) *bench {
	t.Helper()
	b := newBench(t)
	b.dsn, b.store = dsn, postgrestest.Open(t, dsn, postgres.Options{MaxConns: 16})
	return b
}

// monthly are the terms of flat without a notice days before the end: the run is of renewals alone.
func monthly() map[string]lifecycle.Terms {
	terms := flat()
	t := terms["test"]
	t.Notices.Before = 0
	terms["test"] = t
	return terms
}

// enrolMany makes subscribers with money, whose plans begin now and end at one midnight.
func (b *bench) enrolMany(count int) {
	b.t.Helper()
	ctx := b.t.Context()
	plans := &charging.Plans{Store: b.store, Terms: monthly, Clock: b.clock}
	for first := 0; first < count; first += enrolAtOnce {
		ids := b.enrolFrom(first, min(enrolAtOnce, count-first), 10_000)
		for some := range slices.Chunk(ids, 2000) {
			err := b.store.InTx(ctx, func(tx *postgres.Tx) error { return charging.AdvanceAll(ctx, plans, tx, some) })
			if err != nil {
				b.t.Fatal(err)
			}
		}
	}
	if _, err := b.raw().ExecContext(ctx, `VACUUM ANALYZE`); err != nil {
		b.t.Fatal(err)
	}
}

const enrolAtOnce = 20_000

// untilRenewed waits until no contract is due. It asks seldom: it is no part of what is measured.
func (b *bench) untilRenewed() {
	b.t.Helper()
	db := b.raw()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for due := true; due; <-tick.C {
		if err := db.QueryRowContext(b.t.Context(), `SELECT EXISTS (SELECT 1 FROM contract WHERE due_at <= $1)`, b.clock()).Scan(&due); err != nil {
			b.t.Fatal(err)
		}
	}
}

// wantRenewed fails the test unless every contract is in its second period and was paid twice.
func (b *bench) wantRenewed(count int) {
	b.t.Helper()
	var periods, paid int
	err := b.raw().QueryRowContext(b.t.Context(), `SELECT (SELECT count(*) FROM contract WHERE state = 'active' AND period = 2),
		(SELECT sum(units) FROM posting WHERE kind = 'sale' AND account = 'sale:test')`).Scan(&periods, &paid)
	if err != nil {
		b.t.Fatal(err)
	}
	if periods != count || paid != 200*count {
		b.t.Errorf("%d subscribers are in their second period and paid %d, want %d and %d", periods, paid, count, 200*count)
	}
}

// calls are short calls of the subscribers of enrolMany, as many a second whatever the answers take.
type calls struct {
	engine      *charging.Engine
	subscribers int
	rate        int // requests a second

	mu     sync.Mutex
	phase  string
	phases []string
	took   map[string][]time.Duration
	others map[string]int // answers that are no grant: who is not renewed yet has nothing to call with
}

func newCalls(e *charging.Engine, subscribers, rate int) *calls {
	return &calls{engine: e, subscribers: subscribers, rate: rate, phase: "before", phases: []string{"before"}, took: map[string][]time.Duration{}, others: map[string]int{}}
}

func (c *calls) next(phase string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.phases = phase, append(c.phases, phase)
}

// run begins calls until stop is closed, and returns when all are answered.
func (c *calls) run(stop <-chan struct{}) {
	const tick = 5 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var open sync.WaitGroup
	begun, start := 0, time.Now()
	for {
		select {
		case <-stop:
			open.Wait()
			return
		case now := <-ticker.C:
			for ; float64(begun) < now.Sub(start).Seconds()*float64(c.rate)/2; begun++ {
				msisdn, session := fmt.Sprintf("49176%07d", rand.IntN(c.subscribers)), fmt.Sprintf("tas1.ims.test;%d;%d", start.Unix(), begun)
				open.Add(1)
				c.ask(ccr(msisdn, session, ocs.Initial, 0, 0, true), func() {
					c.ask(ccr(msisdn, session, ocs.Termination, 1, 1, false), open.Done)
				})
			}
		}
	}
}

func (c *calls) ask(r ocs.Request, then func()) {
	began := time.Now()
	c.engine.Submit(context.Background(), r, func(a ocs.Answer) {
		took := time.Since(began)
		c.mu.Lock()
		c.took[c.phase] = append(c.took[c.phase], took)
		if a.Verdict != ocs.Granted {
			c.others[c.phase]++
		}
		c.mu.Unlock()
		then()
	})
}

func (c *calls) report(b *testing.B) {
	b.Helper()
	for _, phase := range c.phases {
		took := c.took[phase]
		slices.Sort(took)
		at := func(part float64) time.Duration {
			return took[min(len(took)-1, int(part*float64(len(took))))].Round(10 * time.Microsecond)
		}
		b.Logf("calls %-10s %8d requests, p50 %v, p99 %v, p99.9 %v, slowest %v; %d not granted", phase, len(took), at(0.5), at(0.99), at(0.999), at(1), c.others[phase])
		b.ReportMetric(float64(at(0.99).Microseconds())/1000, "p99-ms-"+phase)
	}
	if refused := c.others["before"] + c.others["afterwards"]; refused > 0 {
		b.Errorf("%d requests of calls were not granted, before and after the run", refused)
	}
}
