package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/transfer"
)

// A RefusedTransfer is the problem (RFC 9457) that a refused transfer is answered with. Its detail tells the person who
// asked what to do.
type RefusedTransfer struct {
	huma.ErrorModel
	Refusal    string  `json:"refusal" doc:"what it is called in every answer and log"`
	Code       string  `json:"code" doc:"as TMF654 and GSMA name it"`
	Number     uint32  `json:"number,omitempty" doc:"Experimental-Result-Code of it"`
	Reference  string  `json:"reference,omitempty" doc:"of the refused transfer, which can be explained"`
	RetryAfter int64   `json:"retry_after_seconds,omitempty"`
	TriesLeft  int     `json:"tries_left,omitempty"`
	Purse      *Purse  `json:"purse,omitempty"`
	Checks     []Check `json:"checks,omitempty" doc:"every rule that was looked at"`
}

// GetHeaders tells when it is of use to ask again.
func (r *RefusedTransfer) GetHeaders() http.Header {
	if r.RetryAfter == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.FormatInt(r.RetryAfter, 10)}}
}

// refused makes the problem of an outcome that is a refusal.
func refused(o transfer.Outcome) error {
	a, code := o.Answer, o.Answer.Refusal.Code()
	return &RefusedTransfer{
		ErrorModel: huma.ErrorModel{Title: http.StatusText(code.HTTP), Status: code.HTTP, Detail: a.Say("en")},
		Refusal:    code.Name, Code: code.TMF, Number: code.Experimental, Reference: string(a.Reference),
		RetryAfter: int64(a.RetryAfter / time.Second), TriesLeft: a.TriesLeft, Purse: tellPurse(a.Purse), Checks: tellChecks(o.Checks),
	}
}
