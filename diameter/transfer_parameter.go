package diameter

import "github.com/fiorix/go-diameter/v4/diam/avp"

// A parameter is a Service-Parameter-Type: the numbers that the allotter of our context gives them (RFC 8506 §8.44). The
// other profiles carry the same things in other AVPs.
type parameter uint32

// The parameters (spec/transfer 4.2). The last three are not in that table: clients without them work as it says.
const (
	paramOperation parameter = 1 + iota
	paramKind
	paramCounterparty
	paramClientReference
	paramReference
	paramOriginal
	paramBearer
	paramFee
	paramMaxFee
	paramQuote
	paramIMSI
	paramCredentialType
	paramCredential
	paramChannel
	paramNote
	paramState
	paramRefusal
	paramRetryAfter
	paramRemaining
	paramLot
	paramName
	paramText
	paramConsent // yes: a person agreed; again: also to what looks like a copy
	paramHold    // seconds that a prepared transfer is to be held
	paramPayout  // pay-out code of a cash-out: chosen by the client that prepares it, typed in where cash is paid
)

// ofRequests reports whether p means something in a request. All others are passed over, those of answers too: a client
// may send back what it was told.
func (p parameter) ofRequests() bool {
	switch p {
	case paramOperation, paramKind, paramCounterparty, paramClientReference, paramReference, paramOriginal, paramBearer,
		paramMaxFee, paramQuote, paramIMSI, paramCredentialType, paramCredential, paramChannel, paramNote, paramConsent, paramHold, paramPayout:
		return true
	case paramFee, paramState, paramRefusal, paramRetryAfter, paramRemaining, paramLot, paramName, paramText:
	}
	return false
}

// secret reports whether the value of p must not be repeated.
func (p parameter) secret() bool { return p == paramCredential || p == paramPayout }

// parameterInfo reads a Service-Parameter-Info (RFC 8506 §8.43).
func (d *transferDecoder) parameterInfo(a rawAVP) {
	var kind, value *rawAVP
	for member := range rawAVPs(a.data) {
		switch {
		case member.is(avp.ServiceParameterType) && kind == nil:
			kind = &member
		case member.is(avp.ServiceParameterValue) && value == nil:
			value = &member
		case member.is(avp.ServiceParameterType), member.is(avp.ServiceParameterValue):
			d.refuse(checkTooOften, codeAVPTooOften, "an AVP occurs too many times", scrubbed(a))
			return
		}
	}
	switch {
	case kind == nil:
		d.refuse(checkMissing, codeMissingAVP, "a required AVP is missing", inGroup(avp.ServiceParameterInfo, 0, exampleAVP(avp.ServiceParameterType, 0, 4)))
	case value == nil:
		d.refuse(checkMissing, codeMissingAVP, "a required AVP is missing", inGroup(avp.ServiceParameterInfo, 0, exampleAVP(avp.ServiceParameterValue, 0, 0)))
	default:
		d.take(parameter(kind.unsigned32()), string(value.data), scrubbed(a))
	}
}

// scrubbed returns a Service-Parameter-Info as it may be repeated: whole, but for the value of a credential.
func scrubbed(a rawAVP) []byte {
	for member := range rawAVPs(a.data) {
		if p := parameter(member.unsigned32()); member.is(avp.ServiceParameterType) && p.secret() {
			return parameterAVP(p, "")
		}
	}
	return a.whole
}

func parameterAVP(p parameter, value string) []byte { return appendParameter(nil, p, value) }

// appendParameter appends a Service-Parameter-Info. It has the M bit: freeDiameter knows it no other way.
func appendParameter(dst []byte, p parameter, value string) []byte {
	dst, start := beginAVP(dst, avp.ServiceParameterInfo, 0, mandatory)
	dst = appendUint32(dst, avp.ServiceParameterType, 0, mandatory, uint32(p))
	dst = appendText(dst, avp.ServiceParameterValue, 0, mandatory, value)
	return endAVP(dst, start)
}

// blamed returns the Failed-AVP that tells p: as it came, or empty where it is missing.
func (t *ticket) blamed(p parameter) []byte {
	if failed, ok := t.blame[p]; ok {
		return failed
	}
	switch t.profile {
	case ProfileVendor:
		return t.exampleMember(p)
	case Profile3GPP:
		return example3GPP(p)
	case ProfileIETF:
	}
	return parameterAVP(p, "")
}
