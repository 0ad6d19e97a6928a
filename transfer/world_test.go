package transfer

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A world is a store in memory: it hands decisions what they need and keeps what they say.
type world struct {
	policy     *Policy
	now        time.Time
	parties    map[string]*Party // by name; buckets and counters are filled in when asked for
	buckets    map[ocs.BucketID]ocs.Bucket
	transfers  map[Reference]Transfer
	quotes     map[string]Quote
	remembered map[string]Remembered
	counters   map[Counter]Counter // by what names one: a counter without count and seconds
	postings   []ocs.Posting
	calls      map[ocs.BucketID]rating.Units // held by calls
	used       rating.Units
	issued     rating.Units
	drawn      uint64
	risk       string
	lastSame   time.Time
}

func newWorld() *world {
	w := &world{
		policy: Default(), now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC),
		parties: map[string]*Party{}, buckets: map[ocs.BucketID]ocs.Bucket{}, transfers: map[Reference]Transfer{},
		quotes: map[string]Quote{}, remembered: map[string]Remembered{}, counters: map[Counter]Counter{},
		calls: map[ocs.BucketID]rating.Units{},
	}
	for i, name := range []string{"ann", "bob", "cem", "dia"} {
		w.party(name, i)
	}
	w.party("shop", 4).Role = &Role{Kind: MerchantRole, Code: "123456"}
	w.party("vendor", 5).Role = &Role{Kind: AgentRole, Code: "222227", Parent: "111114"}
	w.party("boss", 6).Role = &Role{Kind: AgentRole, Code: "111114"}
	w.party("trader", 7).Role = &Role{Kind: TraderRole, Code: "333331", Parent: "111114"}
	return w
}

func (w *world) party(name string, i int) *Party {
	w.parties[name] = &Party{
		Subscriber: ocs.Subscriber{
			ID: ocs.SubscriberID(name), State: ocs.Active, MSISDN: fmt.Sprintf("82100000%04d", i), CreatedAt: w.now.AddDate(-1, 0, 0),
		},
		Profile: Profile{Name: strings.ToUpper(name) + " KIM", OnNetSince: w.now.AddDate(-1, 0, 0), RechargedAt: w.now.AddDate(0, 0, -1)},
	}
	return w.parties[name]
}

// grant gives name minutes of a class that die after some days; 0: never.
func (w *world) grant(name string, minutes int, class string, days int) ocs.BucketID {
	expires := time.Time{}
	if days > 0 {
		expires = w.now.Add(time.Duration(days) * day)
	}
	return w.grantUntil(name, rating.Units(minutes)*minute, class, expires)
}

func (w *world) grantUntil(name string, n rating.Units, class string, expires time.Time) ocs.BucketID {
	id := w.newBucketID()
	b, postings := ocs.GrantBucket(ocs.Grant{
		Movement: string(id), Subscriber: ocs.SubscriberID(name), Bucket: id, Unit: rating.Seconds, Units: n,
		Class: class, ExpiresAt: expires, Offer: "test",
	}, w.now)
	w.buckets[id] = b
	w.postings = append(w.postings, postings...)
	w.issued += n
	return id
}

func (w *world) newBucketID() ocs.BucketID {
	w.drawn++
	return ocs.BucketID(fmt.Sprintf("lot-%04d", w.drawn))
}

// load returns a party with its lots and counters.
func (w *world) load(name string) Party {
	p, ok := w.parties[name]
	if !ok {
		return Party{}
	}
	q := *p
	for _, id := range slices.Sorted(maps.Keys(w.buckets)) {
		if b := w.buckets[id]; b.Subscriber == q.Subscriber.ID {
			q.Buckets = append(q.Buckets, b)
		}
	}
	for _, c := range w.counters {
		if c.Subscriber == q.Subscriber.ID {
			q.Counters = append(q.Counters, c)
		}
	}
	slices.SortFunc(q.Counters, func(a, b Counter) int {
		return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Other, b.Other), b.Start.Compare(a.Start))
	})
	return q
}

