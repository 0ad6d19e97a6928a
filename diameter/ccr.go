package diameter

import (
	"fmt"
	"strconv"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"github.com/fiorix/go-diameter/v4/diam/datatype"

	"github.com/gyro-ocs/gyro/ocs"
)

// The Result-Codes that only decoding gives (RFC 6733 §7.1.5).
const codeAVPUnsupported = 5001

// A check is a rule that a CCR can break. Where several are broken the first in this order is reported, wherever in the
// message it was found (spec/gy 1.5).
type check uint8

const (
	checkUnknown    check = 1 + iota // an AVP that nobody here knows, with the M bit
	checkMissing                     // a required AVP that is not there
	checkTooOften                    // an AVP that may be there fewer times
	checkNotAllowed                  // an AVP of answers
	checkHeader                      // an application other than that of the header
	checkValue                       // a value that is not defined, or cannot be stored
)

// Limits that no standard sets and that keep a request from growing without bound. A frame is bounded already; these
// bound what a frame full of empty AVPs can make the engine do. What is too much refuses a request that begins something,
// with 5009. What was used must be charged, and a session must end: in an update or a termination all services and reports
// are taken, as many as a frame holds, and a termination is never refused for its length. Of Subscription-Ids the first are
// tried: how many there are decides nothing.
const (
	maxName         = 255  // of a DiameterIdentity or Service-Context-Id, in octets
	maxText         = 1024 // of any other text that is stored, in octets
	maxServices     = 256  // of Multiple-Services-Credit-Control
	maxServiceIDs   = 64   // of Service-Identifier in one of them
	maxReports      = 256  // of Used-Service-Unit in one of them, or at command level
	maxSubscription = 32   // of Subscription-Id and its extension
	maxRecipients   = 256  // of Recipient-Info
	maxRoutes       = 16   // of Route-Record that are kept
)

// decodeCCR reads a Credit-Control-Request that came over the connection of peer, or finds why it cannot be served. It
// passes over the AVPs once. Nothing of m is kept in the request but strings, which the library copies from its buffer.
func decodeCCR(m *diam.Message, peer Peer) (ocs.Request, *refusal) {
	r, _, refused := decodeAll(m, peer)
	return r, refused
}

// decodeAll is decodeCCR, and tells how many AVPs nobody knew.
func decodeAll(m *diam.Message, peer Peer) (r ocs.Request, unknown int, refused *refusal) {
	d := decoder{header: m.Header, peer: peer}
	d.request.Origin.Peer, d.request.FreeRefund = peer.Name, peer.FreeRefund
	for _, a := range m.AVP {
		d.command(a)
	}
	d.finish()
	if d.refusal != nil {
		return ocs.Request{}, d.unknown, d.refusal
	}
	return d.request, d.unknown, nil
}

// A decoder gathers a request from its AVPs.
type decoder struct {
	header  *diam.Header
	peer    Peer
	unknown int // AVPs that nobody here knows
	request ocs.Request
	refusal *refusal // of the first check that failed
	broken  check    // that check; 0: none yet

	seen      once // AVPs at command level
	hosts     int  // of Origin-Host
	realms    int  // of Origin-Realm
	action    *diam.AVP
	inner     bool // Auth-Application-Id inside Vendor-Specific-Application-Id is ours
	reports   int
	subs      int
	users     identities
	oddType   *diam.AVP // a Subscription-Id-Type that is not defined, with the M bit
	level     ocs.ServiceRequest
	hasLevel  bool      // units at command level
	refund    *diam.AVP // Refund-Information, in whatever place
	refundToo *diam.AVP // one that names another debit
	surplus   *diam.AVP // the first beyond a limit that only what begins must keep
	surplusID *diam.AVP // the first Service-Identifier beyond maxServiceIDs
	told      information
	recipient int
}

// once remembers which AVPs of a group were there.
type once uint64

