// Package apitest serves the care API on a database of its own, for the tests of the API and of what talks to it.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/ocs/cdr"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/pin"
	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/policy/inforce"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// Service is the context of the calls of [Server.Charge].
const Service = "32260@3gpp.org"

// Start is when the clock of a [Server] begins.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A Server is the API over real HTTP and a real database. Its catalogue is the demo.
type Server struct {
	URL   string
	Token string
	Store *postgres.Store
	Rules *ocs.Rules
	USSD  api.USSD // what gateways there are

	Handler http.Handler // that it serves

	Policies *inforce.Keeper
	Engine   *charging.Engine // of transfers; calls are charged by [Server.Charge]

	pins     *pin.Checker
	passed   atomic.Int64 // since Start
	notReady atomic.Pointer[error]
	terms    atomic.Pointer[map[string]lifecycle.Terms]
}

// New starts a server that stops with the test. Its log goes to log; nil: nowhere.
func New(tb testing.TB, log slog.Handler) *Server {
	tb.Helper()
	return NewWith(tb, log, api.USSD{})
}

// NewWith is New with a service behind a dialled code that is not the usual one. The gateways are added.
func NewWith(tb testing.TB, log slog.Handler, dialled api.USSD) *Server {
	tb.Helper()
	if log == nil {
		log = slog.DiscardHandler
	}
	demo := catalog.Demo()
	s := &Server{Token: "token of " + tb.Name(), Store: postgrestest.New(tb), USSD: dialled}
	s.Rules = &ocs.Rules{
		Catalog: demo.Version(), Plans: demo.Plans(),
		Services: map[string]ocs.Service{Service: {
			Name: Service, Kind: rating.Voice, Measure: rating.Seconds, DefaultQuota: 60, MaxQuota: 3600,
			Ringing: 5 * time.Minute, Supervision: 10 * time.Minute,
		}},
	}
	s.serve(tb, log)
	return s
}

// SetTerms gives plans terms from now on.
func (s *Server) SetTerms(terms map[string]lifecycle.Terms) { s.terms.Store(&terms) }

func (s *Server) planTerms() map[string]lifecycle.Terms {
	if terms := s.terms.Load(); terms != nil {
		return *terms
	}
	return nil
}

// Another starts a second server on the database of s. Its clock begins where that of s is.
func (s *Server) Another(tb testing.TB) *Server {
	tb.Helper()
	other := &Server{Token: s.Token, Store: s.Store, Rules: s.Rules, USSD: api.USSD{Country: s.USSD.Country, PINInDial: s.USSD.PINInDial}}
	other.passed.Store(s.passed.Load())
	other.serve(tb, slog.DiscardHandler)
	return other
}

func (s *Server) serve(tb testing.TB, log slog.Handler) {
	tb.Helper()
	s.startTransfers(tb, slog.New(log))
	s.Handler = api.New(api.Config{
		Store: s.Store, Rules: func() *ocs.Rules { return s.Rules }, Token: s.Token, Version: "test", Plans: s.Engine.Plans(),
		Book:   &cdr.Book{Store: s.Store, Now: s.Now, Zone: time.UTC},
		Logger: slog.New(log), Now: s.Now,
		Transfer: s.Engine.Transfer, EndSession: s.Engine.EndSession, Policy: s.Policies.Policy, ReloadPolicy: s.Policies.Refresh, PINs: s.pins,
		PayoutSecret: []byte("of a test"), USSD: s.USSD,
		Ready: func(context.Context) error {
			if why := s.notReady.Load(); why != nil {
				return *why
			}
			return nil
		},
	})
	server := httptest.NewServer(s.Handler)
	tb.Cleanup(server.Close)
	s.URL = server.URL
}

// GatewayToken is that of the gateways that a server knows, one for each dialect, by the name of it.
const GatewayToken = "token of a gateway"

