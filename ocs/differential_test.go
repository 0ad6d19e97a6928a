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
	modelSeed  = flag.Uint64("model-seed", 1, "first seed of the calls that are compared with the slow model")
	modelCalls = flag.Int("model-calls", 4000, "how many calls are compared with the slow model")
)

const callsOfAPlan = 50

// Calls under random tariffs, with everything a tariff can have, cost what a model says that lets one second go by after the
// other: the same from the same bucket, under the same name, and the same is owed. Reports come at random times.
func TestAgainstTheSlowModel(t *testing.T) {
	t.Parallel()
	for i := range *modelCalls / callsOfAPlan {
		s := *modelSeed + uint64(i)
		if err := compareWithModel(s); err != nil {
			t.Fatalf("%v\nreplay with: go test ./ocs -run TestAgainstTheSlowModel -model-seed %d -model-calls %d", err, s, callsOfAPlan)
		}
	}
}

var modelZones = []string{"Europe/Berlin", "America/New_York", "Asia/Seoul", "Australia/Lord_Howe", "America/St_Johns", "UTC"}

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

func someUnits(rnd *rand.Rand, most int64) rating.Units { return rating.Units(rnd.Int64N(most + 1)) }

func randomPayer(rnd *rand.Rand) rating.Payer {
	p := rating.Payer{
		Pays: pick[rating.Unit](rnd, rating.Seconds, rating.Seconds, "EUR", "USD"), Setup: pick(rnd, 0, 0, someUnits(rnd, 40)),
		Price: rating.Price{Units: someUnits(rnd, 5), Per: pick[rating.Units](rnd, 1, 1, 3, 7, 60)},
	}
	p.First = pick[rating.Units](rnd, 1, 1, 60, 30, 7)
	p.Next = pick[rating.Units](rnd, 1, p.First, 6, 60)
	if p.Pays == rating.Seconds && rnd.IntN(2) == 0 {
		p.Buckets = []string{pick(rnd, "plan", "bonus")}
	}
	return p
}

func randomTariff(rnd *rand.Rand, name string) rating.Tariff {
	p := randomPayer(rnd)
	t := rating.Tariff{
		Name: name, Measures: rating.Seconds, Pays: p.Pays, Setup: p.Setup, First: p.First, Next: p.Next, Price: p.Price, Buckets: p.Buckets,
	}
	for range rnd.IntN(3) {
		t.Then = append(t.Then, randomPayer(rnd))
	}
	return t
}

// randomTimes has some periods whose bounds lie around the time of day that calls begin at.
func randomTimes(rnd *rand.Rand, zone *time.Location, around time.Time) *rating.Times {
	var periods []rating.Period
	local := around.In(zone)
	near := func() int {
		second := local.Hour()*3600 + local.Minute()*60 + local.Second() + rnd.IntN(2400) - 600
		if rnd.IntN(4) == 0 {
			second = rnd.IntN(24) * 3600
		}
		return (second + 86400) % 86400
	}
	for i := range 1 + rnd.IntN(4) {
		days := rating.Days(rnd.IntN(256))
		if rnd.IntN(2) == 0 {
			days = rating.EveryDay
		}
		periods = append(periods, rating.Period{Days: days, From: near(), To: near(), Tariff: randomTariff(rnd, fmt.Sprintf("period%d", i))})
	}
	year, month, day := local.Date()
	return rating.NewTimes(zone, []rating.Date{{Year: year, Month: month, Day: day + rnd.IntN(3) - 1}}, periods)
}

// randomStart is at no special time, at midnight, or at the change from or to summer time.
func randomStart(rnd *rand.Rand, zone *time.Location) time.Time {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rnd.IntN(365*86400)) * time.Second)
	switch rnd.IntN(3) {
	case 0:
		if _, set := at.In(zone).ZoneBounds(); !set.IsZero() {
			at = set.Add(-time.Duration(rnd.IntN(1200)) * time.Second)
		}
	case 1:
		year, month, day := at.In(zone).Date()
		at = time.Date(year, month, day, 0, 0, -rnd.IntN(1200), 0, zone)
	}
	return at.UTC()
}

func compareWithModel(seed uint64) error {
	rnd := rand.New(rand.NewPCG(seed, 1))
	zone, err := time.LoadLocation(pick(rnd, modelZones...))
	if err != nil {
		return err
	}
	start := randomStart(rnd, zone)
	always := randomTariff(rnd, "always")
	rates := rating.Rates{Default: &always}
	if rnd.IntN(4) > 0 {
		rates.Times = map[string]*rating.Times{"always": randomTimes(rnd, zone, start)}
	}
	rules := testRules()
	rules.Plans = map[string]rating.Plan{"test": {Name: "test", Rates: map[rating.Kind]rating.Rates{rating.Voice: rates}}}
	for i := range callsOfAPlan {
		c := newComparedCall(rnd, rules, start.Add(time.Duration(rnd.IntN(600))*time.Second))
		if err := c.run(rnd); err != nil {
			return fmt.Errorf("call %d from %s under %+v, times %+v: %w", i, c.answered, always, rates.Times["always"], err)
		}
	}
	return nil
}

