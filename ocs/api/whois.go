package api

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Match is a subscriber that a name leads to.
type Match struct {
	Subscriber Subscriber `json:"subscriber"`
	By         string     `json:"by" enum:"identity,former,id,session,sender,receiver" doc:"what the name is of the subscriber: an identity, one that it gave up, the id, a session, or one side of a transfer"`
}

// Whois is whom a name leads to.
type Whois struct {
	Matches []Match `json:"matches" nullable:"false"`
}

func (s *server) handleWhois(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "whois", Method: http.MethodGet, Path: "/care/v1/whois",
		Summary:     "Find a subscriber by any name at hand",
		Description: "A name is an identity of the subscriber, the id, the reference of a transfer, which has two sides, or the Session-Id of a call.",
		Errors:      []int{http.StatusNotFound},
	}), s.whois)
}

func (s *server) whois(ctx context.Context, in *struct {
	Name string `query:"name" required:"true" minLength:"1" maxLength:"1024"`
}) (*struct{ Body Whois }, error) {
	type found struct {
		id ocs.SubscriberID
		by string
	}
	var all []found
	add := func(id ocs.SubscriberID, by string) {
		if id != "" && !slices.ContainsFunc(all, func(f found) bool { return f.id == id }) {
			all = append(all, found{id, by})
		}
	}
	if identity, err := ParseSubscriber(in.Name); err == nil {
		located, err := s.Store.Resolve(ctx, []ocs.Identity{identity})
		if err != nil {
			return nil, s.storeFault(ctx, "find the subscriber", err)
		}
		add(located[0].Subscriber, "identity")
		if located[0].Subscriber == "" {
			former, err := s.Store.FormerOwner(ctx, identity)
			if err != nil && !errors.Is(err, postgres.ErrNotFound) {
				return nil, s.storeFault(ctx, "find who had this name", err)
			}
			add(former, "former")
		}
	}
	if isID(in.Name) {
		add(ocs.SubscriberID(in.Name), "id")
	}
	if reference, ok := transfer.ParseReference(in.Name); ok {
		t, err := s.Store.TransferByReference(ctx, reference)
		if err != nil && !errors.Is(err, postgres.ErrNotFound) {
			return nil, s.storeFault(ctx, "find the transfer", err)
		}
		add(t.Sender, "sender")
		add(t.Receiver, "receiver")
	}
	if key := (ocs.SessionKey{ID: in.Name}); len(all) == 0 && checkSessionKey(key) == nil {
		owners, err := s.Store.Locate(ctx, []ocs.SessionKey{key})
		if err != nil {
			return nil, s.storeFault(ctx, "find the session", err)
		}
		add(owners[0], "session")
	}
	told := Whois{Matches: []Match{}}
	for _, f := range all {
		subscriber, err := s.Store.Subscriber(ctx, f.id)
		switch {
		case errors.Is(err, postgres.ErrNotFound):
		case err != nil:
			return nil, s.storeFault(ctx, "load the subscriber", err)
		default:
			names, err := s.names(ctx, subscriber)
			if err != nil {
				return nil, err
			}
			told.Matches = append(told.Matches, Match{tellSubscriber(subscriber, names[subscriber.ID]), f.by})
		}
	}
	if len(told.Matches) == 0 {
		return nil, notFound("nobody has this name: no identity, no id, no reference of a transfer and no remembered session is like it")
	}
	return &struct{ Body Whois }{told}, nil
}
