package policy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// Diff tells in words what b changes of a, by the keys of the YAML: in the order of the policy, one line for each. Names of
// versions and comments are no change. Nothing: both decide alike.
func Diff(a, b *Policy) (changes []string) {
	before, after := linesOf(a.rules), linesOf(b.rules)
	for _, l := range before {
		switch now, ok := after.find(l.key); {
		case !ok:
			changes = append(changes, fmt.Sprintf("%s: removed, was %s", l.key, l.value))
		case now != l.value:
			changes = append(changes, fmt.Sprintf("%s: %s, was %s", l.key, now, l.value))
		}
	}
	for _, l := range after {
		if _, ok := before.find(l.key); !ok {
			changes = append(changes, fmt.Sprintf("%s: added, %s", l.key, l.value))
		}
	}
	return changes
}

// line is one rule in words.
type line struct{ key, value string }

type lines []line

func (l lines) find(key string) (string, bool) {
	if i := slices.IndexFunc(l, func(one line) bool { return one.key == key }); i >= 0 {
		return l[i].value, true
	}
	return "", false
}

func (l *lines) add(key, value string) { *l = append(*l, line{key, value}) }

// linesOf tells a policy as lines: a scalar is a line of its own, and so is every rule of a list, by its name.
func linesOf(p *transfer.Policy) (l lines) {
	l.add("enabled", strconv.FormatBool(p.Stop == nil))
	if p.Stop != nil {
		l.add("stop", words("reason", p.Stop.Reason, "since", sayInstant(p.Stop.Since)))
	}
	l.add("time_zone", sayZone(p.Zone))
	for _, k := range slices.Sorted(maps.Keys(p.Kinds)) {
		l.kind("kinds."+string(k), p.Kinds[k])
	}
	for _, c := range slices.Sorted(maps.Keys(p.Channels)) {
		rules := p.Channels[c]
		l.add("channels."+string(c), words("confirm", string(rules.Step), "confirm_above", quantityOr(rules.StepAbove, ""), "interactive", yes(rules.Interactive)))
	}
	for _, c := range slices.Sorted(maps.Keys(p.Classes)) {
		l.add("classes."+c, sayClass(p.Classes[c]))
	}
	for _, limit := range p.Limits {
		key := fmt.Sprintf("limits %q of %s in %s", limit.Name, limit.Scope, sayWindow(limit.Window))
		l.add(key, words("count", count(limit.Count), "seconds", quantityOr(limit.Seconds, ""), "kinds", list(limit.Kinds), "channels", list(limit.Channels),
			"refused_too", yes(limit.Refused)))
	}
	l.prices(p)
	l.times(p)
	return l
}

func (l *lines) kind(key string, k transfer.KindRules) {
	l.add(key+".off", strconv.FormatBool(k.Off))
	l.add(key+".least", sayQuantity(k.Least))
	l.add(key+".most", sayQuantity(k.Most))
	l.add(key+".step", sayQuantity(k.Step))
	l.add(key+".min_remaining", sayQuantity(k.MinRemaining))
	l.add(key+".receiver_cap", quantityOr(k.ReceiverCap, "none"))
	l.add(key+".fee_bearer", string(k.Bearer))
	l.add(key+".receiver_consents", strconv.FormatBool(k.ReceiverConsents))
	r := k.Reversal
	l.add(key+".reversal", words("way", string(r.Way), "window", timeOrNone(r.Window), "decide", timeOrNone(r.Decide), "fee_refunded", yes(r.FeeRefunded),
		"persons", count(int64(r.Persons)), "persons_after", count(int64(r.PersonsAfter)), "claims", count(int64(r.Claims))))
}

// prices tells fees and commissions. Their order decides, so it is a line too.
func (l *lines) prices(p *transfer.Policy) {
	var order []string
	for _, f := range p.Fees {
		order = append(order, f.Name)
		bands := make([]string, len(f.Bands))
		for i, b := range f.Bands {
			bands[i] = words("up_to", quantityOr(b.UpTo, ""), "flat", quantityOr(b.Flat, ""), "percent", percentOr(b.BasisPoints))
		}
		free := ""
		if f.Free > 0 {
			free = strconv.FormatInt(f.Free, 10) + " in " + sayWindow(f.FreeEvery)
		}
		l.add(fmt.Sprintf("fees %q", f.Name), words("kinds", list(f.Kinds), "channels", list(f.Channels), "bands", bandsOf(bands),
			"least", quantityOr(f.Least, ""), "most", quantityOr(f.Most, ""), "free", free))
	}
	l.add("order of fees", strings.Join(order, ", "))
	order = nil
	for _, c := range p.Commissions {
		order = append(order, c.Name)
		bands := make([]string, len(c.Bands))
		for i, b := range c.Bands {
			bands[i] = words("up_to", quantityOr(b.UpTo, ""), "agent_percent", percentOr(b.Agent), "parent_percent", percentOr(b.Parent))
		}
		l.add(fmt.Sprintf("commissions %q", c.Name), words("kinds", list(c.Kinds), "bands", bandsOf(bands)))
	}
	l.add("order of commissions", cmp.Or(strings.Join(order, ", "), "none"))
	for _, r := range p.Rules {
		mode := active
		if r.Shadow {
			mode = shadow
		}
		l.add(fmt.Sprintf("rules %q", r.Name), words("when", r.When.String(), "kinds", list(r.Kinds), "action", string(r.Action), "mode", mode))
	}
	for i, a := range p.Approvals {
		l.add(fmt.Sprintf("approvals[%d]", i), words("operation", a.Operation.String(), "kinds", list(a.Kinds),
			"over_seconds", sayQuantity(a.Above), "checkers", count(int64(a.Checkers)), "after_window", count(int64(a.AfterWindow))))
	}
}

