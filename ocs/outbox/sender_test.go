package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// recorder is a transport that notes what it is given and does as it is told.
type recorder struct {
	mu   sync.Mutex
	sent []Message
	do   func(context.Context, Message) error
}

func (r *recorder) Send(ctx context.Context, m Message) error {
	r.mu.Lock()
	r.sent = append(r.sent, m)
	r.mu.Unlock()
	if r.do == nil {
		return nil
	}
	return r.do(ctx, m)
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sent)
}

func text(n int) Message {
	return Message{ID: fmt.Sprintf("text-%03d", n), Kind: Text, To: fmt.Sprintf("3161234%04d", n), Body: "15 min from ..0001. Ref 7K3M-9Q.", CreatedAt: start}
}

func event(n int, to string) Message {
	return Message{ID: fmt.Sprintf("event-%03d", n), Kind: Event, To: to, Body: `{"eventType":"TransferBalanceCreateEvent"}`, CreatedAt: start}
}

// world is a sender with its store and a clock that stands still until it is moved.
type world struct {
	*Sender
	store *memory
	mu    sync.Mutex
	now   time.Time
	log   strings.Builder
}

func newWorld(t *testing.T, c Config, messages ...Message) *world {
	t.Helper()
	w := &world{store: newMemory(messages...), now: start}
	c.Store, c.Clock, c.Logger = w.store, w.clock, slog.New(slog.NewTextHandler(&w.log, nil))
	c.Random = func(n int64) int64 { return n - 1 }
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	w.Sender = s
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) once(t *testing.T, kind Kind, want int) {
	t.Helper()
	if n, err := w.Once(t.Context(), kind); err != nil || n != want {
		t.Fatalf("claimed %d, %v, want %d", n, err, want)
	}
}

func TestSent(t *testing.T) {
	t.Parallel()
	texts, events := &recorder{}, &recorder{}
	w := newWorld(t, Config{Texts: texts, Events: events}, text(1), event(1, "http://a"), text(2))
	w.once(t, Text, 2)
	w.once(t, Text, 0)
	w.once(t, Event, 1)
	if texts.count() != 2 || events.count() != 1 {
		t.Errorf("%d texts and %d events", texts.count(), events.count())
	}
	for _, id := range []string{"text-001", "text-002", "event-001"} {
		if r := w.store.get(id); r.state != Sent || r.Tries != 1 || r.problem != "" {
			t.Errorf("%s: %+v", id, r)
		}
	}
}

// The time between tries doubles up to a bound, and the same id is sent each time, until it is too late.
func TestTriedAgainUntilGivenUp(t *testing.T) {
	t.Parallel()
	texts := &recorder{do: func(context.Context, Message) error { return Problem{What: "http 503"} }}
	w := newWorld(t, Config{Texts: texts, First: time.Minute, Longest: 5 * time.Minute, TextsGiveUp: 20 * time.Minute}, text(1))
	var waits []time.Duration
	for w.store.get("text-001").state == Waiting {
		w.once(t, Text, 1)
		w.once(t, Text, 0)
		r := w.store.get("text-001")
		if r.state == Waiting {
			waits = append(waits, r.dueAt.Sub(w.now))
			w.now = r.dueAt
		}
	}
	if got := fmt.Sprint(waits); got != "[1m0s 2m0s 4m0s 5m0s 5m0s]" {
		t.Errorf("waits %s", got)
	}
	for _, m := range texts.sent {
		if m.ID != "text-001" || m.Body != text(1).Body {
			t.Errorf("sent %+v", m)
		}
	}
	if r := w.store.get("text-001"); r.state != Failed || r.problem != "http 503" || texts.count() != 6 {
		t.Errorf("%+v after %d tries", r, texts.count())
	}
	if log := w.log.String(); !strings.Contains(log, "text-001") || strings.Contains(log, "3161234") || strings.Contains(log, "7K3M") {
		t.Errorf("log: %s", log)
	}
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	texts := &recorder{do: func(context.Context, Message) error { return Problem{What: "http 400", ForGood: true} }}
	w := newWorld(t, Config{Texts: texts}, text(1))
	w.once(t, Text, 1)
	if r := w.store.get("text-001"); r.state != Failed || r.Tries != 1 {
		t.Errorf("%+v", r)
	}
}

// An error whose text holds a number is reduced to what may be told, and a panic takes nothing with it.
func TestProblemsTellNothing(t *testing.T) {
	t.Parallel()
	texts := &recorder{do: func(_ context.Context, m Message) error {
		if m.ID == "text-001" {
			panic(m.To)
		}
		return errors.New("cannot reach " + m.To)
	}}
	w := newWorld(t, Config{Texts: texts}, text(1), text(2))
	w.once(t, Text, 2)
	for _, id := range []string{"text-001", "text-002"} {
		if r := w.store.get(id); r.state != Waiting || r.problem != "failed" {
			t.Errorf("%+v", r)
		}
	}
	if strings.Contains(w.log.String(), "3161234") {
		t.Errorf("log: %s", w.log.String())
	}
}

// A receiver that does not answer costs one try in a batch; the others get theirs.
func TestUnreachableReceiverHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	events := &recorder{do: func(_ context.Context, m Message) error {
		if m.To == "http://dead" {
			return timedOut
		}
		return nil
	}}
	var messages []Message
	for n := range 10 {
		messages = append(messages, event(2*n, "http://dead"), event(2*n+1, "http://well"))
	}
	w := newWorld(t, Config{Events: events}, messages...)
	w.once(t, Event, 20)
	if events.count() != 11 {
		t.Errorf("%d tries, want 10 and 1", events.count())
	}
	for _, m := range messages {
		if r := w.store.get(m.ID); (r.state == Sent) != (m.To == "http://well") {
			t.Errorf("%+v", r)
		}
	}
}

