// Package apitest serves the care API on a database of its own, for the tests of the API and of what talks to it.
package apitest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/catalog"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/ocs/postgres/postgrestest"
	"github.com/gyro-ocs/gyro/rating"
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

	passed   atomic.Int64 // since Start
	notReady atomic.Pointer[error]
}

// New starts a server that stops with the test. Its log goes to log; nil: nowhere.
func New(tb testing.TB, log slog.Handler) *Server {
	tb.Helper()
	if log == nil {
		log = slog.DiscardHandler
	}
	demo := catalog.Demo()
	s := &Server{Token: "token of " + tb.Name(), Store: postgrestest.New(tb)}
	s.Rules = &ocs.Rules{
		Catalog: demo.Version(), Plans: demo.Plans(),
		Services: map[string]ocs.Service{Service: {
			Name: Service, Kind: rating.Voice, Measure: rating.Seconds, DefaultQuota: 60, MaxQuota: 3600,
			Ringing: 5 * time.Minute, Supervision: 10 * time.Minute,
		}},
	}
	server := httptest.NewServer(api.New(api.Config{
		Store: s.Store, Rules: func() *ocs.Rules { return s.Rules }, Token: s.Token, Version: "test",
		Logger: slog.New(log), Now: s.Now,
		Ready: func(context.Context) error {
			if why := s.notReady.Load(); why != nil {
				return *why
			}
			return nil
		},
	}))
	tb.Cleanup(server.Close)
	s.URL = server.URL
	return s
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