// state returns what a decision about r between two parties looks at.
func (w *world) state(from, to string, r Request) State {
	s := State{Sender: w.load(from), Receiver: w.load(to), Risk: w.risk, LastSame: w.lastSame}
	if m, ok := w.remembered[rememberKey(r.Caller, s.Acting(r.By), r.Reference)]; ok && r.Reference != "" {
		s.Existing = &m
	}
	if q, ok := w.quotes[r.QuoteID]; ok {
		s.Quote = &q
	}
	if t, ok := w.transfers[Reference(r.Original)]; ok {
		s.Original = &t
		if o, ok := w.transfers[t.Reverses]; ok {
			s.Claimed = &o
		}
	}
	// Of drained lots the decision gets only those that it may ask for.
	named := map[ocs.BucketID]bool{}
	for _, t := range []*Transfer{s.Original, s.Claimed} {
		if t != nil {
			for _, id := range t.Lots() {
				named[id] = true
			}
		}
	}
	for _, p := range []*Party{&s.Sender, &s.Receiver} {
		p.Buckets = slices.DeleteFunc(p.Buckets, func(b ocs.Bucket) bool { return b.Balance == 0 && !named[b.ID] })
	}
	// The counters are those that the policy asks for, and no others: what it does not name must not be needed.
	ranges := w.policy.Counters(s, r, w.now)
	for _, p := range []*Party{&s.Sender, &s.Receiver} {
		p.Counters = slices.DeleteFunc(p.Counters, func(c Counter) bool {
			return !slices.ContainsFunc(ranges, func(g CounterRange) bool {
				return g.Subscriber == c.Subscriber && g.Row == c.Row && g.Other == c.Other && !c.Start.Before(g.Since)
			})
		})
	}
	return s
}

func rememberKey(caller string, acting ocs.SubscriberID, reference string) string {
	return caller + "|" + string(acting) + "|" + reference
}

// do decides r and keeps the outcome.
func (w *world) do(from, to string, r Request) Outcome {
	w.complete(&r)
	o := Decide(w.policy, w.state(from, to, r), r, w.now)
	w.apply(o)
	return o
}

// complete fills in what a test does not care for.
func (w *world) complete(r *Request) {
	w.drawn++
	if r.Number == 0 {
		r.Number = w.drawn
	}
	if r.Reference == "" {
		r.Reference = fmt.Sprintf("auto-%d", w.drawn)
	}
	if r.Kind == "" {
		r.Kind = P2P
	}
	if r.Channel == "" {
		r.Channel = API
	}
	if r.By == "" {
		r.By = BySender
	}
	r.Caller = "test"
	r.NewBucketID = w.newBucketID
}

func (w *world) apply(o Outcome) {
	if m := o.Remembered; m != nil {
		key := rememberKey(m.Caller, m.Subscriber, m.Reference)
		if _, there := w.remembered[key]; there {
			panic("remembered twice: " + key)
		}
		w.remembered[key] = *m
	}
	for _, b := range o.Buckets {
		if _, there := w.buckets[b.ID]; !there {
			panic("changed a lot that is not there: " + b.ID)
		}
		w.buckets[b.ID] = b
	}
	for _, b := range o.NewBuckets {
		if _, there := w.buckets[b.ID]; there {
			panic("made a lot that is there: " + b.ID)
		}
		w.buckets[b.ID] = b
	}
	for _, t := range o.Transfers {
		w.transfers[t.Reference] = t
	}
	if o.Quote != nil {
		w.quotes[o.Quote.ID] = *o.Quote
	}
	for _, c := range o.Counters {
		key := c
		key.Count, key.Seconds = 0, 0
		sum := w.counters[key]
		c.Count, c.Seconds = c.Count+sum.Count, c.Seconds+sum.Seconds
		w.counters[key] = c
	}
	w.postings = append(w.postings, o.Postings...)
}

