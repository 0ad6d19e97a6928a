package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// An Approval is an act that one person asked for and a second one confirms or rejects.
type Approval struct {
	ID        string          `json:"id"`
	Action    string          `json:"action" example:"grant"`
	MSISDN    string          `json:"msisdn" doc:"whom it is about; empty: nobody"`
	Unit      string          `json:"unit"`
	Units     rating.Units    `json:"units" doc:"that it moves, without sign"`
	Reason    string          `json:"reason"`
	Request   json.RawMessage `json:"request" doc:"what was asked for"`
	AskedBy   string          `json:"asked_by"`
	AskedRole string          `json:"asked_role"`
	AskedAt   time.Time       `json:"asked_at"`
	ExpiresAt time.Time       `json:"expires_at" doc:"first instant at which it can no longer be confirmed"`
	State     string          `json:"state" enum:"pending,confirmed,done,failed,rejected,expired" doc:"confirmed: it was lost while it was being done; confirm it again"`
	DecidedBy string          `json:"decided_by,omitempty"`
	DecidedAt *time.Time      `json:"decided_at"`
	Note      string          `json:"note,omitempty"`
	Result    json.RawMessage `json:"result" doc:"of the act; of one that failed the problem"`
}

// ApprovalPage is a part of all approvals, oldest first.
type ApprovalPage struct {
	Approvals []Approval `json:"approvals" nullable:"false"`
	Next      string     `json:"next,omitempty" doc:"after of the next page; absent on the last"`
}

// Decision is the body that confirms or rejects.
type Decision struct {
	Note string `json:"note,omitempty" maxLength:"200" doc:"why; needed to reject"`
}

// approvalLife is how long a second person may take.
const approvalLife = 72 * time.Hour

// expired is the state of an approval that nobody decided in time.
const approvalExpired = "expired"

// An act is something that may need a second person. It is done under the id of the approval: done again, it changes
// nothing and tells the same. A problem says that it cannot be done; any other error, that nobody knows.
type act func(ctx context.Context, a postgres.Approval) (result any, err error)

// acts are all that may wait for a second person, by the action of the approval. To have one more, register it here, and ask
// by [server.askSecond] where it is too much for one person.
func (s *server) acts() map[string]act {
	return map[string]act{
		grantAction:      s.approvedGrant,
		correctionAction: s.approvedCorrection,
	}
}

func (s *server) handleApprovals(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-approvals", Method: http.MethodGet, Path: "/care/v1/approvals",
		Summary: "List acts that need a second person, page by page",
	}), s.listApprovals)
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-approval", Method: http.MethodGet, Path: "/care/v1/approvals/{id}",
		Summary: "Show an act that needs a second person", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *ApprovalInput) (*approvalOutput, error) {
		found, err := s.Store.Approval(ctx, in.ID)
		if err != nil {
			return nil, s.approvalFault(ctx, err)
		}
		return s.tellApproval(ctx, found)
	})
	decide := func(id, path, summary, description string) huma.Operation {
		return operation(huma.Operation{
			OperationID: id, Method: http.MethodPost, Path: "/care/v1/approvals/{id}/" + path, Summary: summary, Description: description,
			Errors: []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict},
		})
	}
	huma.Register(care, decide("confirm-approval", "confirm", "Confirm an act as the second person, which does it",
		"Confirming again what was confirmed changes nothing and tells how it ended; what was lost while it was being done is done then."), s.confirm)
	huma.Register(care, decide("reject-approval", "reject", "Reject an act, or take back one's own", ""), s.reject)
}

// ApprovalInput names the approval that a path is about.
type ApprovalInput struct {
	ID string `path:"id" format:"uuid"`
}

type decisionInput struct {
	ApprovalInput
	Body Decision
}

type approvalOutput struct{ Body Approval }

