package outbox_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
)

// receiver notes the ids that it is sent, and answers each with the first of its answers that is left, then with 202.
type receiver struct {
	mu      sync.Mutex
	ids     map[string]int
	answers []int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := request.URL.Query().Get("id") + request.Header.Get("Webhook-Id")
	r.ids[id]++
	if len(r.answers) > 0 {
		w.WriteHeader(r.answers[0])
		r.answers = r.answers[1:]
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// counts returns how many ids there were, and how often the most frequent one came.
func (r *receiver) counts() (ids, most int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.ids {
		most = max(most, n)
	}
	return len(r.ids), most
}

// world is a database with senders on it, a gateway, a subscriber of events, and a clock.
type world struct {
	dsn      string
	store    *postgres.Store
	gateway  receiver
	callback receiver
	texts    *outbox.Gateway
	events   *outbox.Callbacks
	listens  string
	mu       sync.Mutex
	now      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dsn: postgrestest.DSN(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.store = postgrestest.Open(t, w.dsn, postgres.Options{MaxConns: 4})
	w.gateway.ids, w.callback.ids = map[string]int{}, map[string]int{}
	kannel, subscriber := httptest.NewServer(&w.gateway), httptest.NewServer(&w.callback)
	t.Cleanup(kannel.Close)
	t.Cleanup(subscriber.Close)
	w.listens = subscriber.URL
	var err error
	if w.texts, err = outbox.NewGateway(kannel.URL + "/cgi-bin/sendsms?to={to}&text={text}&id={id}"); err != nil {
		t.Fatal(err)
	}
	if w.events, err = outbox.NewCallbacks([]byte("0123456789abcdef01234567"), w.clock, netip.MustParsePrefix("127.0.0.0/8")); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) move(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) sender(t *testing.T) *outbox.Sender {
	t.Helper()
	s, err := outbox.New(outbox.Config{
		Store: postgrestest.Open(t, w.dsn, postgres.Options{MaxConns: 4}), Texts: w.texts, Events: w.events,
		Logger: slog.New(slog.DiscardHandler), Clock: w.clock, Batch: 20, First: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) write(t *testing.T, texts, events int) {
	t.Helper()
	var messages []outbox.Message
	for n := range texts + events {
		m := outbox.Message{
			ID: uuid.NewString(), Kind: outbox.Text, To: fmt.Sprintf("3161234%04d", n), Body: "15 min from ..0001.", Reference: "7K3M-9Q", CreatedAt: w.now,
		}
		if n >= texts {
			m.Kind, m.To, m.Body = outbox.Event, w.listens, `{"eventType":"TransferBalanceCreateEvent"}`
		}
		messages = append(messages, m)
	}
	if err := w.store.OutboxAppend(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

func (w *world) waiting(t *testing.T, want int64) {
	t.Helper()
	if n, err := w.store.OutboxLength(t.Context()); err != nil || n != want {
		t.Fatalf("%d messages wait, %v, want %d", n, err, want)
	}
}

// drain has senders work until nothing is due.
func drain(t *testing.T, senders ...*outbox.Sender) {
	t.Helper()
	var sending sync.WaitGroup
	for _, s := range senders {
		for _, kind := range []outbox.Kind{outbox.Text, outbox.Event} {
			sending.Go(func() {
				for {
					n, err := s.Once(t.Context(), kind)
					if err != nil {
						t.Error(err)
					}
					if n == 0 {
						return
					}
				}
			})
		}
	}
	sending.Wait()
}

// Three servers send what one database holds, each message once.
func TestServersShareTheOutbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, 300, 100)
	drain(t, w.sender(t), w.sender(t), w.sender(t))
	w.waiting(t, 0)
	if ids, most := w.gateway.counts(); ids != 300 || most != 1 {
		t.Errorf("%d texts, at most %d times", ids, most)
	}
	if ids, most := w.callback.counts(); ids != 100 || most != 1 {
		t.Errorf("%d events, at most %d times", ids, most)
	}
}

// What a server claimed and died with is sent by another when the claim is over, not before.
func TestServerDiesWithItsClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, 10, 0)
	claimed, err := w.store.OutboxClaim(t.Context(), outbox.Text, w.now, w.now.Add(time.Minute), 4)
	if err != nil || len(claimed) != 4 || claimed[0].Tries != 1 {
		t.Fatalf("claimed %+v, %v", claimed, err)
	}
	other := w.sender(t)
	drain(t, other)
	w.waiting(t, 4)
	w.move(time.Minute)
	drain(t, other)
	w.waiting(t, 0)
	if ids, most := w.gateway.counts(); ids != 10 || most != 1 {
		t.Errorf("%d texts, at most %d times", ids, most)
	}
}

// A gateway that is down for a while gets every text when it is back, under its id; one that it refuses for good is kept.
func TestGatewayIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write(t, 3, 0)
	w.gateway.answers = []int{503, 503, 503, 400}
	s := w.sender(t)
	drain(t, s)
	w.waiting(t, 3)
	w.move(time.Minute)
	drain(t, s)
	w.waiting(t, 0)
	if ids, most := w.gateway.counts(); ids != 3 || most != 2 {
		t.Errorf("%d texts, at most %d times", ids, most)
	}
	kept, err := w.store.OutboxOf(t.Context(), "7K3M-9Q")
	if err != nil || len(kept) != 1 || kept[0].Tries != 2 {
		t.Errorf("kept %+v, %v", kept, err)
	}
}
