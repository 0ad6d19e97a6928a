package api

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A deed is what is noted about a request while it is worked on, for the case that it is refused.
type deed struct {
	who     actor
	subject ocs.SubscriberID
	refused string // why
}

type deedKey struct{}

// isAbout notes whom a request is about.
func isAbout(ctx context.Context, id ocs.SubscriberID) {
	if d, ok := ctx.Value(deedKey{}).(*deed); ok {
		d.subject = id
	}
}

// noteWhy keeps why a request is refused.
func noteWhy(c huma.Context, why string) {
	if d, ok := c.Context().Value(deedKey{}).(*deed); ok {
		d.refused = why
	}
}

// noteProblem keeps why a request is refused. A problem names nobody.
func noteProblem(c huma.Context, problem *huma.ErrorModel) {
	why := []string{problem.Detail}
	for _, detail := range problem.Errors {
		if detail.Message != problem.Detail {
			why = append(why, detail.Location+": "+detail.Message)
		}
	}
	noteWhy(c, strings.Join(why, "; "))
}

// mostWhy bounds the reason of a refusal in the audit log.
const mostWhy = 400

// noteRefusal writes into the audit log what was refused: whatever a role may not do, and every act that came to nothing
// by its own fault. Reading amiss is no act.
func (s *server) noteRefusal(c huma.Context, d *deed) {
	status, op := c.Status(), c.Operation()
	refused := status == http.StatusForbidden || op.Method != http.MethodGet && status >= http.StatusBadRequest
	if !refused || status >= http.StatusInternalServerError || status == statusGone {
		return
	}
	s.refuse(c.Context(), op.OperationID, d, status)
}

// refuse writes a refusal into the audit log.
func (s *server) refuse(ctx context.Context, what string, d *deed, status int) {
	why := d.refused
	for len(why) > mostWhy || !utf8.ValidString(why) {
		why = why[:min(mostWhy, len(why)-1)]
	}
	entry := postgres.AuditEntry{
		Actor: d.who.label(), Role: d.who.Role.String(), Channel: "api", Action: "refused: " + what, Subject: string(d.subject),
		After: auditJSON(map[string]any{"status": status, "why": why}),
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout) // also of a client that left
	defer cancel()
	if err := s.audit(ctx, entry); err != nil {
		s.Logger.ErrorContext(ctx, "a refusal could not be written into the audit log", "what", what, "error", err)
	}
}

// auditTimeout bounds what is written after an answer was made.
const auditTimeout = 5 * time.Second

// statusGone is that of a client which left before it was answered.
const statusGone = 499