// Two servers share the work, and nothing is sent twice while both live.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	var messages []Message
	for n := range 300 {
		messages = append(messages, text(n))
	}
	texts := &recorder{}
	a := newWorld(t, Config{Texts: texts, Batch: 7}, messages...)
	b, err := New(Config{Store: a.store, Texts: texts, Clock: a.clock, Logger: slog.New(slog.DiscardHandler), Batch: 5})
	if err != nil {
		t.Fatal(err)
	}
	var sending sync.WaitGroup
	for _, s := range []*Sender{a.Sender, b} {
		sending.Go(func() {
			for {
				if n, err := s.Once(t.Context(), Text); err != nil || n == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	sending.Wait()
	seen := map[string]int{}
	for _, m := range texts.sent {
		seen[m.ID]++
	}
	if len(seen) != 300 || texts.count() != 300 {
		t.Errorf("%d messages in %d tries", len(seen), texts.count())
	}
}

// What a server claimed and never settled comes to another when the claim is over, with the same id.
func TestClaimRunsOut(t *testing.T) {
	t.Parallel()
	texts := &recorder{}
	w := newWorld(t, Config{Texts: texts}, text(1))
	w.store.failing = errStore
	if _, err := w.Once(t.Context(), Text); !errors.Is(err, errStore) {
		t.Fatalf("got %v", err)
	}
	w.store.failing = nil
	w.once(t, Text, 0)
	w.now = w.now.Add(w.config.lease())
	w.once(t, Text, 1)
	if texts.count() != 2 || texts.sent[0].ID != texts.sent[1].ID || w.store.get("text-001").state != Sent {
		t.Errorf("sent %+v", texts.sent)
	}
}

// A slow server's failure does not put off a message that is in other hands; its success counts.
func TestLateResult(t *testing.T) {
	t.Parallel()
	store := newMemory(text(1))
	for range 2 {
		if _, err := store.OutboxClaim(t.Context(), Text, start, start, 1); err != nil {
			t.Fatal(err)
		}
	}
	late := Result{ID: "text-001", Tries: 1, State: Failed}
	if err := store.OutboxDone(t.Context(), []Result{late}); err != nil || store.get("text-001").state != Waiting {
		t.Errorf("late failure: %v, %+v", err, store.get("text-001"))
	}
	late.State = Sent
	if err := store.OutboxDone(t.Context(), []Result{late}); err != nil || store.get("text-001").state != Sent {
		t.Errorf("late success: %v, %+v", err, store.get("text-001"))
	}
}

// A server that is stopped stores what it sent, and leaves the rest to others at once.
func TestStopWhileSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		texts := &recorder{do: func(ctx context.Context, m Message) error {
			if m.ID == "text-001" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		store := newMemory(text(1), text(2))
		s, err := New(Config{Store: store, Texts: texts, Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return start }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		synctest.Wait()
		stop()
		<-done
		if r := store.get("text-001"); r.state != Sent {
			t.Errorf("%+v", r)
		}
		if r := store.get("text-002"); r.state != Waiting || !r.dueAt.Equal(start) || r.problem != stopped {
			t.Errorf("%+v", r)
		}
	})
}

// Run looks at once when it is woken, and by itself every second; a kind without a transport stays.
func TestRunAndWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		texts := &recorder{}
		store := newMemory(event(1, "http://a"))
		s, err := New(Config{Store: store, Texts: texts, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		synctest.Wait()
		add := func(n int) {
			store.mu.Lock()
			defer store.mu.Unlock()
			m := text(n)
			m.CreatedAt = time.Now()
			store.rows[m.ID] = &row{Message: m, state: Waiting, dueAt: m.CreatedAt}
		}
		began := time.Now()
		add(1)
		s.Wake()
		s.Wake()
		synctest.Wait()
		if texts.count() != 1 || time.Since(began) != 0 {
			t.Errorf("%d sent after %v", texts.count(), time.Since(began))
		}
		add(2)
		time.Sleep(time.Second) // of the bubble
		synctest.Wait()
		if texts.count() != 2 {
			t.Errorf("%d sent a second later", texts.count())
		}
		stop()
		<-done
		if r := store.get("event-001"); r.Tries != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// A transport that hangs is left after the time of a try.
func TestTryTakesNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		texts := &recorder{do: func(ctx context.Context, _ Message) error { <-ctx.Done(); return ctx.Err() }}
		w := newWorld(t, Config{Texts: texts, Timeout: 3 * time.Second}, text(1))
		began := time.Now()
		w.once(t, Text, 1)
		if d := time.Since(began); d != 3*time.Second || w.store.get("text-001").problem != "timeout" {
			t.Errorf("after %v: %+v", d, w.store.get("text-001"))
		}
	})
}

func TestConfigFaults(t *testing.T) {
	t.Parallel()
	logger := slog.New(slog.DiscardHandler)
	for name, c := range map[string]Config{
		"no store": {Logger: logger}, "no logger": {Store: newMemory()},
		"negative time": {Store: newMemory(), Logger: logger, Every: -1}, "negative count": {Store: newMemory(), Logger: logger, AtOnce: -1},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
