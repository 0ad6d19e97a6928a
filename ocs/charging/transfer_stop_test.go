package charging_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// slowPINs are in the middle of a check until they are let go.
type slowPINs struct{ asked, letGo chan struct{} }

func (s slowPINs) Check(context.Context, pin.Attempt) (transfer.Credential, error) {
	close(s.asked)
	<-s.letGo
	return transfer.Credential{Result: transfer.Verified}, nil
}

// A transfer whose PIN was being checked when the engine stopped comes to a lane where nobody works any more. It ends with an
// answer all the same, and without an effect.
func TestTransferOfAnEngineThatStopped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pins := slowPINs{make(chan struct{}), make(chan struct{})}
	e := charging.New(b.config(b.store, func(c *charging.Config) { c.PINs, c.Deadline = pins, 100*time.Millisecond }))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	over := make(chan error, 1)
	go func() { over <- e.Run(ctx) }()
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)

	r := send(ann, ben, "late", 900)
	r.PIN = "2580"
	outcome := make(chan error, 1)
	go func() {
		_, err := e.Transfer(context.Background(), r)
		outcome <- err
	}()
	<-pins.asked
	stop()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	close(pins.letGo)
	if err := <-outcome; !errors.Is(err, charging.ErrBusy) {
		t.Errorf("a transfer after the end: %v, want busy", err)
	}
	if _, err := e.Transfer(context.Background(), send(ann, ben, "later", 900)); !errors.Is(err, charging.ErrBusy) {
		t.Errorf("a transfer that comes after the end: %v, want busy", err)
	}
	b.wantBalance(from, 6000, 0)
	b.wantBalance(to, 60, 0)
}

// Every transfer that an engine has when it stops ends with an outcome, which is what was written, or with busy, and then
// nothing was.
func TestTransfersWhileTheEngineStops(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	e := charging.New(b.config(b.store, withPolicy(openPolicy())))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	over := make(chan error, 1)
	go func() { over <- e.Run(ctx) }()
	from, to := b.subscriber(ann, 600_000), b.subscriber(ben, 60)
	const workers = 8
	moved := make([]int, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := 0; ; i++ {
				o, err := e.Transfer(context.Background(), send(ann, ben, fmt.Sprintf("w%d-%d", w, i), 60))
				switch {
				case err == nil && o.Answer.Refusal == transfer.None:
					moved[w]++
				case errors.Is(err, charging.ErrBusy):
					return
				default:
					t.Errorf("transfer: %v %q", err, o.Answer.Refusal)
					return
				}
				if w == 0 && i == 20 {
					stop()
				}
			}
		})
	}
	all.Wait()
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range moved {
		sum += n
	}
	if sum == 0 {
		t.Fatal("nothing was moved before the end")
	}
	list, err := b.store.TransfersOf(t.Context(), from, 10_000)
	if err != nil || len(list) != sum {
		t.Errorf("%d transfers are stored, %v, and %d were answered", len(list), err, sum)
	}
	fresh := postgrestest.Open(t, b.dsn, postgres.Options{})
	postgrestest.CheckInvariants(t, fresh)
	_ = to
}