// askSecond stores an act that is too much for who asks, for a second person to confirm. name is the client's for the act,
// so that asking again asks once.
func (s *server) askSecond(ctx context.Context, name string, a postgres.Approval) (*Approval, error) {
	who, now := actorOf(ctx), s.Now()
	if s.Limits.limit(who.Role, a.Unit).Most < a.Units {
		return nil, huma.Error403Forbidden(fmt.Sprintf("this is more than the role %s may ask for, also with a second person", who.Role))
	}
	a.ID = uuid.NewSHA1(uuid.NameSpaceOID, []byte("gyro approval "+a.Action+" "+string(a.Subject)+" "+name)).String()
	a.AskedBy, a.AskedAt, a.ExpiresAt = who.person(), now, now.Add(approvalLife)
	kept, repeated, err := s.Store.AskApproval(ctx, a, s.entry(ctx, "ask for "+a.Action, string(a.Subject), nil, approvalNote(a)))
	switch {
	case errors.Is(err, postgres.ErrMovementDiffers):
		return nil, huma.Error409Conflict("this id names another act, with other content; nothing was changed")
	case err != nil:
		return nil, s.storeFault(ctx, "ask for a second person", err)
	}
	if !repeated {
		s.acted(ctx, "second person asked for: "+a.Action, a.Subject)
	}
	told, err := s.tellApproval(ctx, kept)
	if err != nil {
		return nil, err
	}
	return &told.Body, nil
}

// approvalNote is what the audit log says of an approval.
func approvalNote(a postgres.Approval) map[string]any {
	return map[string]any{"approval": a.ID, "unit": a.Unit, "units": a.Units, "reason": a.Reason, "asked_by": a.AskedBy.Name + " #" + a.AskedBy.Key}
}

func (s *server) listApprovals(ctx context.Context, in *struct {
	Waiting bool `query:"waiting" doc:"only those that wait to be decided"`
	PageInput
}) (*struct{ Body ApprovalPage }, error) {
	found, next, err := s.Store.Approvals(ctx, postgres.ApprovalFilter{Waiting: in.Waiting, After: postgres.Cursor(in.After), Limit: in.Limit})
	if err != nil {
		return nil, s.listFault(ctx, "approvals", in.After, err)
	}
	page, numbers := ApprovalPage{Approvals: make([]Approval, 0, len(found)), Next: string(next)}, s.msisdns()
	for _, a := range found {
		number, err := numbers.of(ctx, a.Subject)
		if err != nil {
			return nil, err
		}
		page.Approvals = append(page.Approvals, s.approval(a, number))
	}
	return &struct{ Body ApprovalPage }{page}, nil
}

func (s *server) tellApproval(ctx context.Context, a postgres.Approval) (*approvalOutput, error) {
	number, err := s.msisdns().of(ctx, a.Subject)
	if err != nil {
		return nil, err
	}
	return &approvalOutput{s.approval(a, number)}, nil
}

func (s *server) approval(a postgres.Approval, msisdn string) Approval {
	told := Approval{
		ID: a.ID, Action: a.Action, MSISDN: msisdn, Unit: string(a.Unit), Units: a.Units, Reason: a.Reason, Request: orNull(a.Request),
		AskedBy: a.AskedBy.Name, AskedRole: a.AskedBy.Role, AskedAt: a.AskedAt, ExpiresAt: a.ExpiresAt, State: string(a.State),
		DecidedBy: a.DecidedBy.Name, DecidedAt: optionalTime(a.DecidedAt), Note: a.Note, Result: orNull(a.Result),
	}
	if a.State == postgres.ApprovalPending && !s.Now().Before(a.ExpiresAt) {
		told.State = approvalExpired
	}
	return told
}

// approvalFault is the problem that err becomes while an approval is looked for or decided.
func (s *server) approvalFault(ctx context.Context, err error) error {
	if problem, ok := errors.AsType[huma.StatusError](err); ok {
		return problem
	}
	if errors.Is(err, postgres.ErrNotFound) {
		return notFound("there is no act with this id that needs a second person")
	}
	return s.storeFault(ctx, "decide about an act", err)
}

// confirm makes the confirmation durable and then does the act, under the id of the approval. What is lost between the two
// is done by confirming again.
func (s *server) confirm(ctx context.Context, in *decisionInput) (*approvalOutput, error) {
	if err := checkText(in.Body.Note); err != nil {
		return nil, invalid("body.note", err)
	}
	a, err := s.Store.DecideApproval(ctx, in.ID, func(a *postgres.Approval) ([]postgres.AuditEntry, error) {
		isAbout(ctx, a.Subject)
		if a.State != postgres.ApprovalPending {
			return nil, s.settled(ctx, *a)
		}
		if err := s.maySecond(ctx, *a); err != nil {
			return nil, err
		}
		a.State, a.DecidedBy, a.DecidedAt, a.Note = postgres.ApprovalConfirmed, actorOf(ctx).person(), s.Now(), in.Body.Note
		return []postgres.AuditEntry{s.entry(ctx, "confirm "+a.Action, string(a.Subject), nil, approvalNote(*a))}, nil
	})
	if err != nil {
		return nil, s.approvalFault(ctx, err)
	}
	if a.State == postgres.ApprovalConfirmed {
		if a, err = s.perform(ctx, a); err != nil {
			return nil, err
		}
	}
	return s.tellApproval(ctx, a)
}

