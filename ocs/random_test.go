package ocs

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

var (
	seed  = flag.Uint64("seed", 1, "first seed of the random calls")
	calls = flag.Int("calls", 10_000, "how many random calls are made")
)

const callsOfAWorld = 20

// Random calls with random reports, copies and reordering are charged to the second, and no second appears or
// vanishes on the way (GY-102, GY-177; I3, I5, I6, I7).
func TestRandomCalls(t *testing.T) {
	t.Parallel()
	for i := range *calls / callsOfAWorld {
		s := *seed + uint64(i)
		if err := randomWorld(s); err != nil {
			t.Fatalf("%v\nreplay with: go test ./ocs -run TestRandomCalls -seed %d -calls %d", err, s, callsOfAWorld)
		}
	}
}

// A randomCall is what one client does: its requests, in the order in which it made them.
type randomCall struct {
	msisdn   string
	requests []Request
	used     rating.Units
	tariff   rating.Tariff
}

func randomWorld(seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 0))
	w := newWorld()
	w.fill(rnd)
	if rnd.IntN(2) == 0 { // many partial CDRs, also at the end of a month
		w.partial(time.Minute)
		w.now = time.Date(2026, 3, 31, 23, 50, 0, 0, time.UTC)
	}
	rich := rnd.IntN(2) == 0 // nobody runs out: every bill must be exact
	var all []*randomCall
	var mail []delivery
	for i := range callsOfAWorld {
		c := w.randomCall(rnd, i, rich)
		all = append(all, c)
		mail = append(mail, c.deliveries(rnd)...)
	}
	slices.SortStableFunc(mail, func(a, b delivery) int { return a.at - b.at })
	for _, m := range mail {
		if rnd.IntN(50) == 0 && !rich {
			w.now = w.now.Add(time.Duration(rnd.IntN(1000)) * time.Second)
			w.supervise()
		}
		if rich {
			w.now = w.now.Add(time.Duration(rnd.IntN(20)) * time.Second)
		}
		w.deliver(m)
		if err := w.check(); err != nil {
			return fmt.Errorf("%w, after request %d/%d of %s", err, m.request.Type, m.request.Number, m.request.Session.ID)
		}
	}
	if rich {
		if err := w.checkBills(all); err != nil {
			return err
		}
	}
	w.now = w.now.Add(72 * time.Hour)
	w.supervise()
	return w.checkAllOver()
}

func (w *world) fill(rnd *rand.Rand) {
	for i := range 3 {
		msisdn := fmt.Sprintf("4917%d", i)
		w.grant("rich"+msisdn, rating.Seconds, 1_000_000_000, "plan", 0, time.Time{})
		for range 1 + rnd.IntN(4) {
			expires := time.Time{}
			if rnd.IntN(2) == 0 {
				expires = w.now.Add(time.Duration(rnd.IntN(2000)) * time.Second)
			}
			w.grant(msisdn, rating.Seconds, rating.Units(rnd.IntN(500)), "plan", rnd.IntN(3), expires)
		}
	}
}

var calledNumbers = []string{"tel:+4940123", "tel:+33123", "tel:+4930123", "tel:+49700123", "tel:+49800123"}

func (w *world) randomCall(rnd *rand.Rand, i int, rich bool) *randomCall {
	c := &randomCall{msisdn: fmt.Sprintf("4917%d", rnd.IntN(3))}
	if rich {
		c.msisdn = "rich" + c.msisdn
	}
	called := calledNumbers[rnd.IntN(len(calledNumbers))]
	n, _ := rating.ParseNumber(called)
	c.tariff, _ = w.rules.Plans["test"].Tariff(rating.Usage{Kind: rating.Voice, Number: n.Digits})
	request := func(t RequestType, number int, used rating.Units, more bool) {
		r := Request{
			Session: SessionKey{ID: fmt.Sprintf("s%d", i)}, Type: t, Number: uint32(number),
			Context: Context{Name: "32260@3gpp.org"},
		}
		if t == Initial || rnd.IntN(3) == 0 {
			r.Conditions = &Conditions{Called: called}
		}
		var s ServiceRequest
		for used > 0 {
			part := 1 + rating.Units(rnd.Int64N(int64(used)))
			s.Used = append(s.Used, Used{Measured: measured(rating.Seconds, uint64(part))})
			used -= part
		}
		if more {
			s.Requested = &Measured{}
			if rnd.IntN(2) == 0 {
				s.Requested.Time = new(uint64(rnd.IntN(200)))
			}
		}
		r.Services = []ServiceRequest{s}
		c.requests = append(c.requests, r)
	}
	first := rnd.IntN(3)
	request(Initial, first, 0, true)
	last := first + 1 + rnd.IntN(6)
	for number := first + 1; number < last; number++ {
		used := rating.Units(rnd.IntN(100))
		c.used += used
		request(Update, number, used, true)
	}
	used := rating.Units(rnd.IntN(100))
	c.used += used
	request(Termination, last, used, false)
	return c
}

// A delivery is one copy of a request that reaches the server.
type delivery struct {
	at      int
	msisdn  string
	request Request
}

// deliveries scatters a call over time: the initial request comes first, everything else may be overtaken and repeated.
func (c *randomCall) deliveries(rnd *rand.Rand) (all []delivery) {
	start := rnd.IntN(100)
	for i, r := range c.requests {
		at := start
		if i > 0 {
			at += 10*i + rnd.IntN(25)
		}
		for range 1 + rnd.IntN(3) {
			all = append(all, delivery{at: at, msisdn: c.msisdn, request: r})
			at += rnd.IntN(60)
		}
	}
	return all
}

// deliver sends a copy. What the server takes of the usage is counted, once for every request.
func (w *world) deliver(m delivery) {
	before, seen := w.sessions[w.subscriber(m.msisdn).ID][m.request.Session], false
	if before.Key.ID != "" {
		_, seen, _ = before.Memory.Recall(m.request.Type, m.request.Number)
	}
	answer := w.send(m.msisdn, m.request)
	again := w.send(m.msisdn, m.request)
	if describe(answer) != describe(again) {
		panic(fmt.Sprintf("a copy was answered otherwise: %s then %s", describe(answer), describe(again)))
	}
	after := w.sessions[w.subscriber(m.msisdn).ID][m.request.Session]
	if seen || after.Key.ID == "" || after.State == Refused {
		return
	}
	for _, s := range m.request.Services {
		for _, u := range s.Used {
			n, _ := u.measure(rating.Seconds)
			w.reported[m.request.Session] += n
		}
	}
}

// checkBills compares what every call cost with the price of all its seconds together.
func (w *world) checkBills(all []*randomCall) error {
	cost := map[SessionKey]rating.Units{}
	for _, e := range w.events {
		cost[e.Session] += e.Charged
	}
	told := map[SessionKey]rating.Units{}
	for _, r := range w.records {
		for _, l := range r.Lines {
			told[r.Session] += l.Charged
		}
	}
	for _, c := range all {
		key := c.requests[0].Session
		if want := c.tariff.Charge(c.used); cost[key] != want || told[key] != want {
			return fmt.Errorf("call %s used %d under %s: charged %d, CDRs tell %d, want %d", key.ID, c.used, c.tariff.Name, cost[key], told[key], want)
		}
	}
	return nil
}

func (w *world) checkAllOver() error {
	for id, b := range w.buckets {
		if b.Reserved != 0 {
			return fmt.Errorf("bucket %s still has %d reserved after every call is over", id, b.Reserved)
		}
	}
	return w.check()
}
