package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/policy"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Policy is the rules of transfers, as their author wrote them.
type Policy struct {
	Version string     `json:"version"`
	Source  string     `json:"source,omitempty" doc:"YAML"`
	SavedAt *time.Time `json:"saved_at"`
	SavedBy string     `json:"saved_by,omitempty"`
}

// PolicyInForce is the policy that transfers are decided by now.
type PolicyInForce struct {
	Policy
	StoppedAt  *time.Time `json:"stopped_at" doc:"when the kill switch was thrown; null: transfers go on"`
	StopReason string     `json:"stop_reason,omitempty"`
	ChangedAt  *time.Time `json:"changed_at"`
	ChangedBy  string     `json:"changed_by,omitempty"`
}

// PolicyList is policies that were loaded, newest first, without their text.
type PolicyList struct {
	Policies []Policy `json:"policies" nullable:"false"`
}

// NewPolicy is the body that checks or loads a policy.
type NewPolicy struct {
	Source string `json:"source" minLength:"1" maxLength:"1048576" doc:"YAML"`
	Check  bool   `json:"check,omitempty" doc:"tell what would change, and change nothing"`
	Person string `json:"person,omitempty" maxLength:"64"`
}

// PolicyChange is what loading a policy changed, or would.
type PolicyChange struct {
	Version string   `json:"version"`
	Before  string   `json:"before" doc:"version that was in force"`
	Changes []string `json:"changes" nullable:"false" doc:"in words"`
	Loaded  bool     `json:"loaded"`
}

