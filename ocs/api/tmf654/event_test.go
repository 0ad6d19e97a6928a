package tmf654_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/transfer"
)

// A listener is somebody who subscribed.
type listener struct {
	url string
	mu  sync.Mutex
	got []answer // events
	ids []string // of posts
	bad int      // posts to be refused first
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.UseNumber()
		a := answer{raw: string(text), header: r.Header}
		if err := d.Decode(&a.body); err != nil {
			t.Errorf("%v in %s", err, text)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ids = append(l.ids, r.Header.Get("Webhook-Id"))
		if l.bad > 0 {
			l.bad--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		l.got = append(l.got, a)
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(server.Close)
	l.url = server.URL + "/listener"
	return l
}

// types are the types of the events that came, in any order; and it forgets them.
func (l *listener) types() (all []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.got {
		all = append(all, e.text("eventType"))
	}
	l.got = nil
	slices.Sort(all)
	return all
}

// deliver makes events of all notices, and sends them.
func (w *world) deliver() {
	w.t.Helper()
	if _, err := w.worker.RelayOnce(w.t.Context()); err != nil {
		w.t.Error(err)
	}
	callbacks, err := outbox.NewCallbacks([]byte("a secret of more than 24 octets"), w.now, netip.MustParsePrefix("127.0.0.0/8"))
	if err != nil {
		w.t.Fatal(err)
	}
	sender, err := outbox.New(outbox.Config{Store: w.store, Events: callbacks, Logger: slog.New(slog.DiscardHandler), Clock: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := sender.Once(w.t.Context(), outbox.Event); err != nil {
		w.t.Error(err)
	}
}

func subscription(callback, query string) string {
	text, err := json.Marshal(map[string]string{"callback": callback, "query": query})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// All twelve events, each of the type that the description gives it.
func TestEvents(t *testing.T) {
	t.Parallel()
	c := readContract(t)
	w := newWorld(t, nil)
	l := newListener(t)
	w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("1"), "")) // before anybody listens
	w.must(201, "", "POST", "/hub", subscription(l.url, ""))
	expect := func(want ...string) {
		t.Helper()
		w.deliver()
		l.mu.Lock()
		for _, e := range l.got {
			kind := e.text("eventType")
			for _, fault := range c.faults(c.Definitions[kind], e.body, "") {
				t.Errorf("%s: %s in %s", kind, fault, e.raw)
			}
			for _, path := range []string{"eventId", "eventTime", "timeOcurred", "correlationId", "domain", "event." + nameOf(kind) + ".id"} {
				if e.text(path) == "" {
					t.Errorf("%s: no %s in %s", kind, path, e.raw)
				}
			}
			if !strings.HasPrefix(e.header.Get("Webhook-Signature"), "v1,") {
				t.Errorf("%s is not signed", kind)
			}
		}
		l.mu.Unlock()
		if got := l.types(); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	expect()
	later := `,"validFor":{"startDateTime":"2026-03-02T12:00:00Z"}`
	a := w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("1"), later))
	expect("TopupBalanceCreateEvent")
	w.must(204, "", "DELETE", "/topupBalance/"+a.text("id"), "")
	w.must(204, "", "DELETE", "/topupBalance/"+a.text("id"), "")
	expect("TopupBalanceCancelEvent")
	w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("1"), later))
	d := w.must(201, "", "POST", "/adjustBalance", adjustOf(anna, minutes("-1"), later))
	w.must(201, "", "POST", "/adjustBalance", adjustOf(anna, minutes("-99"), later))
	expect("AdjustBalanceCreateEvent", "AdjustBalanceCreateEvent", "TopupBalanceCreateEvent")
	w.must(204, "", "DELETE", "/adjustBalance/"+d.text("id"), "")
	w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("2")))
	expect("AdjustBalanceCancelEvent", "TransferBalanceCreateEvent")
	w.state(ben, "closed")
	w.advance(24 * time.Hour)
	w.sweep(2)
	expect("AdjustBalanceFailureEvent", "TopupBalanceFailureEvent")
	w.state(ben, "active")
	w.must(409, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("99")))
	r := w.must(201, "", "POST", "/reserveBalance", topupOf(anna, minutes("3"), ""))
	w.must(409, "", "POST", "/reserveBalance", topupOf(anna, minutes("99"), ""))
	w.must(204, "", "DELETE", "/reserveBalance/"+r.text("id"), "")
	expect("ReserveBalanceCancelEvent", "ReserveBalanceCreateEvent", "ReserveBalanceFailureEvent", "TransferBalanceFailureEvent")
	w.rules(func(p *transfer.Policy) {
		k := p.Kinds[transfer.P2P]
		k.ReceiverConsents = true
		p.Kinds[transfer.P2P] = k
	})
	x := w.must(201, "", "POST", "/transferBalance", transferOf(anna, ben, "api", minutes("3")))
	w.must(204, "", "DELETE", x.text("href"), "")
	expect("TransferBalanceCancelEvent", "TransferBalanceCreateEvent")
	w.must(200, "", "PATCH", "/reserveBalance/"+w.must(201, "", "POST", "/reserveBalance", topupOf(anna, minutes("3"), "")).text("id"),
		`{"status":"completed","reason":"spent"}`)
	expect("ReserveBalanceCreateEvent", "ReserveBalanceCreateEvent")
	expect()
}

