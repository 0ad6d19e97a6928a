package outbox

import (
	"context"
	"time"
)

// A Message is one thing to be sent to one receiver.
type Message struct {
	ID        string // a UUID; the same at every try
	Kind      Kind
	To        string // of a text: the MSISDN, E.164 digits; of an event: the address to POST to
	Body      string // of a text: its words; of an event: JSON
	Secret    string // of an event: signs it; empty: the one of all
	Reference string // of the transfer that it tells of; for people who look into the table
	CreatedAt time.Time
	Tries     int // that were made, this one too
}

// Kind is the kind of a message.
type Kind string

// The kinds of message.
const (
	Text  Kind = "text"
	Event Kind = "event"
)

// A Store is the outbox of a database. Several servers use it at once.
type Store interface {
	// OutboxClaim takes up to limit messages of a kind that are due at now, those first that are due longest, counts a try of
	// each, and has nobody else take them before until. It is durable when it returns. Rows that another server claims at this
	// moment are passed over (SKIP LOCKED).
	OutboxClaim(ctx context.Context, kind Kind, now, until time.Time, limit int) ([]Message, error)

	// OutboxDone stores what came of claimed messages. A result of another try than the last is passed over: its server was
	// slow, and the message is in other hands. That it was [Sent] is stored all the same.
	OutboxDone(ctx context.Context, results []Result) error
}

// A Result is what came of a try.
type Result struct {
	ID      string
	Tries   int // of the message: which try it is
	State   State
	At      time.Time
	NextAt  time.Time // when to try again; of [Waiting] only
	Problem string    // from a closed set, without anything of the message; empty: none
}

// State is where a message is in its life.
type State string

// The states of a message.
const (
	Waiting State = "waiting" // to be sent, or again
	Sent    State = "sent"
	Failed  State = "failed" // given up
)
