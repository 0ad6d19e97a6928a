package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// withoutInput takes out of a problem what the client had sent: it may be an MSISDN, and problems get logged.
func withoutInput(c huma.Context, _ string, v any) (any, error) {
	switch problem := v.(type) {
	case *huma.ErrorModel:
		for _, detail := range problem.Errors {
			detail.Value = nil
		}
		noteProblem(c, problem)
	case *RefusedTransfer:
		noteWhy(c, problem.Refusal) // its detail tells the name of the other side, masked
	}
	return v, nil
}

// invalid is the problem of a value that has the right type and is wrong all the same.
func invalid(location string, err error) error {
	return huma.Error422UnprocessableEntity(err.Error(), &huma.ErrorDetail{Message: err.Error(), Location: location})
}

// storeFault is the problem that err of the store becomes; doing says what could not be done. What a client cannot
// mend is logged, once, here.
func (s *server) storeFault(ctx context.Context, doing string, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return huma.NewError(statusGone, "the client went away") // nobody reads it
	}
	if errors.Is(err, postgres.ErrBadCursor) {
		return badCursor()
	}
	s.Logger.ErrorContext(ctx, "API request failed", "doing", doing, "error", err)
	switch postgres.Classify(err) {
	case postgres.Retryable, postgres.Unavailable:
		return huma.Error503ServiceUnavailable("could not " + doing + ": the database cannot answer now, and nothing was changed; try again")
	case postgres.Unknown:
		return huma.Error503ServiceUnavailable("could not " + doing + " for sure: the database was lost before it answered; look whether it was done, or repeat it with the same id")
	case postgres.Full:
		return huma.NewError(http.StatusInsufficientStorage, "could not "+doing+": the database is out of space, and nothing was changed")
	case postgres.Unclassified, postgres.Bug, postgres.Refused: // the refusals that can happen were looked for before
	}
	return huma.Error500InternalServerError("could not " + doing + ": this is a fault of the server, and it has been logged")
}

// writeProblem answers with a problem where huma does not.
func writeProblem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	problem := &huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail}
	_ = json.NewEncoder(w).Encode(problem) // the client may be gone
}

func problemHandler(status int, detail string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeProblem(w, status, detail) })
}
