package diameter

import (
	"strconv"
	"strings"
	"time"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// codeLimitedSuccess says that something is accepted and waits: for consent, a code, or the second phase (RFC 6733 §7.1.2).
const codeLimitedSuccess = 2002

var (
	debitingFailureAVP = appendUint32(nil, avp.DirectDebitingFailureHandling, 0, mandatory, 0) // TERMINATE_OR_BUFFER
	minute             = rating.Units(60)
)

// appendAnswer appends the Credit-Control-Answer that tells a, in the profile of its request and in the order of RFC 8506
// §3.2. A client without an answer buffers and asks again, at any server: the answer is the same (spec/transfer 4.6). All
// but Validity-Time, which is what is left of it, depends on a and the request alone.
func (t *ticket) appendAnswer(dst []byte, id identity, q question, a transfer.Answer, now time.Time) []byte {
	code := a.Refusal.Code()
	e := echoOf(q.frame)
	dst, start := q.begin(dst, false)
	dst = appendUint32(dst, avp.ResultCode, 0, mandatory, transferResult(a))
	dst = id.appendOrigin(dst)
	dst = append(dst, applicationAVP...)
	dst = appendUint32(dst, avp.CCRequestType, 0, mandatory, uint32(ocs.Event))
	if q.requestNumber != nil {
		dst = appendAVP(dst, avp.CCRequestNumber, 0, mandatory, q.requestNumber)
	}
	dst = e.append(dst, avp.UserName, e.userName)
	dst = append(dst, failoverAVP...)
	dst = e.append(dst, avp.CCSubSessionID, e.subSession)
	dst = e.append(dst, avp.AcctMultiSessionID, e.multiSession)
	dst = id.appendStateID(dst)
	dst = t.appendUnits(dst, a)
	dst = append(dst, debitingFailureAVP...)
	if a.Refusal == transfer.None && !a.ValidTo.IsZero() {
		dst = appendValidity(dst, max(a.ValidTo.Sub(now), time.Second))
	}
	dst = q.appendProxyInfo(dst)
	if failed := t.failedOf(a.Refusal, q); failed != nil {
		dst = appendGroup(dst, avp.FailedAVP, 0, mandatory, failed)
	}
	if t.config.Experimental && code.Experimental != 0 {
		var result int
		dst, result = beginAVP(dst, avp.ExperimentalResult, 0, mandatory)
		dst = appendUint32(dst, avp.VendorID, 0, mandatory, t.config.VendorID)
		dst = endAVP(appendUint32(dst, avp.ExperimentalResultCode, 0, mandatory, code.Experimental), result)
	}
	switch t.profile {
	case ProfileIETF:
		t.eachParameter(a, func(p parameter, value string) { dst = appendParameter(dst, p, value) })
	case ProfileVendor:
		dst = t.appendInformation(dst, a)
	case Profile3GPP:
		dst = t.append3GPP(dst, a)
	}
	return endMessage(dst, start)
}

// transferResult is the Result-Code: that of the refusal, or success, limited while something is still waited for.
func transferResult(a transfer.Answer) uint32 {
	if a.Refusal == transfer.None && a.Status == transfer.Pending {
		return codeLimitedSuccess
	}
	return a.Refusal.Code().Fallback
}

// refusalNumber is what parameter 17 says: the code of our own, or the Result-Code where there is none.
func refusalNumber(r transfer.Refusal) uint32 {
	if code := r.Code(); code.Experimental != 0 {
		return code.Experimental
	}
	return r.Code().Fallback
}

// appendUnits appends what was moved, what it costs, and whether there is enough.
func (t *ticket) appendUnits(dst []byte, a transfer.Answer) []byte {
	if t.moved(a) {
		dst = appendGranted(dst, &ocs.ServiceAnswer{Measure: rating.Seconds, Granted: a.Seconds})
	}
	if t.tellsFee(a) {
		dst = appendCost(dst, feeCost(a.Fee))
	}
	if t.operation == transfer.OpAllowance && a.Refusal == transfer.None {
		dst = append(dst, checkBalanceAVP(a.May > 0 && a.May >= t.asked)...)
	}
	return dst
}

// moved reports whether this request moved minutes. A quote, an enquiry and what still waits have moved none.
func (t *ticket) moved(a transfer.Answer) bool {
	return a.Refusal == transfer.None && (a.Status == transfer.Completed || a.Status == transfer.Reversed) &&
		!t.operation.ReadsOnly() && t.operation != transfer.OpReverseRefuse
}

// tellsFee reports whether the fee is part of the answer.
func (t *ticket) tellsFee(a transfer.Answer) bool {
	return a.Refusal == transfer.None && t.operation != transfer.OpAllowance
}

// feeCost tells a fee in minutes where it is whole ones, else in seconds. It has no currency (ISO 4217 XXX).
func feeCost(fee rating.Units) ocs.Cost {
	if fee%minute == 0 {
		return ocs.Cost{Units: fee / minute, Unit: "min"}
	}
	return ocs.Cost{Units: fee, Unit: "second"}
}

// remaining is what the sender has after it, and what of it can be sent: of an allowance, in one transfer. Not ok: this
// client is not to know.
func (t *ticket) remaining(a transfer.Answer) (total, movable rating.Units, ok bool) {
	switch {
	case a.Purse == nil:
		return 0, 0, false
	case t.operation == transfer.OpAllowance && a.Refusal == transfer.None:
		return a.Purse.Total, a.May, true
	}
	return a.Purse.Total, a.Purse.Movable, true
}

// eachParameter calls tell for each parameter of the answer.
func (t *ticket) eachParameter(a transfer.Answer, tell func(parameter, string)) {
	words := func(p parameter, s string) {
		if s != "" {
			tell(p, s)
		}
	}
	number := func(p parameter, n int64) { tell(p, strconv.FormatInt(n, 10)) }
	words(paramReference, string(a.Reference))
	words(paramOriginal, string(a.Original))
	if t.tellsFee(a) {
		number(paramFee, int64(a.Fee))
	}
	words(paramQuote, a.QuoteID)
	words(paramState, string(a.Status))
	if a.Refusal != transfer.None {
		number(paramRefusal, int64(refusalNumber(a.Refusal)))
	}
	if a.RetryAfter > 0 {
		number(paramRetryAfter, int64(retrySeconds(a)))
	}
	if total, movable, ok := t.remaining(a); ok {
		tell(paramRemaining, strconv.FormatInt(int64(movable), 10)+"/"+strconv.FormatInt(int64(total), 10))
	}
	for _, l := range a.Lots {
		tell(paramLot, lotLine(l))
	}
	words(paramName, a.Name)
	words(paramText, t.handsetText(a))
}

// lotLine is seconds;expiry;class, with the expiry in UTC and empty for never.
func lotLine(l transfer.LotLine) string {
	expiry := ""
	if !l.ExpiresAt.IsZero() {
		expiry = l.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return strings.Join([]string{strconv.FormatInt(int64(l.Seconds), 10), expiry, l.Class}, ";")
}

// retrySeconds is rounded up: to come too early is of no use.
func retrySeconds(a transfer.Answer) uint32 {
	return clamp32(rating.Units((a.RetryAfter + time.Second - 1) / time.Second))
}

// handsetText tells a refusal to the person, or that it was sent.
func (t *ticket) handsetText(a transfer.Answer) string {
	if a.Refusal != transfer.None {
		return a.Say(t.config.Language)
	}
	if a.Purse == nil || a.Status != transfer.Completed || !t.sends() {
		return ""
	}
	text := transfer.Text{
		Language: t.config.Language, Message: transfer.Sent, Other: a.Name, Seconds: a.Seconds, Left: a.Left, Reference: a.Reference,
	}
	if a.Bearer == transfer.Originator {
		text.Fee = a.Fee
	}
	return text.Render(time.UTC)
}

func (t *ticket) sends() bool {
	return t.operation == transfer.OpSend || t.operation == transfer.OpConfirm || t.operation == transfer.OpAccept
}

// failedOf returns what a refusal blames, or nil.
func (t *ticket) failedOf(r transfer.Refusal, q question) []byte {
	switch r.Code().Blames {
	case transfer.BlameCounterparty:
		return t.blamed(paramCounterparty)
	case transfer.BlameSeconds:
		return t.blamedSeconds()
	case transfer.BlameReference:
		if failed, named := t.blame[paramClientReference]; named {
			return failed
		}
		return wholeAVP(q.frame, avp.SessionID) // which is the reference of who names none
	case transfer.BlameOriginal:
		return t.blamed(paramOriginal)
	case transfer.Nothing:
	}
	switch r { //nolint:exhaustive // the two that demand a Failed-AVP and blame nothing that has a name of its own
	case transfer.Malformed:
		return t.blamed(paramOperation)
	case transfer.Incomplete:
		return t.blamed(paramCredential)
	}
	return nil
}

// blamedSeconds returns CC-Time as it came, in its group.
func (t *ticket) blamedSeconds() []byte {
	if t.units != nil {
		return t.units
	}
	return exampleSeconds()
}

// ntpSeconds is t as an AVP of type Time has it: seconds since 1900, which begin again in 2036 (RFC 6733 §4.3.1).
func ntpSeconds(t time.Time) uint32 {
	const since1900 = 2208988800
	return uint32(t.Unix() + since1900) //nolint:gosec // G115: wraps on purpose
}
