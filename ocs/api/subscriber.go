package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A Subscriber is told in lists.
type Subscriber struct {
	ID        string    `json:"id" doc:"never changes, unlike the numbers"`
	MSISDN    string    `json:"msisdn" example:"4930123456" doc:"E.164 digits"`
	IMSI      string    `json:"imsi" doc:"empty when not known"`
	SIPURI    string    `json:"sip_uri,omitempty" example:"sip:alice@ims.example" doc:"absent when not known, as the next two"`
	NAI       string    `json:"nai,omitempty" example:"alice@example.net" doc:"network access identifier; a User-Name finds it too"`
	Private   string    `json:"private,omitempty" doc:"identity of the network's own (END_USER_PRIVATE)"`
	Plan      string    `json:"plan"`
	State     string    `json:"state" enum:"active,blocked,closed"`
	Barred    []string  `json:"barred,omitempty" doc:"services that it may not use: voice, message, data, transfers"`
	CreatedAt time.Time `json:"created_at"`
}

// A SubscriberAccount is a subscriber with all that the next call would find.
type SubscriberAccount struct {
	Subscriber
	BalanceSeconds  rating.Units `json:"balance_seconds" doc:"not yet charged, in buckets of seconds that count: of an expired bucket only what running calls still hold"`
	ReservedSeconds rating.Units `json:"reserved_seconds" doc:"part of balance_seconds, held by open sessions"`
	Buckets         []Bucket     `json:"buckets" nullable:"false"`
	OpenSessions    int          `json:"open_sessions"`
}

func (s *server) handleSubscribers(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "create-subscriber", Method: http.MethodPost, Path: "/care/v1/subscribers", DefaultStatus: http.StatusCreated,
		Summary: "Create a subscriber, with a bucket of seconds", Errors: []int{http.StatusConflict},
	}), s.createSubscriber)
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-subscribers", Method: http.MethodGet, Path: "/care/v1/subscribers",
		Summary: "List subscribers by MSISDN, page by page",
	}), s.listSubscribers)
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-subscriber", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}",
		Summary: "Show a subscriber with buckets and balance", Errors: []int{http.StatusNotFound},
	}), s.getSubscriber)
	huma.Register(care, operation(huma.Operation{
		OperationID: "set-subscriber-state", Method: http.MethodPut, Path: "/care/v1/subscribers/{subscriber}/state",
		Summary: "Block, unblock or close a subscriber", Errors: []int{http.StatusNotFound, http.StatusConflict},
	}), s.setSubscriberState)
}

// NewSubscriber is the body that creates a subscriber.
type NewSubscriber struct {
	MSISDN    string       `json:"msisdn" maxLength:"40"`
	IMSI      string       `json:"imsi,omitempty" maxLength:"40"`
	SIPURI    string       `json:"sip_uri,omitempty" maxLength:"300" example:"sip:alice@ims.example"`
	NAI       string       `json:"nai,omitempty" maxLength:"300" example:"alice@example.net"`
	Private   string       `json:"private,omitempty" maxLength:"300" doc:"identity of the network's own (END_USER_PRIVATE)"`
	Plan      string       `json:"plan" maxLength:"64"`
	Seconds   rating.Units `json:"seconds" minimum:"0" maximum:"1000000000000" doc:"in one bucket of class plan; 0: no bucket"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty" doc:"first instant at which the bucket no longer counts; absent: never"`
}

// SubscriberInput names the subscriber that a path is about.
type SubscriberInput struct {
	Subscriber string `path:"subscriber" maxLength:"300" doc:"MSISDN, imsi-DIGITS, sip:USER@DOMAIN, nai-USER@REALM or private-NAME"`
}

type subscriberOutput struct{ Body SubscriberAccount }

