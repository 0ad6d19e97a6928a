package diameter

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/transfer"
)

// The values of Address-Type that name a party (TS 32.299 §7.2.9).
const (
	addressMSISDN    = 1
	addressShortCode = 4
)

// carried3GPP reads what a client of TS 32.299 can send: the other side as the recipient of a short message, the operation
// as Service-Identifier, anything else of the parameters as Service-Specific-Info with the same numbers, and the reference
// of a reversal as Refund-Information. A credential has no place in them.
func (d *transferDecoder) carried3GPP(f frame) {
	var refund *rawAVP
	for a := range f.avps() {
		if a.code == avp.ServiceInformation && a.vendor == vendor3GPP {
			d.information3GPP(a.data, nil, &refund)
		} else if a.code == avp.RefundInformation && a.vendor == vendor3GPP {
			refund = &a
		}
	}
	if ids := d.level.ServiceIDs; len(ids) > 0 && d.values[paramOperation] == "" {
		d.take(paramOperation, strconv.FormatUint(uint64(ids[0]), 10), appendUint32(nil, avp.ServiceIdentifier, 0, mandatory, ids[0]))
	}
	if _, there := d.values[paramOriginal]; refund != nil && !there {
		d.take(paramOriginal, string(refund.data), refund.whole)
	}
}

// information3GPP reads the members of a group that lies in the groups of path.
func (d *transferDecoder) information3GPP(b []byte, path []uint32, refund **rawAVP) {
	in := func(a rawAVP) []byte {
		whole := appendPadding(append([]byte(nil), a.whole...), len(a.whole))
		for _, group := range slices.Backward(path) {
			whole = inGroup(group, vendor3GPP, whole)
		}
		return inGroup(avp.ServiceInformation, vendor3GPP, whole)
	}
	for a := range rawAVPs(b) {
		if a.vendor != vendor3GPP {
			continue
		}
		switch a.code {
		case avp.IMSInformation, avp.SMSInformation, avp.RecipientInfo:
			d.information3GPP(a.data, append(slices.Clip(path), a.code), refund)
		case avp.RefundInformation:
			if *refund == nil {
				*refund = &a
			}
		case avp.RecipientAddress:
			d.recipientAddress(a, in(a))
		case avp.ServiceSpecificInfo:
			d.serviceSpecific(a, in(a))
		}
	}
}

// recipientAddress reads the other side.
func (d *transferDecoder) recipientAddress(a rawAVP, failed []byte) {
	kind, data := uint32(addressMSISDN), ""
	for m := range rawAVPs(a.data) {
		switch {
		case m.vendor == vendor3GPP && m.code == avp.AddressType:
			kind = m.unsigned32()
		case m.vendor == vendor3GPP && m.code == avp.AddressData:
			data = string(m.data)
		}
	}
	switch kind {
	case addressMSISDN:
		data = "tel:" + data
	case addressShortCode:
	default:
		data = "?:" // nobody whom minutes can be sent to
	}
	d.take(paramCounterparty, data, failed)
}

// serviceSpecific reads a parameter.
func (d *transferDecoder) serviceSpecific(a rawAVP, failed []byte) {
	var kind parameter
	data := ""
	for m := range rawAVPs(a.data) {
		switch {
		case m.vendor == vendor3GPP && m.code == avp.ServiceSpecificType && len(m.data) == 4:
			kind = parameter(binary.BigEndian.Uint32(m.data))
		case m.vendor == vendor3GPP && m.code == avp.ServiceSpecificData:
			data = string(m.data)
		}
	}
	if kind.secret() || kind == paramCredentialType {
		d.refuse(checkNotAllowed, codeAVPNotAllowed, "a credential has no place in these AVPs", example3GPP(kind))
		return
	}
	d.take(kind, data, failed)
}

// example3GPP is the Failed-AVP of a parameter that is missing.
func example3GPP(p parameter) []byte {
	switch p { //nolint:exhaustive // all others look alike
	case paramOperation:
		return exampleAVP(avp.ServiceIdentifier, 0, 4)
	case paramCounterparty:
		recipient := inGroup(avp.RecipientInfo, vendor3GPP, inGroup(avp.RecipientAddress, vendor3GPP, exampleAVP(avp.AddressData, vendor3GPP, 0)))
		return inGroup(avp.ServiceInformation, vendor3GPP, inGroup(avp.SMSInformation, vendor3GPP, recipient))
	}
	return inGroup(avp.ServiceInformation, vendor3GPP, specificInfo(p, ""))
}

// specificInfo returns a Service-Specific-Info in IMS-Information, where TS 32.299 has it.
func specificInfo(p parameter, value string) []byte {
	info := appendText(nil, avp.ServiceSpecificData, vendor3GPP, mandatory, value)
	info = appendUint32(info, avp.ServiceSpecificType, vendor3GPP, mandatory, uint32(p))
	return inGroup(avp.IMSInformation, vendor3GPP, inGroup(avp.ServiceSpecificInfo, vendor3GPP, info))
}

// append3GPP appends what a says: the balance after it, the token for a reversal, and in Service-Information the rest.
func (t *ticket) append3GPP(dst []byte, a transfer.Answer) []byte {
	if total, _, ok := t.remaining(a); ok {
		var balance, value int
		dst, balance = beginAVP(dst, avp.RemainingBalance, vendor3GPP, mandatory)
		dst, value = beginAVP(dst, avp.UnitValue, 0, mandatory)
		dst = endAVP(appendUint64(dst, avp.ValueDigits, 0, mandatory, uint64(total)), value) //nolint:gosec // G115: not negative
		dst = endAVP(appendUint32(dst, avp.CurrencyCode, 0, mandatory, noCurrency), balance)
	}
	if a.Status == transfer.Completed && a.Reference != "" {
		dst = appendText(dst, avp.RefundInformation, vendor3GPP, mandatory, string(a.Reference))
	}
	dst, service := beginAVP(dst, avp.ServiceInformation, vendor3GPP, mandatory)
	dst, ims := beginAVP(dst, avp.IMSInformation, vendor3GPP, mandatory)
	t.eachParameter(a, func(p parameter, value string) {
		var info int
		dst, info = beginAVP(dst, avp.ServiceSpecificInfo, vendor3GPP, mandatory)
		dst = appendText(dst, avp.ServiceSpecificData, vendor3GPP, mandatory, value)
		dst = endAVP(appendUint32(dst, avp.ServiceSpecificType, vendor3GPP, mandatory, uint32(p)), info)
	})
	return endAVP(endAVP(dst, ims), service)
}
