package charging_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

var (
	seedFlag     = flag.Int64("seed", 0, "of what is drawn at random; 0: another one each time")
	durationFlag = flag.Duration("duration", 3*time.Second, "of TestTransferStorm")
)

// seed is that of the flag, or a new one. What runs at once is the machine's choice all the same.
func seed(t *testing.T) uint64 {
	t.Helper()
	s := uint64(*seedFlag)
	if s == 0 {
		s = uint64(rand.Int64())
	}
	t.Logf("replay with: go test -run '^%s$' -seed %d", t.Name(), s)
	return s
}

// query reads rows past the store, in one statement.
func query[Row any](b *bench, statement string, arguments ...any) (rows []Row) {
	b.t.Helper()
	db, err := sqlx.ConnectContext(context.Background(), "postgres", b.dsn)
	if err != nil {
		b.t.Error(err)
		return nil
	}
	defer func() { _ = db.Close() }()
	if err := db.SelectContext(context.Background(), &rows, statement, arguments...); err != nil {
		b.t.Error(err)
	}
	return rows
}

// one reads one value past the store.
func one[Value any](b *bench, statement string, arguments ...any) (value Value) {
	b.t.Helper()
	if rows := query[Value](b, statement, arguments...); len(rows) == 1 {
		return rows[0]
	}
	b.t.Errorf("not one row: %s", statement)
	return value
}

// twoEngines are two servers on the bench's database.
func (b *bench) twoEngines(change func(*charging.Config)) []*charging.Engine {
	b.t.Helper()
	return []*charging.Engine{b.engine(b.store, change), b.engine(postgrestest.Open(b.t, b.dsn, postgres.Options{}), change)}
}

// at puts the clock.
func (b *bench) at(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
}

// partitions makes those of the months from first to last, so that no server makes one while rows are written to it.
func (b *bench) partitions(first, last time.Time) {
	b.t.Helper()
	for month := first; !month.After(last); month = month.AddDate(0, 3, 0) {
		if err := b.store.MakePartitions(b.t.Context(), month); err != nil {
			b.t.Fatal(err)
		}
	}
}

// I4, I5: one reference with two contents, many copies of each over two servers, at once: one of the contents is the
// first, all its copies have one answer, the other is refused, and only one is posted.
func TestI4_OneReferenceOfTwoContents(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := b.twoEngines(withPolicy(openPolicy()))
	from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
	var moved rating.Units
	for round := range 8 {
		reference := fmt.Sprint("r", round)
		answers := make([]transfer.Answer, 12)
		contents := []rating.Units{60, 120}
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = do(t, engines[i/2%2], send(ann, ben, reference, contents[i%2])).Answer })
		}
		all.Wait()
		won := 0
		if answers[0].Refusal == transfer.ReferenceReused {
			won = 1
		}
		moved += contents[won]
		for i, a := range answers {
			switch {
			case i%2 == won && !reflect.DeepEqual(a, answers[won]):
				t.Errorf("copies of %s are answered %+v and %+v", reference, answers[won], a)
			case i%2 == won && a.Refusal != transfer.None, i%2 != won && a.Refusal != transfer.ReferenceReused:
				t.Errorf("%s with %d s: %q", reference, contents[i%2], a.Refusal)
			}
		}
	}
	b.wantBalance(from, 6000-moved, 0)
	b.wantBalance(to, 60+moved, 0)
	if n := one[int64](b, `SELECT count(DISTINCT movement) FROM posting WHERE kind = 'transfer'`); n != 8 {
		t.Errorf("%d movements, want 8", n)
	}
	postgrestest.CheckInvariants(t, b.store)
}

// switched is a policy that a test changes between transfers.
type switched struct {
	now atomic.Pointer[transfer.Policy]
}

func (s *switched) limit(l transfer.Limit) {
	p := openPolicy()
	p.Limits = []transfer.Limit{l}
	s.now.Store(p)
}

func (s *switched) change(c *charging.Config) { c.Policy = s.now.Load }