// startTransfers starts the engine for transfers, which stops with the test.
func (s *Server) startTransfers(tb testing.TB, log *slog.Logger) {
	tb.Helper()
	err := s.Store.MakePartitions(tb.Context(), Start) // the engine makes none then while a row is on its way
	if err != nil {
		tb.Fatal(err)
	}
	if s.Policies, err = inforce.New(tb.Context(), s.Store, policy.Default(), log, Start); err != nil {
		tb.Fatal(err)
	}
	if s.pins, err = pin.New(pin.Config{Store: s.Store, Pepper: bytes.Repeat([]byte("pepper"), 8), Clock: s.Now}); err != nil {
		tb.Fatal(err)
	}
	for _, d := range api.Dialects() {
		s.USSD.Gateways = append(s.USSD.Gateways, api.USSDGateway{Name: d, Dialect: d, Token: GatewayToken})
	}
	s.Engine = charging.New(charging.Config{
		Store: s.Store, Rules: func() *ocs.Rules { return s.Rules }, Clock: s.Now, Logger: log, Lanes: 1,
		Policy: func() *transfer.Policy { return s.Policies.Policy().Transfer() }, PINs: s.pins, Terms: s.planTerms,
	})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Engine.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
}

// Key makes a key for a person with a role, and returns it.
func (s *Server) Key(tb testing.TB, name, role string) string {
	tb.Helper()
	body := strings.NewReader(fmt.Sprintf(`{"name":%q,"role":%q}`, name, role))
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, s.URL+"/care/v1/keys", body)
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	var made api.MadeKey
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || made.Token == "" {
		tb.Fatalf("a key for %s, %s: %s, %v", name, role, answer.Status, err)
	}
	return made.Token
}

// Now is what the server's clock shows.
func (s *Server) Now() time.Time { return Start.Add(time.Duration(s.passed.Load())) }

// Advance moves the server's clock.
func (s *Server) Advance(d time.Duration) { s.passed.Add(int64(d)) }

// NotReady makes the server tell why as the reason why it is not ready.
func (s *Server) NotReady(why error) { s.notReady.Store(&why) }

// Charge decides one request of a call by msisdn as the charging engine does. want is the quota asked for, used the
// usage reported; an initial request reports none, a termination asks for none.
func (s *Server) Charge(ctx context.Context, msisdn string, key ocs.SessionKey, kind ocs.RequestType, number uint32, used uint64) error {
	service := ocs.ServiceRequest{}
	if kind != ocs.Termination {
		service.Requested = &ocs.Measured{}
	}
	if kind != ocs.Initial {
		service.Used = []ocs.Used{{Measured: ocs.Measured{Time: &used}}}
	}
	request := ocs.Request{
		Session: key, Type: kind, Number: number, Context: ocs.Context{Name: Service},
		Identities: []ocs.Identity{{Kind: ocs.E164, Value: msisdn}},
		Origin:     ocs.Origin{Host: "ctf.example", Realm: "example", Peer: "ctf.example"},
		Services:   []ocs.ServiceRequest{service},
		Conditions: &ocs.Conditions{RoleGiven: true, Calling: "tel:+" + msisdn, Called: "tel:+4930999999"},
	}
	subscriber, err := s.Store.SubscriberByIdentity(ctx, request.Identities[0])
	if err != nil {
		return fmt.Errorf("find the subscriber of a call: %w", err)
	}
	return s.Store.InTx(ctx, func(tx *postgres.Tx) error { return s.decide(ctx, tx, subscriber.ID, request) })
}

func (s *Server) decide(ctx context.Context, tx *postgres.Tx, id ocs.SubscriberID, request ocs.Request) error {
	locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
	if err != nil || len(locked) != 1 {
		return fmt.Errorf("lock %d subscribers: %w", len(locked), err)
	}
	account := ocs.Account{Subscriber: locked[0]}
	if account.Buckets, err = tx.LoadBuckets(ctx, []ocs.SubscriberID{id}, s.Now()); err != nil {
		return err
	}
	sessions, err := tx.LoadSessions(ctx, []postgres.SessionRef{{Subscriber: id, Key: request.Session}})
	if err != nil {
		return err
	}
	if len(sessions) > 0 {
		account.Session = &sessions[0]
	}
	outcome := ocs.Decide(s.Rules, account, request, s.Now())
	changes := postgres.Changes{
		Sessions: outcome.Sessions, Buckets: outcome.Buckets, Events: outcome.Events, Records: outcome.Records, Postings: outcome.Postings,
	}
	if account.Session == nil {
		changes.Sessions, changes.NewSessions = nil, outcome.Sessions
	}
	return tx.Save(ctx, changes)
}
