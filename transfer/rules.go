package transfer

import (
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// KindRules are the rules of one kind of transfer. A kind that is not there is switched off, and cannot be reversed either.
type KindRules struct {
	Off              bool         // no new ones; what is done can still be reversed
	Least, Most      rating.Units // of one transfer
	Step             rating.Units // 60: whole minutes
	MinRemaining     rating.Units // of what may be sent must remain
	ReceiverCap      rating.Units // the receiver may have at most, after; 0: not bounded
	Bearer           Bearer       // where the request names none
	ReceiverConsents bool         // the receiver must accept first
	Reversal         ReversalRules
}

// ReversalRules tell how a completed transfer may be undone.
type ReversalRules struct {
	Way          ReversalWay
	Window       time.Duration // after completion, for a claim of the sender
	Decide       time.Duration // after it, a claim that nobody decided lapses
	FeeRefunded  bool
	Persons      int // of the operator, to decide against the receiver's will; the one who filed it is one of them
	PersonsAfter int // likewise, when the window has closed
	Claims       int // that the sender may make for one transfer
}

// ReversalWay is who may start a reversal.
type ReversalWay string

// The ways. A way includes the ones before it.
const (
	NoReversal ReversalWay = "none"
	Refund     ReversalWay = "refund" // by who received: a shop gives back
	Claim      ReversalWay = "claim"  // by the sender and by the operator too
)

// ChannelRules are the rules of one channel. A channel that is not there is switched off.
type ChannelRules struct {
	Step        ConfirmStep
	StepAbove   rating.Units // up to so many seconds no step is needed
	Interactive bool         // a person is at the other end, who can be asked again
}

// ConfirmStep is what a person does to confirm.
type ConfirmStep string

// The steps.
const (
	NoStep   ConfirmStep = "none"
	YesNo    ConfirmStep = "yes-no"
	PIN      ConfirmStep = "pin"
	PINAndID ConfirmStep = "pin-and-id" // and papers, shown to an agent
)

// ClassRules are the rules of one class of lots.
type ClassRules struct {
	Movable bool
	Kinds   []Kind          // that it may be moved by; empty: every kind
	MaxHops int             // how often it may be moved; 0: not bounded
	Becomes map[Kind]string // the class that the receiver gets; else the same
}

// Eligibility tells who may take part. It does not bind parties in their role, and not transfers to or from floats.
type Eligibility struct {
	SenderAge, ReceiverAge time.Duration // on net, at least
	RechargeWithin         time.Duration // the sender's last; 0: does not matter
	Roaming                bool          // a sender abroad may send
	PostpaidSends          bool
	PostpaidReceives       bool
	RepayFirst             bool         // who owes lent minutes may not send
	Families               []FamilyPair // empty: any plan to any plan
}

// A FamilyPair allows transfers from one plan family to another.
type FamilyPair struct{ From, To string }

// Cooling forbids sending for a while after a change that a thief would make. Calls are not touched.
type Cooling struct {
	SIM, Port, PIN, Device time.Duration // after each; 0: none
}

// SolicitRules are the rules of asking for minutes. How often is a [Limit] of scope asker.
type SolicitRules struct {
	Enabled  bool
	Life     time.Duration
	OnlyLess rating.Units // only who has less may ask; 0: everybody
	Quiet    Quiet        // when nobody is asked
}

// PINRules are kept by the shell, which checks PINs. They are part of the policy so that one version holds all.
type PINRules struct {
	Digits     int
	Tries      int
	Lock       time.Duration
	LockGrowth int // each lock is so many times as long as the one before
	Resets     int // in ResetEvery
	ResetEvery time.Duration
}

func (k KindRules) validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(k.Step < 1, "step %d is less than 1", k.Step)
	fault(k.Least < 1 || k.Most < k.Least || k.Most > MaxSeconds, "%d to %d is no range of 1 to %d", k.Least, k.Most, MaxSeconds)
	fault(k.Step > 0 && k.Most/k.Step*k.Step < k.Least, "no multiple of %d lies in %d to %d", k.Step, k.Least, k.Most)
	fault(k.MinRemaining < 0 || k.MinRemaining > MaxSeconds || k.ReceiverCap < 0, "minimum %d or cap %d is out of range", k.MinRemaining, k.ReceiverCap)
	fault(k.Bearer != Originator && k.Bearer != Receiver, "bearer %q is none of originator, receiver", k.Bearer)
	r := k.Reversal
	switch r.Way {
	case NoReversal, Refund:
	case Claim:
		fault(r.Window < 0 || r.Decide < time.Second || r.Window > maxDays*day || r.Decide > maxDays*day, "claims: window %v or time to decide %v is out of range", r.Window, r.Decide)
		fault(r.Persons < 2 || r.PersonsAfter < r.Persons, "claims: %d and %d persons; it takes 2 at least, and no fewer after the window", r.Persons, r.PersonsAfter)
		fault(r.Claims < 1, "claims: %d for each transfer", r.Claims)
	default:
		fault(true, "reversal %q is none of none, refund, claim", r.Way)
	}
	return errors.Join(faults...)
}

func (c ChannelRules) validate() error {
	switch c.Step {
	case NoStep, YesNo, PIN, PINAndID:
	default:
		return fmt.Errorf("step %q is none of none, yes-no, pin, pin-and-id", c.Step)
	}
	if c.StepAbove < 0 {
		return fmt.Errorf("step above %d", c.StepAbove)
	}
	return nil
}

func (c ClassRules) validate(mode ExpiryMode) error {
	var faults []error
	if c.MaxHops < 0 {
		faults = append(faults, fmt.Errorf("%d hops", c.MaxHops))
	}
	if c.Movable && mode == Extend && c.MaxHops != 1 { // else A to B to A makes minutes immortal (5.2)
		faults = append(faults, fmt.Errorf("expiry %s needs a hop limit of 1, here %d", mode, c.MaxHops))
	}
	for k, class := range c.Becomes {
		faults = append(faults, validKinds([]Kind{k}))
		if class == "" {
			faults = append(faults, fmt.Errorf("becomes no class by %s", k))
		}
	}
	return errors.Join(append(faults, validKinds(c.Kinds))...)
}

func (e Eligibility) validate() error {
	if min(e.SenderAge, e.ReceiverAge, e.RechargeWithin) < 0 {
		return errors.New("a time is negative")
	}
	return nil
}

func (p PINRules) validate() error {
	if p.Digits < 4 || p.Digits > 8 || p.Tries < 1 || p.Lock < time.Second || p.LockGrowth < 1 {
		return fmt.Errorf("%d digits (4 to 8), %d tries, lock of %v growing by %d: out of range", p.Digits, p.Tries, p.Lock, p.LockGrowth)
	}
	if p.Resets < 0 || p.ResetEvery < 0 {
		return errors.New("a reset quota is negative")
	}
	return nil
}
