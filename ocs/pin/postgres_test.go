package pin_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// Two servers on one database: of thirty guesses at once, three are looked at, and a server that starts later knows of it.
func TestGuessesOverTwoServers(t *testing.T) {
	t.Parallel()
	dsn := postgrestest.DSN(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	server := func() *pin.Checker {
		store := postgrestest.Open(t, dsn, postgres.Options{MaxConns: 4})
		c, err := pin.New(pin.Config{Store: store, Pepper: []byte(strings.Repeat("p", 32)), Clock: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	store := postgrestest.Open(t, dsn, postgres.Options{MaxConns: 4})
	anna := ocs.SubscriberID(uuid.NewString())
	err := store.CreateSubscribers(t.Context(), []postgres.NewSubscriber{{
		Subscriber: ocs.Subscriber{ID: anna, State: ocs.Active, Plan: "demo", IdentityVersion: 1, MSISDN: "31612345678"},
		Identities: []ocs.Identity{{Kind: ocs.E164, Value: "31612345678"}},
	}}, now)
	if err != nil {
		t.Fatal(err)
	}
	attempt := func(p pin.Secret) pin.Attempt {
		return pin.Attempt{Subscriber: anna, PIN: p, Channel: transfer.USSD, Gateway: "gw"}
	}
	servers := []*pin.Checker{server(), server()}
	if c, err := servers[0].Change(t.Context(), attempt(""), "408263", "31612345678"); err != nil || c.Result != transfer.Verified {
		t.Fatalf("choose a PIN: %+v, %v", c, err)
	}
	if c, err := servers[1].Check(t.Context(), attempt("408263")); err != nil || c.Result != transfer.Verified {
		t.Fatalf("the other server: %+v, %v", c, err)
	}
	var wrong, locked atomic.Int32
	var guessing sync.WaitGroup
	for n := range 30 {
		guessing.Go(func() {
			c, err := servers[n%2].Check(t.Context(), attempt(pin.Secret(fmt.Sprintf("9%05d", n))))
			switch {
			case err != nil:
				t.Error(err)
			case c.Result == transfer.Wrong:
				wrong.Add(1)
			case c.Result == transfer.Locked && c.LockedUntil.Equal(now.Add(24*time.Hour)):
				locked.Add(1)
			}
		})
	}
	guessing.Wait()
	if wrong.Load() != 2 || locked.Load() != 28 {
		t.Errorf("%d wrong and %d locked, want 2 and 28", wrong.Load(), locked.Load())
	}
	later := server()
	if c, err := later.Check(t.Context(), attempt("408263")); err != nil || c.Result != transfer.Locked {
		t.Errorf("the right one on a server that started later: %+v, %v", c, err)
	}
	if s, err := later.State(t.Context(), anna); err != nil || s.TriesLeft != 0 || !s.IsSet || !s.ChangedAt.IsZero() {
		t.Errorf("state %+v, %v", s, err)
	}
	drawn, err := later.Reset(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := servers[0].Check(t.Context(), attempt(drawn)); err != nil || c.Result != transfer.MustChange {
		t.Errorf("the drawn one: %+v, %v", c, err)
	}
	if c, err := servers[0].Change(t.Context(), attempt(drawn), "739104"); err != nil || c.Result != transfer.Verified {
		t.Errorf("change it: %+v, %v", c, err)
	}
	if c, err := servers[1].Check(t.Context(), attempt("739104")); err != nil || c.Result != transfer.Verified {
		t.Errorf("the chosen one: %+v, %v", c, err)
	}
}
