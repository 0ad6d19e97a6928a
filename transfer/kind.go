package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// MaxSeconds bounds every quantity that a request may name, far above what anyone owns and far below what a sum or a
// percentage could overflow.
const MaxSeconds rating.Units = 1 << 40

// day is how long a day of an expiry rule is. Such days are counted, not read from a calendar, so that no change of
// clocks lengthens or shortens them.
const day = 24 * time.Hour

// Kind is the kind of a transfer.
type Kind string

// The kinds of transfer.
const (
	P2P      Kind = "p2p"
	Merchant Kind = "merchant" // to a shop, with its bill reference
	CashOut  Kind = "cashout"  // to a trader, who pays cash
	Agent    Kind = "agent"    // from a vendor's float to a subscriber
	Float    Kind = "float"    // from one vendor's float to another's
	Gift     Kind = "gift"
)

// Kinds returns all kinds. The index of one is its number in Diameter (parameter 2 of section 4.2).
func Kinds() []Kind { return []Kind{P2P, Merchant, CashOut, Agent, Float, Gift} }

// Operation is what a request asks for, with the values of the wire (4.1).
type Operation uint8

// The operations. Lapse is not on the wire: the sweep makes it when a pending transfer is due.
const (
	OpQuote Operation = iota
	OpSend
	OpPrepare
	OpConfirm
	OpCancel
	OpReverse
	OpReverseAccept
	OpReverseRefuse
	OpEnquire
	OpAllowance
	OpSolicit
	OpAccept
	OpDecline
	OpLapse Operation = 255
)

var operationNames = map[Operation]string{
	OpQuote: "quote", OpSend: "send", OpPrepare: "prepare", OpConfirm: "confirm", OpCancel: "cancel",
	OpReverse: "reverse", OpReverseAccept: "reverse-accept", OpReverseRefuse: "reverse-refuse", OpEnquire: "enquire",
	OpAllowance: "allowance", OpSolicit: "solicit", OpAccept: "accept", OpDecline: "decline", OpLapse: "lapse",
}

// String returns the name of o, or "unknown".
func (o Operation) String() string {
	if name, ok := operationNames[o]; ok {
		return name
	}
	return "unknown"
}

// ReadsOnly reports whether o changes nothing that a repeat could change twice. It needs no reference of its client.
func (o Operation) ReadsOnly() bool { return o == OpQuote || o == OpEnquire || o == OpAllowance }

// OnStored reports whether o acts on a transfer that is stored already: [State.Original].
func (o Operation) OnStored() bool {
	switch o {
	case OpConfirm, OpCancel, OpReverse, OpReverseAccept, OpReverseRefuse, OpEnquire, OpAccept, OpDecline, OpLapse:
		return true
	case OpQuote, OpSend, OpPrepare, OpAllowance, OpSolicit:
	}
	return false
}

// Channel is the door that a request came by.
type Channel string

// The channels.
const (
	USSD      Channel = "ussd"
	SMS       Channel = "sms"
	IVR       Channel = "ivr"
	App       Channel = "app"
	AgentDesk Channel = "agent"
	API       Channel = "api"
)

// Channels returns all channels.
func Channels() []Channel { return []Channel{USSD, SMS, IVR, App, AgentDesk, API} }

// Bearer tells who bears the fee.
type Bearer string

// The bearers (costOwner of TMF654).
const (
	Originator Bearer = "originator" // pays the fee on top
	Receiver   Bearer = "receiver"   // receives less
)

// Actor tells who makes a request.
type Actor string

// The actors. Sender and receiver are those of the minutes, also where the receiver asks for them.
const (
	BySender   Actor = "sender"
	ByReceiver Actor = "receiver"
	ByOperator Actor = "operator" // a person, named in [Request.Person]
	BySystem   Actor = "system"   // the sweep
)