// A comparedCall is one call, charged by Decide and by the model.
type comparedCall struct {
	rules    *Rules
	account  Account
	model    *slowModel
	answered time.Time
	lasted   rating.Units // reported so far
	events   []RatedEvent
	granted  rating.Units
	honest   bool // the client uses no more than it was granted
}

func newComparedCall(rnd *rand.Rand, rules *Rules, begin time.Time) *comparedCall {
	c := &comparedCall{rules: rules, account: Account{Subscriber: Subscriber{ID: "s", State: Active, Plan: "test"}}, honest: rnd.IntN(3) > 0}
	for i, unit := range []rating.Unit{rating.Seconds, rating.Seconds, rating.Seconds, "EUR", "USD", "EUR"} {
		b := Bucket{ID: BucketID(fmt.Sprintf("b%d", i)), Subscriber: "s", Unit: unit, Class: pick(rnd, "plan", "bonus"), Priority: rnd.IntN(3)}
		b.Balance = pick(rnd, 0, someUnits(rnd, 100), someUnits(rnd, 1000), someUnits(rnd, 3000))
		c.account.Buckets = append(c.account.Buckets, b)
	}
	InOrder(c.account.Buckets)
	c.answered = begin
	c.model = newSlowModel(rules.Plans["test"].Rates[rating.Voice], c.account.Buckets)
	return c
}

func (c *comparedCall) send(rnd *rand.Rand, kind RequestType, number uint32, used rating.Units) Answer {
	at := c.answered.Add(time.Duration(c.lasted) * time.Second)
	r := Request{Session: SessionKey{ID: "s"}, Type: kind, Number: number, Context: Context{Name: "32260@3gpp.org"}, EventTime: at}
	s := ServiceRequest{Requested: &Measured{}}
	if rnd.IntN(2) == 0 {
		s.Requested.Time = new(uint64(1 + rnd.IntN(900)))
	}
	if used > 0 {
		s.Used = []Used{{Measured: measured(rating.Seconds, uint64(used))}}
	}
	r.Services = []ServiceRequest{s}
	now := at.Add(time.Duration(rnd.IntN(3000)) * time.Millisecond)
	o := Decide(c.rules, c.account, r, now)
	for _, changed := range o.Buckets {
		for i := range c.account.Buckets {
			if c.account.Buckets[i].ID == changed.ID {
				c.account.Buckets[i] = changed
			}
		}
	}
	for i := range o.Sessions {
		c.account.Session = &o.Sessions[i]
	}
	c.events = append(c.events, o.Events...)
	return o.Answer
}

func (c *comparedCall) run(rnd *rand.Rand) error {
	grantedBy := func(a Answer) bool {
		if len(a.Services) == 0 || a.Services[0].Granted == 0 {
			return false
		}
		c.granted = a.Services[0].Granted
		return true
	}
	if !grantedBy(c.send(rnd, Initial, 0, 0)) {
		return c.compare()
	}
	if rnd.IntN(2) == 0 {
		c.answered = c.answered.Add(time.Duration(rnd.IntN(60)) * time.Second) // it rings: the grant was made for either side of a change
		c.honest = false
	}
	for number := uint32(1); ; number++ {
		used := someUnits(rnd, int64(min(c.granted, 700)))
		if !c.honest && rnd.IntN(4) == 0 {
			used += someUnits(rnd, 100)
		}
		for range used {
			c.model.second(c.answered.Add(time.Duration(c.lasted) * time.Second))
			c.lasted++
		}
		c.model.reported()
		kind := Update
		if rnd.IntN(4) == 0 {
			kind = Termination
		}
		a := c.send(rnd, kind, number, used)
		if kind == Termination || !grantedBy(a) {
			return c.compare()
		}
	}
}

func (c *comparedCall) compare() error {
	got := map[string]tally{}
	for _, e := range c.events {
		for key, more := range map[string]tally{
			e.Tariff: {used: e.Used}, e.Tariff + " " + string(e.Unit): {charged: e.Charged, owed: e.Overrun},
		} {
			t := got[key]
			got[key] = tally{t.used + more.used, t.charged + more.charged, t.owed + more.owed}
		}
		if c.honest && e.Overrun > 0 {
			return fmt.Errorf("%d were owed for what was granted", e.Overrun)
		}
	}
	for key := range c.model.tallies {
		if _, ok := got[key]; !ok {
			got[key] = tally{}
		}
	}
	for key, g := range got {
		if want := *c.model.of(key); g != want {
			return fmt.Errorf("%s after %d s: got %+v, the model says %+v", key, c.lasted, g, want)
		}
	}
	for i, b := range c.account.Buckets {
		if want := c.model.buckets[i].Balance; b.Balance != want {
			return fmt.Errorf("bucket %s of %s: got %d, the model says %d", b.ID, b.Unit, b.Balance, want)
		}
	}
	return nil
}

type tally struct{ used, charged, owed rating.Units }