// The AVPs that may be at command level at most once, where seen counts them.
const (
	seenSessionID once = 1 << iota
	seenDestinationRealm
	seenApplication
	seenContext
	seenType
	seenNumber
	seenDestinationHost
	seenUserName
	seenSubSession
	seenMultiSession
	seenStateID
	seenTimestamp
	seenServiceID
	seenCause
	seenRequested
	seenAction
	seenAoC
	seenIndicator
	seenCorrelation
	seenEquipment
	seenEquipmentExtension
	seenFeatures
	seenInformation
	seenRefund
	seenOtherParty
)

// refuse notes that a check failed. failed is an encoded AVP.
func (d *decoder) refuse(broken check, code uint32, text string, failed []byte) {
	if d.broken != 0 && d.broken <= broken {
		return
	}
	d.broken, d.refusal = broken, &refusal{code: code, text: text, failed: failed}
}

func (d *decoder) refuseValue(a *diam.AVP, text string) {
	d.refuse(checkValue, codeInvalidAVPValue, text, copyAVP(a))
}

func (d *decoder) refuseTooOften(a *diam.AVP) {
	d.refuse(checkTooOften, codeAVPTooOften, "an AVP occurs too many times", copyAVP(a))
}

// tooMany notes the first AVP beyond a limit. Whether it matters depends on the type of the request, which may stand behind.
func (d *decoder) tooMany(a *diam.AVP, noted **diam.AVP) {
	if *noted == nil {
		*noted = a
	}
}

// refuseSurplus refuses what is too much, where nothing that was used is lost with it.
func (d *decoder) refuseSurplus() {
	if d.surplus != nil && d.request.Type != ocs.Update && d.request.Type != ocs.Termination {
		d.refuseTooOften(d.surplus)
	}
	if d.surplusID != nil && d.request.Type != ocs.Termination {
		d.refuseTooOften(d.surplusID)
	}
}

// first reports whether a is there for the first time. From the second time on it is one too many.
func (d *decoder) first(a *diam.AVP, seen *once, which once) bool {
	if *seen&which != 0 {
		d.refuseTooOften(a)
		return false
	}
	*seen |= which
	return true
}

// unlisted deals with an AVP that a grammar does not name: one that a dictionary knows is passed over, M bit or not,
// because every grammar ends in *[AVP]; an unknown one with the M bit refuses the request (spec/gy 1.7).
func (d *decoder) unlisted(a *diam.AVP) {
	if !isUnknown(a) {
		return
	}
	d.unknown++
	if a.Flags&avp.Mbit != 0 {
		d.refuse(checkUnknown, codeAVPUnsupported, "an AVP with the M bit is not supported", copyAVP(a))
	}
}

// command takes an AVP at command level: first those that every request has.
func (d *decoder) command(a *diam.AVP) {
	switch avpKey(a.VendorID, a.Code) {
	case avp.SessionID:
		if d.first(a, &d.seen, seenSessionID) {
			d.request.Session.ID = d.text(a, ocs.MaxSessionID)
		}
	case avp.OriginHost:
		d.hosts++
		d.origin(a, d.hosts, &d.request.Origin.Host)
	case avp.OriginRealm:
		d.realms++
		d.origin(a, d.realms, &d.request.Origin.Realm)
	case avp.DestinationRealm:
		d.first(a, &d.seen, seenDestinationRealm)
	case avp.AuthApplicationID:
		if d.first(a, &d.seen, seenApplication) && number32(a) != d.header.ApplicationID {
			d.refuse(checkHeader, codeInvalidAVPValue, "Auth-Application-Id is not that of the header", copyAVP(a))
		}
	case avp.ServiceContextID:
		if d.first(a, &d.seen, seenContext) {
			d.request.Context = parseContext(d.text(a, maxName))
		}
	case avp.CCRequestType:
		if d.first(a, &d.seen, seenType) {
			d.requestType(a)
		}
	case avp.CCRequestNumber:
		if d.first(a, &d.seen, seenNumber) {
			d.request.Number = number32(a)
		}
	default:
		d.optional(a)
	}
}

// origin takes an Origin-Host or Origin-Realm. Kamailio, when its origin_host is set, adds a second pair after the one
// that its connection has; the first pair is where a RAR finds it.
func (d *decoder) origin(a *diam.AVP, times int, name *string) {
	switch times {
	case 1:
		*name = d.text(a, maxName)
	case 2:
	default:
		d.refuseTooOften(a)
	}
}