// I17: whoever of sender, receiver and pair is counted, and whether by count or by seconds: of many at once over two
// servers exactly the allowed ones succeed, and a server that starts anew goes on counting where the others were.
func TestI17_EveryScopeUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var policy switched
	policy.limit(transfer.Limit{})
	engines := b.twoEngines(policy.change)
	for i, test := range []struct {
		name    string
		limit   transfer.Limit
		senders int
		refusal transfer.Refusal
	}{
		{"receiver's count", transfer.Limit{Scope: transfer.PerReceiver, Count: 5}, 2, transfer.ReceiverLimit},
		{"receiver's seconds", transfer.Limit{Scope: transfer.PerReceiver, Seconds: 359}, 2, transfer.ReceiverLimit},
		{"sender's seconds", transfer.Limit{Scope: transfer.PerSender, Seconds: 300}, 1, transfer.DaySecondsLimit},
		{"pair's count", transfer.Limit{Scope: transfer.PerPair, Count: 5}, 1, transfer.PairLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.limit.Name, test.limit.Window = "l", transfer.Window{Period: transfer.Day}
			policy.limit(test.limit)
			number := func(who int) string { return fmt.Sprintf("49175%02d%02d", i, who) }
			for who := range test.senders {
				b.subscriber(number(who), 60000)
			}
			to := b.subscriber(number(9), 60)
			refusals := make([]transfer.Refusal, 30)
			var all sync.WaitGroup
			for n := range refusals {
				all.Go(func() {
					refusals[n] = do(t, engines[n/2%2], send(number(n%test.senders), number(9), fmt.Sprint(n), 60)).Answer.Refusal
				})
			}
			all.Wait()
			for _, r := range refusals {
				if r != transfer.None && r != test.refusal {
					t.Errorf("refused as %q, want %q", r, test.refusal)
				}
			}
			b.wantBalance(to, 60+5*60, 0)
			later := b.engine(postgrestest.Open(b.t, b.dsn, postgres.Options{}), policy.change)
			wantRefusal(t, do(t, later, send(number(0), number(9), "later", 60)), test.refusal)
			b.wantBalance(to, 60+5*60, 0)
		})
	}
	postgrestest.CheckInvariants(t, b.store)
}

// I17: the edges of windows, to the microsecond that the database keeps: a transfer before the edge fills the limit, the
// next is refused until the edge and is told when that is, and passes from the edge on.
func TestI17_EdgesOfWindows(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	utc := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	day, month := transfer.Window{Period: transfer.Day}, transfer.Window{Period: transfer.Month}
	week, rolling := transfer.Window{Period: transfer.Week}, transfer.Window{Period: transfer.Rolling, Length: 24 * time.Hour}
	dayThere, monthThere := transfer.Window{Period: transfer.Day, Zone: berlin}, transfer.Window{Period: transfer.Month, Zone: berlin}
	b := newBench(t)
	b.partitions(utc("2028-02-01T00:00:00Z"), utc("2029-01-01T00:00:00Z"))
	var policy switched
	policy.limit(transfer.Limit{})
	engines := b.twoEngines(policy.change)
	for i, test := range []struct {
		name        string
		window      transfer.Window
		first, edge time.Time // the first instant of the window and of the next one
		refusal     transfer.Refusal
	}{
		{"midnight", day, utc("2028-05-10T00:00:00Z"), utc("2028-05-11T00:00:00Z"), transfer.DayCountLimit},
		{"midnight elsewhere", dayThere, utc("2028-05-09T22:00:00Z"), utc("2028-05-10T22:00:00Z"), transfer.DayCountLimit},
		{"day of 23 hours", dayThere, utc("2028-03-25T23:00:00Z"), utc("2028-03-26T22:00:00Z"), transfer.DayCountLimit},
		{"day of 25 hours", dayThere, utc("2028-10-28T22:00:00Z"), utc("2028-10-29T23:00:00Z"), transfer.DayCountLimit},
		{"29 February", month, utc("2028-02-01T00:00:00Z"), utc("2028-03-01T00:00:00Z"), transfer.MonthCountLimit},
		{"month with a change of clocks", monthThere, utc("2028-02-29T23:00:00Z"), utc("2028-03-31T22:00:00Z"), transfer.MonthCountLimit},
		{"Monday", week, utc("2028-05-08T00:00:00Z"), utc("2028-05-15T00:00:00Z"), transfer.MonthCountLimit},
		{"year", month, utc("2028-12-01T00:00:00Z"), utc("2029-01-01T00:00:00Z"), transfer.MonthCountLimit},
		{"rolling day", rolling, utc("2028-05-10T12:00:00Z"), utc("2028-05-11T13:00:00Z"), transfer.DayCountLimit},
	} {
		t.Run(test.name, func(t *testing.T) {
			policy.limit(transfer.Limit{Name: "l", Scope: transfer.PerSender, Window: test.window, Count: 1})
			b.at(test.first.Add(-time.Hour))
			from, to := fmt.Sprintf("49176%02d1", i), fmt.Sprintf("49176%02d2", i)
			id := b.subscriber(from, 6000)
			b.subscriber(to, 60)
			b.at(test.first)
			wantRefusal(t, do(t, engines[0], send(from, to, "first", 60)), transfer.None)
			b.at(test.edge.Add(-time.Microsecond))
			last := do(t, engines[1], send(from, to, "last", 60))
			wantRefusal(t, last, test.refusal)
			if got := b.clock().Add(last.Answer.RetryAfter); got.Before(test.edge) || got.After(test.edge.Add(time.Second)) {
				t.Errorf("told to come back at %v, want %v", got, test.edge)
			}
			b.at(test.edge)
			wantRefusal(t, do(t, engines[1], send(from, to, "next", 60)), transfer.None)
			wantRefusal(t, do(t, engines[0], send(from, to, "again", 60)), test.refusal)
			b.wantBalance(id, 5880, 0)
		})
	}
	postgrestest.CheckInvariants(t, b.store)
}

