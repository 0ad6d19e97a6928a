package charging_test

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A call finishes by the catalogue that it began with, on a server that has never seen it; a new call begins with the new one.
func TestACallFinishesByItsCatalog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.subscriber("491700000001", 1000)
	first := b.engine(b.store, nil)
	initial := ccr("491700000001", "old", ocs.Initial, 0, 0, true)
	initial.Conditions = &ocs.Conditions{Called: "tel:+4930123"}
	if a := ask(first, initial); a.Verdict != ocs.Granted {
		t.Fatalf("initial: %+v", a)
	}

	dear := rating.Tariff{Name: "dear", Measures: rating.Seconds, Pays: rating.Seconds, First: 1, Next: 1, Price: rating.Price{Units: 5, Per: 1}}
	next := *b.rules
	next.Catalog = "next"
	next.Plans = map[string]rating.Plan{"test": {
		Name: "test", Rates: map[rating.Kind]rating.Rates{rating.Voice: {Originating: rating.NewPrefixes(map[string]rating.Tariff{"": dear})}},
	}}
	var rules atomic.Pointer[ocs.Rules]
	rules.Store(&next)
	var asked atomic.Int32
	second := b.engine(b.store, func(c *charging.Config) {
		c.Rules = rules.Load
		c.Recall = func(_ context.Context, version string) error {
			asked.Add(1)
			if version != "test" {
				return postgres.ErrNotFound
			}
			known := *rules.Load()
			known.Versions = map[string]map[string]rating.Plan{"test": b.rules.Plans, "next": next.Plans}
			rules.Store(&known)
			return nil
		}
	})
	again := ccr("491700000001", "old", ocs.Update, 1, 10, true)
	again.Conditions = &ocs.Conditions{Called: "tel:+4940999"} // another destination: its tariff is looked up again
	if a := ask(second, again); a.Verdict != ocs.Granted {
		t.Fatalf("update: %+v", a)
	}
	if a := ask(second, ccr("491700000001", "old", ocs.Termination, 2, 10, false)); a.Verdict != ocs.Granted {
		t.Fatalf("termination: %+v", a)
	}
	if asked.Load() != 1 {
		t.Errorf("asked for the old catalogue %d times", asked.Load())
	}
	ask(second, ccr("491700000001", "new", ocs.Initial, 0, 0, true))
	ask(second, ccr("491700000001", "new", ocs.Termination, 1, 10, false))
	events, err := b.store.RatedEvents(t.Context(), postgres.RatedEventFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, e := range events {
		got[e.Session.ID+" "+e.Catalog+" "+e.Tariff]++
		if want := map[string]rating.Units{"old": 10, "new": 50}[e.Session.ID]; e.Charged != want {
			t.Errorf("%s: charged %d, want %d", e.Session.ID, e.Charged, want)
		}
	}
	if want := map[string]int{"old test home": 2, "new next dear": 1}; !maps.Equal(got, want) {
		t.Errorf("rated events %v, want %v", got, want)
	}
}
