package diameter

import "github.com/fiorix/go-diameter/v4/diam/avp"

// A refusal is why a request is not served, as the peer is told. It is found before the engine sees the request, so
// nothing was debited or reserved.
type refusal struct {
	code   uint32 // Result-Code
	failed []byte // one whole AVP, encoded, that goes into Failed-AVP; nil: none
	text   string // Error-Message: fixed text that names no subscriber (RFC 8506 §15); empty: none
	close  bool   // the connection is of no use after this answer
}

// errorBit reports whether the answer has the E bit: protocol errors have it and no others (RFC 6733 §7.1.3).
func (r *refusal) errorBit() bool { return isProtocolError(r.code) }

// appendText appends Error-Message.
func (r *refusal) appendText(dst []byte) []byte {
	if r.text == "" {
		return dst
	}
	return appendText(dst, avp.ErrorMessage, 0, 0, r.text)
}

// appendFailed appends Failed-AVP.
func (r *refusal) appendFailed(dst []byte) []byte {
	if r.failed == nil {
		return dst
	}
	return appendGroup(dst, avp.FailedAVP, 0, mandatory, r.failed)
}

func isProtocolError(code uint32) bool { return code/1000 == 3 }

// The Result-Codes that the peer layer gives (RFC 6733 §7.1). What a decision of the engine came to is told in cca.go.
const (
	codeSuccess               = 2001
	codeCommandUnsupported    = 3001
	codeUnableToDeliver       = 3002
	codeRealmNotServed        = 3003
	codeTooBusy               = 3004
	codeLoopDetected          = 3005
	codeApplicationUnknown    = 3007
	codeInvalidHeaderBits     = 3008
	codeInvalidAVPBits        = 3009
	codeUnknownPeer           = 3010
	codeAuthorizationRejected = 5003
	codeInvalidAVPValue       = 5004
	codeMissingAVP            = 5005
	codeAVPNotAllowed         = 5008
	codeAVPTooOften           = 5009
	codeNoCommonApplication   = 5010
	codeUnsupportedVersion    = 5011
	codeUnableToComply        = 5012
	codeInvalidAVPLength      = 5014
	codeInvalidMessageLength  = 5015
	codeNoCommonSecurity      = 5017
)
