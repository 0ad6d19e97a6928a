package charging_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/transfer"
)

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
