package transfer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// A Policy is what the operator decided about transfers, as one value: a decision sees one version of it, whole.
type Policy struct {
	Version  string
	Zone     *time.Location // of dates in texts; nil: UTC
	Stop     *Stop          // the kill switch; nil: transfers go on
	Kinds    map[Kind]KindRules
	Channels map[Channel]ChannelRules
	Classes  map[string]ClassRules // by class of lot; one that is not named is not for sending

	Limits      []Limit
	Fees        []FeeRule
	Commissions []CommissionRule
	Expiry      ExpiryRule
	Rules       []Rule
	Approvals   []Approval
	// BeforeExpiry is how long before its end a lot is no longer for sending.
	BeforeExpiry time.Duration

	Eligibility Eligibility
	Cooling     Cooling
	Solicit     SolicitRules
	PIN         PINRules

	QuoteLife   time.Duration
	HoldLife    time.Duration // of a prepared transfer whose client names no time, and the longest one may name
	ConsentLife time.Duration // how long the receiver may think
	PayoutLife  time.Duration // of a cash-out
	ReviewLife  time.Duration // how long the operator's persons may take to decide about what was held
	PayoutTries int           // wrong pay-out codes until the minutes go back
	RepeatAfter time.Duration // the same to the same within it looks like a copy; 0: never
}

// Stop is the kill switch. It stops what moves or holds minutes. Balances stay spendable in calls, what is pending can be
// cancelled and lapses, and the operator may decide claims.
type Stop struct {
	Reason string
	Since  time.Time
}

// Counters returns the counters that a decision about r must see. Of the parties in s only their ids are looked at.
func (p *Policy) Counters(s State, r Request, now time.Time) (ranges []CounterRange) {
	switch r.Operation {
	case OpQuote, OpSend, OpPrepare, OpSolicit, OpAccept, OpAllowance:
	case OpConfirm, OpCancel, OpReverse, OpReverseAccept, OpReverseRefuse, OpEnquire, OpDecline, OpLapse:
		return nil
	}
	r = r.completed(s)
	for _, l := range p.Limits {
		if l.applies(r) {
			ranges = append(ranges, l.counters(s, now))
		}
	}
	if f, ok := p.feeRule(r); ok && f.Free > 0 {
		ranges = append(ranges, f.freeRange(s, now))
	}
	return ranges
}

// Validate returns everything that is wrong with p, joined.
func (p *Policy) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	in := func(err error, format string, args ...any) {
		if err != nil {
			faults = append(faults, fmt.Errorf(format+": %w", append(args, err)...))
		}
	}
	fault(p.Version == "", "no version")
	fault(len(p.Kinds) == 0, "no kind of transfer")
	fault(len(p.Channels) == 0, "no channel")
	fault(len(p.Classes) == 0, "no class of lots")
	fault(len(p.Fees) == 0, "no fee rule: a transfer without one is refused; a free one has a rule that says so")
	for _, k := range slices.Sorted(maps.Keys(p.Kinds)) {
		in(errors.Join(validKinds([]Kind{k}), p.Kinds[k].validate()), "kind %s", k)
	}
	for _, c := range slices.Sorted(maps.Keys(p.Channels)) {
		in(errors.Join(validChannels([]Channel{c}), p.Channels[c].validate()), "channel %s", c)
	}
	for _, c := range slices.Sorted(maps.Keys(p.Classes)) {
		in(p.Classes[c].validate(p.Expiry.Mode), "class %q", c)
	}
	names := map[string]bool{}
	unique := func(what, name string) {
		fault(names[what+name], "%s %q is there twice", what, name)
		names[what+name] = true
	}
	for i, l := range p.Limits {
		in(l.validate(), "limit %d %q", i, l.Name)
		unique("limit", l.row())
	}
	for i, f := range p.Fees {
		in(f.validate(), "fee rule %d %q", i, f.Name)
		unique("fee rule", f.Name)
	}
	for i, c := range p.Commissions {
		in(c.validate(), "commission rule %d %q", i, c.Name)
		unique("commission rule", c.Name)
	}
	for i, r := range p.Rules {
		in(r.validate(), "risk rule %d %q", i, r.Name)
		unique("risk rule", r.Name)
	}
	for i, a := range p.Approvals {
		in(a.validate(), "approval %d", i)
	}
	in(p.Expiry.validate(), "expiry")
	for _, l := range []struct {
		of   string
		life time.Duration
	}{{"quote", p.QuoteLife}, {"hold", p.HoldLife}, {"consent", p.ConsentLife}, {"pay-out", p.PayoutLife}, {"review", p.ReviewLife}} {
		fault(l.life < time.Second || l.life > maxDays*day, "life of a %s is %v, not a second to %d days", l.of, l.life, maxDays)
	}
	fault(p.BeforeExpiry < 0 || p.RepeatAfter < 0, "a time is negative")
	fault(p.PayoutTries < 1, "%d tries of a pay-out code", p.PayoutTries)
	in(p.Eligibility.validate(), "eligibility")
	fault(min(p.Cooling.SIM, p.Cooling.Port, p.Cooling.PIN, p.Cooling.Device) < 0, "a cooling time is negative")
	fault(p.Solicit.Enabled && (p.Solicit.Life < time.Second || p.Solicit.OnlyLess < 0), "solicit: life %v or bound %d is out of range", p.Solicit.Life, p.Solicit.OnlyLess)
	in(p.Solicit.Quiet.validate(), "solicit")
	in(p.PIN.validate(), "PIN")
	return errors.Join(faults...)
}

func validKinds(kinds []Kind) error {
	for _, k := range kinds {
		if !slices.Contains(Kinds(), k) {
			return fmt.Errorf("kind %q is none of %v", k, Kinds())
		}
	}
	return nil
}

func validChannels(channels []Channel) error {
	for _, c := range channels {
		if !slices.Contains(Channels(), c) {
			return fmt.Errorf("channel %q is none of %v", c, Channels())
		}
	}
	return nil
}