func (d *decoder) requestType(a *diam.AVP) {
	switch t := number32(a); t {
	case uint32(ocs.Initial), uint32(ocs.Update), uint32(ocs.Termination), uint32(ocs.Event):
		d.request.Type = ocs.RequestType(t)
	default:
		d.refuseValue(a, "CC-Request-Type is not 1 to 4")
	}
}

// optional takes an AVP that a request may have.
func (d *decoder) optional(a *diam.AVP) {
	switch avpKey(a.VendorID, a.Code) {
	case avp.UserName:
		if d.first(a, &d.seen, seenUserName) {
			d.users.userName = d.identity(a)
		}
	case avp.CCSubSessionID:
		if d.first(a, &d.seen, seenSubSession) {
			d.request.Session.Sub = strconv.FormatUint(number64(a), 10)
		}
	case avp.OriginStateID:
		if d.first(a, &d.seen, seenStateID) {
			d.request.Origin.StateID = number32(a)
		}
	case avp.EventTimestamp:
		if d.first(a, &d.seen, seenTimestamp) {
			d.request.EventTime = timeOf(a)
		}
	case avp.SubscriptionID:
		d.subscription(a, true)
	case subscriptionIDExtension:
		d.subscriptionExtension(a)
	case avp.TerminationCause:
		if d.first(a, &d.seen, seenCause) {
			d.request.TerminationCause = new(number32(a))
		}
	case avp.RequestedAction:
		if d.first(a, &d.seen, seenAction) {
			d.action = a
		}
	case avp.VendorSpecificApplicationID:
		d.vendorSpecificApplication(a)
	case avp.RouteRecord:
		if host := octets(a); len(d.told.Routes) < maxRoutes && len(host) <= maxName && isText(host) { // for the CDR only
			d.told.Routes = append(d.told.Routes, host)
		}
	case tgpp | avp.ServiceInformation:
		if d.first(a, &d.seen, seenInformation) {
			d.serviceInformation(a)
		}
	case ericsson | ericssonOtherPartyID:
		if d.first(a, &d.seen, seenOtherParty) {
			d.otherParty(a)
		}
	default:
		d.units(a)
	}
}

// units takes an AVP that asks for units or reports them.
func (d *decoder) units(a *diam.AVP) {
	switch avpKey(a.VendorID, a.Code) {
	case avp.MultipleServicesCreditControl:
		if len(d.request.Services) == maxServices {
			d.tooMany(a, &d.surplus)
		}
		d.request.Services = append(d.request.Services, d.service(a))
	case avp.RequestedServiceUnit:
		if d.first(a, &d.seen, seenRequested) {
			d.level.Requested, d.hasLevel = d.requested(a), true
		}
	case avp.UsedServiceUnit:
		if d.reports++; d.reports > maxReports {
			d.tooMany(a, &d.surplus)
		}
		d.level.Used, d.hasLevel = append(d.level.Used, d.used(a)), true
	case avp.ServiceIdentifier:
		if d.first(a, &d.seen, seenServiceID) {
			d.level.ServiceIDs = []uint32{number32(a)}
		}
	case tgpp | avp.RefundInformation:
		if d.first(a, &d.seen, seenRefund) {
			d.refunds(a)
		}
	default:
		d.unused(a)
	}
}

