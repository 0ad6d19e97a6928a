package ocs

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Session is one call: the credit-control session of its key, from the initial request until it is forgotten.
// An event is a session that ended as it began. A session that ended holds no reservation.
type Session struct {
	Key        SessionKey
	Subscriber SubscriberID
	State      SessionState
	Cause      EndCause // why it ended; empty while it is open
	Service    string   // name of the service context
	Origin     Origin
	Conditions Conditions // as last told; a quota keeps the tariff that it was granted under
	Quotas     []Quota
	Segments   []RecordLine // what was used under tariffs that no quota has any more, for the CDR
	Memory     Memory
	StartedAt  time.Time
	ReportedAt time.Time    // end of the last report of usage; zero before the first
	EndedAt    time.Time    // zero while it is open
	DueAt      time.Time    // open: when supervision ends it (Tcc, §13); ended: when it may be forgotten
	LowTold    bool         // Low-Balance-Indication was given since the balance was last above the threshold
	Records    int          // CDRs written so far
	Told       []RecordLine // what the partial CDRs of an open session have told, all together
	ToldAt     time.Time    // end of the last partial CDR; zero before the first
	Refunds    []Refund     // of a debit: what was given back of it, one for each quota of which something was
	Refunded   bool         // a debit that was given back whole
}

// A Refund is the part of a debit that was given back.
type Refund struct {
	Quota int          // index in Quotas
	Units rating.Units // of the quota's Used
	Given []Hold       // of its Taken: what Units had cost
}

// SessionState is where in its life a session is.
type SessionState string

// The states of a session.
const (
	Open    SessionState = "open"
	Ended   SessionState = "ended"   // by termination, by a refused update, or as an event
	Expired SessionState = "expired" // by supervision; late usage is still taken
	Refused SessionState = "refused" // never began; kept so that the same request gets the same answer
)

// EndCause tells why a session ended.
type EndCause string

// The causes of an end.
const (
	ByTermination EndCause = "termination"
	ByRefusal     EndCause = "refused update"
	BySupervision EndCause = "supervision"
	ByRestart     EndCause = "client restart"
	ByOperator    EndCause = "operator"
	ByEvent       EndCause = "event"
	ByClient      EndCause = "unknown to its client" // which said so when it was asked to end the session
)

// The causes of a CDR that is not the end of its session.
const (
	ByInterval EndCause = "interval" // the call is long
	ByMonth    EndCause = "month"    // a month of the operator ended
	ByDenial   EndCause = "refused"  // the session never began
)

// A Quota is what one Rating-Group and set of Service-Identifiers of a session used and may still use.
type Quota struct {
	RatingGroup *uint32
	ServiceIDs  []uint32
	Tariff      rating.Tariff // of the grant in force, kept whole: a new catalogue changes no running call
	Plan        string
	Catalog     string        // version of the catalogue that Tariff came from
	Payer       int           // of the stretch, as in [rating.Meter]; so are Used, Carried, Continues and Until
	Used        rating.Units  // reported under Tariff so far
	Carried     rating.Units  // of Used, paid for by the stretch before
	Continues   bool          // usage came before this stretch
	Until       time.Time     // first instant of what may be another tariff; zero: there is none
	Since       time.Time     // when the stretch began; zero: neither the clock nor another payer can end one
	Through     time.Time     // until when usage was reported, likewise
	Charged     rating.Units  // taken from buckets for Used
	Overrun     rating.Units  // of bucket units that Used cost and no bucket could pay
	Taken       []Hold        // Charged, by bucket
	Given       rating.Units  // granted under Tariff so far, grant by grant, used or not
	Reasons     Reasons       // why it was reported on under Tariff
	Network     string        // Conditions.Network when Tariff was found
	Granted     rating.Units  // not yet reported on; 0: no grant is in force
	Validity    time.Duration // Validity-Time that Granted was given with
	Held        []Hold        // reserved for Granted, in the order in which it will be taken
	Final       bool          // Granted is the last
	Restricted  bool          // nothing is left, and the client restricts access until more comes (§5.6)
	AskedBy     uint32        // greatest request number that asked for quota here
	Asked       bool          // AskedBy counts
}

// A RatedEvent is one report of usage with its price. It is written once and never changed.
type RatedEvent struct {
	Subscriber  SubscriberID
	Session     SessionKey
	Type        RequestType
	Number      uint32
	Line        int // which of the request's reports, from 0
	At          time.Time
	Service     string
	RatingGroup *uint32
	Tariff      string
	Plan        string
	Catalog     string
	Measure     rating.Unit
	Used        rating.Units // of Measure, as reported
	Unit        rating.Unit  // of the buckets
	Charged     rating.Units // of Unit: the sum of Taken
	Overrun     rating.Units // of Unit: due and not covered
	Taken       []Hold       // from which buckets
	Late        bool         // reported after the session had ended
}

// A Record is a CDR: what is told of a session when it ends, before that when it is long or a month ends, and again for
// usage that arrives later.
type Record struct {
	Subscriber       SubscriberID
	MSISDN           string
	IMSI             string // empty when not known
	Session          SessionKey
	Number           int // from 1; above 1 the record amends the ones before and counts only what was new
	Cause            EndCause
	Verdict          Verdict // that ended the session; 0: it ended well
	Service          string
	Origin           Origin
	Conditions       Conditions
	OtherParty       string // the number that was rated, completed; empty when unknown
	StartedAt        time.Time
	EndedAt          time.Time
	TerminationCause *uint32
	Lines            []RecordLine
	MissingNumbers   []uint32 // gaps in the request numbers, the first few
}

// A RecordLine is the part of a Record that one quota makes.
type RecordLine struct {
	RatingGroup *uint32
	ServiceIDs  []uint32
	Tariff      string
	Plan        string
	Catalog     string
	Measure     rating.Unit
	Used        rating.Units
	Unit        rating.Unit
	Charged     rating.Units
	Overrun     rating.Units
	Taken       []Hold
	Granted     rating.Units // all grants together
	Reasons     Reasons      // why the client reported
	Network     string       // serving PLMN; empty: home
	From        time.Time    // when the usage began; zero: nothing but its total decided what it cost
}

// A Posting is one leg of a movement that is not a call. The legs of a movement sum to zero.
type Posting struct {
	Movement   string // names the movement: the caller's id, or a UUID
	Leg        int
	Subscriber SubscriberID // in whose slot it lies
	At         time.Time
	Kind       PostingKind
	Account    string   // lot:<bucket>, issue:<offer>, refund:<session>, …
	Bucket     BucketID // of a lot account, else empty
	Unit       rating.Unit
	Units      rating.Units // signed: what Account gains
	Reason     string
}

// PostingKind is the kind of a movement.
type PostingKind string

// The kinds of movement.
const (
	GrantPosting   PostingKind = "grant"
	RefundPosting  PostingKind = "refund"
	AdjustPosting  PostingKind = "adjust"  // a correction, up or down
	ReservePosting PostingKind = "reserve" // what was reserved is spent

	SalePosting     PostingKind = "sale"     // a period of a plan was paid
	RolloverPosting PostingKind = "rollover" // what was left of a period goes on into the next
	ExpiryPosting   PostingKind = "expiry"
)