// Kill is the body that stops transfers.
type Kill struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"told to the people who ask"`
	Person string `json:"person,omitempty" maxLength:"64"`
}

// maxPolicy is the longest body that loads a policy.
const maxPolicy = 2 << 20

func (s *server) handlePolicy(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-policy", Method: http.MethodGet, Path: "/care/v1/policy", Summary: "Show the policy of transfers that is in force",
	}), func(ctx context.Context, _ *struct{}) (*struct{ Body PolicyInForce }, error) { return s.inForce(ctx) })
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-policies", Method: http.MethodGet, Path: "/care/v1/policies", Summary: "List the policies that were loaded, newest first",
	}), s.listPolicies)
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-policy-version", Method: http.MethodGet, Path: "/care/v1/policies/{version}",
		Summary: "Show a policy that was loaded", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *struct {
		Version string `path:"version" maxLength:"128" pattern:"^[!-~]+$"`
	}) (*struct{ Body Policy }, error) {
		found, err := s.findPolicy(ctx, in.Version)
		if err != nil {
			return nil, err
		}
		return &struct{ Body Policy }{tellPolicy(found)}, nil
	})
	load := operation(huma.Operation{
		OperationID: "load-policy", Method: http.MethodPut, Path: "/care/v1/policy", MaxBodyBytes: maxPolicy, BodyReadTimeout: bodyTimeout,
		Summary: "Check a policy, and put it in force on all servers",
	})
	huma.Register(care, load, s.loadPolicy)
	huma.Register(care, operation(huma.Operation{
		OperationID: "kill-transfers", Method: http.MethodPost, Path: "/care/v1/policy/kill",
		Summary:     "Stop all transfers at once, on all servers",
		Description: "Balances stay spendable in calls. What is pending can be cancelled and lapses.",
		Errors:      []int{http.StatusConflict},
	}), s.killTransfers)
	huma.Register(care, operation(huma.Operation{
		OperationID: "resume-transfers", Method: http.MethodPost, Path: "/care/v1/policy/resume",
		Summary: "Let transfers go on", Errors: []int{http.StatusConflict},
	}), s.resumeTransfers)
}

func tellPolicy(p postgres.PolicyVersion) Policy {
	return Policy{Version: p.Version, Source: string(p.Document), SavedAt: optionalTime(p.SavedAt), SavedBy: p.SavedBy}
}

func (s *server) findPolicy(ctx context.Context, version string) (postgres.PolicyVersion, error) {
	found, err := s.Store.Policy(ctx, version)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return found, notFound("no policy of this version was ever loaded")
	case err != nil:
		return found, s.storeFault(ctx, "load the policy", err)
	}
	return found, nil
}

func (s *server) inForce(ctx context.Context) (*struct{ Body PolicyInForce }, error) {
	state, err := s.Store.PolicyInForce(ctx)
	if err != nil {
		return nil, s.storeFault(ctx, "load the policy in force", err)
	}
	now := s.loadedPolicy()
	told := PolicyInForce{
		Policy:    Policy{Version: now.Version(), Source: string(now.Source())},
		StoppedAt: optionalTime(state.StoppedAt), StopReason: state.StopReason, ChangedAt: optionalTime(state.ChangedAt), ChangedBy: state.ChangedBy,
	}
	if saved, err := s.Store.Policy(ctx, now.Version()); err == nil {
		told.SavedAt, told.SavedBy = optionalTime(saved.SavedAt), saved.SavedBy
	}
	return &struct{ Body PolicyInForce }{told}, nil
}

func (s *server) listPolicies(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct{ Body PolicyList }, error) {
	found, err := s.Store.PolicyVersions(ctx, in.Limit)
	if err != nil {
		return nil, s.storeFault(ctx, "list the policies", err)
	}
	list := PolicyList{Policies: make([]Policy, 0, len(found))}
	for _, p := range found {
		list.Policies = append(list.Policies, tellPolicy(p))
	}
	return &struct{ Body PolicyList }{list}, nil
}

func (s *server) loadPolicy(ctx context.Context, in *struct{ Body NewPolicy }) (*struct{ Body PolicyChange }, error) {
	next, err := policy.Parse("policy", []byte(in.Body.Source))
	if err != nil {
		return nil, huma.Error422UnprocessableEntity("the policy is wrong, and nothing was changed:\n" + err.Error())
	}
	now := s.loadedPolicy()
	change := PolicyChange{Version: next.Version(), Before: now.Version(), Changes: notNull(policy.Diff(now, next))}
	if in.Body.Check {
		return &struct{ Body PolicyChange }{change}, nil
	}
	person, at := personOf(ctx, in.Body.Person), s.Now()
	if err := s.Store.SavePolicy(ctx, next.Version(), next.Source(), person, at); err != nil {
		return nil, s.storeFault(ctx, "save the policy", err)
	}
	if err := s.Store.PutPolicyInForce(ctx, next.Version(), person, at); err != nil {
		return nil, s.storeFault(ctx, "put the policy in force", err)
	}
	if err := s.reloadPolicy(ctx); err != nil {
		return nil, s.storeFault(ctx, "take up the policy that is in force now", err)
	}
	before, after := map[string]string{"version": now.Version()}, map[string]string{"version": next.Version()}
	if err := s.operatorActed(ctx, person, "load policy", "", before, after); err != nil {
		return nil, s.storeFault(ctx, "write the audit log", err)
	}
	change.Loaded = true
	return &struct{ Body PolicyChange }{change}, nil
}

func (s *server) killTransfers(ctx context.Context, in *struct{ Body Kill }) (*struct{ Body PolicyInForce }, error) {
	if err := checkText(in.Body.Reason, in.Body.Person); err != nil {
		return nil, invalid("body.reason", err)
	}
	return s.switchTransfers(ctx, in.Body.Person, in.Body.Reason)
}

func (s *server) resumeTransfers(ctx context.Context, in *struct{ Body PersonBody }) (*struct{ Body PolicyInForce }, error) {
	return s.switchTransfers(ctx, in.Body.Person, "")
}

// switchTransfers stops transfers for a reason, or lets them go on without one. The audit entry comes first: an entry of
// something that then failed is a smaller evil than an act without an entry.
func (s *server) switchTransfers(ctx context.Context, person, reason string) (*struct{ Body PolicyInForce }, error) {
	state, err := s.Store.PolicyInForce(ctx)
	switch {
	case err != nil:
		return nil, s.storeFault(ctx, "load the policy in force", err)
	case reason != "" && !state.StoppedAt.IsZero():
		return nil, huma.Error409Conflict("transfers are stopped already: " + state.StopReason)
	case reason == "" && state.StoppedAt.IsZero():
		return nil, huma.Error409Conflict("transfers are not stopped")
	}
	person = personOf(ctx, person)
	action, after := "resume transfers", map[string]string{}
	if reason != "" {
		action, after = "stop transfers", map[string]string{"reason": reason}
	}
	if err := s.operatorActed(ctx, person, action, "", nil, after); err != nil {
		return nil, s.storeFault(ctx, "write the audit log", err)
	}
	if reason != "" {
		err = s.Store.StopTransfers(ctx, reason, person, s.Now())
	} else {
		err = s.Store.ResumeTransfers(ctx, person, s.Now())
	}
	if err == nil {
		err = s.reloadPolicy(ctx)
	}
	if err != nil {
		return nil, s.storeFault(ctx, "throw the switch", err)
	}
	s.Logger.WarnContext(ctx, action, "actor", person)
	return s.inForce(ctx)
}

// loadedPolicy is the one that this server decides by.
func (s *server) loadedPolicy() *policy.Policy {
	if s.Policy == nil {
		return policy.Default()
	}
	return s.Policy()
}

func (s *server) reloadPolicy(ctx context.Context) error {
	if s.ReloadPolicy == nil {
		return nil
	}
	return s.ReloadPolicy(ctx)
}
