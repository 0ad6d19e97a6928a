package charging_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

// I24: what was done is told to both, once, with its reference; a refusal, a copy and a transaction that was rolled back
// tell nobody. A message that is sent again has the same id.
func TestI24_OutboxOfCommitsOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	mix(t, b, func(*mixture) {})
	for _, s := range b.stored() {
		texts, err := b.store.OutboxOf(t.Context(), string(s.Reference))
		if err != nil {
			t.Fatal(err)
		}
		switch s.Status {
		case transfer.Failed:
			if len(texts) != 0 {
				t.Errorf("%s was refused as %q and told: %+v", s.Reference, s.Refusal, texts)
			}
		case transfer.Completed, transfer.Reversed, transfer.ReversalPending:
			told := map[string]int{}
			for _, x := range texts {
				told[x.To]++
				if !strings.Contains(x.Body, string(s.Reference)) {
					t.Errorf("%s is told without its reference: %q", s.Reference, x.Body)
				}
			}
			if s.Operation == transfer.OpSend && s.ReversedBy == "" && (len(texts) != 2 || len(told) != 2) {
				t.Errorf("%s is %s and told %d times to %d", s.Reference, s.Status, len(texts), len(told))
			}
			if len(told) == 0 {
				t.Errorf("%s is %s and not told", s.Reference, s.Status)
			}
		case transfer.Cancelled, transfer.Expired, transfer.Pending:
		}
	}
	if n := one[int64](b, `SELECT count(*) FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM transfer t WHERE t.reference = o.reference)`); n != 0 {
		t.Errorf("%d messages are about nothing", n)
	}
	claim := func() (ids []string) {
		messages, err := b.store.OutboxClaim(t.Context(), outbox.Text, b.clock(), b.clock().Add(time.Minute), 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			ids = append(ids, m.ID)
		}
		slices.Sort(ids)
		return ids
	}
	first := claim()
	if len(claim()) != 0 {
		t.Error("claimed twice")
	}
	b.wait(time.Minute)
	if again := claim(); len(first) == 0 || !slices.Equal(first, again) {
		t.Errorf("%d messages were to be sent, and then %d others", len(first), len(again))
	}
}

// I24: a transaction that fails at its very end leaves nothing: no message, no posting, no answer. The same request is
// then done as if nothing had been.
func TestI24_RollbackTellsNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var failing atomic.Bool
	failing.Store(true)
	broken := errors.New("no events today")
	e := b.engine(b.store, func(c *charging.Config) {
		c.Events = func(context.Context, *postgres.Tx, []transfer.Transfer, time.Time) ([]outbox.Message, error) {
			if failing.Load() {
				return nil, broken
			}
			return nil, nil
		}
	})
	from := b.subscriber(ann, 6000)
	b.subscriber(ben, 60)
	if _, err := e.Transfer(t.Context(), send(ann, ben, "r", 600)); !errors.Is(err, charging.ErrUnable) && !errors.Is(err, charging.ErrBusy) {
		t.Errorf("got %v, want an error that says that nothing was written", err)
	}
	for _, table := range []string{"outbox", "transfer", "transfer_answer", "transfer_counter", "audit", "posting WHERE kind = 'transfer'"} {
		if n := one[int64](b, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	b.wantBalance(from, 6000, 0)
	failing.Store(false)
	wantRefusal(t, do(t, e, send(ann, ben, "r", 600)), transfer.None)
	b.wantBalance(from, 5400, 0)
	if n := one[int64](b, `SELECT count(*) FROM outbox`); n != 2 {
		t.Errorf("%d messages, want 2", n)
	}
	postgrestest.CheckInvariants(t, b.store)
}
