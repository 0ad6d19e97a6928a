package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/transfer"
)

// A Profile is what transfers want to know of a subscriber beyond charging.
type Profile struct {
	Name        string     `json:"name" maxLength:"60" doc:"told to others only masked"`
	Language    string     `json:"language,omitempty" enum:"en,ko" doc:"of texts"`
	PlanFamily  string     `json:"plan_family,omitempty" maxLength:"32"`
	Postpaid    bool       `json:"postpaid,omitempty"`
	Roaming     bool       `json:"roaming,omitempty"`
	Shared      string     `json:"shared_account,omitempty" maxLength:"64" doc:"members of one account have the same"`
	Advance     bool       `json:"advance,omitempty" doc:"owes minutes that were lent"`
	OnNetSince  *time.Time `json:"on_net_since,omitempty"`
	RechargedAt *time.Time `json:"recharged_at,omitempty"`
	SIMChanged  *time.Time `json:"sim_changed_at,omitempty"`
	PortedAt    *time.Time `json:"ported_at,omitempty"`
	Freeze      string     `json:"freeze,omitempty" enum:"send-blocked,receive-blocked,frozen,closing"`
	FrozenUntil *time.Time `json:"frozen_until,omitempty" doc:"absent: until lifted"`
}

func (s *server) handleProfiles(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-profile", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/profile",
		Summary: "Show what transfers know of a subscriber", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *SubscriberInput) (*struct{ Body Profile }, error) {
		subscriber, err := s.find(ctx, in.Subscriber)
		if err != nil {
			return nil, err
		}
		profile, err := s.profile(ctx, subscriber.ID)
		if err != nil {
			return nil, s.storeFault(ctx, "load the profile", err)
		}
		return &struct{ Body Profile }{tellProfile(profile.Profile)}, nil
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "set-profile", Method: http.MethodPut, Path: "/care/v1/subscribers/{subscriber}/profile",
		Summary: "Replace what transfers know of a subscriber", Errors: []int{http.StatusNotFound},
	}), s.setProfile)
}

func (s *server) setProfile(ctx context.Context, in *struct {
	SubscriberInput
	Body Profile
}) (*struct{ Body Profile }, error) {
	b := in.Body
	if err := checkText(b.Name, b.PlanFamily, b.Shared); err != nil {
		return nil, invalid("body", err)
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	before, err := s.profile(ctx, subscriber.ID)
	if err != nil {
		return nil, s.storeFault(ctx, "load the profile", err)
	}
	after := before.Profile
	after.Name, after.Language, after.PlanFamily = strings.TrimSpace(b.Name), b.Language, b.PlanFamily
	after.Postpaid, after.Roaming, after.SharedAccount, after.Advance = b.Postpaid, b.Roaming, b.Shared, b.Advance
	after.OnNetSince, after.RechargedAt = orZero(b.OnNetSince), orZero(b.RechargedAt)
	after.SIMChangedAt, after.PortedAt = orZero(b.SIMChanged), orZero(b.PortedAt)
	after.Freeze, after.FrozenUntil = transfer.Freeze(b.Freeze), orZero(b.FrozenUntil)
	if err := s.Store.SetProfile(ctx, subscriber.ID, after); err != nil {
		return nil, s.storeFault(ctx, "set the profile", err)
	}
	// A name is no business of the audit log, which outlives it.
	old := map[string]string{"freeze": string(before.Freeze)}
	if err := s.operatorActed(ctx, "", "set profile", string(subscriber.ID), old, map[string]string{"freeze": b.Freeze}); err != nil {
		return nil, s.storeFault(ctx, "write the audit log", err)
	}
	return &struct{ Body Profile }{tellProfile(after)}, nil
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func tellProfile(p transfer.Profile) Profile {
	return Profile{
		Name: p.Name, Language: p.Language, PlanFamily: p.PlanFamily, Postpaid: p.Postpaid, Roaming: p.Roaming,
		Shared: p.SharedAccount, Advance: p.Advance, OnNetSince: optionalTime(p.OnNetSince), RechargedAt: optionalTime(p.RechargedAt),
		SIMChanged: optionalTime(p.SIMChangedAt), PortedAt: optionalTime(p.PortedAt), Freeze: string(p.Freeze),
		FrozenUntil: optionalTime(p.FrozenUntil),
	}
}
