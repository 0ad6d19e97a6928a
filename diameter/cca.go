package diameter

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// resultCode is the one place where a verdict becomes a Result-Code. Busy has none of its own: see [busyCode].
func resultCode(v ocs.Verdict) uint32 {
	switch v {
	case ocs.Granted:
		return codeSuccess // RFC 6733 §7.1.2
	case ocs.ServiceDenied:
		return 4010 // RFC 8506 §9.1
	case ocs.NotApplicable:
		return 4011 // RFC 8506 §9.1
	case ocs.CreditLimitReached:
		return 4012 // RFC 8506 §9.1
	case ocs.UnknownSession:
		return 5002 // RFC 6733 §7.1.5
	case ocs.Unauthorised:
		return codeAuthorizationRejected
	case ocs.InvalidValue:
		return codeInvalidAVPValue
	case ocs.ResourcesExceeded:
		return 5006 // RFC 6733 §7.1.5
	case ocs.UnableToComply:
		return codeUnableToComply
	case ocs.UserUnknown:
		return 5030 // RFC 8506 §9.2
	case ocs.RatingFailed:
		return 5031 // RFC 8506 §9.2
	case ocs.Busy:
		return codeUnableToDeliver
	}
	panic(fmt.Sprintf("diameter: no Result-Code for verdict %d", v))
}

// The AVPs that are the same in every answer.
var (
	applicationAVP   = appendUint32(nil, avp.AuthApplicationID, 0, mandatory, creditControl)
	failoverAVP      = appendUint32(nil, avp.CCSessionFailover, 0, mandatory, 1)
	lowBalanceAVP    = appendUint32(nil, avp.LowBalanceIndication, vendor3GPP, mandatory, 1)
	enoughCreditAVP  = appendUint32(nil, avp.CheckBalanceResult, 0, mandatory, 0)
	noCreditAVP      = appendUint32(nil, avp.CheckBalanceResult, 0, mandatory, 1)
	terminateAVP     = inGroup(avp.FinalUnitIndication, 0, appendUint32(nil, avp.FinalUnitAction, 0, mandatory, 0))
	successInsideAVP = appendUint32(nil, avp.ResultCode, 0, mandatory, codeSuccess)
)

// appendCCA appends the Credit-Control-Answer that tells a to the sender of m, which r was decoded from. The AVPs stand
// in the order of RFC 8506 §3.2. An answer that was remembered is told again with the identifiers, the Proxy-Info and the
// echoes of the copy that asks.
func appendCCA(dst []byte, id identity, m *diam.Message, r ocs.Request, a ocs.Answer) []byte {
	q := questionOf(m)
	if a.Verdict == ocs.Busy {
		return q.appendRefusalTo(dst, id, &refusal{code: busyCode(m), text: "try another server"})
	}
	e := echoOf(q.frame)
	dst, start := q.begin(dst, false)
	dst = appendUint32(dst, avp.ResultCode, 0, mandatory, resultCode(a.Verdict))
	dst = id.appendOrigin(dst)
	dst = append(dst, applicationAVP...)
	dst = appendUint32(dst, avp.CCRequestType, 0, mandatory, uint32(r.Type))
	dst = appendUint32(dst, avp.CCRequestNumber, 0, mandatory, r.Number)
	dst = e.append(dst, avp.UserName, e.userName)
	if a.Failover {
		dst = append(dst, failoverAVP...)
	}
	dst = e.append(dst, avp.CCSubSessionID, e.subSession)
	dst = e.append(dst, avp.AcctMultiSessionID, e.multiSession)
	dst = id.appendStateID(dst)
	dst = appendDecision(dst, a)
	dst = q.appendProxyInfo(dst)
	dst = appendFailed(dst, m, a)
	if a.Refund != "" && (a.CommandLevel || len(a.Services) == 0) {
		dst = appendText(dst, avp.RefundInformation, vendor3GPP, mandatory, a.Refund)
	}
	return endMessage(dst, start)
}

// An echo is what a CCA repeats of the CCR beside the skeleton, as values of the AVPs; nil: it was not there.
type echo struct{ userName, subSession, multiSession []byte }

