package diameter

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A member is an AVP of profile B, as the distance of its code from that of Transfer-Information (spec/transfer 4.3).
type member uint32

// The members. Those from refusal code on are not in the table there.
const (
	memberInformation member = iota
	memberOperation
	memberKind
	memberCounterparty
	memberCounterpartyCode
	memberClientReference
	memberReference
	memberOriginal
	memberFee
	memberBearer
	memberMaxFee
	memberQuote
	memberCredential
	memberCredentialType
	memberCredentialValue
	memberChannel
	memberNote
	memberState
	memberRetryAfter
	memberLot
	memberLotExpiry
	memberLotClass
	memberLotRoot
	memberRemaining
	memberTransferable
	memberName
	memberText
	memberRefusal // Unsigned32
	memberConsent // Enumerated: 0 yes, 1 again
	memberHold    // Unsigned32
	memberIMSI    // UTF8String
	memberPayout  // OctetString
	vendorCodes   = iota
)

// isInformation reports whether a is Transfer-Information.
func (d *transferDecoder) isInformation(a rawAVP) bool {
	return a.vendor != 0 && a.code == d.config.CodeBase && (a.vendor == d.config.VendorID || slices.Contains(d.config.AcceptVendorIDs, a.vendor))
}

// memberOf returns which member a is. False: none.
func (d *transferDecoder) memberOf(a rawAVP) (member, bool) {
	if a.vendor != d.ticket.vendor || a.code < d.config.CodeBase || a.code-d.config.CodeBase >= vendorCodes {
		return 0, false
	}
	return member(a.code - d.config.CodeBase), true
}

// parameterOf is the parameter that a member carries; 0: none, or it is a group.
var parameterOf = [vendorCodes]parameter{
	memberOperation: paramOperation, memberKind: paramKind, memberClientReference: paramClientReference,
	memberReference: paramReference, memberOriginal: paramOriginal, memberBearer: paramBearer, memberMaxFee: paramMaxFee,
	memberQuote: paramQuote, memberCredentialType: paramCredentialType, memberCredentialValue: paramCredential,
	memberChannel: paramChannel, memberNote: paramNote, memberConsent: paramConsent, memberHold: paramHold, memberIMSI: paramIMSI,
	memberPayout: paramPayout, memberCounterparty: paramCounterparty,
}

// The members whose value is a number, and those whose number stands for a word.
var (
	numericMembers = []member{memberOperation, memberKind, memberBearer, memberMaxFee, memberCredentialType, memberChannel, memberConsent, memberHold}
	bearerWords    = []string{string(transfer.Originator), string(transfer.Receiver)}
	consentWords   = []string{"yes", "again"}
	stateWords     = []transfer.Status{
		transfer.Pending, transfer.Completed, transfer.Failed, transfer.Reversed, transfer.ReversalPending, transfer.Cancelled, transfer.Expired,
	}
	classWords = []string{"plan", "purchased", "gift", "bonus", "borrowed", "received", "float"}
)

// information reads Transfer-Information. No dictionary has checked the lengths in it: the vendor is the operator's.
func (d *transferDecoder) information(a rawAVP) {
	if d.group {
		d.refuse(checkTooOften, codeAVPTooOften, "an AVP occurs too many times", d.ticket.member(memberInformation, nil))
		return
	}
	d.group = true
	d.walkMembers(a.data, func(m rawAVP) {
		which, ours := d.memberOf(m)
		if !ours {
			return
		}
		switch which {
		case memberCounterparty:
			d.vendorCounterparty(m)
		case memberCredential:
			d.walkMembers(m.data, func(inner rawAVP) {
				if which, ours := d.memberOf(inner); ours && (which == memberCredentialType || which == memberCredentialValue) {
					d.takeMember(which, inner)
				}
			})
		case memberFee: // a client may say in it who bears the fee
			d.walkMembers(m.data, func(inner rawAVP) {
				if which, ours := d.memberOf(inner); ours && which == memberBearer {
					d.takeMember(which, inner)
				}
			})
		case memberCredentialType, memberCredentialValue: // they stand in their group only
		default:
			d.takeMember(which, m)
		}
	})
}

// walkMembers calls do for every AVP in b, and refuses the request when their lengths are wrong.
func (d *transferDecoder) walkMembers(b []byte, do func(rawAVP)) {
	for len(b) > 0 {
		a, rest, ok := cutAVP(b)
		if !ok {
			d.refuse(checkUnknown, codeInvalidAVPLength, "an AVP Length is wrong",
				d.ticket.member(memberInformation, appendAVP(nil, a.code, a.vendor, a.flags&^avp.Vbit, nil)))
			return
		}
		do(a)
		b = rest
	}
}

// takeMember keeps a member as the parameter that it is.
func (d *transferDecoder) takeMember(which member, a rawAVP) {
	p := parameterOf[which]
	if p == 0 {
		return
	}
	failed := d.ticket.failedMember(which, a.data)
	value := string(a.data)
	if slices.Contains(numericMembers, which) {
		if len(a.data) != 4 {
			d.refuse(checkUnknown, codeInvalidAVPLength, "an AVP Length is wrong", d.ticket.failedMember(which, make([]byte, 4)))
			return
		}
		n := binary.BigEndian.Uint32(a.data)
		value = strconv.FormatUint(uint64(n), 10)
		switch which { //nolint:exhaustive // all others are numbers
		case memberBearer:
			value = word(bearerWords, n)
		case memberConsent:
			value = word(consentWords, n)
		case memberChannel:
			value = string(word(transfer.Channels(), n))
		}
	}
	d.take(p, value, failed)
}