// I17: midnight falls among requests of two servers: each day has exactly what it allows.
func TestI17_MidnightUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	midnight := time.Date(2028, 5, 11, 0, 0, 0, 0, time.UTC)
	p := openPolicy()
	p.Limits = []transfer.Limit{{Name: "l", Scope: transfer.PerSender, Window: transfer.Window{Period: transfer.Day}, Count: 7}}
	b.partitions(midnight, midnight)
	b.at(midnight.Add(-time.Microsecond))
	engines := b.twoEngines(withPolicy(p))
	from := b.subscriber(ann, 60000)
	b.subscriber(ben, 60)
	var first, all sync.WaitGroup
	try := func(i int) { do(t, engines[i%2], send(ann, ben, fmt.Sprint(i), 60)) }
	for i := range 10 {
		first.Go(func() { try(i) })
	}
	for i := range 20 { // some are decided before midnight, some after
		all.Go(func() { try(100 + i) })
	}
	first.Wait()
	b.at(midnight)
	for i := range 20 {
		all.Go(func() { try(200 + i) })
	}
	all.Wait()
	got := query[int64](b, `SELECT count(*) FROM transfer WHERE status = 'completed' GROUP BY created_at >= $1`, midnight)
	if !slices.Equal(got, []int64{7, 7}) {
		t.Errorf("%d succeeded before and after midnight, want 7 and 7", got)
	}
	b.wantBalance(from, 60000-14*60, 0)
	postgrestest.CheckInvariants(t, b.store)
}