func echoOf(f frame) (e echo) {
	for a := range f.avps() {
		switch {
		case a.is(avp.UserName):
			e.userName = a.data
		case a.is(avp.CCSubSessionID):
			e.subSession = a.data
		case a.is(avp.AcctMultiSessionID):
			e.multiSession = a.data
		}
	}
	return e
}

func (echo) append(dst []byte, code uint32, value []byte) []byte {
	if value == nil {
		return dst
	}
	return appendAVP(dst, code, 0, mandatory, value)
}

// appendDecision appends what was decided, from Granted-Service-Unit to Validity-Time in the grammar.
func appendDecision(dst []byte, a ocs.Answer) []byte {
	var level *ocs.ServiceAnswer
	if a.CommandLevel && len(a.Services) > 0 {
		level = &a.Services[0]
		dst = appendGranted(dst, level)
	} else {
		for i := range a.Services {
			dst = appendService(dst, &a.Services[i], a.Refund)
		}
	}
	if a.Cost != nil {
		dst = appendCost(dst, *a.Cost)
	}
	if a.LowBalance {
		dst = append(dst, lowBalanceAVP...)
	}
	if a.Balance != nil {
		dst = appendBalance(dst, *a.Balance)
	}
	if level != nil && level.Final {
		dst = appendFinalUnits(dst, level.FinalUnits)
	}
	if a.BalanceCovers != nil {
		dst = append(dst, checkBalanceAVP(*a.BalanceCovers)...)
	}
	if a.FailureHandling != nil {
		dst = appendUint32(dst, avp.CreditControlFailureHandling, 0, mandatory, uint32(*a.FailureHandling))
	}
	if level != nil {
		dst = appendValidity(dst, level.Validity)
	}
	return dst
}

func checkBalanceAVP(covers bool) []byte {
	if covers {
		return enoughCreditAVP
	}
	return noCreditAVP
}

// appendService appends a Multiple-Services-Credit-Control (TS 32.299 §7.1.9). It always has a Result-Code.
func appendService(dst []byte, s *ocs.ServiceAnswer, refund string) []byte {
	dst, start := beginAVP(dst, avp.MultipleServicesCreditControl, 0, mandatory)
	dst = appendGranted(dst, s)
	for _, id := range s.ServiceIDs {
		dst = appendUint32(dst, avp.ServiceIdentifier, 0, mandatory, id)
	}
	if s.RatingGroup != nil {
		dst = appendUint32(dst, avp.RatingGroup, 0, mandatory, *s.RatingGroup)
	}
	dst = appendValidity(dst, s.Validity)
	if s.Verdict == ocs.Granted {
		dst = append(dst, successInsideAVP...)
	} else {
		dst = appendUint32(dst, avp.ResultCode, 0, mandatory, resultCode(s.Verdict))
	}
	if s.Final {
		dst = appendFinalUnits(dst, s.FinalUnits)
	}
	dst = appendThreshold(dst, s)
	dst = appendExtras(dst, s.Extras)
	if refund != "" {
		dst = appendText(dst, avp.RefundInformation, vendor3GPP, mandatory, refund)
	}
	dst = appendAnnouncements(dst, s.Extras)
	return endAVP(dst, start)
}

// appendGranted appends a Granted-Service-Unit in the unit that is measured, or nothing where nothing is granted.
func appendGranted(dst []byte, s *ocs.ServiceAnswer) []byte {
	if s.Granted <= 0 {
		return dst
	}
	dst, start := beginAVP(dst, avp.GrantedServiceUnit, 0, mandatory)
	if !s.TariffChange.IsZero() {
		dst = appendUint32(dst, avp.TariffTimeChange, 0, mandatory, timeValue(s.TariffChange))
	}
	switch s.Measure {
	case rating.Seconds:
		dst = appendUint32(dst, avp.CCTime, 0, mandatory, clamp32(s.Granted))
	case rating.Octets:
		dst = appendUint64(dst, avp.CCTotalOctets, 0, mandatory, uint64(s.Granted))
	case rating.Events:
		dst = appendUint64(dst, avp.CCServiceSpecificUnits, 0, mandatory, uint64(s.Granted))
	default: // a currency
		var money int
		dst, money = beginAVP(dst, avp.CCMoney, 0, mandatory)
		dst = endAVP(appendValue(dst, ocs.Cost{Units: s.Granted, Unit: s.Measure}), money)
	}
	return endAVP(dst, start)
}

