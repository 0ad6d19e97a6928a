package diameter

import (
	"strings"
	"unicode/utf8"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"
)

// The vendors, as the upper half of an [avpKey]: code and vendor name an AVP together, never the code alone.
const (
	vendor3GPP = 10415

	tgpp     uint64 = vendor3GPP << 32
	huawei   uint64 = 2011 << 32
	ericsson uint64 = 193 << 32
)

// AVPs that the library has no name for (RFC 8506 §8.49 to §8.68, RFC 7683, and vendors).
const (
	userEquipmentInfoExtension = 653
	subscriptionIDExtension    = 659
	subscriptionIDE164         = 660
	subscriptionIDIMSI         = 661
	subscriptionIDSIPURI       = 662
	subscriptionIDNAI          = 663
	subscriptionIDPrivate      = 664
	qosFinalUnitIndication     = 669
	ocSupportedFeatures        = 621

	huaweiINInformation       = 20300
	huaweiCallingVLRNumber    = 20302
	huaweiCallReferenceNumber = 20321
	huaweiMSCAddress          = 20322
	huaweiRealCalledNumber    = 20327
	huaweiCallingPartyAddress = 20336
	huaweiCalledPartyAddress  = 20337
	huaweiChargeFlowType      = 20339

	ericssonOtherPartyID     = 1075
	ericssonOtherPartyIDData = 1077
)

// isUnknown reports whether no dictionary of ours knows a. The library decodes such an AVP as octets.
func isUnknown(a *diam.AVP) bool {
	_, unknown := a.Data.(datatype.Unknown)
	return unknown
}

// members returns the AVPs in a, none when it is no group.
func members(a *diam.AVP) []*diam.AVP {
	if g, ok := a.Data.(*diam.GroupedAVP); ok {
		return g.AVP
	}
	return nil
}

// number32 returns the value of a 32-bit AVP as it stands on the wire: Unsigned32, Integer32 or Enumerated. The guard
// has refused every other size, so that another type here is a fault of the dictionary; the value is then 0.
func number32(a *diam.AVP) uint32 {
	switch n := a.Data.(type) {
	case datatype.Unsigned32:
		return uint32(n)
	case datatype.Enumerated:
		return uint32(n) //nolint:gosec // G115: the same four octets
	case datatype.Integer32:
		return uint32(n) //nolint:gosec // G115: the same four octets
	}
	return 0
}

// number64 returns the value of an Unsigned64.
func number64(a *diam.AVP) uint64 {
	n, _ := a.Data.(datatype.Unsigned64)
	return uint64(n)
}

// octets returns the value of an AVP of any string type.
func octets(a *diam.AVP) string {
	switch s := a.Data.(type) {
	case datatype.UTF8String:
		return string(s)
	case datatype.DiameterIdentity:
		return string(s)
	case datatype.OctetString:
		return string(s)
	}
	return ""
}

// isText reports whether s can be stored as text: UTF-8 without NUL, which Postgres does not take.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// copyAVP returns a as it goes into Failed-AVP, padding included (RFC 6733 §7.5).
func copyAVP(a *diam.AVP) []byte {
	encoded, err := a.Serialize()
	if err != nil {
		return nil // only an AVP without data cannot be encoded, and the library decodes none
	}
	return encoded
}

// exampleAVP returns an AVP with the smallest value of its type, size octets of zero, for a Failed-AVP that tells what
// is missing (RFC 6733 §7.1.5).
func exampleAVP(code, vendor uint32, size int) []byte {
	return appendAVP(nil, code, vendor, mandatory, make([]byte, size))
}

// inGroup returns a group that holds member, to say in a Failed-AVP where member belongs (RFC 6733 §7.5).
func inGroup(code, vendor uint32, member []byte) []byte {
	return appendAVP(nil, code, vendor, mandatory, member)
}

// exampleSubscriptionID is the Failed-AVP of a Subscription-Id that is not whole.
func exampleSubscriptionID(code uint32, size int) []byte {
	return inGroup(avp.SubscriptionID, 0, exampleAVP(code, 0, size))
}
