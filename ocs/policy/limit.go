package policy

import (
	"fmt"
	"strings"

	"github.com/gyro-ocs/gyro/transfer"
)

// The keys of limits, fees and commissions, as policy.schema.json has them. channel and kind are for one alone.
var (
	limitKeys          = []string{"name", "scope", "kind", "kinds", "channel", "channels", "window", "tz", "count", "seconds", "refused_too"}
	feeKeys            = []string{"name", "kind", "kinds", "channel", "channels", "flat", "percent", "bands", "least", "most", "free", "free_window", "tz"}
	feeBandKeys        = []string{"up_to", "flat", "percent"}
	commissionKeys     = []string{"name", "kind", "kinds", "agent_percent", "parent_percent", "bands"}
	commissionBandKeys = []string{"up_to", "agent_percent", "parent_percent"}
)

// maxCount bounds counts, far above what anyone does.
const maxCount = 1_000_000_000

func (v value) limits() (limits []transfer.Limit) {
	names := names{}
	for _, item := range v.items() {
		before := v.Reader().Faults()
		l, ok := item.limit()
		if !ok {
			continue
		}
		item.checked(before, func(p *transfer.Policy) { p.Limits = []transfer.Limit{l} })
		names.take(before, fmt.Sprintf("limit %q of %s in %s", l.Name, l.Scope, sayWindow(l.Window)), item)
		limits = append(limits, l)
	}
	return limits
}

func (v value) limit() (l transfer.Limit, ok bool) {
	fields, ok := v.fields(limitKeys...)
	if !ok {
		return l, false
	}
	for _, key := range []string{"scope", "window"} {
		if _, there := fields[key]; !there {
			v.Faultf("no %s", key)
			ok = false
		}
	}
	read := reader(fields)
	read("scope", func(f value) {
		l.Scope = one(f, transfer.PerSender, transfer.PerReceiver, transfer.PerPair, transfer.PerAsker)
	})
	l.Kinds, l.Channels = kindsOf(fields), channelsOf(fields)
	window := ""
	read("window", func(f value) { l.Window, window = f.window(), f.Node.Value })
	read("tz", func(f value) {
		if l.Window.Period == transfer.Rolling {
			f.Faultf("a rolling window has no calendar")
			return
		}
		l.Window.Zone = f.zone()
	})
	read("count", func(f value) { l.Count = f.Whole(1, maxCount) })
	read("seconds", func(f value) { l.Seconds = f.quantity() })
	read("refused_too", func(f value) { l.Refused = f.Truth() })
	l.Name = nameOfLimit(l, window)
	read("name", func(f value) { l.Name = f.name() })
	return l, ok
}

// nameOfLimit makes a name for a limit without one, of what it counts. It stays the same when other limits come and go, since
// the counters are kept under it.
func nameOfLimit(l transfer.Limit, window string) string {
	words := []string{window}
	for _, c := range l.Channels {
		words = append(words, string(c))
	}
	for _, k := range l.Kinds {
		words = append(words, string(k))
	}
	return strings.Join(words, " ")
}

func kindsOf(fields map[string]value) (kinds []transfer.Kind) {
	oneOrSome(fields, "kind", "kinds", func(f value) { kinds = some(f, transfer.Kinds()...) })
	return kinds
}

func channelsOf(fields map[string]value) (channels []transfer.Channel) {
	oneOrSome(fields, "channel", "channels", func(f value) { channels = some(f, transfer.Channels()...) })
	return channels
}

// oneOrSome reads one of two keys that mean the same.
func oneOrSome(fields map[string]value, single, plural string, into func(value)) {
	a, hasOne := fields[single]
	b, hasSome := fields[plural]
	switch {
	case hasOne && hasSome:
		a.Faultf("both %s and %s; leave one", single, plural)
	case hasOne:
		into(a)
	case hasSome:
		into(b)
	}
}

func (v value) fees() (fees []transfer.FeeRule) {
	names := names{}
	for _, item := range v.items() {
		before := v.Reader().Faults()
		f, ok := item.fee()
		if !ok {
			continue
		}
		item.checked(before, func(p *transfer.Policy) { p.Fees = []transfer.FeeRule{f} })
		names.take(before, fmt.Sprintf("fee %q", f.Name), item)
		fees = append(fees, f)
	}
	return fees
}