// settled answers a confirmation that comes again; it is refused where another decision stands.
func (s *server) settled(ctx context.Context, a postgres.Approval) error {
	switch {
	case a.State == postgres.ApprovalRejected:
		return huma.Error409Conflict("this was rejected")
	case a.AskedBy.Key == actorOf(ctx).Key:
		return huma.Error403Forbidden("who asked for this does not confirm it")
	}
	return nil
}

// maySecond returns why who asks cannot be the second person of an act.
func (s *server) maySecond(ctx context.Context, a postgres.Approval) error {
	who := actorOf(ctx)
	switch {
	case !s.Now().Before(a.ExpiresAt):
		return huma.Error409Conflict("nobody confirmed this in time: ask for it again, under another id")
	case who.Key == a.AskedBy.Key || who.Name == a.AskedBy.Name:
		return huma.Error403Forbidden("it takes a second person: who asked for this does not confirm it")
	case s.Limits.limit(who.Role, a.Unit).Most < a.Units:
		return huma.Error403Forbidden(fmt.Sprintf("this is more than the role %s may confirm", who.Role))
	}
	return nil
}

// perform does a confirmed act and stores how it ended.
func (s *server) perform(ctx context.Context, a postgres.Approval) (postgres.Approval, error) {
	do, ok := s.acts()[a.Action]
	if !ok {
		return a, huma.Error409Conflict("this server does not know the act " + a.Action + ": a newer one does")
	}
	result, err := do(ctx, a)
	state, told := postgres.ApprovalDone, auditJSON(result)
	if problem, refused := errors.AsType[huma.StatusError](err); refused && problem.GetStatus() < http.StatusInternalServerError {
		state, told = postgres.ApprovalFailed, auditJSON(problem)
	} else if err != nil {
		return a, err
	}
	a, err = s.Store.DecideApproval(ctx, a.ID, func(now *postgres.Approval) ([]postgres.AuditEntry, error) {
		if now.State != postgres.ApprovalConfirmed {
			return nil, nil // it was finished by another confirmation, which did the same
		}
		now.State, now.Result = state, told
		if state == postgres.ApprovalDone {
			return nil, nil // the act itself is in the audit log
		}
		return []postgres.AuditEntry{s.entry(ctx, "failed: "+a.Action, string(a.Subject), nil, approvalNote(a))}, nil
	})
	if err != nil {
		return a, s.approvalFault(ctx, err)
	}
	return a, nil
}

func (s *server) reject(ctx context.Context, in *decisionInput) (*approvalOutput, error) {
	if err := checkText(in.Body.Note); err != nil {
		return nil, invalid("body.note", err)
	}
	if in.Body.Note == "" {
		return nil, invalid("body.note", errors.New("note: tell why"))
	}
	a, err := s.Store.DecideApproval(ctx, in.ID, func(a *postgres.Approval) ([]postgres.AuditEntry, error) {
		isAbout(ctx, a.Subject)
		who := actorOf(ctx)
		switch {
		case a.State == postgres.ApprovalRejected:
			return nil, nil
		case a.State != postgres.ApprovalPending:
			return nil, huma.Error409Conflict("this was confirmed already")
		case who.Key != a.AskedBy.Key && !supervisors.has(who.Role):
			return nil, huma.Error403Forbidden(forbidden(who.Role, supervisors))
		}
		a.State, a.DecidedBy, a.DecidedAt, a.Note = postgres.ApprovalRejected, who.person(), s.Now(), in.Body.Note
		return []postgres.AuditEntry{s.entry(ctx, "reject "+a.Action, string(a.Subject), nil, approvalNote(*a))}, nil
	})
	if err != nil {
		return nil, s.approvalFault(ctx, err)
	}
	return s.tellApproval(ctx, a)
}
