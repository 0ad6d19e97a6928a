package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Role is a shop, a vendor of minutes or a trader, with the account behind it.
type Role struct {
	Code           string       `json:"code" doc:"short code; its last digit checks the others"`
	Kind           string       `json:"kind" enum:"merchant,agent,trader"`
	Name           string       `json:"name"`
	MSISDN         string       `json:"msisdn" doc:"of the account behind it"`
	Parent         string       `json:"parent,omitempty" doc:"code of the agent above"`
	Owner          string       `json:"owner,omitempty" doc:"MSISDN of the person behind it"`
	Closed         bool         `json:"closed"`
	BalanceSeconds rating.Units `json:"balance_seconds"`
	FloatSeconds   rating.Units `json:"float_seconds" doc:"part of balance_seconds that an agent sells from"`
	CreatedAt      time.Time    `json:"created_at"`
}

// NewRole is the body that gives an account a role.
type NewRole struct {
	MSISDN string `json:"msisdn" maxLength:"40" doc:"of the account, which is a subscriber's"`
	Name   string `json:"name" minLength:"1" maxLength:"40" doc:"that customers see"`
	Owner  string `json:"owner,omitempty" maxLength:"40" doc:"MSISDN of the person behind it, who earns no commission on transfers of its own"`
	Parent string `json:"parent,omitempty" maxLength:"12" doc:"of an agent: code of the agent above"`
	Trader bool   `json:"trader,omitempty" doc:"of an agent: it pays cash for minutes"`
	Digits string `json:"digits,omitempty" pattern:"^[0-9]{4,6}$" doc:"of the code, without the check digit; absent: drawn"`
	Person string `json:"person,omitempty" maxLength:"64"`
}

// RoleList is roles of one kind.
type RoleList struct {
	Roles []Role `json:"roles" nullable:"false"`
}

// CodeInput names the role that a path is about.
type CodeInput struct {
	Code string `path:"code" maxLength:"12" doc:"short code"`
}

type roleOutput struct{ Body Role }

func (s *server) handleRoles(care huma.API) {
	for _, family := range []struct {
		path, one string
		scheme    string
	}{{"/care/v1/merchants", "merchant", merchantScheme}, {"/care/v1/agents", "agent", agentScheme}} {
		huma.Register(care, operation(huma.Operation{
			OperationID: "create-" + family.one, Method: http.MethodPost, Path: family.path, DefaultStatus: http.StatusCreated,
			Summary: "Make an account a " + family.one + ", under a short code", Errors: []int{http.StatusNotFound, http.StatusConflict},
		}), func(ctx context.Context, in *struct{ Body NewRole }) (*roleOutput, error) {
			return s.createRole(ctx, family.scheme, in.Body)
		})
		huma.Register(care, operation(huma.Operation{
			OperationID: "list-" + family.one + "s", Method: http.MethodGet, Path: family.path, Summary: "List " + family.one + "s by code",
		}), func(ctx context.Context, in *struct {
			After string `query:"after" maxLength:"12" pattern:"^[0-9]*$" doc:"code of the last of the page before"`
			Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
		}) (*struct{ Body RoleList }, error) {
			return s.listRoles(ctx, family.scheme, in.After, in.Limit)
		})
		huma.Register(care, operation(huma.Operation{
			OperationID: "get-" + family.one, Method: http.MethodGet, Path: family.path + "/{code}",
			Summary: "Show a " + family.one + " and its balance", Errors: []int{http.StatusNotFound},
		}), func(ctx context.Context, in *CodeInput) (*roleOutput, error) {
			role, err := s.findRole(ctx, in.Code, kindsOf(family.scheme)...)
			if err != nil {
				return nil, err
			}
			return s.tellRole(ctx, role)
		})
	}
	huma.Register(care, operation(huma.Operation{
		OperationID: "fund-agent", Method: http.MethodPost, Path: "/care/v1/agents/{code}/float",
		Summary:     "Fill the float that an agent sells from",
		Description: "The id names the grant: asking again with the same id and content grants nothing more.",
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
	}), s.fundAgent)
}