// appendThreshold appends the quota threshold of the unit that is granted. One without a grant means nothing.
func appendThreshold(dst []byte, s *ocs.ServiceAnswer) []byte {
	if s.Threshold <= 0 || s.Granted <= 0 {
		return dst
	}
	switch s.Measure {
	case rating.Seconds:
		return appendUint32(dst, avp.TimeQuotaThreshold, vendor3GPP, mandatory, clamp32(s.Threshold))
	case rating.Octets:
		return appendUint32(dst, avp.VolumeQuotaThreshold, vendor3GPP, mandatory, clamp32(s.Threshold))
	case rating.Events:
		return appendUint32(dst, avp.UnitQuotaThreshold, vendor3GPP, mandatory, clamp32(s.Threshold))
	}
	return dst
}

// appendValidity appends Validity-Time, whole seconds.
func appendValidity(dst []byte, validity time.Duration) []byte {
	seconds := rating.Units(validity / time.Second)
	if seconds <= 0 {
		return dst
	}
	return appendUint32(dst, avp.ValidityTime, 0, mandatory, clamp32(seconds))
}

// clamp32 returns n for an Unsigned32; more than fits stays at the greatest.
func clamp32(n rating.Units) uint32 {
	return uint32(min(max(n, 0), math.MaxUint32))
}

// appendCost appends Cost-Information (RFC 8506 §8.7). What is no money has the currency of nothing and says in
// Cost-Unit what it counts.
func appendCost(dst []byte, c ocs.Cost) []byte {
	dst, start := beginAVP(dst, avp.CostInformation, 0, mandatory)
	dst = appendValue(dst, c)
	if _, isMoney := currencies[c.Unit]; !isMoney && c.Unit != "" {
		dst = appendText(dst, avp.CostUnit, 0, mandatory, string(c.Unit))
	}
	return endAVP(dst, start)
}

// appendValue appends Unit-Value and Currency-Code. Units are whole minor units of a currency, so that the exponent is
// that of the currency, unless another one is given.
func appendValue(dst []byte, c ocs.Cost) []byte {
	money, isMoney := currencies[c.Unit]
	if !isMoney {
		money.code = noCurrency
	}
	exponent := c.Exponent
	if exponent == 0 {
		exponent = -money.digits
	}
	dst, start := beginAVP(dst, avp.UnitValue, 0, mandatory)
	dst = appendUint64(dst, avp.ValueDigits, 0, mandatory, uint64(c.Units)) //nolint:gosec // G115: Integer64
	if exponent != 0 {
		dst = appendUint32(dst, avp.Exponent, 0, mandatory, uint32(exponent)) //nolint:gosec // G115: Integer32
	}
	dst = endAVP(dst, start)
	return appendUint32(dst, avp.CurrencyCode, 0, mandatory, money.code)
}

// appendFailed appends a Failed-AVP for what the answer blames: once for the whole request, or for each of its services.
func appendFailed(dst []byte, m *diam.Message, a ocs.Answer) []byte {
	if a.Fault != ocs.NoFault {
		service := slices.IndexFunc(a.Services, func(s ocs.ServiceAnswer) bool { return s.Fault == a.Fault })
		if service < 0 && len(a.Services) > 0 {
			service = 0
		}
		if service < 0 {
			return appendAVP(dst, avp.FailedAVP, 0, mandatory, blamed(m, a.Fault, firstService(m)))
		}
		return appendAVP(dst, avp.FailedAVP, 0, mandatory, blamed(m, a.Fault, serviceOf(m, &a.Services[service])))
	}
	var told [][]byte
	for i := range a.Services {
		s := &a.Services[i]
		if s.Fault == ocs.NoFault {
			continue
		}
		failed := blamed(m, s.Fault, serviceOf(m, s))
		if !slices.ContainsFunc(told, func(b []byte) bool { return bytes.Equal(b, failed) }) {
			told = append(told, failed)
			dst = appendAVP(dst, avp.FailedAVP, 0, mandatory, failed)
		}
	}
	return dst
}