// A slowModel charges for a call one second after the other. It shares nothing with package rating but the tariffs.
type slowModel struct {
	rates   rating.Rates
	buckets []Bucket
	tallies map[string]*tally

	began     bool           // any second went by
	tariff    rating.Tariff  // of the stretch
	payers    []rating.Payer // under that tariff
	payer     rating.Payer
	number    int          // of the payer
	paid      rating.Units // seconds of the increments of the stretch that were begun
	price     rating.Units // charged for them, without setup
	left      rating.Units // seconds of the last increment that are still to go by
	carried   rating.Units // seconds of an increment of the stretch before
	continues bool
	owing     bool // nobody could pay; it is not asked again before the tariff changes or the usage is reported
}

func newSlowModel(rates rating.Rates, buckets []Bucket) *slowModel {
	return &slowModel{rates: rates, buckets: slices.Clone(buckets), tallies: map[string]*tally{}}
}

func (m *slowModel) of(key string) *tally {
	if m.tallies[key] == nil {
		m.tallies[key] = &tally{}
	}
	return m.tallies[key]
}

// at returns the tariff that the clock on the wall shows.
func (m *slowModel) at(now time.Time) rating.Tariff {
	times := m.rates.Times["always"]
	if times == nil {
		return *m.rates.Default
	}
	local := now.In(times.Zone())
	hour, minute, second := local.Clock()
	clock := hour*3600 + minute*60 + second
	day := rating.On(local.Weekday())
	if times.IsHoliday(now) {
		day = rating.Holidays
	}
	for _, p := range times.Periods {
		inside := p.From <= clock && clock < p.To
		if p.From >= p.To { // over midnight
			inside = clock >= p.From || clock < p.To
		}
		if inside && p.Days&day != 0 {
			return p.Tariff
		}
	}
	return *m.rates.Default
}

func (m *slowModel) second(now time.Time) {
	tariff := m.at(now)
	if m.began && tariff.Name != m.tariff.Name {
		rest := m.left + m.carried
		if m.payer.Price.Units == 0 && m.carried == 0 {
			rest = 0
		}
		m.paid, m.price, m.left, m.carried, m.continues, m.owing = 0, 0, 0, rest, true, false
		m.under(tariff)
	}
	if !m.began {
		m.began = true
		m.under(tariff)
	}
	switch {
	case m.carried > 0:
		m.carried--
	case m.left > 0:
		m.left--
	default:
		m.increment()
	}
	m.of(m.tariff.Name).used++
}

func (m *slowModel) take(number int) { m.number, m.payer = number, m.payers[number] }

// under goes on with the first payer of a tariff.
func (m *slowModel) under(t rating.Tariff) {
	first := rating.Payer{Pays: t.Pays, Setup: t.Setup, First: t.First, Next: t.Next, Price: t.Price, Buckets: t.Buckets}
	m.tariff, m.payers = t, append([]rating.Payer{first}, t.Then...)
	m.take(0)
}

// cost returns the length and the price of the next increment, if payer number pays it.
func (m *slowModel) cost(number int) (length, setup, total rating.Units) {
	p := m.payers[number]
	paid := m.paid
	if number != m.number {
		paid = 0
	}
	length = p.Next
	if !m.continues && m.paid == 0 {
		length, setup = p.First, p.Setup
	}
	if p.Price.Units == 0 {
		length = 1
	}
	exact := (paid + length) * p.Price.Units
	return length, setup, (exact + p.Price.Per - 1) / p.Price.Per
}

func (m *slowModel) increment() {
	chosen, owed := -1, len(m.payers)-1
	for number := range slices.Backward(m.payers) {
		_, setup, total := m.cost(number)
		before := rating.Units(0)
		if number == m.number {
			before = m.price
		}
		if m.free(number) >= setup+total-before && !m.owing {
			chosen = number
		}
		if m.free(number) > 0 {
			owed = number
		}
	}
	switch {
	case m.owing:
		chosen = m.number
	case chosen < 0:
		chosen, m.owing = owed, true
	}
	length, setup, total := m.cost(chosen)
	if chosen != m.number {
		if m.paid > 0 {
			m.continues = true
		}
		m.paid, m.price = 0, 0
		m.take(chosen)
	}
	m.debit(setup + total - m.price)
	m.paid += length
	m.price = total
	m.left = length - 1
}

func (m *slowModel) pays(number int, b Bucket) bool {
	p := m.payers[number]
	return b.Unit == p.Pays && (len(p.Buckets) == 0 || slices.Contains(p.Buckets, b.Class))
}

func (m *slowModel) free(number int) (sum rating.Units) {
	for _, b := range m.buckets {
		if m.pays(number, b) {
			sum += b.Balance
		}
	}
	return sum
}

func (m *slowModel) debit(due rating.Units) {
	t := m.of(m.tariff.Name + " " + string(m.payer.Pays))
	for i := range m.buckets {
		if m.pays(m.number, m.buckets[i]) {
			part := min(due, m.buckets[i].Balance)
			m.buckets[i].Balance -= part
			t.charged += part
			due -= part
		}
	}
	t.owed += due
}

// reported tells that the usage so far was reported.
func (m *slowModel) reported() { m.owing = false }
