package ocs

import "time"

// An Account is all that a decision about one request looks at.
type Account struct {
	Subscriber Subscriber
	Buckets    []Bucket
	Session    *Session // the one that the request names; nil: not known
	Refunded   *Session // the debit that Request.RefundOf names; nil: not known
}

// An Outcome is what a decision came to: the answer, and every row as it must be before the answer may leave.
// What is not named stays as it was.
type Outcome struct {
	Answer   Answer
	Sessions []Session // to be stored as they are here
	Buckets  []Bucket
	Events   []RatedEvent
	Records  []Record
	Postings []Posting
}

// How long a session is remembered after its end.
const (
	lateFor      = 48 * time.Hour   // usage reported after the end is still debited, a debit can be refunded
	refusedFor   = 10 * time.Minute // a refused request gets its first answer again; never below 4 minutes (spec/gy 3.6)
	lateUpdateOK = time.Minute      // an update that a termination overtook is answered as if it had come in time
)

// maxReport is the largest usage that one report is taken for, in any unit. More than nine petabytes in one report are a
// fault of the client, and a bound keeps every sum far from overflow.
const maxReport = 1 << 53
