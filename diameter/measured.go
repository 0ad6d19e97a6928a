package diameter

import (
	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
)

// The AVPs that may be in a Multiple-Services-Credit-Control at most once.
const (
	seenRatingGroup once = 1 << iota
	seenServiceRequested
)

// service reads a Multiple-Services-Credit-Control.
func (d *decoder) service(a *diam.AVP) ocs.ServiceRequest {
	var s ocs.ServiceRequest
	var seen once
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case avp.RatingGroup:
			if d.first(member, &seen, seenRatingGroup) {
				s.RatingGroup = new(number32(member))
			}
		case avp.ServiceIdentifier:
			if len(s.ServiceIDs) == maxServiceIDs { // no quota was ever granted to so many
				d.tooMany(member, &d.surplusID)
				continue
			}
			s.ServiceIDs = append(s.ServiceIDs, number32(member))
		case avp.RequestedServiceUnit:
			if d.first(member, &seen, seenServiceRequested) {
				s.Requested = d.requested(member)
			}
		case avp.UsedServiceUnit:
			if len(s.Used) == maxReports {
				d.tooMany(member, &d.surplus)
			}
			s.Used = append(s.Used, d.used(member))
		case tgpp | avp.ReportingReason:
			s.Reason = stronger(s.Reason, reason(member))
		case tgpp | avp.RefundInformation:
			d.refunds(member)
		default:
			d.unlisted(member)
		}
	}
	return s
}

// stronger chooses between two Reporting-Reasons of one service: that it ended is never forgotten.
func stronger(a, b ocs.Reason) ocs.Reason {
	if a == ocs.NoReason || b == ocs.FinalReport {
		return b
	}
	return a
}

// reason reads a Reporting-Reason. One that is not defined counts as none: refusing the request would lose its usage.
func reason(a *diam.AVP) ocs.Reason {
	n := number32(a)
	if n >= uint32(ocs.UnusedQuotaTimer) {
		return ocs.NoReason
	}
	return ocs.Reason(n + 1)
}

// requested reads a Requested-Service-Unit.
func (d *decoder) requested(a *diam.AVP) *ocs.Measured {
	m := new(ocs.Measured)
	var seen once
	for _, member := range members(a) {
		if !d.measured(m, member, &seen) {
			d.unlisted(member)
		}
	}
	return m
}

// used reads a Used-Service-Unit. A Tariff-Change-Usage that is not defined counts as none, like an odd reason.
func (d *decoder) used(a *diam.AVP) ocs.Used {
	const indeterminate = 2
	var u ocs.Used
	var seen once
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case tgpp | avp.ReportingReason:
			u.Reason = stronger(u.Reason, reason(member))
		case avp.TariffChangeUsage:
			if n := number32(member); n <= indeterminate {
				u.TariffChange = new(uint8(n))
			}
		default:
			if !d.measured(&u.Measured, member, &seen) {
				d.unlisted(member)
			}
		}
	}
	return u
}

// The AVPs that may be in a group of units at most once.
const (
	seenTime once = 1 << iota
	seenTotal
	seenInput
	seenOutput
	seenSpecific
	seenMoney
)

// measured takes a member of a group of units, and reports whether it is an amount.
func (d *decoder) measured(m *ocs.Measured, a *diam.AVP, seen *once) bool {
	switch avpKey(a.VendorID, a.Code) {
	case avp.CCTime:
		if d.first(a, seen, seenTime) {
			m.Time = new(uint64(number32(a)))
		}
	case avp.CCTotalOctets:
		d.amount(&m.TotalOctets, a, seen, seenTotal)
	case avp.CCInputOctets:
		d.amount(&m.InputOctets, a, seen, seenInput)
	case avp.CCOutputOctets:
		d.amount(&m.OutputOctets, a, seen, seenOutput)
	case avp.CCServiceSpecificUnits:
		d.amount(&m.Specific, a, seen, seenSpecific)
	case avp.CCMoney:
		if d.first(a, seen, seenMoney) {
			m.Money = true
		}
	default:
		return false
	}
	return true
}

func (d *decoder) amount(n **uint64, a *diam.AVP, seen *once, which once) {
	if d.first(a, seen, which) {
		*n = new(number64(a))
	}
}
