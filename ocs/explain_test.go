package ocs

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Whatever a random call was charged under random tariffs, charging its rated events again comes to the same.
func TestReplayComesToTheSame(t *testing.T) {
	t.Parallel()
	for s := range uint64(40) {
		rnd := rand.New(rand.NewPCG(s, 7))
		zone, err := time.LoadLocation(pick(rnd, modelZones...))
		if err != nil {
			t.Fatal(err)
		}
		start := randomStart(rnd, zone)
		always := randomTariff(rnd, "always")
		rates := rating.Rates{Default: &always, Times: map[string]*rating.Times{"always": randomTimes(rnd, zone, start)}}
		rules := testRules()
		rules.Plans = map[string]rating.Plan{"test": {Name: "test", Rates: map[rating.Kind]rating.Rates{rating.Voice: rates}}}
		for range 20 {
			c := newComparedCall(rnd, rules, start)
			if err := c.run(rnd); err != nil {
				t.Fatal(err)
			}
			for _, r := range Replay(c.events, rating.Voice, func(_, plan string) (rating.Plan, bool) { return rules.Plans[plan], true }) {
				if !r.Exact() {
					t.Fatalf("seed %d: %+v costs %d by its tariff, from %+v", s, r.Event, r.Cost, fmt.Sprint(c.events))
				}
			}
		}
	}
}

// A charge that was changed afterwards does not explain itself.
func TestReplaySeesADifference(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("4917", rating.Seconds, 1000, "plan", 0, time.Time{})
	w.send("4917", Request{
		Session: SessionKey{ID: "a"}, Type: Initial, Context: Context{Name: "32260@3gpp.org"}, Conditions: &Conditions{Called: "tel:+33123"},
		Services: []ServiceRequest{{Requested: &Measured{}}},
	})
	w.send("4917", Request{
		Session: SessionKey{ID: "a"}, Type: Termination, Number: 1, Context: Context{Name: "32260@3gpp.org"},
		Services: []ServiceRequest{{Used: []Used{{Measured: measured(rating.Seconds, 61)}}}},
	})
	planOf := func(_, plan string) (rating.Plan, bool) { p, ok := w.rules.Plans[plan]; return p, ok }
	good := Replay(w.events, rating.Voice, planOf)
	if len(good) != 1 || !good[0].Exact() || good[0].Cost != 480 || good[0].Meter.Rounded() != 120 {
		t.Fatalf("got %+v, want 480 for 61 s counted as 120", good)
	}
	w.events[0].Charged--
	if bad := Replay(w.events, rating.Voice, planOf); bad[0].Exact() || bad[0].Cost != 480 {
		t.Errorf("a charge of %d goes for what the tariff says: %+v", w.events[0].Charged, bad[0])
	}
	w.events[0].Tariff = "gone"
	if lost := Replay(w.events, rating.Voice, planOf); lost[0].Known || lost[0].Exact() {
		t.Errorf("a tariff that is not there is known: %+v", lost[0])
	}
}