func (s *server) createSubscriber(ctx context.Context, in *struct{ Body NewSubscriber }) (*subscriberOutput, error) {
	now := s.Now()
	row, expiresAt, err := s.checkNew(in.Body, now)
	if err != nil {
		return nil, err
	}
	created := newSubscriber(row, expiresAt, now)
	created.Contract = s.contractFor(created.Subscriber)
	entry := s.entry(ctx, "create subscriber", string(created.Subscriber.ID), nil, map[string]any{"plan": row.plan, "seconds": row.seconds})
	err = s.Store.CreateSubscribers(ctx, []postgres.NewSubscriber{created}, now, entry)
	if taken, ok := errors.AsType[*postgres.IdentityTakenError](err); ok && taken.Rests {
		return nil, huma.Error409Conflict("this " + kindInWords(taken.Kind) + " was another subscriber's until lately, and rests; nothing was changed")
	} else if ok {
		return nil, huma.Error409Conflict("another subscriber has this " + kindInWords(taken.Kind) + " already; nothing was changed")
	}
	if err != nil {
		return nil, s.storeFault(ctx, "create the subscriber", err)
	}
	s.begin(ctx, created)
	s.acted(ctx, "subscriber created", created.Subscriber.ID)
	return s.account(ctx, created.Subscriber)
}

// checkNew judges a body by the rules of an import row.
func (s *server) checkNew(body NewSubscriber, now time.Time) (row rosterRow, expiresAt time.Time, err error) {
	row = rosterRow{plan: body.Plan, seconds: body.Seconds}
	if row.msisdn, err = ParseMSISDN(body.MSISDN); err != nil {
		return row, expiresAt, invalid("body.msisdn", err)
	}
	if body.IMSI != "" {
		if row.imsi, err = ParseIMSI(body.IMSI); err != nil {
			return row, expiresAt, invalid("body.imsi", err)
		}
	}
	for _, other := range []struct {
		kind  ocs.IdentityKind
		text  string
		parse func(string) (string, error)
	}{{ocs.SIPURI, body.SIPURI, ParseSIPURI}, {ocs.NAI, body.NAI, ParseNAI}, {ocs.Private, body.Private, ParsePrivate}} {
		if other.text == "" {
			continue
		}
		value, err := other.parse(other.text)
		if err != nil {
			return row, expiresAt, invalid("body."+kindWord(other.kind), err)
		}
		row.others = append(row.others, ocs.Identity{Kind: other.kind, Value: value})
	}
	plans := s.Rules().Plans
	if err = knownPlan(row.plan, plans, slices.Sorted(maps.Keys(plans))); err != nil {
		return row, expiresAt, invalid("body.plan", err)
	}
	expiresAt, err = checkExpiry(body.ExpiresAt, now)
	return row, expiresAt, err
}

// checkExpiry returns the expiry of a new bucket; zero: never.
func checkExpiry(at *time.Time, now time.Time) (time.Time, error) {
	switch {
	case at == nil:
		return time.Time{}, nil
	case !at.After(now):
		return time.Time{}, invalid("body.expires_at", errors.New("expires_at: it has passed already"))
	case at.UTC().Year() > 9999:
		return time.Time{}, invalid("body.expires_at", errors.New("expires_at: leave it out for a bucket that never expires"))
	}
	return at.UTC(), nil
}

// planClass is the class of the bucket that comes with a subscription.
const planClass = "plan"