// nameOf is the attribute of an event that holds its resource.
func nameOf(eventType string) string {
	for _, suffix := range []string{"CreateEvent", "CancelEvent", "FailureEvent"} {
		if name, ok := strings.CutSuffix(eventType, suffix); ok {
			return strings.ToLower(name[:1]) + name[1:]
		}
	}
	return eventType
}

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	all, some, gone := newListener(t), newListener(t), newListener(t)
	w.must(201, "", "POST", "/hub", subscription(all.url, ""))
	a := w.must(201, "", "POST", "/hub", subscription(some.url, "eventType=TopupBalanceCreateEvent,TopupBalanceFailureEvent&event.topupBalance.amount.amount.gt=1"))
	b := w.must(201, "", "POST", "/hub", subscription(gone.url, ""))
	if again := w.must(201, "", "POST", "/hub", subscription(gone.url, "")); again.raw != b.raw {
		t.Errorf("subscribed again: got %s, want %s", again.raw, b.raw)
	}
	w.must(204, "", "DELETE", "/hub/"+b.text("id"), "")
	w.must(404, "identifierError", "DELETE", "/hub/"+b.text("id"), "")
	w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("1"), ""))
	w.must(201, "", "POST", "/topupBalance", topupOf(ben, minutes("2"), ""))
	w.must(201, "", "POST", "/adjustBalance", adjustOf(anna, minutes("3"), ""))
	all.bad = 3
	w.deliver()
	w.advance(time.Hour)
	w.deliver() // what was refused comes again
	w.deliver()
	if got := all.types(); !slices.Equal(got, []string{"AdjustBalanceCreateEvent", "TopupBalanceCreateEvent", "TopupBalanceCreateEvent"}) {
		t.Errorf("all: got %v", got)
	}
	slices.Sort(all.ids)
	if ids := slices.Compact(slices.Clone(all.ids)); len(all.ids) != 6 || len(ids) != 3 {
		t.Errorf("a second try has another id than the first: %v", all.ids)
	}
	if got := some.types(); !slices.Equal(got, []string{"TopupBalanceCreateEvent"}) {
		t.Errorf("some, %s: got %v", a.raw, got)
	}
	if got := gone.types(); len(got) != 0 {
		t.Errorf("gone: got %v", got)
	}
	for _, body := range []string{
		subscription("ftp://shop.example/", ""), subscription("/listener", ""), subscription("https://user:word@shop.example/", ""),
		subscription("nothing", ""), subscription(all.url, "nothing=1"), subscription(all.url, "eventType=OtherEvent"), subscription(all.url, "%zz"), `{"query":""}`,
	} {
		if a := w.do("POST", "/hub", body); a.status != 400 {
			t.Errorf("%s: got %d %s", body, a.status, a.raw)
		}
	}
}