// unused takes an AVP that the grammar of the command has something to say about and that decides nothing here.
func (d *decoder) unused(a *diam.AVP) {
	switch avpKey(a.VendorID, a.Code) {
	case avp.DestinationHost: // checked before, by route
		d.first(a, &d.seen, seenDestinationHost)
	case avp.AcctMultiSessionID:
		d.first(a, &d.seen, seenMultiSession)
	case tgpp | avp.AoCRequestType:
		d.first(a, &d.seen, seenAoC)
	case avp.MultipleServicesIndicator: // a Multiple-Services-Credit-Control is taken whatever it says
		d.first(a, &d.seen, seenIndicator)
	case avp.CCCorrelationID:
		d.first(a, &d.seen, seenCorrelation)
	case avp.UserEquipmentInfo:
		d.first(a, &d.seen, seenEquipment)
	case userEquipmentInfoExtension:
		d.first(a, &d.seen, seenEquipmentExtension)
	case ocSupportedFeatures:
		d.first(a, &d.seen, seenFeatures)
	case avp.ResultCode, avp.ExperimentalResult, avp.ErrorMessage, avp.ErrorReportingHost, avp.FailedAVP,
		avp.RedirectHost, avp.RedirectHostUsage, avp.RedirectMaxCacheTime,
		avp.GrantedServiceUnit, avp.ValidityTime, avp.FinalUnitIndication, qosFinalUnitIndication,
		avp.CostInformation, avp.CheckBalanceResult, avp.CCSessionFailover, avp.CreditControlFailureHandling,
		avp.DirectDebitingFailureHandling, tgpp | avp.LowBalanceIndication, tgpp | avp.RemainingBalance:
		d.refuse(checkNotAllowed, codeAVPNotAllowed, "an AVP of answers is not allowed in a request", copyAVP(a)) // RFC 8506 §10.1
	default:
		d.unlisted(a)
	}
}

// vendorSpecificApplication finds our application where Kamailio has it: not beside, but inside (spec/gy 3.22).
func (d *decoder) vendorSpecificApplication(a *diam.AVP) {
	for _, member := range members(a) {
		if avpKey(member.VendorID, member.Code) == avp.AuthApplicationID && number32(member) == d.header.ApplicationID {
			d.inner = true
		}
	}
}

// required are the AVPs without which nothing can be decided, in the order of the grammar (RFC 8506 §3.1).
var required = []struct {
	which once
	code  uint32
	size  int // of the smallest value
}{
	{seenSessionID, avp.SessionID, 0},
	{seenDestinationRealm, avp.DestinationRealm, 0},
	{seenApplication, avp.AuthApplicationID, 4},
	{seenContext, avp.ServiceContextID, 0},
	{seenType, avp.CCRequestType, 4},
	{seenNumber, avp.CCRequestNumber, 4},
}

// finish draws the conclusions that need the whole message.
func (d *decoder) finish() {
	d.findMissing()
	d.refuseSurplus()
	if d.request.Type == ocs.Event {
		d.finishEvent()
	}
	d.request.Identities = d.users.list()
	if d.oddType != nil && len(d.request.Identities) == 0 && (d.request.Type == ocs.Initial || d.request.Type == ocs.Event) {
		d.refuse(checkUnknown, codeAVPUnsupported, "a Subscription-Id-Type is not supported", copyAVP(d.oddType)) // RFC 8506 §8.47
	}
	if len(d.request.Services) == 0 && d.hasLevel {
		d.request.Services = []ocs.ServiceRequest{d.level}
		d.request.CommandLevel = true
	}
	d.request.Conditions, d.request.Emergency = d.told.conditions(), d.told.emergency
}

func (d *decoder) findMissing() {
	missing := func(code uint32, size int) {
		d.refuse(checkMissing, codeMissingAVP, "a required AVP is missing", exampleAVP(code, 0, size))
	}
	if d.inner {
		d.seen |= seenApplication
	}
	for _, r := range required {
		if d.seen&r.which == 0 {
			missing(r.code, r.size)
		}
		if r.which == seenSessionID { // the two that Kamailio sends twice stand here in the grammar
			if d.hosts == 0 {
				missing(avp.OriginHost, 0)
			}
			if d.realms == 0 {
				missing(avp.OriginRealm, 0)
			}
		}
	}
}

// finishEvent reads what only an event has. A session may carry Requested-Action too, Open5GS always does: it means
// nothing there.
func (d *decoder) finishEvent() {
	if d.action == nil {
		d.refuse(checkMissing, codeMissingAVP, "a required AVP is missing", exampleAVP(avp.RequestedAction, 0, 4))
		return
	}
	action := number32(d.action)
	if action > uint32(ocs.PriceEnquiry) {
		d.refuseValue(d.action, "Requested-Action is not 0 to 3")
		return
	}
	d.request.Action = ocs.Action(action)
	if !d.hasLevel && d.level.ServiceIDs != nil {
		d.hasLevel = true // a service without an amount: one unit of it
	}
	if d.request.Action == ocs.RefundAccount && d.refundToo != nil {
		d.refuseValue(d.refundToo, "Refund-Information names a second debit")
	}
	if d.request.Action == ocs.RefundAccount && d.refund != nil {
		debit, ok := ocs.ParseRefund(octets(d.refund))
		if !ok || !isText(debit.ID) || !isText(debit.Sub) {
			d.refuseValue(d.refund, "Refund-Information names no debit of this server")
		}
		d.request.RefundOf = debit
	}
}

