package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Transfer is the record of one: sent, prepared, asked for, refused, or the reversal of another. It is kept for good and
// lies with its sender.
type Transfer struct {
	Reference    Reference
	Operation    Operation // how it began: OpSend, OpPrepare, OpSolicit, OpReverse
	Kind         Kind
	Channel      Channel
	Caller       string
	ClientRef    string
	Counterparty string // as it was named
	Sender       ocs.SubscriberID
	Receiver     ocs.SubscriberID // empty when it was refused because there is none

	Seconds rating.Units // asked for; of a claim: what was left to freeze
	Fee     rating.Units
	Bearer  Bearer
	Note    string
	Moves   []Move  // planned and held while pending, done when completed
	Shares  []Share // of the fee, to agents
	Counted []Counter

	Status  Status
	Awaits  Awaits // while pending
	Refusal Refusal
	Checks  []Check // of the decision made last
	Policy  string  // version that it was decided by

	PayoutHash string
	WrongCodes int

	Reverses   Reference // of a reversal
	ReversedBy Reference // the claim or the reversal; empty: none
	Returned   rating.Units
	Claims     int      // that the sender has made
	HeldBy     []string // why it awaits or awaited review
	Maker      string   // who of the operator asked for it; empty: a subscriber
	Persons    []string // who of the operator spoke for a claim, or for what awaits review
	Needed     int      // how many of them it takes

	CreatedAt time.Time
	DueAt     time.Time // while pending: from when on it has lapsed
	EndedAt   time.Time
}

// Status is where in its life a transfer is (parameter 16 of 4.2).
type Status string

// The statuses.
const (
	Pending         Status = "pending"
	Completed       Status = "completed"
	Failed          Status = "failed" // refused; it never moved anything
	Reversed        Status = "reversed"
	ReversalPending Status = "reversal-pending" // completed, and a claim is open
	Cancelled       Status = "cancelled"
	Expired         Status = "expired" // nobody confirmed it in time
)

// Awaits is what a pending transfer waits for.
type Awaits string

// What a transfer can wait for.
const (
	AwaitsConfirm Awaits = "confirm" // of its sender, second phase
	AwaitsPayout  Awaits = "payout"  // the trader, with the code
	AwaitsReceipt Awaits = "receipt" // the receiver's consent
	AwaitsSender  Awaits = "sender"  // who was asked for minutes
	AwaitsConsent Awaits = "consent" // a claim: who holds the minutes, or persons of the operator
	AwaitsReview  Awaits = "review"  // persons of the operator, because of a risk rule or an approval
)

// A Move is a part of one lot of the sender that goes to one lot of the receiver, or to the fee.
type Move struct {
	From      ocs.BucketID
	To        ocs.BucketID // empty while it is planned, and for the fee
	Units     rating.Units
	Fee       bool
	Class     string    // that the units have at the receiver
	ExpiresAt time.Time // that they have there
}

// A Share is what one agent earns of a fee.
type Share struct {
	Agent string // code
	Units rating.Units
}

// moved is what goes to the receiver.
func (t *Transfer) moved() (sum rating.Units) {
	for _, m := range t.Moves {
		if !m.Fee {
			sum += m.Units
		}
	}
	return sum
}

// Holds returns what t holds in the sender's lots. A transfer that is not pending holds nothing.
func (t *Transfer) Holds() (holds []ocs.Hold) {
	if t.Status != Pending {
		return nil
	}
	at := map[ocs.BucketID]int{}
	for _, m := range t.Moves {
		i, seen := at[m.From]
		if !seen {
			i = len(holds)
			at[m.From] = i
			holds = append(holds, ocs.Hold{Bucket: m.From})
		}
		holds[i].Units += m.Units
	}
	return holds
}

// Lots returns every lot that t names. A request that acts on t needs them, also drained ones, in [State].
func (t *Transfer) Lots() (lots []ocs.BucketID) {
	seen := map[ocs.BucketID]bool{"": true}
	for _, m := range t.Moves {
		for _, id := range []ocs.BucketID{m.From, m.To} {
			if !seen[id] {
				seen[id] = true
				lots = append(lots, id)
			}
		}
	}
	return lots
}

// Due reports whether t is pending and can no longer be confirmed.
func (t *Transfer) Due(now time.Time) bool { return t.Status == Pending && !now.Before(t.DueAt) }

// lots returns what the receiver got or would get, one line for each lot.
func (t *Transfer) lots() (lines []LotLine) {
	for _, m := range t.Moves {
		if !m.Fee {
			lines = append(lines, LotLine{Seconds: m.Units, ExpiresAt: m.ExpiresAt, Class: m.Class})
		}
	}
	return lines
}