func (v value) fee() (rule transfer.FeeRule, ok bool) {
	fields, ok := v.fields(feeKeys...)
	if !ok {
		return rule, false
	}
	if _, there := fields["name"]; !there {
		v.Faultf("the fee has no name; explanations and free transfers tell it")
		ok = false
	}
	read := reader(fields)
	read("name", func(f value) { rule.Name = f.name() })
	rule.Kinds, rule.Channels = kindsOf(fields), channelsOf(fields)
	rule.Bands = v.feeBands(fields)
	read("least", func(f value) { rule.Least = f.quantity() })
	read("most", func(f value) { rule.Most = f.quantity() })
	read("free", func(f value) { rule.Free = f.Whole(1, maxCount) })
	read("free_window", func(f value) { rule.FreeEvery = f.window() })
	read("tz", func(f value) { rule.FreeEvery.Zone = f.zone() })
	for _, key := range []string{"free_window", "tz"} {
		read(key, func(f value) {
			if rule.Free == 0 {
				f.Faultf("nothing is free: add free, how many transfers of a window cost nothing")
			}
		})
	}
	if rule.Free > 0 && rule.FreeEvery.Period == "" {
		v.Faultf("free without free_window: write free_window: month/calendar")
		ok = false
	}
	return rule, ok
}

// feeBands reads bands, or the one band that a rule without bands is.
func (v value) feeBands(fields map[string]value) []transfer.FeeBand {
	bands, hasBands := fields["bands"]
	if !hasBands {
		return []transfer.FeeBand{feeBand(fields)}
	}
	for _, key := range []string{"flat", "percent"} {
		if f, ok := fields[key]; ok {
			f.Faultf("both bands and %s; put it into the bands", key)
		}
	}
	var list []transfer.FeeBand
	for _, item := range bands.items() {
		if fields, ok := item.fields(feeBandKeys...); ok {
			list = append(list, feeBand(fields))
		}
	}
	return list
}

func feeBand(fields map[string]value) (b transfer.FeeBand) {
	read := reader(fields)
	read("up_to", func(f value) { b.UpTo = f.quantity() })
	read("flat", func(f value) { b.Flat = f.quantity() })
	read("percent", func(f value) { b.BasisPoints = f.percent() })
	return b
}

func (v value) commissions() (rules []transfer.CommissionRule) {
	names := names{}
	for _, item := range v.items() {
		before := v.Reader().Faults()
		c, ok := item.commission()
		if !ok {
			continue
		}
		item.checked(before, func(p *transfer.Policy) { p.Commissions = []transfer.CommissionRule{c} })
		names.take(before, fmt.Sprintf("commission %q", c.Name), item)
		rules = append(rules, c)
	}
	return rules
}

func (v value) commission() (rule transfer.CommissionRule, ok bool) {
	fields, ok := v.fields(commissionKeys...)
	if !ok {
		return rule, false
	}
	if _, there := fields["name"]; !there {
		v.Faultf("the commission has no name; explanations tell it")
		ok = false
	}
	read := reader(fields)
	read("name", func(f value) { rule.Name = f.name() })
	rule.Kinds = kindsOf(fields)
	bands, hasBands := fields["bands"]
	if !hasBands {
		rule.Bands = []transfer.CommissionBand{commissionBand(fields)}
		return rule, ok
	}
	for _, key := range []string{"agent_percent", "parent_percent"} {
		read(key, func(f value) { f.Faultf("both bands and %s; put it into the bands", key) })
	}
	for _, item := range bands.items() {
		if fields, ok := item.fields(commissionBandKeys...); ok {
			rule.Bands = append(rule.Bands, commissionBand(fields))
		}
	}
	return rule, ok
}

func commissionBand(fields map[string]value) (b transfer.CommissionBand) {
	read := reader(fields)
	read("up_to", func(f value) { b.UpTo = f.quantity() })
	read("agent_percent", func(f value) { b.Agent = f.percent() })
	read("parent_percent", func(f value) { b.Parent = f.percent() })
	return b
}