// I20: a claim races with who has the minutes and sends them on and talks: what is frozen and what is spent are together
// no more than there was, and consent gives back exactly what was frozen.
func TestI20_ClaimAgainstSpend(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	engines := b.twoEngines(withPolicy(openPolicy()))
	third := b.subscriber(cem, 60)
	var gone rating.Units
	whole, part, none := 0, 0, 0
	for round := range 12 {
		ann, ben := fmt.Sprintf("49171%04d", round), fmt.Sprintf("49172%04d", round)
		from, to := b.subscriber(ann, 6000), b.subscriber(ben, 60)
		sent := do(t, engines[0], send(ann, ben, "r", 900))
		wantRefusal(t, sent, transfer.None)
		var claim, onward transfer.Outcome
		var used rating.Units
		var all sync.WaitGroup
		steps := []func(){
			func() { claim = do(t, engines[round%2], on(ann, transfer.OpReverse, sent.Answer.Reference, "claim")) },
			func() {
				onward = do(t, engines[(round+1)%2], send(ben, cem, "on", []rating.Units{120, 900, 960}[round%3]))
			},
			func() {
				session := fmt.Sprint("c", round)
				if g := granted(ask(engines[0], ccr(ben, session, ocs.Initial, 0, 0, true))); g > 0 {
					used = g / 2
					want(t, ask(engines[1], ccr(ben, session, ocs.Termination, 1, int(used), false)), ocs.Granted)
				}
			},
		}
		rand.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
		for _, step := range steps {
			all.Go(step)
		}
		all.Wait()
		var spent, frozen rating.Units
		if onward.Answer.Refusal == transfer.None {
			spent = onward.Answer.Seconds
		}
		if claim.Answer.Refusal == transfer.None {
			frozen = claim.Answer.Seconds
			if frozen+claim.Answer.Short != 900 || frozen == 0 {
				t.Errorf("claim %+v", claim.Answer)
			}
		} else {
			wantRefusal(t, claim, transfer.AlreadySpent)
		}
		switch frozen {
		case 900:
			whole++
		case 0:
			none++
		default:
			part++
		}
		if frozen+spent+used > 960 {
			t.Errorf("%d frozen, %d sent on and %d used of 960", frozen, spent, used)
		}
		b.wantBalance(to, 960-spent-used, frozen)
		if frozen > 0 {
			wantRefusal(t, do(t, engines[1], on(ben, transfer.OpReverseAccept, claim.Answer.Reference, "yes")), transfer.None)
		}
		b.wantBalance(to, 960-spent-used-frozen, 0)
		b.wantBalance(from, 5100+frozen, 0)
		gone += spent
	}
	b.wantBalance(third, 60+gone, 0)
	t.Logf("frozen: all %d times, a part %d times, nothing %d times", whole, part, none)
	postgrestest.CheckInvariants(t, b.store)
}

// A mixture is a little of everything, on two servers, while the time goes on: what the journal must account for.
type mixture struct {
	*bench
	test    *testing.T
	engines []*charging.Engine
	ids     map[string]ocs.SubscriberID
	answers []transfer.Answer
}

// minutes is how long a mixture lasts: each does something else at its end.
const minutes = 6

// mix runs a mixture. look is called once in every minute of it, when all is quiet.
func mix(t *testing.T, b *bench, look func(*mixture)) *mixture {
	t.Helper()
	p := transfer.Default()
	for i := range p.Limits {
		p.Limits[i].Count, p.Limits[i].Seconds = 1_000_000, 0
	}
	p.Fees = []transfer.FeeRule{{Name: "two percent", Bands: []transfer.FeeBand{{BasisPoints: 200}}, Least: 1}}
	m := &mixture{bench: b, test: t, engines: b.twoEngines(withPolicy(p)), ids: map[string]ocs.SubscriberID{}}
	for _, number := range []string{ann, ben, cem} {
		m.ids[number] = b.subscriber(number, 6000)
		m.grant(number, 600)
	}
	look(m)
	for minute := range minutes {
		b.wait(time.Minute)
		m.minute(minute)
		look(m)
	}
	return m
}

// grant sells minutes that end in 90 days.
func (m *mixture) grant(number string, seconds rating.Units) {
	m.t.Helper()
	lot, postings := ocs.GrantBucket(ocs.Grant{
		Movement: "top-up", Subscriber: m.ids[number], Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds,
		Units: seconds, Class: "purchased", Offer: "shop", ExpiresAt: m.clock().Add(90 * 24 * time.Hour),
	}, m.clock())
	if _, err := m.store.Grant(m.t.Context(), "top-up", m.ids[number], lot, postings); err != nil {
		m.t.Error(err)
	}
}

