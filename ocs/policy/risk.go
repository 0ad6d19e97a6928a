package policy

import (
	"fmt"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/transfer"
)

// The keys of risk rules and approvals, as policy.schema.json has them.
var (
	ruleKeys     = []string{"id", "when", "kind", "kinds", "action", "mode"}
	approvalKeys = []string{"operation", "kind", "kinds", "over_seconds", "checkers", "after_window"}
)

// The modes of a rule.
const (
	active = "active"
	shadow = "shadow"
)

func (v value) riskRules() (rules []transfer.Rule) {
	names := names{}
	for _, item := range v.items() {
		before := v.Reader().Faults()
		r, ok := item.riskRule()
		if !ok {
			continue
		}
		item.checked(before, func(p *transfer.Policy) { p.Rules = []transfer.Rule{r} })
		names.take(before, fmt.Sprintf("rule %q", r.Name), item)
		rules = append(rules, r)
	}
	return rules
}

func (v value) riskRule() (r transfer.Rule, ok bool) {
	fields, ok := v.fields(ruleKeys...)
	if !ok {
		return r, false
	}
	for _, key := range []string{"id", "when", "action"} {
		if _, there := fields[key]; !there {
			v.Faultf("no %s", key)
			ok = false
		}
	}
	read := reader(fields)
	read("id", func(f value) { r.Name = f.name() })
	r.Kinds = kindsOf(fields)
	read("when", func(f value) { r.When = f.condition() })
	read("action", func(f value) { r.Action = one(f, transfer.Actions()...) })
	read("mode", func(f value) { r.Shadow = one(f, active, shadow) == shadow })
	return r, ok
}

// maxCondition is the length of the longest condition.
const maxCondition = 500

func (v value) condition() (c transfer.Condition) {
	text, ok := v.Text()
	switch {
	case !ok:
	case len(text) > maxCondition:
		v.Faultf("longer than %d octets", maxCondition)
	default:
		var err error
		if c, err = transfer.ParseCondition(text); err != nil {
			v.Faultf("%s", err)
		}
	}
	return c
}

// operations are the acts that may need other persons, as they are written. Those on balances and on the policy itself are
// no part of a transfer: the care API keeps them.
var operations = map[string]transfer.Operation{"send": transfer.OpSend, "reverse": transfer.OpReverse}

func (v value) approvals() (approvals []transfer.Approval) {
	for _, item := range v.items() {
		before := v.Reader().Faults()
		a, ok := item.approval()
		if !ok {
			continue
		}
		item.checked(before, func(p *transfer.Policy) { p.Approvals = []transfer.Approval{a} })
		approvals = append(approvals, a)
	}
	return approvals
}

func (v value) approval() (a transfer.Approval, ok bool) {
	fields, ok := v.fields(approvalKeys...)
	if !ok {
		return a, false
	}
	for _, key := range []string{"operation", "checkers"} {
		if _, there := fields[key]; !there {
			v.Faultf("no %s", key)
			ok = false
		}
	}
	read := reader(fields)
	read("operation", func(f value) {
		text, isText := f.Text()
		op, known := operations[text]
		if isText && !known {
			f.Faultf("%q is none of send, reverse; a second person for other acts is the care API's to ask for", yamltext.Clip(text))
		}
		a.Operation = op
	})
	a.Kinds = kindsOf(fields)
	read("over_seconds", func(f value) { a.Above = f.quantity() })
	read("checkers", func(f value) { a.Checkers = int(f.Whole(1, maxCheckers)) })
	read("after_window", func(f value) { a.AfterWindow = int(f.Whole(1, maxCheckers)) })
	return a, ok
}

// maxCheckers bounds how many persons must agree.
const maxCheckers = 9
