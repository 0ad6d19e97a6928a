package charging_test

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// A PIN opens a channel that wants one. A copy of a request with a wrong one counts no second try.
func TestPIN(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	pins := &fakePINs{right: "481516"}
	p := openPolicy()
	e := b.engine(b.store, func(c *charging.Config) { c.PINs, c.Policy = pins, func() *transfer.Policy { return p } })
	from := b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	r := send(ann, ben, "r1", 60)
	r.Request.Channel = transfer.USSD
	r.Request.Credential.Result = transfer.Verified // nobody believes that
	wantRefusal(t, do(t, e, r), transfer.PINNeeded)
	r.Request.Reference, r.PIN = "r2", "000000"
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { wantRefusal(t, do(t, e, r), transfer.WrongPIN) })
	}
	all.Wait()
	if n := pins.tries.Load(); n != 1 {
		t.Errorf("%d tries were counted, want 1", n)
	}
	r.Request.Reference, r.PIN = "r3", "481516"
	wantRefusal(t, do(t, e, r), transfer.None)
	r.Request.Reference = "r4"
	r.Request.Confirmed = true
	wantRefusal(t, do(t, e, r), transfer.RepeatSuspected)
	r.Request.Reference, r.Request.Again = "r5", true
	wantRefusal(t, do(t, e, r), transfer.None)
	b.wantBalance(from, 5880, 0)
	postgrestest.CheckInvariants(t, b.store)
}

type fakePINs struct {
	right pin.Secret
	tries atomic.Int64
}

func (f *fakePINs) Check(_ context.Context, a pin.Attempt) (transfer.Credential, error) {
	f.tries.Add(1)
	if a.PIN == f.right {
		return transfer.Credential{Result: transfer.Verified}, nil
	}
	return transfer.Credential{Result: transfer.Wrong, TriesLeft: 2}, nil
}

// A wrong PIN under one reference, to two servers at the same moment, is one try, and every copy is told so. So is the next, and
// the third, which locks.
func TestWrongPINAtTwoServersIsOneTry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := openPolicy()
	server := func(s *postgres.Store) *charging.Engine {
		checker, err := pin.New(pin.Config{Store: s, Pepper: []byte(strings.Repeat("p", 32)), Clock: b.clock})
		if err != nil {
			t.Fatal(err)
		}
		return b.engine(s, func(c *charging.Config) { c.PINs, c.Policy = checker, func() *transfer.Policy { return p } })
	}
	second := postgrestest.Open(t, b.dsn, postgres.Options{})
	engines := []*charging.Engine{server(b.store), server(second)}
	from := b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	owner, err := pin.New(pin.Config{Store: b.store, Pepper: []byte(strings.Repeat("p", 32)), Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := owner.Change(t.Context(), pin.Attempt{Subscriber: from}, "408263"); err != nil || c.Result != transfer.Verified {
		t.Fatalf("choose a PIN: %+v, %v", c, err)
	}
	r := send(ann, ben, "", 60)
	r.Request.Channel = transfer.USSD
	for n, reference := range []string{"r1", "r2", "r3"} {
		r.Request.Reference, r.PIN = reference, "739104"
		answers := make(chan transfer.Answer, 6)
		var all sync.WaitGroup
		for i := range cap(answers) {
			all.Go(func() { answers <- do(t, engines[i%2], r).Answer })
		}
		all.Wait()
		first := <-answers
		for range cap(answers) - 1 {
			if again := <-answers; !reflect.DeepEqual(first, again) {
				t.Errorf("%s was answered %+v and %+v", reference, first, again)
			}
		}
		if want := []transfer.Refusal{transfer.WrongPIN, transfer.WrongPIN, transfer.PINLocked}[n]; first.Refusal != want || first.TriesLeft != 2-n {
			t.Errorf("%s: %s with %d tries left, want %s with %d", reference, first.Refusal, first.TriesLeft, want, 2-n)
		}
		if record, err := b.store.PIN(t.Context(), from); err != nil || record.Tries != n+1 {
			t.Errorf("%d tries after %d requests, %v", record.Tries, n+1, err)
		}
	}
	b.wantBalance(from, 6000, 0)
	postgrestest.CheckInvariants(t, b.store)
}
