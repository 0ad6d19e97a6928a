package ocs

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// An Answer is what the client is told. The same request is given the same Answer for ever (§8.2).
type Answer struct {
	Verdict         Verdict // of the whole request
	Fault           Fault   // the input that is to blame, told in Failed-AVP
	Services        []ServiceAnswer
	CommandLevel    bool // the one element of Services belongs at command level
	LowBalance      bool // Low-Balance-Indication (TS 32.299 §7.2.97)
	BalanceCovers   *bool
	Cost            *Cost
	Balance         *Cost  // Remaining-Balance, of money (TS 32.299 §7.2.172)
	FailureHandling *uint8 // Credit-Control-Failure-Handling (§8.14)
	Failover        bool   // CC-Session-Failover SUPPORTED (§8.4)
	Notes           Notes  // for the statistics of the client; a copy has its own
	Refund          string // Refund-Information: names this debit in a later refund; empty: none
}

// Notes tell what was odd about a request, as bits.
type Notes uint8

// What can be odd.
const (
	Repeated   Notes = 1 << iota // a copy of one that was answered before
	OutOfOrder                   // a later one came before
	LateUsage                    // usage of a session that was over
)

// A ServiceAnswer answers one [ServiceRequest].
type ServiceAnswer struct {
	RatingGroup *uint32
	ServiceIDs  []uint32
	Verdict     Verdict
	Fault       Fault
	Measure     rating.Unit   // what Granted counts
	Granted     rating.Units  // Granted-Service-Unit; 0: the AVP is left out
	Validity    time.Duration // Validity-Time, whole seconds; 0: the AVP is left out
	Threshold   rating.Units  // Time-, Volume- or Unit-Quota-Threshold; 0: left out
	Final       bool          // Final-Unit-Indication (§8.34)
	FinalUnits  *FinalUnits   // its action; nil: TERMINATE
	Extras      *Extras       // nil: none

	// TariffChange is when another tariff begins, and Granted may be used on both sides of it: Tariff-Time-Change (§8.20).
	// The client reports what was used before and after (Tariff-Change-Usage). Zero: no change while the grant holds.
	TariffChange time.Time
}

// Cost is a Cost-Information (§8.7).
type Cost struct {
	Units    rating.Units
	Unit     rating.Unit // of the buckets, or a currency
	Exponent int32       // of ten: -2 for a currency with cents
}

// Verdict is what a decision came to. Each is one Result-Code, which only package diameter knows.
type Verdict uint8

// The verdicts.
const (
	Granted            Verdict = 1 + iota // done, 2001
	CreditLimitReached                    // the balance does not cover it, 4012
	ServiceDenied                         // subscriber blocked, destination barred, 4010
	NotApplicable                         // free of charge, no control needed, 4011
	UnknownSession                        // 5002
	Unauthorised                          // subscriber closed, client not allowed, 5003
	InvalidValue                          // 5004
	ResourcesExceeded                     // 5006
	UnableToComply                        // a second initial request; our own failure, 5012
	UserUnknown                           // 5030
	RatingFailed                          // 5031
	Busy                                  // not done and safe to try elsewhere, 3004 or 3002
)

// Word names a verdict in CDRs and in the API, whose readers compare it; empty: a newer version made it.
func (v Verdict) Word() string {
	switch v {
	case Granted:
		return "granted"
	case CreditLimitReached:
		return "credit limit reached"
	case ServiceDenied:
		return "service denied"
	case NotApplicable:
		return "not applicable"
	case UnknownSession:
		return "unknown session"
	case Unauthorised:
		return "unauthorised"
	case InvalidValue:
		return "invalid value"
	case ResourcesExceeded:
		return "resources exceeded"
	case UnableToComply:
		return "unable to comply"
	case UserUnknown:
		return "user unknown"
	case RatingFailed:
		return "rating failed"
	case Busy:
		return "busy"
	}
	return ""
}

// Fault is the part of a request that a refusal blames.
type Fault uint8

// The faults. Each becomes a Failed-AVP.
const (
	NoFault          Fault = iota
	FaultContext           // Service-Context-Id
	FaultRatingGroup       // Rating-Group, or Service-Identifier where there is no Rating-Group
	FaultUnits             // Requested-Service-Unit
	FaultCalledParty       // Called-Party-Address
	FaultRefund            // Refund-Information
)
