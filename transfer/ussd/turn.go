package ussd

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Turn is what comes of an input: a screen, or something to be done first.
type Turn struct {
	Session Session
	Screen  string // empty when Want is there
	End     bool   // the screen is the last
	Want    *Want
}

// A Want is what the dialogue needs of the shell. It may hold a PIN: it is not to be stored or logged.
type Want struct {
	Do       Doing
	Number   string           // of the counterparty as typed: a telephone number, or a short code
	Request  transfer.Request // of Decide: its content and reference; the shell adds parties, credential and draws
	PIN      string
	NewPIN   string
	Yes      bool   // of Answer
	Original string // of Answer: the request or claim
}

// Doing is what is to be done.
type Doing string

// What a dialogue can want done. Every one of them is resumed with a [Result].
const (
	Recipient Doing = "recipient"  // look up Number, and what the sender may send: the answer of OpAllowance, or a refusal
	Decide    Doing = "decide"     // decide Request
	Recent    Doing = "recent"     // the last five transfers
	Answer    Doing = "answer"     // say Yes or no to Original, whatever it waits for
	ChangePIN Doing = "change-pin" // from PIN to NewPIN
	Block     Doing = "block"      // Number may not send, nor ask
	Unblock   Doing = "unblock"
)

// A Result is what came of a [Want].
type Result struct {
	Answer transfer.Answer
	Name   string // of the counterparty, masked, with the last four digits
	Recent []Line
	Code   string // to be shown to the trader, of a cash-out
}

// A Line is one of the last transfers.
type Line struct {
	Reference transfer.Reference
	Sent      bool // else received
	Seconds   rating.Units
	Tail      string // last digits of the other number
	At        time.Time
	Status    transfer.Status
}
