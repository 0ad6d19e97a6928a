package tmf654

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Fault is an Error of TMF654: what it was, in a word for machines and a sentence for people. The sentence repeats
// nothing that names a person.
type Fault struct {
	HTTP    int    `json:"-"`
	Code    string `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message,omitempty"` // what a person may do about it
	Status  string `json:"status"`
	Type    string `json:"@type"`
}

// The codes that are no refusals of transfers. Where the Mobile Money API of GSMA has a name, that is the name.
const (
	codeFormat       = "formatError"
	codeIncomplete   = "mandatoryValueNotSupplied"
	codeIdentifier   = "identifierError"
	codeUnauthorised = "authorisationError"
	codeMethod       = "methodNotAllowed"
	codeState        = "incorrectState"
	codeFunds        = "insufficientFunds"
	codeDuplicate    = "duplicateRequest"
	codeTooMany      = "tooManyResults"
	codeInternal     = "internalError"
	codeUnavailable  = "serviceUnavailable"
	codeBusy         = "rateLimitError" // nothing was written: spec/transfer 4.5
)

func newFault(status int, code, format string, args ...any) *Fault {
	return &Fault{HTTP: status, Code: code, Reason: fmt.Sprintf(format, args...), Status: strconv.Itoa(status), Type: "Error"}
}

// Error makes f an error.
func (f *Fault) Error() string { return f.Code + ": " + f.Reason }

func unknown(what string) *Fault {
	return newFault(http.StatusNotFound, codeIdentifier, "there is no such %s", what)
}

// refused is the Fault that a refusal of a transfer becomes.
func refused(a transfer.Answer) *Fault {
	code := a.Refusal.Code()
	f := newFault(code.HTTP, code.TMF, "%s", reasonOf(a))
	f.Message = a.Say("en")
	return f
}

// reasonOf says why a transfer was refused. The numbers are those of the one who asked.
func reasonOf(a transfer.Answer) string {
	reason := a.Refusal.String()
	if a.TriesLeft > 0 {
		reason += ", " + strconv.Itoa(a.TriesLeft) + " tries left"
	}
	if p := a.Purse; p != nil {
		reason += fmt.Sprintf(": %d s may be sent of %d s, %d s are in use", p.Movable, p.Total, p.InUse)
	}
	if a.RetryAfter > 0 {
		reason += fmt.Sprintf("; it may pass in %d s", int64(a.RetryAfter.Seconds()))
	}
	return reason
}

// fault is the Fault that err becomes. What a client cannot mend is logged, once, here.
func (h *handler) fault(ctx context.Context, err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return newFault(499, codeUnavailable, "the client went away") // nobody reads it
	}
	if errors.Is(err, postgres.ErrMovementDiffers) {
		return newFault(http.StatusConflict, codeDuplicate, "this key stands for another request; nothing was changed")
	}
	h.Logger.ErrorContext(ctx, "TMF654 request failed", "error", err)
	switch postgres.Classify(err) {
	case postgres.Retryable, postgres.Unavailable, postgres.Full:
		return newFault(http.StatusServiceUnavailable, codeBusy, "the database cannot answer now, and nothing was changed; try again")
	case postgres.Unknown:
		return newFault(http.StatusInternalServerError, codeInternal, "nobody knows whether it was done; repeat it with the same X-Idempotency-Key")
	case postgres.Unclassified, postgres.Bug, postgres.Refused:
	}
	return newFault(http.StatusInternalServerError, codeInternal, "this is a fault of the server, and it has been logged")
}
