package policy

import (
	"errors"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // so that a zone means the same wherever the server runs

	"go.yaml.in/yaml/v3"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/transfer"
)

// The keys of a policy, as policy.schema.json has them.
var transferKeys = []string{
	"policy_version", "enabled", "stop", "time_zone", "kinds", "channels", "classes", "limits", "fees", "commissions", "expiry",
	"before_expiry", "eligibility", "cooling_off", "requests", "pin", "rules", "approvals", "quote_life", "hold_life",
	"consent_life", "payout_life", "payout_tries", "review_life", "repeat_after",
}

// rules reads a policy. What it does not name is as in the default, but for the lists: those stand for themselves.
func (v value) rules() *transfer.Policy {
	p := transfer.Default()
	p.Version, p.Stop = "", nil
	p.Kinds, p.Channels, p.Classes = nil, nil, nil
	p.Limits, p.Fees, p.Commissions, p.Rules, p.Approvals = nil, nil, nil, nil, nil
	fields, ok := v.fields(transferKeys...)
	if !ok {
		return p
	}
	read := func(key string, into func(value)) {
		if field, ok := fields[key]; ok {
			into(field)
		}
	}
	need := func(key, what string, into func(value)) {
		field, ok := fields[key]
		if !ok {
			v.Faultf("no %s: %s", key, what)
			return
		}
		into(field)
	}
	read("policy_version", func(f value) { p.Version = f.version() })
	read("enabled", func(f value) {
		if !f.Truth() {
			p.Stop = &transfer.Stop{}
		}
	})
	read("stop", func(f value) {
		if p.Stop == nil {
			f.Faultf("transfers are not stopped: add enabled: false, or leave this out")
		}
		if stop := f.stop(); p.Stop != nil {
			p.Stop = stop
		}
	})
	read("time_zone", func(f value) { p.Zone = f.zone() })
	read("expiry", func(f value) { p.Expiry = f.expiry() })
	hops := 0
	read("eligibility", func(f value) { hops = f.eligibility(p) })
	need("kinds", "a kind that is not there is switched off", func(f value) { p.Kinds = f.kinds() })
	need("channels", "a channel that is not there is switched off", func(f value) { p.Channels = f.channels() })
	need("classes", "minutes of a class that is not there are not for sending", func(f value) { p.Classes = f.classes(p.Expiry, hops) })
	read("limits", func(f value) { p.Limits = f.limits() })
	need("fees", "a transfer that no rule fits is refused; a free one has a rule that says so", func(f value) { p.Fees = f.fees() })
	read("commissions", func(f value) { p.Commissions = f.commissions() })
	read("before_expiry", func(f value) { p.BeforeExpiry = f.time() })
	read("cooling_off", func(f value) { f.cooling(&p.Cooling) })
	read("requests", func(f value) { f.solicit(&p.Solicit) })
	read("pin", func(f value) { f.pin(&p.PIN) })
	read("rules", func(f value) { p.Rules = f.riskRules() })
	read("approvals", func(f value) { p.Approvals = f.approvals() })
	for key, life := range map[string]*time.Duration{
		"quote_life": &p.QuoteLife, "hold_life": &p.HoldLife, "consent_life": &p.ConsentLife, "payout_life": &p.PayoutLife,
		"review_life": &p.ReviewLife,
	} {
		read(key, func(f value) {
			before := f.Reader().Faults()
			if *life = f.time(); *life < time.Second && f.Reader().Faults() == before {
				f.Faultf("less than a second")
			}
		})
	}
	read("payout_tries", func(f value) { p.PayoutTries = int(f.Whole(1, 100)) })
	read("repeat_after", func(f value) { p.RepeatAfter = f.time() })
	return p
}

// version reads what the author calls a policy.
func (v value) version() string {
	text, ok := v.Text()
	if ok && (text == "" || len(text) > maxName || strings.Trim(text, letters+"0123456789._-") != "") {
		v.Faultf("%q is no version: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(text), maxName)
	}
	return text
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// The keys of a stop, as policy.schema.json has them.
var stopKeys = []string{"reason", "since"}

// maxReason is the length of the longest reason, in characters.
const maxReason = 200

func (v value) stop() *transfer.Stop {
	stop := &transfer.Stop{}
	fields, ok := v.fields(stopKeys...)
	if !ok {
		return stop
	}
	if reason, ok := fields["reason"]; ok {
		if stop.Reason, ok = reason.Text(); ok && len([]rune(stop.Reason)) > maxReason {
			reason.Faultf("longer than %d characters", maxReason)
		}
	}
	if since, ok := fields["since"]; ok {
		stop.Since = since.instant()
	}
	return stop
}

// checked tells the faults that the core finds in one part of a policy, at the place of that part. put sets the part in a policy
// that is otherwise the default one, and so without fault. What has faults since before is not looked at again: they would only
// be followed by others.
func (v value) checked(before int, put func(*transfer.Policy)) {
	if v.Reader().Faults() > before {
		return
	}
	p := transfer.Default()
	put(p)
	for _, err := range parts(p.Validate()) {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the name of the part, which the key tells
		}
		for _, one := range parts(err) {
			v.Faultf("%s", one)
		}
	}
}

// parts takes a joined error apart, and those in it.
func parts(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error }) // only this one, not what it wraps
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	for _, one := range joined.Unwrap() {
		all = append(all, parts(one)...)
	}
	return all
}

// one reads one of some words.
func one[T ~string](v value, words ...T) T {
	text, ok := v.Text()
	if !ok {
		return words[0]
	}
	if !slices.Contains(words, T(text)) {
		known := make([]string, len(words))
		for i, w := range words {
			known[i] = string(w)
		}
		v.Faultf("%q is none of %s", yamltext.Clip(text), strings.Join(known, ", "))
		return words[0]
	}
	return T(text)
}

// some reads a list of words, each once, or one alone.
func some[T ~string](v value, words ...T) (list []T) {
	if v.Node.Kind != yaml.SequenceNode {
		return []T{one(v, words...)}
	}
	for _, item := range v.items() {
		word := one(item, words...)
		if slices.Contains(list, word) {
			item.Faultf("%q is there twice", word)
			continue
		}
		list = append(list, word)
	}
	return list
}

// names are the rules of one list by name, to tell of two that share one.
type names map[string]value

// take notes the name of a rule; what tells it. One with faults since before may have no name of its own, and is passed over.
func (n names) take(before int, what string, v value) {
	if v.Reader().Faults() > before {
		return
	}
	if first, ok := n[what]; ok {
		v.Faultf("%s is also in line %d; give it another name", what, first.Line)
		return
	}
	n[what] = v
}
