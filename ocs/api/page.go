package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// maxPage is the longest page.
const maxPage = 1000

// The parts of inputs are exported because huma looks into no other embedded type.

// PageInput is how every list is asked for its next part.
type PageInput struct {
	After string `query:"after" maxLength:"8192" doc:"next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// PeriodInput limits a list to a time.
type PeriodInput struct {
	From time.Time `query:"from" doc:"the first instant, RFC 3339"`
	To   time.Time `query:"to" doc:"the first instant that no longer belongs"`
}

func (p PeriodInput) check() error {
	if !p.From.IsZero() && !p.To.IsZero() && !p.From.Before(p.To) {
		return invalid("query.to", errors.New("to: it must be later than from"))
	}
	return nil
}

// OwnerInput limits a list to one subscriber.
type OwnerInput struct {
	Subscriber string `query:"msisdn" maxLength:"300" doc:"MSISDN, imsi-DIGITS, sip:USER@DOMAIN, nai-USER@REALM or private-NAME; absent: all"`
}

// owner returns the id of the subscriber that a list is limited to; empty: all.
func (s *server) owner(ctx context.Context, in OwnerInput) (ocs.SubscriberID, error) {
	if in.Subscriber == "" {
		return "", nil
	}
	if _, err := ParseSubscriber(in.Subscriber); err != nil {
		return "", invalid("query.msisdn", err)
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	return subscriber.ID, err
}

// sessionCursor is a place in the list of sessions, in the text form that clients carry.
type sessionCursor struct {
	Subscriber ocs.SubscriberID `json:"o"`
	ID         string           `json:"i"`
	Sub        string           `json:"s"`
}

func badCursor() error {
	return invalid("query.after", errors.New("after: it must be the next of the page before, unchanged"))
}

func nextSession(last ocs.Session) string {
	text, err := json.Marshal(sessionCursor{last.Subscriber, last.Key.ID, last.Key.Sub})
	if err != nil {
		panic(fmt.Sprintf("api: cursor: %v", err)) // three strings
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func parseSessionCursor(after string) (postgres.SessionRef, error) {
	if after == "" {
		return postgres.SessionRef{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(after)
	var c sessionCursor
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	key := ocs.SessionKey{ID: c.ID, Sub: c.Sub}
	if err != nil || checkSessionKey(key) != nil || uuid.Validate(string(c.Subscriber)) != nil {
		return postgres.SessionRef{}, badCursor()
	}
	return postgres.SessionRef{Subscriber: c.Subscriber, Key: key}, nil
}

// listFault is the problem that err of the store becomes while a list is read from after on. The place in a cursor is
// judged by the database: one that was made up is no text of ours, and no fault of the server.
func (s *server) listFault(ctx context.Context, what, after string, err error) error {
	if after != "" && postgres.Classify(err) == postgres.Bug {
		return badCursor()
	}
	return s.storeFault(ctx, "list "+what, err)
}

// msisdns finds the numbers of the subscribers in a page, each once.
type msisdns struct {
	server *server
	found  map[ocs.SubscriberID]string
}

func (s *server) msisdns() msisdns { return msisdns{s, map[ocs.SubscriberID]string{}} }

func (m msisdns) of(ctx context.Context, id ocs.SubscriberID) (string, error) {
	if id == "" {
		return "", nil // a request that named nobody we know
	}
	if number, ok := m.found[id]; ok {
		return number, nil
	}
	subscriber, err := m.server.Store.Subscriber(ctx, id)
	if err != nil && !errors.Is(err, postgres.ErrNotFound) {
		return "", m.server.storeFault(ctx, "find the subscriber of a session", err)
	}
	m.found[id] = subscriber.MSISDN
	return subscriber.MSISDN, nil
}

func notFound(what string) error { return huma.Error404NotFound(what) }