// refunds takes a Refund-Information. Clients put it at command level, into each service or into Service-Information; an event
// gives back one debit.
func (d *decoder) refunds(a *diam.AVP) {
	switch {
	case d.refund == nil:
		d.refund = a
	case octets(d.refund) != octets(a):
		d.refundToo = a
	}
}

// subscription takes a Subscription-Id. Elsewhere than at command level it is a repetition, and nothing is required.
func (d *decoder) subscription(a *diam.AVP, strict bool) {
	if d.subs++; d.subs > maxSubscription {
		return
	}
	var kind, data *diam.AVP
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case avp.SubscriptionIDType:
			kind = member
		case avp.SubscriptionIDData:
			data = member
		default:
			if strict {
				d.unlisted(member)
			}
		}
	}
	switch {
	case kind == nil && strict:
		d.refuse(checkMissing, codeMissingAVP, "a required AVP is missing", exampleSubscriptionID(avp.SubscriptionIDType, 4))
	case data == nil && strict:
		d.refuse(checkMissing, codeMissingAVP, "a required AVP is missing", exampleSubscriptionID(avp.SubscriptionIDData, 0))
	case kind == nil || data == nil:
	default:
		d.subscriptionOfKind(kind, data, strict)
	}
}

func (d *decoder) subscriptionOfKind(kind, data *diam.AVP, strict bool) {
	n := number32(kind)
	if n <= uint32(ocs.Private) {
		d.users.add(ocs.IdentityKind(n), d.identity(data))
	} else if kind.Flags&avp.Mbit != 0 && strict {
		d.oddType = kind
	}
}

// subscriptionExtension takes a Subscription-Id-Extension (RFC 8506 §8.58).
func (d *decoder) subscriptionExtension(a *diam.AVP) {
	if d.subs++; d.subs > maxSubscription {
		return
	}
	for _, member := range members(a) {
		switch avpKey(member.VendorID, member.Code) {
		case subscriptionIDE164:
			d.users.add(ocs.E164, d.identity(member))
		case subscriptionIDIMSI:
			d.users.add(ocs.IMSI, d.identity(member))
		case subscriptionIDSIPURI:
			d.users.add(ocs.SIPURI, d.identity(member))
		case subscriptionIDNAI:
			d.users.add(ocs.NAI, d.identity(member))
		case subscriptionIDPrivate:
			d.users.add(ocs.Private, d.identity(member))
		default:
			d.unlisted(member)
		}
	}
}

// identity returns the text of an AVP that names the subscriber. An empty one names nobody and is passed over.
func (d *decoder) identity(a *diam.AVP) string {
	if octets(a) == "" {
		return ""
	}
	return d.text(a, ocs.MaxIdentity)
}

// text returns the value of an AVP that is stored or compared. Text that is empty, too long, no UTF-8, or that holds a
// NUL, is none: the request is refused.
func (d *decoder) text(a *diam.AVP, longest int) string {
	s := octets(a)
	switch {
	case s == "":
		d.refuseValue(a, "a text is empty")
	case len(s) > longest:
		d.refuseValue(a, fmt.Sprintf("a text is longer than %d octets", longest))
	case !isText(s):
		d.refuseValue(a, "a text is not UTF-8 or contains NUL")
	default:
		return s
	}
	return ""
}

// timeOf returns the value of an AVP of type Time.
func timeOf(a *diam.AVP) time.Time {
	t, ok := a.Data.(datatype.Time)
	if !ok {
		return time.Time{}
	}
	return time.Time(t).UTC()
}