func (s *server) createRole(ctx context.Context, scheme string, body NewRole) (*roleOutput, error) {
	if err := checkText(body.Name, body.Person); err != nil {
		return nil, invalid("body.name", err)
	}
	kind := transfer.MerchantRole
	if scheme == agentScheme {
		kind = transfer.AgentRole
	}
	if body.Trader {
		kind = transfer.TraderRole
	}
	if scheme == merchantScheme && (body.Trader || body.Parent != "") {
		return nil, invalid("body", errors.New("a merchant is no trader and has no agent above it"))
	}
	subscriber, err := s.find(ctx, body.MSISDN)
	if err != nil {
		return nil, err
	}
	role := postgres.Role{Role: transfer.Role{Kind: kind, Parent: body.Parent}, Subscriber: subscriber.ID, CreatedAt: s.Now()}
	if body.Owner != "" {
		owner, err := s.find(ctx, body.Owner)
		if err != nil {
			return nil, err
		}
		role.Owner = owner.ID
	}
	if role.Parent != "" {
		if parent, err := s.findRole(ctx, role.Parent, transfer.AgentRole); err != nil {
			return nil, err
		} else if role.Parent = parent.Code; parent.Closed {
			return nil, huma.Error409Conflict("the agent above is closed")
		}
	}
	before, err := s.Store.RolesOf(ctx, subscriber.ID)
	if err != nil {
		return nil, s.storeFault(ctx, "look for roles", err)
	}
	if len(before) > 0 {
		return nil, huma.Error409Conflict("this account has a role already, with the code " + before[0].Code)
	}
	if err := s.saveRole(ctx, &role, body.Digits); err != nil {
		return nil, err
	}
	if err := s.setName(ctx, subscriber.ID, strings.TrimSpace(body.Name)); err != nil {
		return nil, err
	}
	after := map[string]string{"code": role.Code, "kind": string(role.Kind), "parent": role.Parent}
	if err := s.operatorActed(ctx, body.Person, "create "+string(kind), string(subscriber.ID), nil, after); err != nil {
		return nil, s.storeFault(ctx, "write the audit log", err)
	}
	return s.tellRole(ctx, role)
}

// saveRole stores a role under the code that was asked for, or under one that is drawn.
func (s *server) saveRole(ctx context.Context, role *postgres.Role, digits string) error {
	const draws = 20
	wanted := digits != ""
	for range draws {
		if !wanted {
			var err error
			if digits, err = drawDigits(transfer.MaxShortCode - 2); err != nil {
				return s.storeFault(ctx, "draw a code", err)
			}
		}
		code, ok := transfer.NewShortCode(digits)
		if !ok {
			return invalid("body.digits", errors.New("digits: 4 to 6 digits are right"))
		}
		role.Code = code
		err := s.Store.CreateRole(ctx, *role)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, postgres.ErrCodeTaken) && wanted:
			return huma.Error409Conflict("the code " + code + " belongs to another")
		case !errors.Is(err, postgres.ErrCodeTaken):
			return s.storeFault(ctx, "create the role", err)
		}
	}
	return huma.Error409Conflict("no free code was found: name the digits of one")
}

func (s *server) setName(ctx context.Context, id ocs.SubscriberID, name string) error {
	profile, err := s.profile(ctx, id)
	if err == nil {
		profile.Name = name
		err = s.Store.SetProfile(ctx, id, profile.Profile)
	}
	if err != nil {
		return s.storeFault(ctx, "set the name", err)
	}
	return nil
}

// findRole returns the role that has a code, if it is one of some kinds.
func (s *server) findRole(ctx context.Context, typed string, kinds ...transfer.RoleKind) (postgres.Role, error) {
	code, ok := transfer.ParseShortCode(typed)
	if !ok {
		return postgres.Role{}, invalid("path.code", errors.New("that is no short code: a digit is wrong, or it is not 5 to 7 of them"))
	}
	role, err := s.Store.Role(ctx, code)
	switch {
	case errors.Is(err, postgres.ErrNotFound) || err == nil && !slices.Contains(kinds, role.Kind):
		return role, notFound("nobody of that kind has this code")
	case err != nil:
		return role, s.storeFault(ctx, "find the code", err)
	}
	return role, nil
}