func (l *lines) times(p *transfer.Policy) {
	bands := make([]string, len(p.Expiry.Band))
	for i, b := range p.Expiry.Band {
		bands[i] = words("up_to", quantityOr(b.UpTo, ""), "days", strconv.Itoa(b.Days))
	}
	l.add("expiry", words("mode", string(p.Expiry.Mode), "days", count(int64(p.Expiry.Days)), "life_days", count(int64(p.Expiry.Life)), "bands", bandsOf(bands)))
	e := p.Eligibility
	for _, one := range []line{
		{"before_expiry", sayTime(p.BeforeExpiry)},
		{"eligibility.sender_min_age", sayTime(e.SenderAge)},
		{"eligibility.receiver_min_age", sayTime(e.ReceiverAge)},
		{"eligibility.recharge_within", sayTime(e.RechargeWithin)},
		{"eligibility.roaming", strconv.FormatBool(e.Roaming)},
		{"eligibility.postpaid_sends", strconv.FormatBool(e.PostpaidSends)},
		{"eligibility.postpaid_receives", strconv.FormatBool(e.PostpaidReceives)},
		{"eligibility.repay_first", strconv.FormatBool(e.RepayFirst)},
		{"eligibility.families", sayFamilies(e.Families)},
		{"cooling_off.sim_swap", sayTime(p.Cooling.SIM)},
		{"cooling_off.number_port", sayTime(p.Cooling.Port)},
		{"cooling_off.pin_reset", sayTime(p.Cooling.PIN)},
		{"cooling_off.device_change", sayTime(p.Cooling.Device)},
		{"requests.enabled", strconv.FormatBool(p.Solicit.Enabled)},
		{"requests.life", sayTime(p.Solicit.Life)},
		{"requests.quiet", sayQuiet(p.Solicit.Quiet)},
		{"requests.only_less", quantityOr(p.Solicit.OnlyLess, "none")},
		{"pin.digits", strconv.Itoa(p.PIN.Digits)},
		{"pin.tries", strconv.Itoa(p.PIN.Tries)},
		{"pin.lock", sayTime(p.PIN.Lock)},
		{"pin.lock_growth", strconv.Itoa(p.PIN.LockGrowth) + "x"},
		{"pin.reset_quota", strconv.Itoa(p.PIN.Resets) + "/" + sayTime(p.PIN.ResetEvery)},
		{"quote_life", sayTime(p.QuoteLife)},
		{"hold_life", sayTime(p.HoldLife)},
		{"consent_life", sayTime(p.ConsentLife)},
		{"payout_life", sayTime(p.PayoutLife)},
		{"review_life", sayTime(p.ReviewLife)},
		{"payout_tries", strconv.Itoa(p.PayoutTries)},
		{"repeat_after", sayTime(p.RepeatAfter)},
	} {
		l.add(one.key, one.value)
	}
}

func sayQuiet(q transfer.Quiet) string {
	if q == (transfer.Quiet{}) {
		return "none"
	}
	return q.String() + " " + sayZone(q.Zone)
}

func sayClass(c transfer.ClassRules) string {
	var becomes []string
	for _, k := range slices.Sorted(maps.Keys(c.Becomes)) {
		becomes = append(becomes, string(k)+" "+c.Becomes[k])
	}
	return words("movable", strconv.FormatBool(c.Movable), "kinds", list(c.Kinds), "max_hops", count(int64(c.MaxHops)), "becomes", strings.Join(becomes, " "))
}

func sayFamilies(pairs []transfer.FamilyPair) string {
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p.From + " to " + p.To
	}
	return cmp.Or(strings.Join(texts, ", "), "any")
}

func sayZone(z *time.Location) string {
	if z == nil {
		return "Etc/UTC"
	}
	return z.String()
}

func sayInstant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// words joins keys with their values, without those that have none.
func words(pairs ...string) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			parts = append(parts, pairs[i]+" "+pairs[i+1])
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "nothing")
}

// bandsOf tells bands, one alone without brackets.
func bandsOf(bands []string) string {
	switch len(bands) {
	case 0:
		return ""
	case 1:
		return bands[0]
	}
	return "[" + strings.Join(bands, "; ") + "]"
}

func list[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, "+")
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func count(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func quantityOr(n rating.Units, none string) string {
	if n == 0 {
		return none
	}
	return sayQuantity(n)
}

func percentOr(points int64) string {
	if points == 0 {
		return ""
	}
	return sayPercent(points)
}

func timeOrNone(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return sayTime(d)
}