func (m *mixture) minute(minute int) {
	m.t.Helper()
	name := func(what string) string { return fmt.Sprint(what, ".", minute) }
	n := 60 * rating.Units(1+minute%5)
	requests := []charging.Transfer{
		send(ann, ben, name("a"), n), send(ben, cem, name("b"), n+60), send(cem, ann, name("c"), n), send(ben, ann, name("d"), 60),
		send(ann, ben, name("a"), n),          // a copy
		send(cem, ben, name("much"), 29_940),  // never enough
		send(ann, ann, name("self"), 60),      // and never right
		send(cem, "4999", name("nobody"), 60), // there is none
	}
	answers := make([]transfer.Answer, len(requests))
	var all sync.WaitGroup
	for i, r := range requests {
		all.Go(func() { answers[i] = do(m.t, m.engines[(i+minute)%2], r).Answer })
	}
	all.Go(func() {
		want(m.t, ask(m.engines[0], ccr(ben, name("call"), ocs.Initial, 0, 0, true)), ocs.Granted)
		want(m.t, ask(m.engines[1], ccr(ben, name("call"), ocs.Update, 1, 31, true)), ocs.Granted)
		want(m.t, ask(m.engines[0], ccr(ben, name("call"), ocs.Termination, 2, 7, false)), ocs.Granted)
	})
	all.Wait()
	prepare := send(cem, ann, name("p"), 120)
	prepare.Request.Operation = transfer.OpPrepare
	held := do(m.t, m.engines[0], prepare).Answer
	answers = append(answers, held)
	var next charging.Transfer
	switch minute {
	case 0:
		next = on(cem, transfer.OpConfirm, held.Reference, name("confirm"))
	case 1:
		next = on(cem, transfer.OpCancel, held.Reference, name("cancel"))
	case 2, 3: // claimed, and consented or not
		claim := do(m.t, m.engines[1], on(ann, transfer.OpReverse, answers[0].Reference, name("claim"))).Answer
		answers = append(answers, claim)
		next = on(ben, []transfer.Operation{transfer.OpReverseAccept, transfer.OpReverseRefuse}[minute-2], claim.Reference, name("consent"))
	case 4: // it lapses
		m.wait(25 * time.Hour)
		until(m.test, func() bool {
			stored, err := m.store.TransferByReference(m.t.Context(), held.Reference)
			return err == nil && stored.Status == transfer.Expired
		})
		next = on(cem, transfer.OpConfirm, held.Reference, name("late"))
	case 5: // it waits
		next = on(ann, transfer.OpEnquire, held.Reference, "")
	}
	m.answers = append(append(m.answers, answers...), do(m.t, m.engines[1], next).Answer)
}

// stored returns all transfers.
func (b *bench) stored() []transfer.Transfer {
	b.t.Helper()
	all, err := b.store.TransferPage(b.t.Context(), postgres.TransferFilter{}, 0, 10_000)
	if err != nil {
		b.t.Error(err)
	}
	return all
}

// moved reports whether the seconds of t went.
func moved(t transfer.Transfer) bool {
	return slices.Contains([]transfer.Status{transfer.Completed, transfer.Reversed, transfer.ReversalPending}, t.Status)
}

