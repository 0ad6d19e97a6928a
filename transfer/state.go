package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A State is all that a decision looks at. The caller has locked both parties.
type State struct {
	// Sender loses minutes and Receiver gets them, whoever asks. For a request that acts on a stored transfer they are
	// the sender and the receiver of that one, and for one that acts on a claim those of the claim: its sender is who
	// holds the minutes now.
	Sender, Receiver Party

	Existing *Remembered // of the same caller, acting subscriber and reference; nil: the reference is new
	Original *Transfer   // that [Request.Original] names; nil: there is none. With its lots ([Transfer.Lots]) in the parties
	Claimed  *Transfer   // that Original, a claim, wants reversed. With its lots too
	Quote    *Quote      // that [Request.QuoteID] names

	LastSame time.Time // when the sender last sent the same seconds to the receiver; zero: not lately
	Past     []Past    // of the sender, as far back as [Policy.Look] wants, in any order
	Returns  []Return  // likewise, of the roots of the sender's lots
	Risk     string    // the rule of a risk engine that speaks against it; empty: none
}

// An Outcome is what a decision came to: the answer, and every row as it must be before the answer may leave. What is
// not named stays as it was.
type Outcome struct {
	Answer     Answer
	Repeated   bool         // the answer is that of an earlier request; there is nothing to store
	Transfers  []Transfer   // to be stored as they are here
	Quote      *Quote       // likewise
	Remembered *Remembered  // to be stored under the request's reference; nil: nothing to remember
	Buckets    []ocs.Bucket // that changed
	NewBuckets []ocs.Bucket // of the receiver
	Postings   []ocs.Posting
	Counters   []Counter // to be added to what is stored, also below zero
	Checks     []Check   // every rule that was looked at, in order
	Texts      []Text    // receipts, for the outbox
	Alerts     []string  // the risk rules that applied, for the audit; "shadow NAME" of those that are tried out
}
