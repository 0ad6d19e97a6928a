package ocs

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Request is a Credit-Control-Request whose form was found right. Only its meaning is still to be judged.
type Request struct {
	Session SessionKey
	Type    RequestType
	Number  uint32 // CC-Request-Number: with Type and Session it names the request for good (§8.2)
	Action  Action // of an Event only

	Context    Context    // Service-Context-Id
	Identities []Identity // of the subscriber, in the order in which they are tried
	Origin     Origin

	EventTime    time.Time // Event-Timestamp; zero when absent
	Services     []ServiceRequest
	CommandLevel bool        // units stand at command level: one element in Services, answered there too
	Conditions   *Conditions // rating input; nil when the request brings none, so that the stored ones stay
	Emergency    bool        // marked as such by the network: never refused, never charged
	FreeRefund   bool        // the client may give back what names no debit
	RefundOf     SessionKey  // the debit that Refund-Information names; zero when absent

	TerminationCause *uint32 // §6.5 of RFC 6733, kept for the CDR
}

// A SessionKey names a credit-control session. Session-Id is opaque and compared octet by octet (RFC 6733 §8.8).
type SessionKey struct {
	ID  string // Session-Id: valid UTF-8 without NUL, 1 to MaxSessionID octets
	Sub string // CC-Sub-Session-Id in decimal, empty when absent
}

// MaxSessionID is the longest Session-Id, in octets, that is served; the database indexes it.
const MaxSessionID = 1024

// RequestType is a CC-Request-Type with the values of the wire (§8.3).
type RequestType uint8

// The request types.
const (
	Initial RequestType = 1 + iota
	Update
	Termination
	Event
)

// Action is a Requested-Action with the values of the wire (§8.41).
type Action uint8

// The actions that an event can ask for.
const (
	DirectDebiting Action = iota
	RefundAccount
	CheckBalance
	PriceEnquiry
)

// A Context is a Service-Context-Id taken apart (§8.42, TS 32.299 §7.1.12).
type Context struct {
	Name    string // service context and domain, lower case: 32260@3gpp.org
	Release int    // of TS 32.299 that the client speaks; 0 when not told
}

// An Identity is one name of a subscriber.
type Identity struct {
	Kind  IdentityKind
	Value string // normalised: E164 and IMSI digits only, SIP URI and NAI with the domain in lower case
}

// IdentityKind is a Subscription-Id-Type with the values of the wire (§8.47).
type IdentityKind uint8

// The kinds of identity.
const (
	E164 IdentityKind = iota
	IMSI
	SIPURI
	NAI
	Private
)

// Origin tells which client asks, and over which connection: where a RAR must go (RFC 6733 §8.3.1).
type Origin struct {
	Host    string // Origin-Host of the client, which may sit behind an agent
	Realm   string
	StateID uint32 // Origin-State-Id; 0 when absent
	Peer    string // Origin-Host of the peer whose connection brought the request
}

// A ServiceRequest is one Multiple-Services-Credit-Control, or the units at command level.
type ServiceRequest struct {
	RatingGroup *uint32
	ServiceIDs  []uint32  // Service-Identifier
	Requested   *Measured // Requested-Service-Unit; nil: no quota wanted; empty: as much as we see fit
	Used        []Used    // Used-Service-Unit, one for each period
	Reason      Reason    // Reporting-Reason beside the units or inside them
}

// Measured is what a service unit AVP holds. Nil means that the AVP was absent, which is not 0 (§8.17).
type Measured struct {
	Time         *uint64 // CC-Time, seconds
	TotalOctets  *uint64
	InputOctets  *uint64
	OutputOctets *uint64
	Specific     *uint64 // CC-Service-Specific-Units
	Money        bool    // CC-Money was there, which this server does not grant
}

// Used is what was used in one period.
type Used struct {
	Measured
	Reason       Reason
	TariffChange *uint8 // Tariff-Change-Usage (§8.27)
}

// Reason is a Reporting-Reason plus one, so that the zero value means none (TS 32.299 §7.2.175).
type Reason uint8

// The reasons to report.
const (
	NoReason Reason = iota
	ThresholdReached
	QuotaHoldingTime
	FinalReport
	QuotaExhausted
	ValidityTimeOver
	OtherQuotaType
	RatingConditionChange
	ForcedReauthorisation
	PoolExhausted
	UnusedQuotaTimer
)

// Reasons are a set of reasons to report.
type Reasons uint16

func (set Reasons) with(r Reason) Reasons {
	if r == NoReason {
		return set
	}
	return set | 1<<(r-1)
}

// Has reports whether r is in the set.
func (set Reasons) Has(r Reason) bool { return r != NoReason && set&(1<<(r-1)) != 0 }

// Conditions are the rating inputs of a call, message or data session, as the network sent them.
type Conditions struct {
	Direction     rating.Direction
	RoleGiven     bool   // Role-Of-Node was there; else the direction is found from the numbers
	Calling       string // Calling-Party-Address, SIP or tel URI or digits
	Called        string // Called-Party-Address
	Dialled       string // Requested-Party-Address, when it differs from Called
	Recipients    []string
	Network       string    // serving PLMN, MCC and MNC digits; empty: home
	ICID          string    // IMS-Charging-Identifier, or Network-Call-Reference-Number and MSC-Address
	APN           string    // Called-Station-Id
	CallStart     time.Time // SIP-Request-Timestamp or Start-Time
	Answered      time.Time // SIP-Response-Timestamp or Start-of-Charging
	CauseCode     *int32    // Cause-Code or ISUP-Cause-Value
	DeliverReport bool      // SM-Message-Type DELIVERY_REPORT
	MessageCount  uint32    // Number-Of-Messages-Sent
	ServingNode   string    // E.164 digits of the serving VLR or MSC: where Network is not told, their prefix tells it
	Routes        []string  // Route-Record: the agents that the request came through
}
