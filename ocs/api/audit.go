package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// An AuditEntry is one act: who did what to whom.
type AuditEntry struct {
	ID        string          `json:"id"`
	At        time.Time       `json:"at"`
	Actor     string          `json:"actor" doc:"id of a subscriber, or name of a person or client"`
	Role      string          `json:"role"`
	Channel   string          `json:"channel"`
	Action    string          `json:"action"`
	Subject   string          `json:"subject" doc:"id of a subscriber, or code of a role"`
	Reference string          `json:"reference" doc:"of a transfer"`
	Before    json.RawMessage `json:"before"`
	After     json.RawMessage `json:"after"`
	Policy    string          `json:"policy"`
}

// AuditPage is a part of the audit log, in order of time.
type AuditPage struct {
	Entries []AuditEntry `json:"entries" nullable:"false"`
	Next    string       `json:"next,omitempty" doc:"after of the next page; absent on the last"`
}

func (s *server) handleAudit(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/care/v1/audit",
		Summary: "List who did what, page by page", Errors: []int{http.StatusNotFound},
	}), s.listAudit)
}

func (s *server) listAudit(ctx context.Context, in *struct {
	OwnerInput
	Reference string `query:"reference" maxLength:"40" pattern:"^[!-~]*$"`
	Action    string `query:"action" maxLength:"64" pattern:"^[ -~]*$"`
	PeriodInput
	PageInput
}) (*struct{ Body AuditPage }, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, in.OwnerInput)
	if err != nil {
		return nil, err
	}
	entries, next, err := s.Store.AuditList(ctx, postgres.AuditFilter{
		Subject: string(owner), Reference: in.Reference, Action: in.Action, From: in.From, To: in.To,
		After: postgres.Cursor(in.After), Limit: in.Limit,
	})
	if err != nil {
		return nil, s.listFault(ctx, "the audit log", in.After, err)
	}
	page := AuditPage{Entries: make([]AuditEntry, 0, len(entries)), Next: string(next)}
	for _, e := range entries {
		page.Entries = append(page.Entries, AuditEntry{
			ID: e.ID, At: e.At, Actor: e.Actor, Role: e.Role, Channel: e.Channel, Action: e.Action, Subject: e.Subject,
			Reference: e.Reference, Before: orNull(e.Before), After: orNull(e.After), Policy: e.Policy,
		})
	}
	return &struct{ Body AuditPage }{page}, nil
}

func orNull(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage("null")
	}
	return text
}

// audit adds an act to the audit log, with the policy in force.
func (s *server) audit(ctx context.Context, e postgres.AuditEntry) error {
	return s.Store.AuditAppend(ctx, s.dated(e))
}

func (s *server) dated(e postgres.AuditEntry) postgres.AuditEntry {
	e.At = s.Now()
	if e.Policy == "" {
		e.Policy = s.policy().Version
	}
	return e
}

// entry is that of an act of who asks, to be stored beside the act.
func (s *server) entry(ctx context.Context, action, subject string, before, after any) postgres.AuditEntry {
	who := actorOf(ctx)
	return s.dated(postgres.AuditEntry{
		Actor: who.label(), Role: who.Role.String(), Channel: "api", Action: action, Subject: subject, Before: auditJSON(before), After: auditJSON(after),
	})
}

// operatorActed adds an act of who asks. person is the name that the bearer of the local token gave.
func (s *server) operatorActed(ctx context.Context, person, action, subject string, before, after any) error {
	e := s.entry(ctx, action, subject, before, after)
	e.Actor = personOf(ctx, person)
	return s.Store.AuditAppend(ctx, e)
}

// auditJSON writes a value of ours. nil is nothing.
func auditJSON(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("api: audit: %v", err)) // maps and structs of plain values
	}
	return text
}

// subscriberActed is an act of a subscriber about itself.
func subscriberActed(id ocs.SubscriberID, channel, action string, after any) postgres.AuditEntry {
	return postgres.AuditEntry{
		Actor: string(id), Role: "subscriber", Channel: channel, Action: action, Subject: string(id), After: auditJSON(after),
	}
}
