package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Request asks for one operation. Its form was found right at the door; only its meaning is still to be judged.
type Request struct {
	Operation    Operation
	Kind         Kind
	Channel      Channel
	By           Actor
	Person       string // the operator's name for the person, ByOperator only
	Caller       string // the client that sent it: a realm, an API key's name
	Reference    string // the client's, 1 to 64 visible ASCII; empty only where [Operation.ReadsOnly] or the sweep asks
	Counterparty string // as the door normalised it: tel:E164, merchant:code, agent:code
	Original     string // reference of the stored transfer it acts on

	Seconds rating.Units // 0 in a reversal: all that is left
	Bearer  Bearer       // empty: as the policy says
	MaxFee  *rating.Units
	QuoteID string
	Note    string // note or bill reference, at most [MaxNote] characters

	Credential Credential
	Payout     Credential // the pay-out code, in the confirmation of a cash-out
	PayoutHash string     // of the pay-out code, when a cash-out is prepared
	Confirmed  bool       // a person said yes to what would happen
	Again      bool       // a person said yes to a second transfer that looks like a copy
	ValidFor   time.Duration
	AtFault    bool // the operator erred: the fee goes back whatever the policy says. ByOperator only

	Number      uint64              // drawn at random; makes the reference of a new transfer or quote
	NewBucketID func() ocs.BucketID // draws ids of new lots
}

// The bounds of what a request may name.
const (
	MaxReference = 64
	MaxNote      = 64
)

// Credential is what came of checking a secret, which the core never sees.
type Credential struct {
	Result            CredentialResult
	TriesLeft         int       // after a wrong one
	LockedUntil       time.Time // when locked; zero: until unlocked
	IdentityDocuments bool      // an agent has seen the person's papers
}

// CredentialResult is what came of it.
type CredentialResult string

// The results. The zero value means that none was given.
const (
	NoCredential CredentialResult = ""
	Verified     CredentialResult = "verified"
	Wrong        CredentialResult = "wrong"
	Locked       CredentialResult = "locked"
	MustChange   CredentialResult = "must change" // a default PIN opens nothing
)
