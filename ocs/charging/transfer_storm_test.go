package charging_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A storm is what the workers of TestI7_TransferStorm did.
type storm struct {
	mu     sync.Mutex
	gains  []rating.Units // of each person, all transfers and calls together
	counts map[string]int
	used   rating.Units
}

func (s *storm) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

func (s *storm) sent(from, to int, seconds rating.Units) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gains[from] -= seconds
	s.gains[to] += seconds
	s.counts["moved"]++
}

func (s *storm) talked(who int, seconds rating.Units) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gains[who] -= seconds
	s.used += seconds
	s.counts["calls"]++
}

// I1, I2, I7, I8, I9: opposite, circular and self transfers of 64 workers over two servers, beside calls, for as long as
// -duration says. Postgres sees no deadlock, not even one that was tried again; whoever looks meanwhile sees exact sums and
// nothing below zero; and in the end everybody has exactly what was answered.
func TestI7_TransferStorm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const people, workers, opening = 6, 64, 100_000
	ids := make([]ocs.SubscriberID, people)
	number := func(who int) string { return fmt.Sprintf("49170000%04d", who) }
	for who := range ids {
		ids[who] = b.subscriber(number(who), opening)
	}
	var engines []*charging.Engine
	var ends []func()
	for range 2 {
		store := postgrestest.Open(t, b.dsn, postgres.Options{})
		engine, end := b.stoppable(store)
		engines = append(engines, engine)
		ends = append(ends, end)
	}
	s := &storm{gains: make([]rating.Units, people), counts: map[string]int{}}
	from, begin := seed(t), time.Now()
	var all sync.WaitGroup
	var over atomic.Bool
	for w := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(from, uint64(w)))
			for n := 0; time.Since(begin) < *durationFlag; n++ {
				e, name, who := engines[(w+n)%2], fmt.Sprint(w, ".", n), random.IntN(people)
				other := (who + 1) % people // in a circle
				switch kind := random.IntN(16); {
				case kind == 0:
					wantRefusal(t, do(t, e, send(number(who), number(who), name, 60)), transfer.SameParty)
					s.count("to oneself")
					continue
				case kind < 4:
					s.talk(t, engines, number(who), who, name, rating.Units(random.IntN(61)))
					continue
				case kind < 10: // opposite
					who, other = n%2, 1-n%2
				}
				seconds := 60 * rating.Units(1+random.IntN(20))
				switch o := do(t, e, send(number(who), number(other), name, seconds)); o.Answer.Refusal {
				case transfer.None:
					s.sent(who, other, seconds)
				case transfer.NotEnough, transfer.NotTransferable:
					s.count("not enough")
				default:
					wantRefusal(t, o, transfer.None)
				}
			}
		})
	}
	var looking sync.WaitGroup
	looks := 0
	looking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ; !over.Load(); <-tick.C {
			b.wantWhole(people * opening)
			looks++
		}
	})
	all.Wait()
	took := time.Since(begin)
	over.Store(true)
	looking.Wait()
	for who, id := range ids {
		b.wantBalance(id, opening+s.gains[who], 0)
	}
	postgrestest.CheckInvariants(t, b.store)
	for _, end := range ends {
		end()
	}
	if n := b.deadlocks(t); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
	t.Logf("in %v: %v; %.0f transfers a second; %d looks at the whole", took.Round(time.Millisecond), s.counts,
		float64(s.counts["moved"])/took.Seconds(), looks)
}

// talk is a call of one person on both servers.
func (s *storm) talk(t *testing.T, engines []*charging.Engine, msisdn string, who int, session string, seconds rating.Units) {
	t.Helper()
	most := granted(ask(engines[0], ccr(msisdn, session, ocs.Initial, 0, 0, true)))
	if most == 0 {
		s.count("no call")
		return
	}
	seconds = min(seconds, most)
	want(t, ask(engines[1], ccr(msisdn, session, ocs.Termination, 1, int(seconds), false)), ocs.Granted)
	s.talked(who, seconds)
}

// stoppable starts an engine that can be stopped, and its store closed, before the test is over.
func (b *bench) stoppable(store *postgres.Store) (e *charging.Engine, end func()) {
	b.t.Helper()
	p := openPolicy()
	e = charging.New(charging.Config{
		Store: store, Rules: func() *ocs.Rules { return b.rules }, Clock: b.clock, Sweep: 20 * time.Millisecond, Policy: func() *transfer.Policy { return p },
	})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- e.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-over, store.Close()); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(end)
	return e, end
}

// wantWhole looks at everything at one instant: what is there and what calls used is the whole, nothing is below zero, and
// nothing is held that is not there.
func (b *bench) wantWhole(whole rating.Units) {
	b.t.Helper()
	rows := query[struct {
		Sum   rating.Units `db:"sum"`
		Wrong int64        `db:"wrong"`
	}](b, `
		SELECT sum(balance)::bigint + (SELECT coalesce(sum(charged), 0)::bigint FROM rated_event) AS sum,
			count(*) FILTER (WHERE reserved NOT BETWEEN 0 AND balance) AS wrong
		FROM bucket`)
	for _, r := range rows {
		if r.Sum != whole || r.Wrong != 0 {
			b.t.Errorf("there are %d in all, want %d; %d lots are wrong", r.Sum, whole, r.Wrong)
		}
	}
}

// deadlocks is how many there were in the database. A backend tells its own when it ends at the latest: those of all
// servers must have.
func (b *bench) deadlocks(t *testing.T) int64 {
	t.Helper()
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
	until(t, func() bool {
		return one[int64](b, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND backend_type = 'client backend'`) == 0
	})
	return one[int64](b, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
}
