package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// An Answer is what the client is told. The same request is given the same Answer for ever.
type Answer struct {
	Refusal    Refusal // None: it was done, or waits
	Status     Status  // of the transfer; empty where there is none
	RetryAfter time.Duration

	Reference Reference // of the transfer, also of a refused one
	QuoteID   string
	Original  Reference // of a reversal
	Kind      Kind
	Seconds   rating.Units // moved or held, or what would be
	Fee       rating.Units
	Bearer    Bearer
	ValidTo   time.Time    // of the quote, the hold or the claim
	Lots      []LotLine    // as the receiver gets them
	Name      string       // of the counterparty, masked
	TriesLeft int          // of the PIN or the pay-out code
	Short     rating.Units // of a reversal: what is already spent

	Left  rating.Units // free at the sender after it, of any class; told to nobody else
	Purse *Purse       // the sender's after it, of a quote and a refusal before it; told to nobody else
	May   rating.Units // OpAllowance: the most that may be sent in one transfer now
}

// A LotLine is a part of what was moved that dies as one.
type LotLine struct {
	Seconds   rating.Units
	ExpiresAt time.Time // zero: never
	Class     string
}

// A Purse tells a sender what there is: Total = Movable + InUse + the sum of Kept.
type Purse struct {
	Total   rating.Units // in lots that count
	Movable rating.Units // that may be sent, before fee, minimum and limits
	InUse   rating.Units // held by calls and by what is pending
	Kept    []Kept       // that may not be sent
}

// Kept is a part of a purse that may not be sent.
type Kept struct {
	Class  string
	Reason KeptReason
	Units  rating.Units
}

// KeptReason tells why.
type KeptReason string

// The reasons.
const (
	ByClass  KeptReason = "class"  // minutes of this class are not for sending
	ByHops   KeptReason = "hops"   // moved often enough
	ByExpiry KeptReason = "expiry" // too near to its end
)

// A Quote is a price that stands until it expires, for one transfer.
type Quote struct {
	ID        string
	Sender    ocs.SubscriberID
	Receiver  ocs.SubscriberID
	Kind      Kind
	Channel   Channel
	Seconds   rating.Units
	Fee       rating.Units
	Bearer    Bearer
	ExpiresAt time.Time
	UsedBy    Reference // empty: not used
	Counted   []Counter // what its use adds: a free transfer that it promised
	Policy    string
}

// Remembered is a request that was answered.
type Remembered struct {
	Caller      string
	Subscriber  ocs.SubscriberID // who acted; for the operator and the sweep, the sender
	Reference   string           // the client's
	Fingerprint string
	Answer      Answer
	At          time.Time
}