// I23: every posting of a transfer has exactly one audit entry, that of the act which made it; and every act which is
// said to have moved minutes has its postings.
func TestI23_EveryPostingHasOneAuditEntry(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	mix(t, b, func(*mixture) {})
	type row struct {
		Reference string `db:"reference"`
		Legs      int64  `db:"legs"`
		Entries   int64  `db:"entries"`
	}
	rows := query[row](b, `
		SELECT coalesce(p.reference, a.reference) AS reference, coalesce(p.legs, 0) AS legs, coalesce(a.entries, 0) AS entries
		FROM (
			SELECT substr(movement, 10) AS reference, posted_at AS at, count(*) AS legs FROM posting
			WHERE kind IN ('transfer', 'reversal') GROUP BY 1, 2
		) p
		FULL JOIN (
			SELECT reference, at, count(*) AS entries FROM audit
			WHERE after->>'status' = 'completed' AND after->>'refusal' IS NULL GROUP BY 1, 2
		) a ON a.reference = p.reference AND a.at = p.at`)
	for _, r := range rows {
		if r.Entries != 1 || r.Legs < 2 {
			t.Errorf("transfer %s: %d postings at one time, %d audit entries of it", r.Reference, r.Legs, r.Entries)
		}
	}
	if done := one[int64](b, `SELECT count(*) FROM transfer WHERE status IN ('completed', 'reversed', 'reversal-pending')`); int64(len(rows)) != done || done < 4*minutes {
		t.Errorf("%d movements of %d transfers that were done", len(rows), done)
	}
	// An act that only reads, and a copy, are no acts; a refusal is one, and names nobody by a number.
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE action = 'transfer enquire'`); n != 0 {
		t.Errorf("%d enquiries are in the audit", n)
	}
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE after->>'refusal' IS NOT NULL`); n < 3*minutes {
		t.Errorf("%d refusals are in the audit", n)
	}
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE audit::text ~ $1`, strings.Join([]string{ann, ben, cem}, "|")); n != 0 {
		t.Errorf("%d entries tell a number", n)
	}
	if n := one[int64](b, `SELECT count(*) FROM audit WHERE policy <> 'default' OR actor = '' OR role = ''`); n != 0 {
		t.Errorf("%d entries do not tell who acted, or by which policy", n)
	}
	postgrestest.CheckInvariants(t, b.store)
}

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

// A journalLine is a change of one lot: a leg of a movement, or what a call took.
type journalLine struct {
	At    time.Time    `db:"at"`
	Lot   ocs.BucketID `db:"lot"`
	Units rating.Units `db:"units"`
}

// journal returns all changes of lots, in the order of time.
func (b *bench) journal() []journalLine {
	b.t.Helper()
	return query[journalLine](b, `
		SELECT posted_at AS at, bucket_id::text AS lot, units FROM posting WHERE bucket_id IS NOT NULL
		UNION ALL
		SELECT rated_at, h->>'bucket', -(h->>'units')::bigint FROM rated_event, json_array_elements(taken::json) h
		ORDER BY 1`)
}

// I25: played from zero, the journal gives the lots with their balances, what is held of them, where they came from and
// when they end; and the counters.
func TestI25_RebuildFromTheJournal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	m := mix(t, b, func(*mixture) {})
	lots := map[ocs.BucketID]ocs.Bucket{}
	for _, id := range m.ids {
		mine, err := b.store.Buckets(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range mine {
			lots[l.ID] = l
		}
	}
	balances, held, counters := map[ocs.BucketID]rating.Units{}, map[ocs.BucketID]rating.Units{}, map[transfer.Counter]transfer.Counter{}
	for _, line := range b.journal() {
		balances[line.Lot] += line.Units
	}
	named := map[ocs.BucketID]bool{}
	for _, s := range b.stored() {
		for _, h := range s.Holds() {
			held[h.Bucket] += h.Units
		}
		for _, c := range s.Counted {
			key := transfer.Counter{Subscriber: c.Subscriber, Row: c.Row, Other: c.Other, Start: c.Start.UTC()}
			sum := counters[key]
			counters[key] = transfer.Counter{Count: sum.Count + c.Count, Seconds: sum.Seconds + c.Seconds}
		}
		for _, move := range s.Moves {
			if !moved(s) || move.Fee || s.Reverses != "" {
				continue
			}
			from, to := lots[move.From], lots[move.To]
			named[to.ID] = true
			if to.Subscriber != s.Receiver || to.Parent != from.ID || to.Root != from.Root || to.Hops != from.Hops+1 ||
				to.Class != move.Class || !to.ExpiresAt.Equal(move.ExpiresAt) {
				t.Errorf("transfer %s says %+v, from %+v, and the lot is %+v", s.Reference, move, from, to)
			}
		}
	}
	for id, l := range lots {
		if balances[id] != l.Balance || held[id] != l.Reserved {
			t.Errorf("lot %s has %d, %d held; the journal says %d, %d held", id, l.Balance, l.Reserved, balances[id], held[id])
		}
		if l.Hops > 0 != named[id] {
			t.Errorf("lot %s has %d hops; a transfer names it: %v", id, l.Hops, named[id])
		}
	}
	if len(balances) != len(lots) {
		t.Errorf("%d lots, and %d in the journal", len(lots), len(balances))
	}
	b.wantCounters(counters)
	postgrestest.CheckInvariants(t, b.store)
}

// wantCounters compares the stored counters with those that transfers say they counted. Nothing counted and no row are
// the same.
func (b *bench) wantCounters(want map[transfer.Counter]transfer.Counter) {
	b.t.Helper()
	got := map[transfer.Counter]transfer.Counter{}
	for _, r := range query[struct {
		Subscriber string       `db:"subscriber_id"`
		Row        string       `db:"rule"`
		Other      string       `db:"other"`
		Start      time.Time    `db:"start"`
		Count      int64        `db:"count"`
		Seconds    rating.Units `db:"seconds"`
	}](b, `SELECT subscriber_id, rule, other, start, count, seconds FROM transfer_counter WHERE count <> 0 OR seconds <> 0`) {
		key := transfer.Counter{Subscriber: ocs.SubscriberID(r.Subscriber), Row: r.Row, Other: ocs.SubscriberID(r.Other), Start: r.Start.UTC()}
		got[key] = transfer.Counter{Count: r.Count, Seconds: r.Seconds}
	}
	if len(want) == 0 || !maps.Equal(got, want) {
		b.t.Errorf("counters %v, want %v", got, want)
	}
}

// I27: what everybody had in each minute is what the postings until then say, and the history of then has what was
// there.
func TestI27_BalanceAtAnyTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	type snapshot struct {
		at       time.Time
		balances map[string]rating.Units
		count    int64
	}
	var snapshots []snapshot
	m := mix(t, b, func(m *mixture) {
		s := snapshot{at: m.clock(), balances: map[string]rating.Units{}}
		for number, id := range m.ids {
			s.balances[number], _ = m.balance(id)
		}
		var err error
		if s.count, err = m.store.CountTransfers(m.t.Context(), postgres.TransferFilter{}); err != nil {
			m.t.Error(err)
		}
		snapshots = append(snapshots, s)
	})
	owner := map[ocs.BucketID]string{}
	for number, id := range m.ids {
		lots, err := b.store.Buckets(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lots {
			owner[l.ID] = number
		}
	}
	journal := b.journal()
	for i, s := range snapshots {
		got := map[string]rating.Units{}
		for _, line := range journal {
			if !line.At.After(s.at) {
				got[owner[line.Lot]] += line.Units
			}
		}
		if !maps.Equal(got, s.balances) {
			t.Errorf("minute %d: the journal says %v, it was %v", i, got, s.balances)
		}
		if i > 0 && maps.Equal(s.balances, snapshots[i-1].balances) {
			t.Errorf("nothing happened in minute %d", i)
		}
		count, err := b.store.CountTransfers(t.Context(), postgres.TransferFilter{To: s.at.Add(time.Microsecond)})
		if err != nil || count != s.count {
			t.Errorf("minute %d: %d transfers, %v; there were %d", i, count, err, s.count)
		}
	}
	postgrestest.CheckInvariants(t, b.store)
}

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

// A storm is what the workers of TestTransferStorm did.
type storm struct {
	mu     sync.Mutex
	gains  []rating.Units // of each person, all transfers and calls together
	counts map[string]int
	used   rating.Units
}

func (s *storm) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

func (s *storm) sent(from, to int, seconds rating.Units) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gains[from] -= seconds
	s.gains[to] += seconds
	s.counts["moved"]++
}

func (s *storm) talked(who int, seconds rating.Units) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gains[who] -= seconds
	s.used += seconds
	s.counts["calls"]++
}

// I1, I2, I7, I8, I9: opposite, circular and self transfers of 64 workers over two servers, beside calls, for as long as
// -duration says. Postgres sees no deadlock, not even one that was tried again; whoever looks meanwhile sees exact sums and
// nothing below zero; and in the end everybody has exactly what was answered.
func TestTransferStorm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const people, workers, opening = 6, 64, 100_000
	ids := make([]ocs.SubscriberID, people)
	number := func(who int) string { return fmt.Sprintf("49170000%04d", who) }
	for who := range ids {
		ids[who] = b.subscriber(number(who), opening)
	}
	var engines []*charging.Engine
	var ends []func()
	for range 2 {
		store := postgrestest.Open(t, b.dsn, postgres.Options{})
		engine, end := b.stoppable(store)
		engines = append(engines, engine)
		ends = append(ends, end)
	}
	s := &storm{gains: make([]rating.Units, people), counts: map[string]int{}}
	from, begin := seed(t), time.Now()
	var all sync.WaitGroup
	var over atomic.Bool
	for w := range workers {
		all.Go(func() {
			random := rand.New(rand.NewPCG(from, uint64(w)))
			for n := 0; time.Since(begin) < *durationFlag; n++ {
				e, name, who := engines[(w+n)%2], fmt.Sprint(w, ".", n), random.IntN(people)
				other := (who + 1) % people // in a circle
				switch kind := random.IntN(16); {
				case kind == 0:
					wantRefusal(t, do(t, e, send(number(who), number(who), name, 60)), transfer.SameParty)
					s.count("to oneself")
					continue
				case kind < 4:
					s.talk(t, engines, number(who), who, name, rating.Units(random.IntN(61)))
					continue
				case kind < 10: // opposite
					who, other = n%2, 1-n%2
				}
				seconds := 60 * rating.Units(1+random.IntN(20))
				switch o := do(t, e, send(number(who), number(other), name, seconds)); o.Answer.Refusal {
				case transfer.None:
					s.sent(who, other, seconds)
				case transfer.NotEnough, transfer.NotTransferable:
					s.count("not enough")
				default:
					wantRefusal(t, o, transfer.None)
				}
			}
		})
	}
	var looking sync.WaitGroup
	looks := 0
	looking.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ; !over.Load(); <-tick.C {
			b.wantWhole(people * opening)
			looks++
		}
	})
	all.Wait()
	took := time.Since(begin)
	over.Store(true)
	looking.Wait()
	for who, id := range ids {
		b.wantBalance(id, opening+s.gains[who], 0)
	}
	postgrestest.CheckInvariants(t, b.store)
	for _, end := range ends {
		end()
	}
	if n := b.deadlocks(t); n != 0 {
		t.Errorf("%d deadlocks", n)
	}
	t.Logf("in %v: %v; %.0f transfers a second; %d looks at the whole", took.Round(time.Millisecond), s.counts,
		float64(s.counts["moved"])/took.Seconds(), looks)
}

// talk is a call of one person on both servers.
func (s *storm) talk(t *testing.T, engines []*charging.Engine, msisdn string, who int, session string, seconds rating.Units) {
	t.Helper()
	most := granted(ask(engines[0], ccr(msisdn, session, ocs.Initial, 0, 0, true)))
	if most == 0 {
		s.count("no call")
		return
	}
	seconds = min(seconds, most)
	want(t, ask(engines[1], ccr(msisdn, session, ocs.Termination, 1, int(seconds), false)), ocs.Granted)
	s.talked(who, seconds)
}

// stoppable starts an engine that can be stopped, and its store closed, before the test is over.
func (b *bench) stoppable(store *postgres.Store) (e *charging.Engine, end func()) {
	b.t.Helper()
	p := openPolicy()
	e = charging.New(charging.Config{
		Store: store, Rules: func() *ocs.Rules { return b.rules }, Clock: b.clock, Sweep: 20 * time.Millisecond, Policy: func() *transfer.Policy { return p },
	})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- e.Run(ctx) }()
	end = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-over, store.Close()); err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(end)
	return e, end
}

// wantWhole looks at everything at one instant: what is there and what calls used is the whole, nothing is below zero, and
// nothing is held that is not there.
func (b *bench) wantWhole(whole rating.Units) {
	b.t.Helper()
	rows := query[struct {
		Sum   rating.Units `db:"sum"`
		Wrong int64        `db:"wrong"`
	}](b, `
		SELECT sum(balance)::bigint + (SELECT coalesce(sum(charged), 0)::bigint FROM rated_event) AS sum,
			count(*) FILTER (WHERE reserved NOT BETWEEN 0 AND balance) AS wrong
		FROM bucket`)
	for _, r := range rows {
		if r.Sum != whole || r.Wrong != 0 {
			b.t.Errorf("there are %d in all, want %d; %d lots are wrong", r.Sum, whole, r.Wrong)
		}
	}
}

// deadlocks is how many there were in the database. A backend tells its own when it ends at the latest: those of all
// servers must have.
func (b *bench) deadlocks(t *testing.T) int64 {
	t.Helper()
	if err := b.store.Close(); err != nil {
		b.t.Error(err)
	}
	until(t, func() bool {
		return one[int64](b, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND backend_type = 'client backend'`) == 0
	})
	return one[int64](b, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
}
