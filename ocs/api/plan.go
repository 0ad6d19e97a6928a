package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A SubscriberPlan is the plan of a subscriber, what it promises, and how it runs.
type SubscriberPlan struct {
	Plan     string        `json:"plan"`
	Terms    *PlanTerms    `json:"terms" doc:"null: the plan has none; it is not renewed and does not end"`
	Contract *PlanContract `json:"contract" doc:"how it runs; null: it has no terms and never had"`
}

// PlanTerms are what a plan promises for each period, and what a period costs.
type PlanTerms struct {
	Period     string          `json:"period" example:"1 month"`
	Zone       string          `json:"zone" example:"Europe/Berlin" doc:"whose days and months count"`
	Day        int             `json:"day,omitempty" doc:"of the month, on which every period begins; absent: the day of the activation"`
	FirstUse   bool            `json:"first_use,omitempty" doc:"the first period begins with its first use"`
	Price      rating.Units    `json:"price" doc:"of a period, in minor units of the currency"`
	Currency   string          `json:"currency,omitempty" example:"EUR"`
	Allowances []PlanAllowance `json:"allowances" nullable:"false"`
	Grace      int64           `json:"grace_seconds" doc:"how long a renewal that cannot be paid is tried again"`
	Prorate    bool            `json:"prorate" doc:"what is paid for days that are not used is given back"`
}

// A PlanAllowance is what a period brings.
type PlanAllowance struct {
	Units    rating.Units `json:"units"`
	Unit     string       `json:"unit" example:"seconds"`
	Class    string       `json:"class" example:"plan"`
	Rollover rating.Units `json:"rollover,omitempty" doc:"of what is left, at most so many go on into the next period"`
}

// A PlanContract is a plan as it runs.
type PlanContract struct {
	State      string     `json:"state" enum:"new,waiting,active,grace,ended" doc:"waiting: for its first use; grace: it could not be paid, and is tried again"`
	Period     int        `json:"period" doc:"of those begun, from 1"`
	StartsAt   *time.Time `json:"starts_at"`
	EndsAt     *time.Time `json:"ends_at" doc:"when it is renewed, or ends if it is cancelled"`
	GraceUntil *time.Time `json:"grace_until"`
	Next       string     `json:"next,omitempty" doc:"plan from the next period on; absent: the same"`
	Cancelled  bool       `json:"cancelled" doc:"it ends with the period"`
	Lots       []Bucket   `json:"lots" nullable:"false" doc:"what this period brought, as it is now"`
}

func (s *server) handlePlans(care huma.API) {
	faults := []int{http.StatusNotFound, http.StatusConflict}
	const path = "/care/v1/subscribers/{subscriber}/plan"
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-plan", Method: http.MethodGet, Path: path,
		Summary: "Show a subscriber's plan, its terms, and when it is renewed", Errors: []int{http.StatusNotFound},
	}), s.getPlan)
	huma.Register(care, operation(huma.Operation{
		OperationID: "change-plan", Method: http.MethodPost, Path: path + "/change",
		Summary: "Give a subscriber another plan, when the period ends or at once",
		Description: "At once, the new plan is paid and begins now. What is left of the old period expires or rolls over, and if the old plan " +
			"is prorated, what was paid for days to come is given back.",
		Errors: faults,
	}), s.changePlan)
	huma.Register(care, operation(huma.Operation{
		OperationID: "renew-plan", Method: http.MethodPost, Path: path + "/renew",
		Summary: "Pay and begin a period now, of a plan that could not be paid or has ended; take back a cancellation or a change", Errors: faults,
	}), s.renewPlan)
	huma.Register(care, operation(huma.Operation{
		OperationID: "cancel-plan", Method: http.MethodPost, Path: path + "/cancel",
		Summary: "End a subscriber's plan, when the period ends or at once", Errors: faults,
	}), s.cancelPlan)
}

