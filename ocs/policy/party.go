package policy

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/transfer"
)

// The keys of expiry, eligibility, cooling-off, requests and PINs, as policy.schema.json has them.
var (
	expiryKeys      = []string{"mode", "days", "bands", "life_days"}
	daysBandKeys    = []string{"up_to", "days"}
	eligibilityKeys = []string{
		"sender_min_age_days", "receiver_min_age_days", "recharge_within_days", "max_hops", "roaming", "postpaid_sends",
		"postpaid_receives", "repay_first", "families",
	}
	familyKeys  = []string{"from", "to"}
	coolingKeys = []string{"after", "hours", "action", "sim_swap", "number_port", "pin_reset", "device_change"}
	requestKeys = []string{"enabled", "life", "only_less", "quiet", "tz"}
	pinKeys     = []string{"digits", "default_usable", "weak_list", "tries", "lock", "lock_growth", "reset_quota"}
)

const maxDays = 36600

func (v value) expiry() (e transfer.ExpiryRule) {
	before := v.Reader().Faults()
	e.Mode = transfer.Inherit
	if v.Node.Kind == yaml.ScalarNode { // expiry: inherit
		e.Mode = one(v, transfer.Inherit, transfer.Shorten, transfer.Fixed, transfer.ByAmount, transfer.Extend)
	} else if fields, ok := v.fields(expiryKeys...); ok {
		read := reader(fields)
		read("mode", func(f value) {
			e.Mode = one(f, transfer.Inherit, transfer.Shorten, transfer.Fixed, transfer.ByAmount, transfer.Extend)
		})
		read("days", func(f value) { e.Days = int(f.Whole(1, maxDays)) })
		read("life_days", func(f value) { e.Life = int(f.Whole(1, maxDays)) })
		read("bands", func(f value) {
			for _, item := range f.items() {
				if fields, ok := item.fields(daysBandKeys...); ok {
					band := transfer.DaysBand{}
					reader(fields)("up_to", func(f value) { band.UpTo = f.quantity() })
					reader(fields)("days", func(f value) { band.Days = int(f.Whole(1, maxDays)) })
					e.Band = append(e.Band, band)
				}
			}
		})
		for key, modes := range map[string][]transfer.ExpiryMode{
			"days": {transfer.Shorten, transfer.Fixed, transfer.Extend}, "life_days": {transfer.Extend}, "bands": {transfer.ByAmount},
		} {
			read(key, func(f value) { f.onlyIn(e.Mode, modes...) })
		}
	}
	v.checked(before, func(p *transfer.Policy) {
		p.Expiry = e
		for name, class := range p.Classes {
			class.MaxHops = 1 // what expiry asks of classes is told of them
			p.Classes[name] = class
		}
	})
	return e
}

// onlyIn tells of a key that means nothing in a mode.
func (v value) onlyIn(mode transfer.ExpiryMode, modes ...transfer.ExpiryMode) {
	known := make([]string, len(modes))
	for i, m := range modes {
		if m == mode {
			return
		}
		known[i] = string(m)
	}
	v.Faultf("it means nothing when the mode is %s; it is for %s", mode, strings.Join(known, ", "))
}

// eligibility also returns the hop limit of classes that have none of their own; 0: there is none.
func (v value) eligibility(p *transfer.Policy) (hops int) {
	fields, ok := v.fields(eligibilityKeys...)
	if !ok {
		return 0
	}
	e, read := &p.Eligibility, reader(fields)
	read("sender_min_age_days", func(f value) { e.SenderAge = f.days() })
	read("receiver_min_age_days", func(f value) { e.ReceiverAge = f.days() })
	read("recharge_within_days", func(f value) { e.RechargeWithin = f.days() })
	read("max_hops", func(f value) { hops = int(f.Whole(1, maxHops)) })
	read("roaming", func(f value) { e.Roaming = f.Truth() })
	read("postpaid_sends", func(f value) { e.PostpaidSends = f.Truth() })
	read("postpaid_receives", func(f value) { e.PostpaidReceives = f.Truth() })
	read("repay_first", func(f value) { e.RepayFirst = f.Truth() })
	read("families", func(f value) {
		for _, item := range f.items() {
			fields, ok := item.fields(familyKeys...)
			if !ok {
				continue
			}
			pair := transfer.FamilyPair{}
			for key, into := range map[string]*string{"from": &pair.From, "to": &pair.To} {
				if field, ok := fields[key]; ok {
					*into, _ = field.Text()
				} else {
					item.Faultf("no %s", key)
				}
			}
			e.Families = append(e.Families, pair)
		}
	})
	return hops
}

