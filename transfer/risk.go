package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
)

// A Rule speaks against transfers that look like fraud (6.1). All rules are looked at, in order.
type Rule struct {
	Name   string
	When   Condition
	Kinds  []Kind // empty: every kind
	Action Action
	Shadow bool // it is told and noted, and does nothing: so a rule is tried out
}

// Action is what a rule does.
type Action string

// The actions.
const (
	Alert     Action = "alert"     // note it
	Challenge Action = "challenge" // want the PIN, whatever the channel wants
	Hold      Action = "hold"      // let a person of the operator decide
	Deny      Action = "deny"      // refuse
)

// An Approval wants other persons of the operator to say yes before a big act is done. Who asked for it is none of them.
type Approval struct {
	Operation   Operation    // OpSend, which a prepared transfer and the answer to a request are too, or OpReverse
	Kinds       []Kind       // empty: every kind
	Above       rating.Units // acts of more
	Checkers    int
	AfterWindow int // of a claim whose window has closed; 0: as before
}

// look returns what the rules that may fit r want to know.
func (p *Policy) look(r Request) (l Look) {
	for _, rule := range p.Rules {
		if !fits(rule.Kinds, r.Kind) {
			continue
		}
		rule.When.root.each(func(f fact) {
			switch f.name {
			case returnFact:
				l.Returns = max(l.Returns, f.within)
			case holdFact:
				l.Past = max(l.Past, day)
			default:
				l.Past = max(l.Past, f.within)
			}
		})
	}
	return l
}

// Look returns what a decision about r must know of the past.
func (p *Policy) Look(s State, r Request) Look {
	switch r.Operation {
	case OpQuote, OpSend, OpPrepare, OpAccept:
		return p.look(r.completed(s))
	case OpConfirm, OpCancel, OpReverse, OpReverseAccept, OpReverseRefuse, OpEnquire, OpAllowance, OpSolicit, OpDecline, OpLapse:
	}
	return Look{}
}

// risks judges by the rules.
func (d *decision) risks() {
	for _, rule := range d.policy.Rules {
		if !fits(rule.Kinds, d.request.Kind) {
			continue
		}
		f := facts{decision: d}
		applies := rule.When.root.holds(&f)
		d.risk(rule, applies, strings.Join(f.told, ", "))
	}
}

// risk does what a rule says when it applies.
func (d *decision) risk(rule Rule, applies bool, have string) {
	name, want := "rule "+rule.Name, "not "+rule.When.String()
	switch {
	case !applies:
		d.check(name, true, None, have, want)
		return
	case rule.Shadow:
		d.check(name, true, None, "applies, and would "+string(rule.Action)+": "+have, want)
		d.alerts = append(d.alerts, "shadow "+rule.Name)
		return
	}
	d.alerts = append(d.alerts, rule.Name)
	switch rule.Action {
	case Alert:
		d.check(name, true, None, "applies, and alerts: "+have, want)
	case Challenge:
		verified := d.request.Credential.Result == Verified || d.request.Operation == OpQuote || d.request.By == ByOperator
		d.check(name, verified, PINNeeded, "applies: "+have, want+", or the PIN")
	case Hold:
		d.heldBy = append(d.heldBy, name+": "+have)
		d.check(name, true, None, "applies, and holds: "+have, want)
	case Deny:
		d.check(name, false, RiskRefused, "applies: "+have, want)
	}
}

// checkers returns how many other persons an act takes.
func (p *Policy) checkers(op Operation, k Kind, n rating.Units, late bool) (most int) {
	for _, a := range p.Approvals {
		if a.Operation != op || !fits(a.Kinds, k) || n <= a.Above {
			continue
		}
		most = max(most, a.Checkers)
		if late {
			most = max(most, a.AfterWindow)
		}
	}
	return most
}

func (r Rule) validate() error {
	var faults []error
	if r.When.root == nil {
		faults = append(faults, errors.New("no condition"))
	}
	if !slices.Contains(Actions(), r.Action) {
		faults = append(faults, fmt.Errorf("action %q is none of %v", r.Action, Actions()))
	}
	return errors.Join(append(faults, validKinds(r.Kinds))...)
}

// Actions returns all actions, the mildest first.
func Actions() []Action { return []Action{Alert, Challenge, Hold, Deny} }

func (a Approval) validate() error {
	var faults []error
	if a.Operation != OpSend && a.Operation != OpReverse {
		faults = append(faults, fmt.Errorf("operation %v is none of send, reverse", a.Operation))
	}
	if a.Above < 0 || a.Above > MaxSeconds {
		faults = append(faults, fmt.Errorf("over %d seconds is out of range", a.Above))
	}
	if a.Checkers < 1 || a.Checkers > maxCheckers || a.AfterWindow < 0 || a.AfterWindow > maxCheckers {
		faults = append(faults, fmt.Errorf("%d and %d checkers; it takes 1 to %d", a.Checkers, a.AfterWindow, maxCheckers))
	}
	if a.AfterWindow != 0 && (a.Operation != OpReverse || a.AfterWindow < a.Checkers) {
		faults = append(faults, errors.New("after the window is for reversals, and takes no fewer"))
	}
	return errors.Join(append(faults, validKinds(a.Kinds))...)
}

// maxCheckers is more than an operator would find at night.
const maxCheckers = 9
