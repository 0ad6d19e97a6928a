package diameter

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
)

// AVPs that the library has no name for (RFC 8506 §8.69 to §8.72, TS 32.299 §7.2).
const (
	redirectServerExtension      = 665
	redirectAddressIP            = 666
	redirectAddressURL           = 667
	redirectAddressSIPURI        = 668
	announcementInformation      = 3904
	announcementIdentifier       = 3905
	variablePart                 = 3907
	variablePartType             = 3909
	variablePartValue            = 3910
	timeIndicator                = 3911
	quotaIndicator               = 3912
	playAlternative              = 3913
	announcementLanguage         = 3914
	variableInteger              = 0 // Variable-Part-Type
	quotaIsNotUsedMeanwhile      = 0 // Quota-Indicator
	playedToTheServedParty       = 0 // Play-Alternative
	optional                byte = 0 // flags of an AVP whose M bit is left clear
)

// Redirect-Address-Type (RFC 8506 §8.38).
const (
	redirectIPv4 = iota
	redirectIPv6
	redirectURL
	redirectSIPURI
)

// appendFinalUnits appends Final-Unit-Indication, and QoS-Final-Unit-Indication where the client takes it. TERMINATE stands alone in
// its group (§8.34).
func appendFinalUnits(dst []byte, f *ocs.FinalUnits) []byte {
	if f == nil {
		return append(dst, terminateAVP...)
	}
	dst, start := beginAVP(dst, avp.FinalUnitIndication, 0, mandatory)
	dst = appendUint32(dst, avp.FinalUnitAction, 0, mandatory, uint32(f.Action))
	for _, rule := range f.Rules {
		dst = appendText(dst, avp.RestrictionFilterRule, 0, mandatory, rule)
	}
	for _, name := range f.Filters {
		dst = appendText(dst, avp.FilterID, 0, mandatory, name)
	}
	if f.Action == ocs.Redirect {
		var server int
		dst, server = beginAVP(dst, avp.RedirectServer, 0, mandatory)
		dst = appendUint32(dst, avp.RedirectAddressType, 0, mandatory, redirectType(f.To))
		dst = endAVP(appendText(dst, avp.RedirectServerAddress, 0, mandatory, f.To), server)
	}
	dst = endAVP(dst, start)
	if f.QoS {
		dst = appendQoSFinalUnits(dst, f)
	}
	return dst
}

// appendQoSFinalUnits appends what RFC 8506 §8.68 has beside Final-Unit-Indication. The rules of RFC 5777 are not written; what they
// would say stands in Restriction-Filter-Rule.
func appendQoSFinalUnits(dst []byte, f *ocs.FinalUnits) []byte {
	dst, start := beginAVP(dst, qosFinalUnitIndication, 0, optional)
	dst = appendUint32(dst, avp.FinalUnitAction, 0, mandatory, uint32(f.Action))
	for _, name := range f.Filters {
		dst = appendText(dst, avp.FilterID, 0, mandatory, name)
	}
	if f.Action == ocs.Redirect {
		var server int
		dst, server = beginAVP(dst, redirectServerExtension, 0, optional)
		switch redirectType(f.To) {
		case redirectURL:
			dst = appendText(dst, redirectAddressURL, 0, optional, f.To)
		case redirectSIPURI:
			dst = appendText(dst, redirectAddressSIPURI, 0, optional, f.To)
		default:
			dst = appendAVP(dst, redirectAddressIP, 0, optional, addressValue(netip.MustParseAddr(f.To)))
		}
		dst = endAVP(dst, server)
	}
	return endAVP(dst, start)
}

func redirectType(to string) uint32 {
	scheme, _, _ := strings.Cut(strings.ToLower(to), ":")
	if scheme == "sip" || scheme == "sips" {
		return redirectSIPURI
	}
	switch address, err := netip.ParseAddr(to); {
	case err != nil:
		return redirectURL
	case address.Is4():
		return redirectIPv4
	}
	return redirectIPv6
}

// appendExtras appends what a client is told beside a grant, as far as it stands before Refund-Information in the grammar.
func appendExtras(dst []byte, e *ocs.Extras) []byte {
	if e == nil {
		return dst
	}
	if e.HoldingTime != nil {
		dst = appendUint32(dst, avp.QuotaHoldingTime, vendor3GPP, mandatory, *e.HoldingTime)
	}
	if e.ConsumptionTime > 0 {
		dst = appendUint32(dst, avp.QuotaConsumptionTime, vendor3GPP, mandatory, e.ConsumptionTime)
	}
	if !e.Arm {
		return dst
	}
	dst, start := beginAVP(dst, avp.Trigger, vendor3GPP, mandatory)
	for _, kind := range e.Triggers {
		dst = appendUint32(dst, avp.TriggerType, vendor3GPP, mandatory, kind)
	}
	return endAVP(dst, start)
}

// appendAnnouncements appends Announcement-Information, numbered by their order where there are several.
func appendAnnouncements(dst []byte, e *ocs.Extras) []byte {
	if e == nil {
		return dst
	}
	for _, a := range e.Announcements {
		var start int
		dst, start = beginAVP(dst, announcementInformation, vendor3GPP, mandatory)
		dst = appendUint32(dst, announcementIdentifier, vendor3GPP, mandatory, a.ID)
		if a.Minutes != nil {
			var part int
			dst, part = beginAVP(dst, variablePart, vendor3GPP, mandatory)
			dst = appendUint32(dst, variablePartType, vendor3GPP, mandatory, variableInteger)
			dst = endAVP(appendText(dst, variablePartValue, vendor3GPP, mandatory, strconv.FormatUint(uint64(*a.Minutes), 10)), part)
		}
		if a.Before != nil {
			dst = appendUint32(dst, timeIndicator, vendor3GPP, mandatory, *a.Before)
		}
		dst = appendUint32(dst, quotaIndicator, vendor3GPP, mandatory, quotaIsNotUsedMeanwhile)
		dst = appendUint32(dst, playAlternative, vendor3GPP, mandatory, playedToTheServedParty)
		if a.Language != "" {
			dst = appendText(dst, announcementLanguage, vendor3GPP, mandatory, a.Language)
		}
		dst = endAVP(dst, start)
	}
	return dst
}

// appendBalance appends Remaining-Balance (TS 32.299 §7.2.172).
func appendBalance(dst []byte, c ocs.Cost) []byte {
	dst, start := beginAVP(dst, avp.RemainingBalance, vendor3GPP, mandatory)
	return endAVP(appendValue(dst, c), start)
}

// epoch1900 is the distance of the epoch of the type Time from that of Unix, in seconds (RFC 6733 §4.3.1).
const epoch1900 = 2208988800

// timeValue returns t for the type Time, which begins anew in 2036.
func timeValue(t time.Time) uint32 {
	return uint32(t.Unix() + epoch1900) //nolint:gosec // G115: it begins anew
}