func (s *server) tellRole(ctx context.Context, role postgres.Role) (*roleOutput, error) {
	told := Role{Code: role.Code, Kind: string(role.Kind), Parent: role.Parent, Closed: role.Closed, CreatedAt: role.CreatedAt.UTC()}
	profile, err := s.profile(ctx, role.Subscriber)
	if err != nil {
		return nil, s.storeFault(ctx, "load the name", err)
	}
	told.Name = profile.Name
	numbers := s.msisdns()
	if told.MSISDN, err = numbers.of(ctx, role.Subscriber); err != nil {
		return nil, err
	}
	if told.Owner, err = numbers.of(ctx, role.Owner); err != nil {
		return nil, err
	}
	buckets, err := s.Store.Buckets(ctx, role.Subscriber)
	if err != nil {
		return nil, s.storeFault(ctx, "load the buckets", err)
	}
	for _, b := range buckets {
		if b.Unit != rating.Seconds || b.Expired(s.Now()) {
			continue
		}
		told.BalanceSeconds = rating.Add(told.BalanceSeconds, b.Balance)
		if b.Class == floatClass {
			told.FloatSeconds = rating.Add(told.FloatSeconds, b.Balance)
		}
	}
	return &roleOutput{told}, nil
}

func (s *server) listRoles(ctx context.Context, scheme, after string, limit int) (*struct{ Body RoleList }, error) {
	var found []postgres.Role
	for _, kind := range kindsOf(scheme) {
		roles, err := s.Store.ListRoles(ctx, kind, after, limit)
		if err != nil {
			return nil, s.storeFault(ctx, "list the codes", err)
		}
		found = append(found, roles...)
	}
	slices.SortFunc(found, func(a, b postgres.Role) int { return strings.Compare(a.Code, b.Code) })
	list := RoleList{Roles: []Role{}}
	for _, role := range found[:min(limit, len(found))] {
		told, err := s.tellRole(ctx, role)
		if err != nil {
			return nil, err
		}
		list.Roles = append(list.Roles, told.Body)
	}
	return &struct{ Body RoleList }{list}, nil
}

// floatClass is the class of what an agent sells from.
const floatClass = "float"

// NewFloat is the body that fills a float.
type NewFloat struct {
	ID        string       `json:"id,omitempty" minLength:"1" maxLength:"128" doc:"names the grant for good; absent: one is made up, and repeating grants again"`
	Seconds   rating.Units `json:"seconds" minimum:"1" maximum:"1000000000000"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty"`
	Reason    string       `json:"reason" minLength:"1" maxLength:"200" doc:"why; it stays with the posting"`
}

func (s *server) fundAgent(ctx context.Context, in *struct {
	CodeInput
	Body NewFloat
}) (*grantOutput, error) {
	if err := checkText(in.Body.ID, in.Body.Reason); err != nil {
		return nil, invalid("body", err)
	}
	now := s.Now()
	expiresAt, err := checkExpiry(in.Body.ExpiresAt, now)
	if err != nil {
		return nil, err
	}
	role, err := s.findRole(ctx, in.Code, transfer.AgentRole)
	if err != nil {
		return nil, err
	}
	if role.Closed {
		return nil, huma.Error409Conflict("the agent is closed and gets no float")
	}
	grant := ocs.Grant{
		Movement: in.Body.ID, Subscriber: role.Subscriber, Unit: rating.Seconds, Units: in.Body.Seconds, Class: floatClass,
		ExpiresAt: expiresAt, Offer: floatClass, Reason: in.Body.Reason,
	}
	if grant.Movement == "" {
		grant.Movement = newID()
	}
	grant.Bucket = grantedBucket(role.Subscriber, grant.Movement)
	return s.grant(ctx, grant, now)
}