// word returns the word that a number stands for, or one that is refused.
func word[T ~string](words []T, n uint32) T {
	if n < uint32(len(words)) { //nolint:gosec // G115: a handful
		return words[n]
	}
	return "?"
}

// vendorCounterparty reads Transfer-Counterparty: a Subscription-Id, or a code.
func (d *transferDecoder) vendorCounterparty(group rawAVP) {
	failed := d.ticket.failedMember(memberCounterparty, group.data)
	d.walkMembers(group.data, func(a rawAVP) {
		if which, ours := d.memberOf(a); ours && which == memberCounterpartyCode {
			d.take(paramCounterparty, string(a.data), failed)
			return
		}
		if !a.is(avp.SubscriptionID) {
			return
		}
		kind, number := uint32(ocs.Private), ""
		d.walkMembers(a.data, func(m rawAVP) {
			switch {
			case m.is(avp.SubscriptionIDType):
				kind = m.unsigned32()
			case m.is(avp.SubscriptionIDData):
				number = string(m.data)
			}
		})
		if kind != uint32(ocs.E164) {
			number = "" // only a number names somebody whom minutes can be sent to
		}
		d.take(paramCounterparty, "tel:"+number, failed)
	})
}

// member returns an AVP of profile B: V set, M and P clear.
func (t *ticket) member(which member, data []byte) []byte {
	return appendAVP(nil, t.config.CodeBase+uint32(which), t.vendor, 0, data)
}

// failedMember returns a member in its groups, for Failed-AVP. The value of a credential is left out.
func (t *ticket) failedMember(which member, data []byte) []byte {
	if parameterOf[which].secret() {
		data = nil
	}
	inner := t.member(which, data)
	if which == memberCredentialValue || which == memberCredentialType {
		inner = t.member(memberCredential, inner)
	}
	return t.member(memberInformation, inner)
}

// exampleMember is the Failed-AVP of a member that is missing.
func (t *ticket) exampleMember(p parameter) []byte {
	which := member(max(0, slices.Index(parameterOf[:], p))) //nolint:gosec // G115: below vendorCodes
	if which == memberInformation {
		return t.member(memberInformation, nil)
	}
	if slices.Contains(numericMembers, which) {
		return t.failedMember(which, make([]byte, 4))
	}
	return t.failedMember(which, nil)
}

// appendInformation appends Transfer-Information with what a says.
func (t *ticket) appendInformation(dst []byte, a transfer.Answer) []byte {
	code := func(m member) uint32 { return t.config.CodeBase + uint32(m) }
	number := func(m member, n uint32) { dst = appendUint32(dst, code(m), t.vendor, 0, n) }
	words := func(m member, s string) {
		if s != "" {
			dst = appendText(dst, code(m), t.vendor, 0, s)
		}
	}
	dst, start := beginAVP(dst, code(memberInformation), t.vendor, 0)
	number(memberOperation, uint32(t.operation))
	if i := slices.Index(transfer.Kinds(), a.Kind); i >= 0 {
		number(memberKind, uint32(i)) //nolint:gosec // G115: a handful
	}
	words(memberReference, string(a.Reference))
	words(memberOriginal, string(a.Original))
	if t.tellsFee(a) {
		var fee int
		dst, fee = beginAVP(dst, code(memberFee), t.vendor, 0)
		dst = appendUint32(dst, avp.CCTime, 0, mandatory, clamp32(a.Fee))
		if i := slices.Index(bearerWords, string(a.Bearer)); i >= 0 {
			number(memberBearer, uint32(i)) //nolint:gosec // G115: a handful
		}
		dst = endAVP(dst, fee)
	}
	words(memberQuote, a.QuoteID)
	if i := slices.Index(stateWords, a.Status); i >= 0 {
		number(memberState, uint32(i)) //nolint:gosec // G115: a handful
	}
	if a.Refusal != transfer.None {
		number(memberRefusal, refusalNumber(a.Refusal))
	}
	if a.RetryAfter > 0 {
		number(memberRetryAfter, retrySeconds(a))
	}
	for _, l := range a.Lots {
		var lot int
		dst, lot = beginAVP(dst, code(memberLot), t.vendor, 0)
		dst = appendUint32(dst, avp.CCTime, 0, mandatory, clamp32(l.Seconds))
		if !l.ExpiresAt.IsZero() {
			number(memberLotExpiry, ntpSeconds(l.ExpiresAt))
		}
		if i := slices.Index(classWords, l.Class); i >= 0 {
			number(memberLotClass, uint32(i)) //nolint:gosec // G115: a handful
		}
		dst = endAVP(dst, lot)
	}
	if total, movable, ok := t.remaining(a); ok {
		var rest int
		dst, rest = beginAVP(dst, code(memberRemaining), t.vendor, 0)
		dst = appendUint32(dst, avp.CCTime, 0, mandatory, clamp32(total))
		number(memberTransferable, clamp32(movable))
		dst = endAVP(dst, rest)
	}
	words(memberName, a.Name)
	words(memberText, t.handsetText(a))
	return endAVP(dst, start)
}
