package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// IdentityRest is how long a name that was given up rests, unless the configuration says otherwise: half a year, after which
// banks and friends have mostly noticed.
const IdentityRest = 180 * 24 * time.Hour

// NewNumber is the body that gives a subscriber another number.
type NewNumber struct {
	MSISDN string `json:"msisdn" maxLength:"40"`
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

// NewCard is the body that gives a subscriber another SIM.
type NewCard struct {
	IMSI   string `json:"imsi" maxLength:"40"`
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

func (s *server) handleIdentityChanges(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "change-number", Method: http.MethodPut, Path: "/care/v1/subscribers/{subscriber}/msisdn",
		Summary:     "Give a subscriber another number",
		Description: "Balance, history and running calls stay. The old number leads nowhere, and rests before somebody else may have it.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), func(ctx context.Context, in *struct {
		SubscriberInput
		Body NewNumber
	}) (*subscriberOutput, error) {
		number, err := ParseMSISDN(in.Body.MSISDN)
		if err != nil {
			return nil, invalid("body.msisdn", err)
		}
		return s.changeIdentity(ctx, in.Subscriber, ocs.Identity{Kind: ocs.E164, Value: number}, "change number", in.Body.Reason)
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "change-card", Method: http.MethodPut, Path: "/care/v1/subscribers/{subscriber}/imsi",
		Summary:     "Give a subscriber another SIM",
		Description: "The policy of transfers may have a time to cool off after it, in which nothing can be sent.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), func(ctx context.Context, in *struct {
		SubscriberInput
		Body NewCard
	}) (*subscriberOutput, error) {
		imsi, err := ParseIMSI(in.Body.IMSI)
		if err != nil {
			return nil, invalid("body.imsi", err)
		}
		return s.changeIdentity(ctx, in.Subscriber, ocs.Identity{Kind: ocs.IMSI, Value: imsi}, "change SIM", in.Body.Reason)
	})
}

func (s *server) changeIdentity(ctx context.Context, name string, to ocs.Identity, action, reason string) (*subscriberOutput, error) {
	if err := checkText(reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	subscriber, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if subscriber.State == ocs.Closed {
		return nil, huma.Error409Conflict("the subscriber is closed, and that is for good")
	}
	now := s.Now()
	change := postgres.IdentityChange{Subscriber: subscriber.ID, To: to, At: now, FreeAt: now.Add(s.rest())}
	entry := s.entry(ctx, action, string(subscriber.ID), nil, map[string]string{"reason": reason}) // a number is no business of the audit log
	_, err = s.Store.ChangeIdentity(ctx, change, entry)
	switch {
	case errors.Is(err, postgres.ErrIdentityTaken):
		return nil, huma.Error409Conflict("another subscriber has this already; nothing was changed")
	case errors.Is(err, postgres.ErrIdentityRests):
		return nil, huma.Error409Conflict("this was another subscriber's until lately, and rests; nothing was changed")
	case err != nil:
		return nil, s.storeFault(ctx, action, err)
	}
	s.acted(ctx, action, subscriber.ID)
	if subscriber, err = s.Store.Subscriber(ctx, subscriber.ID); err != nil {
		return nil, s.storeFault(ctx, "load the subscriber", err)
	}
	return s.account(ctx, subscriber)
}

func (s *server) rest() time.Duration {
	if s.Rest == 0 {
		return IdentityRest
	}
	return s.Rest
}
