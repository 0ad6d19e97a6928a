package ctf

import (
	"fmt"
	"strings"
	"time"
)

// CC-Request-Type (RFC 8506 §8.3).
const (
	initialRequest     = 1
	updateRequest      = 2
	terminationRequest = 3
	eventRequest       = 4
)

const commandLetters = "?IUTE" // by CC-Request-Type

// A party is what all requests of a call or an event have in common.
type party struct {
	session      string
	from, to     string
	context      string
	ratingGroup  *uint32
	commandLevel bool
}

// A ccr is one Credit-Control-Request before it is encoded.
type ccr struct {
	party
	requestType uint32
	number      uint32
	at          time.Time // Event-Timestamp
	endToEnd    uint32
	unit        Unit

	asks     bool
	asked    uint32  // 0: as much as the server sees fit
	used     *uint32 // nil: no Used-Service-Unit
	reason   *reason
	action   *Action
	refund   string    // Refund-Information of the debit that is given back; empty: none
	invited  time.Time // SIP-Request-Timestamp
	answered time.Time // SIP-Response-Timestamp; zero before the answer
	cause    *int32    // Cause-Code
	copy     bool      // T flag
}

func (r ccr) command() string { return "CCR-" + string(commandLetters[r.requestType]) }

// message tells of r.
func (r ccr) message() Message {
	m := Message{
		Time: r.at, Sent: true, Command: r.command(), Number: r.number, Session: r.session, Copy: r.copy,
		From: r.from, To: r.to, Asks: r.asks, Asked: r.asked, Used: r.used, Unit: r.unit,
	}
	if r.reason != nil {
		m.Reason = r.reason.text
	}
	if r.action != nil {
		m.Action = r.action.String()
	}
	m.Refund = r.refund
	return m
}

// encode writes r for a server of realm.
func (r ccr) encode(c Config, realm string, hopByHop uint32) []byte {
	h := header{
		flags: requestFlag | proxiableFlag, command: creditControl, application: creditControlApplication,
		hopByHop: hopByHop, endToEnd: r.endToEnd,
	}
	if r.copy {
		h.flags |= retransmitFlag
	}
	e := encode(h)
	e.text(sessionID, r.session)
	e.text(originHost, c.Host)
	e.text(originRealm, c.Realm)
	e.text(destinationRealm, realm)
	e.number(authApplicationID, creditControlApplication)
	e.text(serviceContextID, r.context)
	e.number(ccRequestType, r.requestType)
	e.number(ccRequestNumber, r.number)
	e.time(eventTimestamp, r.at)
	e.group(subscriptionID, func() {
		e.number(subscriptionType, 0) // END_USER_E164
		e.text(subscriptionData, strings.TrimPrefix(r.from, "+"))
	})
	if r.requestType == terminationRequest {
		e.number(terminationCause, 1) // DIAMETER_LOGOUT
	}
	if r.action != nil {
		e.number(requestedAction, uint32(*r.action))
	}
	if r.refund != "" {
		e.text(refundInformation, r.refund)
	}
	r.units(e)
	r.information(e)
	return e.bytes()
}

// units writes what is asked for and what was used, in an MSCC or at command level.
func (r ccr) units(e *encoder) {
	if !r.asks && r.used == nil {
		return
	}
	if r.commandLevel {
		r.unitGroups(e)
		return
	}
	if r.requestType == initialRequest {
		e.number(multipleServices, 1) // MULTIPLE_SERVICES_SUPPORTED
	}
	e.group(mscc, func() {
		r.unitGroups(e)
		if r.ratingGroup != nil {
			e.number(ratingGroup, *r.ratingGroup)
		}
		if r.reason != nil && !r.reason.inUsed {
			e.number(reportingReason, r.reason.value)
		}
	})
}

func (r ccr) unitGroups(e *encoder) {
	if r.asks {
		e.group(requestedUnit, func() {
			if r.asked > 0 {
				r.quantity(e, r.asked)
			}
		})
	}
	if r.used != nil {
		e.group(usedUnit, func() {
			if r.reason != nil && r.reason.inUsed && !r.commandLevel {
				e.number(reportingReason, r.reason.value)
			}
			r.quantity(e, *r.used)
		})
	}
}

func (r ccr) quantity(e *encoder, n uint32) {
	if r.unit == Events {
		e.long(ccServiceUnits, uint64(n))
		return
	}
	e.number(ccTime, n)
}

// information writes the Service-Information that belongs to the context (spec of TS 32.299 §7.2.192).
func (r ccr) information(e *encoder) {
	e.group(serviceInformation, func() {
		switch service(r.context) {
		case "32274":
			r.smsInformation(e)
		case "32276":
			e.group(vcsInformation, func() {
				e.time(startTime, r.invited)
				if !r.answered.IsZero() {
					e.time(startOfCharging, r.answered)
				}
			})
			r.imsInformation(e)
		default:
			r.imsInformation(e)
		}
	})
}

func (r ccr) imsInformation(e *encoder) {
	e.group(imsInformation, func() {
		e.group(eventType, func() { e.text(sipMethod, "INVITE") })
		e.number(roleOfNode, 0)        // ORIGINATING_ROLE
		e.number(nodeFunctionality, 6) // AS
		e.text(callingParty, address(r.from))
		e.text(calledParty, address(r.to))
		e.group(timeStamps, func() {
			e.time(sipRequestTime, r.invited)
			if !r.answered.IsZero() {
				e.time(sipResponseTime, r.answered)
			}
		})
		e.text(imsChargingID, r.session)
		if r.cause != nil {
			e.number(causeCode, uint32(*r.cause)) //nolint:gosec // G115: Integer32 on the wire
		}
	})
}

func (r ccr) smsInformation(e *encoder) {
	e.group(smsInformation, func() {
		e.group(recipientInfo, func() {
			e.group(recipientAddress, func() {
				e.number(addressType, 1) // MSISDN
				e.text(addressData, strings.TrimPrefix(r.to, "+"))
			})
		})
	})
}

// service returns the service context in a Service-Context-Id: 32260 of ext.001.262.8.32260@3gpp.org.
func service(context string) string {
	name, _, _ := strings.Cut(context, "@")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// address makes a tel URI of a number, and leaves every other URI as it is.
func address(number string) string {
	if strings.ContainsAny(number, ":@") {
		return number
	}
	return "tel:" + number
}

// A reason is a Reporting-Reason and where it stands (TS 32.299 §7.2.175).
type reason struct {
	value  uint32
	inUsed bool // inside Used-Service-Unit, else in the MSCC
	text   string
}

var (
	byFinal    = &reason{value: 2, text: "final"}
	byQuota    = &reason{value: 3, inUsed: true, text: "quota used up"}
	byValidity = &reason{value: 4, text: "validity over"}
)

// Action is a Requested-Action with the values of the wire (RFC 8506 §8.41).
type Action uint32

// The actions.
const (
	Debit Action = iota
	Refund
	CheckBalance
	AskPrice
)

func (a Action) String() string {
	switch a {
	case Debit:
		return "debit"
	case Refund:
		return "refund"
	case CheckBalance:
		return "check-balance"
	case AskPrice:
		return "price"
	}
	return fmt.Sprintf("action %d", uint32(a))
}
