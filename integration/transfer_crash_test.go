package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The server is killed again and again while minutes move in all directions, by TMF654 and by the care API, and every request that was
// not answered is repeated under its key: each moves once, and the sums are exact.
func TestServerIsKilledWhileMinutesMove(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--transfer-policy", boundlessPolicy(t))
	senders := newSenders(t, s, 32)
	senders.untilAnswersWereLost(t, func() {
		stop := senders.run(t, s)
		senders.await(t)
		s.kill()
		stop()
		s.restart(t)
	})
	senders.finish(t, s)
	s.wantTransfersSound(t)
}

// Postgres is killed while minutes move. The server brings it back, and each key still moves once.
func TestPostgresIsKilledWhileMinutesMove(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--transfer-policy", boundlessPolicy(t))
	senders := newSenders(t, s, 32)
	senders.untilAnswersWereLost(t, func() {
		stop := senders.run(t, s)
		senders.await(t)
		s.killPostgres(t)
		senders.await(t) // goes on by itself
		stop()
	})
	senders.finish(t, s)
	s.wantTransfersSound(t)
}

// senders are clients that move minutes between the same few people. Each repeats what was not answered until it is.
type senders struct {
	start    int64
	people   []string
	senders  []*sender
	answered atomic.Int64 // transfers that were answered
	doubtful atomic.Int64 // transfers that were asked for more than once, because no answer came
	mu       sync.Mutex
	done     []sent
}

// sent is a transfer that was answered.
type sent struct {
	order     order
	reference string
	reply     reply
	attempts  int
}

type sender struct {
	name     string
	orders   int
	pending  *order // not answered yet
	attempts int    // how often it was asked for
}

func newSenders(t *testing.T, s *server, n int) *senders {
	t.Helper()
	all := &senders{start: 60_000_000}
	for range 4 {
		all.people = append(all.people, s.newSubscriber(t, all.start))
	}
	for i := range n {
		all.senders = append(all.senders, &sender{name: fmt.Sprintf("w%d", i)})
	}
	return all
}

// untilAnswersWereLost makes the disaster happen twice, and again until a sender had to ask for something more than once. A
// kill between two COMMITs costs nobody an answer: the server tries again by itself. Ten in a row that all do are not chance.
func (all *senders) untilAnswersWereLost(t *testing.T, disaster func()) {
	t.Helper()
	for n := 0; n < 2 || all.doubtful.Load() == 0; n++ {
		if n == 10 {
			t.Fatal("no answer was lost: the test saw nothing of what it is for")
		}
		disaster()
	}
}

// run has every sender send until stop is called or the server is gone.
func (all *senders) run(t *testing.T, s *server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	endpoint, gone := s.endpoint, s.ended
	var running sync.WaitGroup
	for _, one := range all.senders {
		running.Go(func() {
			for ctx.Err() == nil && all.send(t, one, endpoint, gone) {
			}
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// send asks once for what is pending, or for something new. False: the server is gone, or what it said is wrong.
func (all *senders) send(t *testing.T, one *sender, e endpoint, gone <-chan struct{}) bool {
	t.Helper()
	if one.pending == nil {
		from := rand.IntN(len(all.people))
		to := (from + 1 + rand.IntN(len(all.people)-1)) % len(all.people)
		one.orders++
		one.attempts = 0
		one.pending = &order{
			key: fmt.Sprintf("%s/%d", one.name, one.orders), tmf: rand.IntN(2) == 0, from: all.people[from], to: all.people[to],
			seconds: 60 * (1 + rand.Int64N(9)),
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if one.attempts++; one.attempts == 2 {
		all.doubtful.Add(1)
	}
	r, err := one.pending.send(ctx, e)
	switch {
	case err != nil:
		select {
		case <-gone:
			return false
		case <-ctx.Done():
			t.Errorf("%s was not answered within %v", one.pending.key, patience)
			return false
		default:
			return true
		}
	case r.status == http.StatusServiceUnavailable, r.status == http.StatusInternalServerError: // it is not known, or not done
		return true
	}
	reference, err := one.pending.outcome(r)
	if err != nil {
		t.Errorf("%+v: got %v", *one.pending, err)
		return false
	}
	all.mu.Lock()
	all.done = append(all.done, sent{*one.pending, reference, r, one.attempts})
	all.mu.Unlock()
	one.pending = nil
	all.answered.Add(1)
	return true
}

// await waits until two hundred more transfers were answered.
func (all *senders) await(t *testing.T) {
	t.Helper()
	target := all.answered.Load() + 200
	eventually(t, time.Minute, func() string {
		if got := all.answered.Load(); got < target {
			return fmt.Sprintf("%d transfers answered, want %d", got, target)
		}
		return ""
	})
}

// finish gets an answer to everything, asks for all of it once more, and holds the accounts against the answers.
func (all *senders) finish(t *testing.T, s *server) {
	t.Helper()
	for _, one := range all.senders {
		for deadline := time.Now().Add(patience); one.pending != nil && all.send(t, one, s.endpoint, s.ended); {
			if time.Now().After(deadline) {
				t.Fatalf("%s was not answered with success within %v", one.pending.key, patience)
			}
		}
	}
	all.wantBalances(t, s)
	called, lost := map[string]string{}, 0
	for _, done := range all.done {
		if done.attempts > 1 {
			var told struct{ Repeated bool } // by the care API
			if done.reply.read(t, &told); told.Repeated {
				lost++
			}
		}
		if other, twice := called[done.reference]; twice {
			t.Errorf("%s and %s are one transfer, %s", other, done.order.key, done.reference)
		}
		called[done.reference] = done.order.key
	}
	work := make(chan sent)
	var running sync.WaitGroup
	for range 16 {
		running.Go(func() {
			for done := range work {
				done.wantAgain(t, s)
			}
		})
	}
	for _, done := range all.done {
		work <- done
	}
	close(work)
	running.Wait()
	all.wantBalances(t, s)
	t.Logf("%d transfers; %d were asked for more than once until they were answered, of which the care API says that %d had been done",
		len(all.done), all.doubtful.Load(), lost)
}

// wantAgain asks for a transfer once more and wants the answer of the first time.
func (done sent) wantAgain(t *testing.T, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again, err := done.order.send(ctx, s.endpoint)
	if err != nil {
		t.Errorf("%s, again: %v", done.order.key, err)
		return
	}
	reference, err := done.order.outcome(again)
	if err != nil || reference != done.reference || done.order.tmf && again.body != done.reply.body {
		t.Errorf("%s, again: got %s %v, want %s", done.order.key, again.body, err, done.reply.body)
	}
}

// wantBalances holds the accounts against everything that was answered.
func (all *senders) wantBalances(t *testing.T, s *server) {
	t.Helper()
	want := map[string]int64{}
	for _, done := range all.done {
		want[done.order.from] -= done.order.seconds
		want[done.order.to] += done.order.seconds
	}
	for _, msisdn := range all.people {
		s.wantAccount(t, msisdn, all.start+want[msisdn], 0)
	}
}
