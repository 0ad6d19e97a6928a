package tmf654_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// The subscribers of every world.
const (
	anna = "850191230001"
	ben  = "850191230002"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const token = "Bearer the token"

// A world is the interface over real HTTP, with the real engine on a real database.
type world struct {
	t      testing.TB
	url    string
	store  *postgres.Store
	policy atomic.Pointer[transfer.Policy]
	passed atomic.Int64
	ids    map[string]ocs.SubscriberID
	worker *tmf654.Worker
}

func (w *world) now() time.Time          { return start.Add(time.Duration(w.passed.Load())) }
func (w *world) advance(d time.Duration) { w.passed.Add(int64(d)) }

func newWorld(t testing.TB, change func(*tmf654.Config)) *world {
	t.Helper()
	w := &world{t: t, store: postgrestest.New(t), ids: map[string]ocs.SubscriberID{}}
	w.policy.Store(transfer.Default())
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	engine := charging.New(charging.Config{
		Store: w.store, Rules: func() *ocs.Rules { return &ocs.Rules{} }, Clock: w.now, Logger: logger,
		Policy: w.policy.Load, Events: tmf654.TransferEvents,
	})
	if err := w.store.MakePartitions(t.Context(), start); err != nil { // not while rows are written
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- engine.Run(ctx) }()
	c := tmf654.Config{
		Store: w.store, Transfer: engine.Transfer, Identity: api.ParseSubscriber, Now: w.now, Logger: logger,
		Actor: func(r *http.Request) (string, int) {
			if r.Header.Get("Authorization") != token {
				return "", http.StatusUnauthorized
			}
			return "shop", 0
		},
	}
	if change != nil {
		change(&c)
	}
	server := httptest.NewServer(tmf654.New(c))
	t.Cleanup(func() {
		server.Close()
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
		w.checkInvariants()
	})
	w.url = server.URL
	w.worker = &tmf654.Worker{Store: w.store, Now: w.now, Logger: logger}
	w.subscriber(anna, 6000)
	w.subscriber(ben, 0)
	return w
}

// checkInvariants proves that nothing has appeared or vanished, also when the test is over.
func (w *world) checkInvariants() {
	w.t.Helper()
	checked, err := w.store.CheckInvariants(context.Background())
	if err != nil {
		w.t.Error(err)
	}
	for _, i := range checked {
		for _, v := range i.Violations {
			w.t.Errorf("%s: %s", i.Name, v)
		}
	}
}

// subscriber makes a subscriber with one bucket of purchased seconds, or none.
func (w *world) subscriber(msisdn string, seconds rating.Units) {
	w.t.Helper()
	id := ocs.SubscriberID(uuid.Must(uuid.NewV7()).String())
	n := postgres.NewSubscriber{
		Subscriber: ocs.Subscriber{ID: id, State: ocs.Active, Plan: "test", MSISDN: msisdn, CreatedAt: start},
		Identities: []ocs.Identity{{Kind: ocs.E164, Value: msisdn}},
	}
	if seconds > 0 {
		bucket, legs := ocs.GrantBucket(ocs.Grant{
			Movement: "first", Subscriber: id, Bucket: ocs.BucketID(uuid.Must(uuid.NewV7()).String()), Unit: rating.Seconds, Units: seconds,
			Class: "purchased", ExpiresAt: start.AddDate(0, 1, 0), Offer: "test",
		}, start)
		n.Bucket, n.Postings = &bucket, legs
	}
	if err := w.store.CreateSubscribers(w.t.Context(), []postgres.NewSubscriber{n}, start); err != nil {
		w.t.Fatal(err)
	}
	w.ids[msisdn] = id
}

// balance is what somebody has free and reserved, in seconds.
func (w *world) balance(msisdn string) (free, reserved rating.Units) {
	w.t.Helper()
	buckets, err := w.store.Buckets(w.t.Context(), w.ids[msisdn])
	if err != nil {
		w.t.Fatal(err)
	}
	for _, b := range buckets {
		if b.Unit == rating.Seconds {
			free, reserved = free+b.Free(), reserved+b.Reserved
		}
	}
	return free, reserved
}

func (w *world) has(msisdn string, free, reserved rating.Units) {
	w.t.Helper()
	if f, r := w.balance(msisdn); f != free || r != reserved {
		w.t.Errorf("%s has %d free and %d reserved, want %d and %d", msisdn[8:], f, r, free, reserved)
	}
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	raw    string
	body   any
}

// text is the text or number at a path of the body, whose steps are divided by points.
func (a answer) text(path string) string {
	v := a.body
	for step := range strings.SplitSeq(path, ".") {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		m, _ := v.(map[string]any)
		v = m[step]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (a answer) list() []any { l, _ := a.body.([]any); return l }

// do sends a request. Headers are pairs.
func (w *world) do(method, path, body string, headers ...string) answer {
	w.t.Helper()
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "/ext") && !strings.HasPrefix(path, "/tmf-api") {
		path = tmf654.Base + path
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	r.Header.Set("Content-Type", "application/json;charset=utf-8")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, raw: string(text)}
	if len(text) > 0 {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&a.body); err != nil {
			w.t.Errorf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return a
}

// must is do, and what is wanted of it: a status and, of a fault, its code.
func (w *world) must(status int, code, method, path, body string, headers ...string) answer {
	w.t.Helper()
	a := w.do(method, path, body, headers...)
	if a.status != status || code != "" && a.text("code") != code {
		w.t.Fatalf("%s %s %s\ngot %d %s\nwant %d %s", method, path, body, a.status, a.raw, status, code)
	}
	return a
}

func topupOf(msisdn, amount, more string) string {
	return `{"amount":` + amount + `,"usageType":"voice","bucket":{"id":"auto"},"partyAccount":{"id":"` + msisdn + `"}` + more + `}`
}

func adjustOf(msisdn, amount, more string) string {
	return `{"amount":` + amount + `,"usageType":"voice","bucket":{"id":"auto"},"logicalResource":[{"id":"` + msisdn + `"}]` + more + `}`
}

func minutes(n string) string { return `{"amount":` + n + `,"units":"min"}` }

func transferOf(from, to, channel, amount string) string {
	return `{"reason":"gift","channel":{"id":"` + channel + `"},"usageType":"voice","logicalResource":[{"id":"` + from + `"}],
		"bucket":{"id":"auto"},"receiverLogicalResource":{"id":"` + to + `"},"receiverBucket":{"id":"auto"},
		"receiverBucketUsageType":"voice","amount":` + amount + `,"costOwner":"originator"}`
}