// PlanChange is the body that changes a plan.
type PlanChange struct {
	Plan   string `json:"plan" maxLength:"64"`
	Now    bool   `json:"now,omitempty" doc:"at once, and not when the period ends"`
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"why; it stays in the audit log"`
}

// PlanAct is the body that renews or cancels a plan.
type PlanAct struct {
	Now    bool   `json:"now,omitempty" doc:"cancel at once, and not when the period ends"`
	Reason string `json:"reason" minLength:"1" maxLength:"200" doc:"why; it stays in the audit log"`
}

type planOutput struct{ Body SubscriberPlan }

func (s *server) getPlan(ctx context.Context, in *SubscriberInput) (*planOutput, error) {
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	return s.plan(ctx, subscriber.ID)
}

func (s *server) changePlan(ctx context.Context, in *struct {
	SubscriberInput
	Body PlanChange
}) (*planOutput, error) {
	plans := s.Rules().Plans
	if _, ok := plans[in.Body.Plan]; !ok {
		return nil, invalid("body.plan", errors.New("plan: there is no such plan in the catalogue"))
	}
	return s.actOnPlan(ctx, in.Subscriber, "change plan", in.Body.Reason,
		func(r lifecycle.Rules, a lifecycle.Account, now time.Time) (lifecycle.Outcome, error) {
			return lifecycle.Change(r, a, in.Body.Plan, newID(), in.Body.Now, now)
		})
}

func (s *server) renewPlan(ctx context.Context, in *struct {
	SubscriberInput
	Body PlanAct
}) (*planOutput, error) {
	return s.actOnPlan(ctx, in.Subscriber, "renew plan", in.Body.Reason, lifecycle.Renew)
}

func (s *server) cancelPlan(ctx context.Context, in *struct {
	SubscriberInput
	Body PlanAct
}) (*planOutput, error) {
	return s.actOnPlan(ctx, in.Subscriber, "cancel plan", in.Body.Reason,
		func(r lifecycle.Rules, a lifecycle.Account, now time.Time) (lifecycle.Outcome, error) {
			return lifecycle.Cancel(r, a, in.Body.Now, now)
		})
}

// planRefusals are why an act on a plan comes to nothing.
var planRefusals = []error{
	lifecycle.ErrSamePlan, lifecycle.ErrNoTerms, lifecycle.ErrUnpaid, lifecycle.ErrRunning, lifecycle.ErrEnded, lifecycle.ErrClosed,
}

// actOnPlan does act, with its audit entry.
func (s *server) actOnPlan(ctx context.Context, name, action, reason string, act charging.Act) (*planOutput, error) {
	if err := checkText(reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	subscriber, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	err = s.Plans.Do(ctx, subscriber.ID, act, func(before lifecycle.Account, o lifecycle.Outcome, _ time.Time) postgres.AuditEntry {
		return s.entry(ctx, action, string(subscriber.ID), planState(before.Subscriber.Plan, before.Contract, ""), planState(o.Plan, o.Contract, reason))
	})
	for _, refusal := range planRefusals {
		if errors.Is(err, refusal) {
			return nil, huma.Error409Conflict(refusal.Error() + "; nothing was changed")
		}
	}
	if err != nil {
		return nil, s.storeFault(ctx, action, err)
	}
	s.acted(ctx, action, subscriber.ID)
	return s.plan(ctx, subscriber.ID)
}

// planState is what the audit log tells of a plan.
func planState(plan string, c *lifecycle.Contract, reason string) map[string]any {
	state := map[string]any{}
	if plan != "" {
		state["plan"] = plan
	}
	if c != nil {
		state["plan"], state["state"], state["period"], state["next"], state["cancelled"] = c.Plan, c.State, c.Period, c.Next, c.Cancelled
	}
	if reason != "" {
		state["reason"] = reason
	}
	return state
}

func (s *server) plan(ctx context.Context, id ocs.SubscriberID) (*planOutput, error) {
	subscriber, err := s.Store.Subscriber(ctx, id)
	if err != nil {
		return nil, s.storeFault(ctx, "load the subscriber", err)
	}
	contract, err := s.Store.Contract(ctx, id)
	if err != nil {
		return nil, s.storeFault(ctx, "load the contract", err)
	}
	buckets, err := s.Store.Buckets(ctx, id)
	if err != nil {
		return nil, s.storeFault(ctx, "load the buckets", err)
	}
	told := SubscriberPlan{Plan: subscriber.Plan, Contract: s.tellContract(contract, buckets)}
	if t, ok := s.Plans.Terms()[subscriber.Plan]; ok {
		told.Terms = tellTerms(t)
	}
	return &planOutput{told}, nil
}

func tellTerms(t lifecycle.Terms) *PlanTerms {
	zone := "UTC"
	if t.Zone != nil {
		zone = t.Zone.String()
	}
	told := &PlanTerms{
		Period: t.Period.String(), Zone: zone, Day: t.Day, FirstUse: t.FirstUse, Price: t.Price.Units, Currency: string(t.Price.Unit),
		Allowances: []PlanAllowance{}, Grace: int64(t.Grace / time.Second), Prorate: t.Prorate,
	}
	for _, a := range t.Allowances {
		told.Allowances = append(told.Allowances, PlanAllowance{Units: a.Units, Unit: string(a.Unit), Class: a.Class, Rollover: a.Rollover})
	}
	return told
}

func (s *server) tellContract(c *lifecycle.Contract, buckets []ocs.Bucket) *PlanContract {
	if c == nil {
		return nil
	}
	told := &PlanContract{
		State: string(c.State), Period: c.Period, StartsAt: optionalTime(c.StartsAt), EndsAt: optionalTime(c.EndsAt),
		GraceUntil: optionalTime(c.GraceUntil), Next: c.Next, Cancelled: c.Cancelled, Lots: []Bucket{},
	}
	for _, lot := range c.Lots {
		for _, b := range buckets {
			if b.ID == lot.Bucket {
				told.Lots = append(told.Lots, tellBuckets([]ocs.Bucket{b}, s.Now())...)
			}
		}
	}
	return told
}

// begin begins the contracts of new subscribers whose plan has terms. What cannot be done now is done by the jobs.
func (s *server) begin(ctx context.Context, n postgres.NewSubscriber) {
	if n.Contract == nil {
		return
	}
	if err := s.Plans.Do(ctx, n.Subscriber.ID, charging.Advance, nil); err != nil {
		s.Logger.WarnContext(ctx, "the plan of a new subscriber begins later", "error", err)
	}
}

// contractFor returns the contract of a new subscriber; nil when the plan has no terms.
func (s *server) contractFor(subscriber ocs.Subscriber) *lifecycle.Contract {
	if _, ok := s.Plans.Terms()[subscriber.Plan]; !ok {
		return nil
	}
	return new(lifecycle.NewContract(newID(), subscriber.ID, subscriber.Plan, subscriber.CreatedAt))
}