// newSubscriber makes the rows of a subscriber. Ids are in order of time, so that an import appends to the indexes.
func newSubscriber(row rosterRow, expiresAt, now time.Time) postgres.NewSubscriber {
	id := ocs.SubscriberID(newID())
	n := postgres.NewSubscriber{
		Subscriber: ocs.Subscriber{ID: id, State: ocs.Active, Plan: row.plan, MSISDN: row.msisdn, IMSI: row.imsi, CreatedAt: now},
		Identities: row.identities(),
	}
	if row.seconds > 0 {
		bucket, postings := ocs.GrantBucket(ocs.Grant{
			Movement: newID(), Subscriber: id, Bucket: ocs.BucketID(newID()), Unit: rating.Seconds, Units: row.seconds,
			Class: planClass, ExpiresAt: expiresAt, Offer: row.plan, Reason: "subscription",
		}, now)
		n.Bucket, n.Postings = &bucket, postings
	}
	return n
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (s *server) listSubscribers(ctx context.Context, in *struct {
	After string `query:"after" maxLength:"15" pattern:"^[0-9]*$" doc:"the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct{ Body SubscriberPage }, error) {
	subscribers, err := s.Store.ListSubscribers(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.storeFault(ctx, "list subscribers", err)
	}
	names, err := s.names(ctx, subscribers...)
	if err != nil {
		return nil, err
	}
	page := SubscriberPage{Subscribers: make([]Subscriber, 0, len(subscribers))}
	for _, subscriber := range subscribers {
		page.Subscribers = append(page.Subscribers, tellSubscriber(subscriber, names[subscriber.ID]))
	}
	if len(subscribers) == in.Limit {
		page.Next = subscribers[len(subscribers)-1].MSISDN
	}
	return &struct{ Body SubscriberPage }{page}, nil
}

// SubscriberPage is a part of all subscribers.
type SubscriberPage struct {
	Subscribers []Subscriber `json:"subscribers" nullable:"false"`
	Next        string       `json:"next,omitempty" doc:"after of the next page; absent on the last"`
}

func (s *server) getSubscriber(ctx context.Context, in *SubscriberInput) (*subscriberOutput, error) {
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	return s.account(ctx, subscriber)
}

// find returns the subscriber that name names; see [NameForms].
func (s *server) find(ctx context.Context, name string) (ocs.Subscriber, error) {
	if isID(name) { // also of one that is closed, whom no other name leads to
		return s.findByID(ctx, ocs.SubscriberID(name))
	}
	identity, err := ParseSubscriber(name)
	if err != nil {
		return ocs.Subscriber{}, invalid("path.subscriber", err)
	}
	subscriber, err := s.Store.SubscriberByIdentity(ctx, identity)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return ocs.Subscriber{}, huma.Error404NotFound("no subscriber has this " + kindInWords(identity.Kind))
	case err != nil:
		return ocs.Subscriber{}, s.storeFault(ctx, "find the subscriber", err)
	}
	isAbout(ctx, subscriber.ID)
	return subscriber, nil
}

// isID reports whether a name is the id of a subscriber, which no number and no URI is like.
func isID(name string) bool { return len(name) == 36 && uuid.Validate(name) == nil }

func (s *server) findByID(ctx context.Context, id ocs.SubscriberID) (ocs.Subscriber, error) {
	subscriber, err := s.Store.Subscriber(ctx, id)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return ocs.Subscriber{}, huma.Error404NotFound("no subscriber has this id")
	case err != nil:
		return ocs.Subscriber{}, s.storeFault(ctx, "find the subscriber", err)
	}
	isAbout(ctx, subscriber.ID)
	return subscriber, nil
}

// account returns subscriber with buckets, balance and open sessions.
func (s *server) account(ctx context.Context, subscriber ocs.Subscriber) (*subscriberOutput, error) {
	buckets, err := s.Store.Buckets(ctx, subscriber.ID)
	if err != nil {
		return nil, s.storeFault(ctx, "load the buckets", err)
	}
	open, err := s.Store.Sessions(ctx, postgres.SessionFilter{Subscriber: subscriber.ID, State: ocs.Open, Limit: maxPage})
	if err != nil {
		return nil, s.storeFault(ctx, "count the open sessions", err)
	}
	names, err := s.names(ctx, subscriber)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	told := SubscriberAccount{Subscriber: tellSubscriber(subscriber, names[subscriber.ID]), Buckets: tellBuckets(buckets, now), OpenSessions: len(open)}
	for _, b := range buckets {
		if b.Unit != rating.Seconds {
			continue
		}
		counts := b.Balance
		if b.Expired(now) {
			counts = b.Reserved
		}
		told.BalanceSeconds = rating.Add(told.BalanceSeconds, counts)
		told.ReservedSeconds = rating.Add(told.ReservedSeconds, b.Reserved)
	}
	return &subscriberOutput{told}, nil
}

func (s *server) names(ctx context.Context, subscribers ...ocs.Subscriber) (map[ocs.SubscriberID]postgres.Names, error) {
	ids := make([]ocs.SubscriberID, 0, len(subscribers))
	for _, subscriber := range subscribers {
		ids = append(ids, subscriber.ID)
	}
	names, err := s.Store.Names(ctx, ids)
	if err != nil {
		return nil, s.storeFault(ctx, "load the names", err)
	}
	return names, nil
}

func tellSubscriber(s ocs.Subscriber, names postgres.Names) Subscriber {
	return Subscriber{
		ID: string(s.ID), MSISDN: s.MSISDN, IMSI: s.IMSI, SIPURI: names.SIPURI, NAI: names.NAI, Private: names.Private, Plan: s.Plan, State: string(s.State), Barred: s.Barred.Words(), CreatedAt: s.CreatedAt.UTC(),
	}
}

// SubscriberState is the body that sets a state.
type SubscriberState struct {
	State  string `json:"state" enum:"active,blocked,closed" doc:"closed is for good: what is left is posted out, and the names rest before others may have them"`
	Reason string `json:"reason,omitempty" maxLength:"200" doc:"why; needed to close"`
}

func (s *server) setSubscriberState(ctx context.Context, in *struct {
	SubscriberInput
	Body SubscriberState
}) (*subscriberOutput, error) {
	if err := checkText(in.Body.Reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	state := ocs.SubscriberState(in.Body.State)
	switch {
	case subscriber.State == ocs.Closed && state != ocs.Closed:
		return nil, huma.Error409Conflict("the subscriber is closed, and that is for good")
	case state == ocs.Closed && in.Body.Reason == "":
		return nil, invalid("body.reason", errors.New("reason: tell why the subscriber is closed; it stays with the postings"))
	case state == ocs.Closed:
		err = s.close(ctx, subscriber, in.Body.Reason)
	default:
		after := map[string]string{"state": string(state), "reason": in.Body.Reason}
		entry := s.entry(ctx, "set state", string(subscriber.ID), map[string]string{"state": string(subscriber.State)}, after)
		if err = s.Store.SetState(ctx, subscriber.ID, state, s.Now(), entry); err != nil {
			err = s.storeFault(ctx, "set the state", err)
		}
	}
	if err != nil {
		return nil, err
	}
	s.acted(ctx, "subscriber set to "+string(state), subscriber.ID)
	subscriber.State = state
	return s.account(ctx, subscriber)
}

// close ends a subscriber for good: its calls first, then its balance and its names.
func (s *server) close(ctx context.Context, subscriber ocs.Subscriber, reason string) error {
	// The clients of its calls are told to end them (ASR) while the sessions are there to be named.
	if err := s.Store.SetState(ctx, subscriber.ID, ocs.Closed, s.Now()); err != nil {
		return s.storeFault(ctx, "set the state", err)
	}
	if s.EndSession != nil {
		open, err := s.Store.Sessions(ctx, postgres.SessionFilter{Subscriber: subscriber.ID, State: ocs.Open, Limit: maxPage})
		if err != nil {
			return s.storeFault(ctx, "find the open sessions", err)
		}
		for _, session := range open {
			s.EndSession(postgres.SessionRef{Subscriber: subscriber.ID, Key: session.Key})
		}
	}
	now := s.Now()
	closing := postgres.Closing{
		Subscriber: subscriber.ID, Movement: "close", Reason: reason, At: now, FreeAt: now.Add(s.rest()),
	}
	before, after := map[string]string{"state": string(subscriber.State)}, map[string]string{"state": string(ocs.Closed), "reason": reason}
	_, err := s.Store.CloseSubscriber(ctx, closing, s.entry(ctx, "close", string(subscriber.ID), before, after))
	switch {
	case errors.Is(err, postgres.ErrHeld):
		return huma.Error409Conflict("it is closed, but calls or pending transfers still hold a part of the balance: close it again when they have ended")
	case err != nil:
		return s.storeFault(ctx, "close the subscriber", err)
	}
	return nil
}
