package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// Freezing is the body that stops the transfers of a subscriber.
type Freezing struct {
	What   string     `json:"what" enum:"frozen,send-blocked,receive-blocked,none" doc:"none lifts it"`
	Until  *time.Time `json:"until,omitempty" doc:"instant at which it ends by itself; absent: until lifted"`
	Reason string     `json:"reason" minLength:"1" maxLength:"200"`
}

// Barring is the body that bars a subscriber from services.
type Barring struct {
	Barred []string `json:"barred" nullable:"false" maxItems:"4" enum:"voice,message,data,transfers" doc:"these and no others; empty: it may use all"`
	Reason string   `json:"reason" minLength:"1" maxLength:"200"`
}

func (s *server) handleFreezes(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "freeze", Method: http.MethodPut, Path: "/care/v1/subscribers/{subscriber}/freeze",
		Summary: "Stop the transfers of a subscriber until an instant, or until lifted", Errors: []int{http.StatusNotFound},
	}), s.freeze)
	huma.Register(care, operation(huma.Operation{
		OperationID: "bar-services", Method: http.MethodPut, Path: "/care/v1/subscribers/{subscriber}/services",
		Summary:     "Bar a subscriber from services, or let it use them again",
		Description: "Clients of running calls are asked to report, and learn it then (RAR).",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), s.bar)
}

func (s *server) freeze(ctx context.Context, in *struct {
	SubscriberInput
	Body Freezing
}) (*struct{ Body Profile }, error) {
	if err := checkText(in.Body.Reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	until, err := checkExpiry(in.Body.Until, s.Now())
	if err != nil {
		return nil, err
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	what := transfer.Freeze(in.Body.What)
	if in.Body.What == "none" {
		what, until = "", time.Time{}
	}
	before, err := s.profile(ctx, subscriber.ID)
	if err != nil {
		return nil, s.storeFault(ctx, "load the profile", err)
	}
	after := before.Profile
	after.Freeze, after.FrozenUntil = what, until
	if err := s.Store.SetProfile(ctx, subscriber.ID, after); err != nil {
		return nil, s.storeFault(ctx, "set the freeze", err)
	}
	old := map[string]any{"freeze": before.Freeze, "until": optionalTime(before.FrozenUntil)}
	now := map[string]any{"freeze": what, "until": optionalTime(until), "reason": in.Body.Reason}
	if err := s.operatorActed(ctx, "", "freeze", string(subscriber.ID), old, now); err != nil {
		return nil, s.storeFault(ctx, "write the audit log", err)
	}
	return &struct{ Body Profile }{tellProfile(after)}, nil
}

func (s *server) bar(ctx context.Context, in *struct {
	SubscriberInput
	Body Barring
}) (*subscriberOutput, error) {
	if err := checkText(in.Body.Reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	if subscriber.State == ocs.Closed {
		return nil, huma.Error409Conflict("the subscriber is closed, and that is for good")
	}
	bars := ocs.ParseBars(in.Body.Barred)
	old := map[string]any{"barred": subscriber.Barred.Words()}
	entry := s.entry(ctx, "bar services", string(subscriber.ID), old, map[string]any{"barred": bars.Words(), "reason": in.Body.Reason})
	if err := s.Store.SetBars(ctx, subscriber.ID, bars, s.Now(), entry); err != nil {
		return nil, s.storeFault(ctx, "bar the services", err)
	}
	s.acted(ctx, "services barred", subscriber.ID)
	subscriber.Barred = bars
	return s.account(ctx, subscriber)
}
