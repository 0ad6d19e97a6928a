package charging_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// I28: the switch is thrown while two servers move minutes as fast as they can. When it has returned nothing commits any
// more; calls go on; what is pending lapses; and when it is undone transfers go on.
func TestI28_NothingCommitsAfterTheSwitch(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := b.twoEngines(withPolicy(openPolicy()))
	from, to := b.subscriber(ann, 60_000), b.subscriber(ben, 60_000)
	prepare := send(ann, ben, "pending", 600)
	prepare.Request.Operation = transfer.OpPrepare
	pending := do(t, engines[0], prepare).Answer.Reference
	const done = `SELECT count(*) FROM transfer WHERE status = 'completed'`
	var stopped atomic.Bool
	var moving, refused atomic.Int64
	var all sync.WaitGroup
	for w := range 16 {
		all.Go(func() {
			for n, after := 0, 0; after < 5; n++ {
				if stopped.Load() {
					after++
				}
				who := []string{ann, ben}
				o := do(t, engines[(w+n)%2], send(who[w%2], who[1-w%2], fmt.Sprint(w, ".", n), 60))
				switch o.Answer.Refusal {
				case transfer.Stopped:
					refused.Add(1)
				default:
					wantRefusal(t, o, transfer.None)
					moving.Add(1)
				}
				if after > 1 && o.Answer.Refusal == transfer.None {
					t.Error("moved after the switch")
				}
			}
		})
	}
	until(t, func() bool { return moving.Load() > 200 })
	if err := b.store.StopTransfers(t.Context(), "maintenance", "eve", b.clock()); err != nil {
		t.Fatal(err)
	}
	before := one[int64](b, done)
	stopped.Store(true)
	want(t, ask(engines[0], ccr(ann, "call", ocs.Initial, 0, 0, true)), ocs.Granted)
	want(t, ask(engines[1], ccr(ann, "call", ocs.Termination, 1, 60, false)), ocs.Granted)
	all.Wait()
	if after := one[int64](b, done); after != before || after != moving.Load() || refused.Load() < 16*4 {
		t.Errorf("%d were done when the switch was thrown, %d after, %d were told so, %d were refused", before, after, moving.Load(), refused.Load())
	}
	wantRefusal(t, do(t, engines[1], on(ann, transfer.OpConfirm, pending, "confirm")), transfer.Stopped)
	b.wait(25 * time.Hour)
	until(t, func() bool { _, reserved := b.balance(from); return reserved == 0 })
	if err := b.store.ResumeTransfers(t.Context(), "eve", b.clock()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, do(t, engines[1], send(ben, ann, "again", 60)), transfer.None)
	balance, _ := b.balance(from)
	other, _ := b.balance(to)
	if balance+other != 120_000-60 {
		t.Errorf("%d and %d are left, want %d", balance, other, 120_000-60)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// I28: a transfer that was let through is being written when the switch is thrown: the switch waits until it is
// committed, so that nothing commits behind it.
func TestI28_SwitchWaitsForWhatIsBeingWritten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	writing, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	e := b.engine(b.store, func(c *charging.Config) {
		c.Events = func(context.Context, *postgres.Tx, []transfer.Transfer, time.Time) ([]outbox.Message, error) {
			once.Do(func() { close(writing); <-goOn })
			return nil, nil
		}
	})
	from := b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	var all sync.WaitGroup
	all.Go(func() { wantRefusal(t, do(t, e, send(ann, ben, "r1", 600)), transfer.None) })
	<-writing
	thrown := make(chan error, 1)
	other := postgrestest.Open(t, b.dsn, postgres.Options{})
	all.Go(func() { thrown <- other.StopTransfers(context.Background(), "maintenance", "eve", b.clock()) })
	until(t, func() bool {
		return len(thrown) > 0 || one[int64](b, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%policy_in_force%'`) > 0
	})
	if len(thrown) > 0 {
		t.Error("the switch was thrown past a transfer that is not committed")
	}
	close(goOn)
	all.Wait()
	if err := <-thrown; err != nil {
		t.Error(err)
	}
	b.wantBalance(from, 5400, 0)
	wantRefusal(t, do(t, e, send(ann, ben, "r2", 600)), transfer.Stopped)
	b.wantBalance(from, 5400, 0)
}