// call reserves what a call may use, as the charging decision does: oldest first.
func (w *world) call(name string, want rating.Units) (held rating.Units) {
	lots := w.load(name).Buckets
	ocs.InOrder(lots)
	for _, b := range lots {
		if part := min(want-held, b.Free()); part > 0 && !b.Expired(w.now) {
			b.Reserved += part
			held += part
			w.buckets[b.ID] = b
			w.calls[b.ID] += part
		}
	}
	return held
}

// hangUp debits what a call held.
func (w *world) hangUp() {
	for id, n := range w.calls {
		b := w.buckets[id]
		b.Reserved -= n
		b.Balance -= n
		w.buckets[id] = b
		w.used += n
		w.postings = append(w.postings,
			ocs.Posting{Movement: "call", Account: "used", Unit: rating.Seconds, Units: n},
			ocs.Posting{Movement: "call", Account: "lot:" + string(id), Bucket: id, Unit: rating.Seconds, Units: -n})
	}
	clear(w.calls)
}

func (w *world) balance(name string) (sum rating.Units) {
	for _, b := range w.load(name).Buckets {
		sum += b.Balance
	}
	return sum
}

func (w *world) free(name string) (sum rating.Units) {
	for _, b := range w.load(name).Buckets {
		sum += b.Free()
	}
	return sum
}

// account is what the postings say of an account.
func (w *world) account(name string) (sum rating.Units) {
	for _, p := range w.postings {
		if p.Account == name {
			sum += p.Units
		}
	}
	return sum
}

// check proves what must hold after every step: I1, I2, I3, I25.
func (w *world) check() error {
	movements, lots := map[string]rating.Units{}, map[ocs.BucketID]rating.Units{}
	var outside rating.Units
	for _, p := range w.postings {
		movements[p.Movement] += p.Units
		if p.Bucket != "" {
			lots[p.Bucket] += p.Units
		} else if !strings.HasPrefix(p.Account, "issue:") {
			outside += p.Units
		}
	}
	for m, sum := range movements {
		if sum != 0 {
			return fmt.Errorf("I1: the legs of %s sum to %d", m, sum)
		}
	}
	held := maps.Clone(w.calls)
	for _, t := range w.transfers {
		for _, h := range t.Holds() {
			held[h.Bucket] += h.Units
		}
	}
	var inLots rating.Units
	for id, b := range w.buckets {
		inLots += b.Balance
		switch {
		case b.Balance < 0:
			return fmt.Errorf("I2: %s has %d", id, b.Balance)
		case b.Reserved < 0 || b.Reserved > b.Balance:
			return fmt.Errorf("I3: %s has %d, %d held", id, b.Balance, b.Reserved)
		case b.Reserved != held[id]:
			return fmt.Errorf("I3: %s has %d held, calls and transfers hold %d", id, b.Reserved, held[id])
		case b.Balance != lots[id]:
			return fmt.Errorf("I25: %s has %d, its postings say %d", id, b.Balance, lots[id])
		}
	}
	if w.issued != inLots+outside {
		return fmt.Errorf("I1: %d issued, %d in lots, %d elsewhere", w.issued, inLots, outside)
	}
	return nil
}

// must fails the test unless o was done.
func must(t *testing.T, w *world, o Outcome) Outcome {
	t.Helper()
	want(t, w, o, None)
	return o
}

// want fails the test unless o was refused so, and everything still holds.
func want(t *testing.T, w *world, o Outcome, r Refusal) {
	t.Helper()
	if o.Answer.Refusal != r {
		t.Fatalf("refused as %q, want %q; checks: %+v", o.Answer.Refusal, r, failed(o.Checks))
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	if r != None && !o.Repeated {
		if i := slices.IndexFunc(o.Checks, func(c Check) bool { return !c.Passed }); i < 0 {
			t.Errorf("refused as %q and no check says why", r)
		}
	}
}

func failed(checks []Check) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.Passed })
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}