// blamed returns the AVP that a fault means: copied from the request, or an example where the request has none. asked
// holds the AVPs beside which Rating-Group and units stand.
func blamed(m *diam.Message, f ocs.Fault, asked []*diam.AVP) []byte {
	switch f {
	case ocs.FaultContext:
		return copyOrExample(firstAVP(m.AVP, avp.ServiceContextID), avp.ServiceContextID, 0)
	case ocs.FaultRatingGroup:
		if a := firstAVP(asked, avp.RatingGroup); a != nil {
			return copyAVP(a)
		}
		if a := firstAVP(asked, avp.ServiceIdentifier); a != nil {
			return copyAVP(a)
		}
		return exampleAVP(avp.RatingGroup, 0, 4)
	case ocs.FaultUnits:
		return copyOrExample(firstAVP(asked, avp.RequestedServiceUnit), avp.RequestedServiceUnit, 0)
	case ocs.FaultCalledParty:
		return blamedCalledParty(m)
	case ocs.FaultRefund:
		a := firstAVP(m.AVP, tgpp|avp.RefundInformation)
		if a == nil {
			a = firstAVP(asked, tgpp|avp.RefundInformation)
		}
		if a == nil {
			a = firstAVP(inside(m.AVP, tgpp|avp.ServiceInformation), tgpp|avp.RefundInformation)
		}
		return copyOrExample(a, avp.RefundInformation, vendor3GPP)
	case ocs.NoFault:
	}
	panic(fmt.Sprintf("diameter: no Failed-AVP for fault %d", f))
}

// blamedCalledParty returns Called-Party-Address inside the groups in which it is looked for.
func blamedCalledParty(m *diam.Message) []byte {
	information := inside(m.AVP, tgpp|avp.ServiceInformation)
	called := firstAVP(inside(information, tgpp|avp.IMSInformation), tgpp|avp.CalledPartyAddress)
	failed := copyOrExample(called, avp.CalledPartyAddress, vendor3GPP)
	return inGroup(avp.ServiceInformation, vendor3GPP, inGroup(avp.IMSInformation, vendor3GPP, failed))
}

// copyOrExample returns a, or an empty AVP of a string type or a group where there is none.
func copyOrExample(a *diam.AVP, code, vendor uint32) []byte {
	if a == nil {
		return exampleAVP(code, vendor, 0)
	}
	return copyAVP(a)
}

// firstAVP returns the first AVP of this key, or nil. It does not look into groups.
func firstAVP(avps []*diam.AVP, key uint64) *diam.AVP {
	for _, a := range avps {
		if avpKey(a.VendorID, a.Code) == key {
			return a
		}
	}
	return nil
}

// inside returns the members of the first group of this key.
func inside(avps []*diam.AVP, key uint64) []*diam.AVP {
	if a := firstAVP(avps, key); a != nil {
		return members(a)
	}
	return nil
}

// firstService returns the members of the first Multiple-Services-Credit-Control, or the AVPs at command level.
func firstService(m *diam.Message) []*diam.AVP {
	if a := firstAVP(m.AVP, avp.MultipleServicesCreditControl); a != nil {
		return members(a)
	}
	return m.AVP
}

// serviceOf returns the members of the Multiple-Services-Credit-Control that s answers. A request may name the same
// service twice; then the last one counts, which is the one that was granted or refused.
func serviceOf(m *diam.Message, s *ocs.ServiceAnswer) []*diam.AVP {
	for _, a := range slices.Backward(m.AVP) {
		if avpKey(a.VendorID, a.Code) == avp.MultipleServicesCreditControl && asks(members(a), s) {
			return members(a)
		}
	}
	return firstService(m)
}

// asks reports whether a Multiple-Services-Credit-Control is for the service of s.
func asks(avps []*diam.AVP, s *ocs.ServiceAnswer) bool {
	var groups, ids []uint32
	for _, a := range avps {
		switch avpKey(a.VendorID, a.Code) {
		case avp.RatingGroup:
			groups = append(groups, number32(a))
		case avp.ServiceIdentifier:
			ids = append(ids, number32(a))
		}
	}
	if (s.RatingGroup == nil) != (len(groups) == 0) || s.RatingGroup != nil && *s.RatingGroup != groups[0] {
		return false
	}
	return slices.Equal(ids, s.ServiceIDs)
}