// The changes after which a subscriber cools off, as they are written.
const (
	simSwap      = "sim_swap"
	numberPort   = "number_port"
	pinReset     = "pin_reset"
	deviceChange = "device_change"
)

// cooling reads one time for some changes (after, hours), a time for each (sim_swap: 3d), or both: the latter is more exact.
func (v value) cooling(c *transfer.Cooling) {
	fields, ok := v.fields(coolingKeys...)
	if !ok {
		return
	}
	times := map[string]*time.Duration{simSwap: &c.SIM, numberPort: &c.Port, pinReset: &c.PIN, deviceChange: &c.Device}
	read := reader(fields)
	after, hasAfter := fields["after"]
	hours, hasHours := fields["hours"]
	switch {
	case hasAfter && hasHours:
		*c = transfer.Cooling{}
		d := time.Duration(hours.Whole(0, 24*maxDays)) * time.Hour
		for _, change := range some(after, simSwap, numberPort, pinReset, deviceChange) {
			*times[change] = d
		}
	case hasAfter || hasHours:
		v.Faultf("after and hours go together")
	}
	for key, into := range times {
		read(key, func(f value) { *into = f.time() })
	}
	read("action", func(f value) { one(f, "deny") })
}

func (v value) solicit(s *transfer.SolicitRules) {
	fields, ok := v.fields(requestKeys...)
	if !ok {
		return
	}
	before, read := v.Reader().Faults(), reader(fields)
	read("enabled", func(f value) { s.Enabled = f.Truth() })
	read("life", func(f value) { s.Life = f.time() })
	read("only_less", func(f value) { s.OnlyLess = f.quantity() })
	read("quiet", func(f value) { s.Quiet.From, s.Quiet.To = f.hours() })
	read("tz", func(f value) {
		if _, there := fields["quiet"]; !there {
			f.Faultf("it is the time zone of quiet, which is not there")
		}
		s.Quiet.Zone = f.zone()
	})
	v.checked(before, func(p *transfer.Policy) { p.Solicit = *s })
}

func (v value) pin(p *transfer.PINRules) {
	fields, ok := v.fields(pinKeys...)
	if !ok {
		return
	}
	before, read := v.Reader().Faults(), reader(fields)
	read("digits", func(f value) { p.Digits = int(f.Whole(4, 8)) })
	read("tries", func(f value) { p.Tries = int(f.Whole(1, 100)) })
	read("lock", func(f value) { p.Lock = f.time() })
	read("lock_growth", func(f value) { p.LockGrowth = f.growth() })
	read("reset_quota", func(f value) { p.Resets, p.ResetEvery = f.quota() })
	read("default_usable", func(f value) {
		if f.Truth() {
			f.Faultf("a PIN that somebody else set opens nothing, always: write false or leave it out")
		}
	})
	read("weak_list", func(f value) {
		if !f.Truth() {
			f.Faultf("PINs that are easy to guess cannot be chosen, ever: write true or leave it out")
		}
	})
	v.checked(before, func(policy *transfer.Policy) { policy.PIN = *p })
}

var hoursForm = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])$`)

// hours reads a part of a day, such as 22:00-07:00, in minutes after midnight.
func (v value) hours() (from, to int) {
	text, ok := v.Text()
	if !ok {
		return 0, 0
	}
	found := hoursForm.FindStringSubmatch(text)
	if found == nil || found[1]+found[2] == found[3]+found[4] {
		v.Faultf("%q is no part of a day: write 22:00-07:00", yamltext.Clip(text))
		return 0, 0
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(found[i+1])
	}
	return n[0]*60 + n[1], n[2]*60 + n[3]
}

// growth reads 2x.
func (v value) growth() int {
	text, ok := v.Text()
	if !ok {
		return 1
	}
	n, ok := yamltext.ParseWhole(strings.TrimSuffix(text, "x"))
	if !ok || n < 1 || n > 100 {
		v.Faultf("%q is no growth: write 1x to 100x", yamltext.Clip(text))
		return 1
	}
	return int(n)
}

// quota reads 1/30d.
func (v value) quota() (int, time.Duration) {
	text, ok := v.Text()
	if !ok {
		return 0, 0
	}
	count, every, found := strings.Cut(text, "/")
	n, isNumber := yamltext.ParseWhole(count)
	d, isTime := parseTime(every)
	if !found || !isNumber || n > 1000 || !isTime || d == 0 {
		v.Faultf("%q is no quota: write 1/30d, once in thirty days", yamltext.Clip(text))
		return 0, 0
	}
	return int(n), d
}
