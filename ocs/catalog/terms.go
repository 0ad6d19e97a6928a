package catalog

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// The keys of a plan's terms, as catalog.schema.json has them.
var (
	termsKeys = []string{
		"period", "zone", "day", "exact", "first_use", "within", "first_free", "price", "paid_from", "allowances", "grace", "retry",
		"prorate", "notices",
	}
	allowanceKeys = []string{"units", "unit", "class", "priority", "rollover", "low"}
	noticesKeys   = []string{"used", "before", "off"}
)

// What terms are when they do not say.
const (
	defaultRetry  = 6 * time.Hour
	defaultBefore = 3 * 24 * time.Hour
	defaultClass  = "plan"
)

var defaultUsed = []int{75, 100}

// Terms returns the terms of those plans that have any, by plan. The map is the caller's, what is in it is shared and must
// not be changed.
func (c *Catalog) Terms() map[string]lifecycle.Terms { return maps.Clone(c.terms) }

// readTerms reads the terms of a plan, whose keys have been looked at already.
func (p *parser) readTerms(plan string, v value) {
	if node, ok := v.Lookup("terms"); ok {
		p.terms[plan] = value{node}.terms(plan)
	}
}

func (v value) terms(plan string) lifecycle.Terms {
	t := lifecycle.Terms{
		Plan: plan, Retry: defaultRetry, Notices: lifecycle.Notices{Used: defaultUsed, Before: defaultBefore},
	}
	fields, ok := v.fields(termsKeys...)
	if !ok {
		return t
	}
	faults := v.Reader().Faults()
	each := map[string]func(value){
		"period": func(f value) { t.Period = f.period() },
		"zone": func(f value) {
			if name, ok := f.Text(); ok {
				t.Zone = f.location(name)
			}
		},
		"day":        func(f value) { t.Day = int(f.Whole(1, 28)) },
		"exact":      func(f value) { t.Exact = f.Truth() },
		"first_use":  func(f value) { t.FirstUse = f.Truth() },
		"within":     func(f value) { t.Within = f.span() },
		"first_free": func(f value) { t.FirstFree = f.Truth() },
		"price":      func(f value) { t.Price.Units, t.Price.Unit = f.amount() },
		"paid_from":  func(f value) { t.Price.Classes = f.classes() },
		"allowances": func(f value) { t.Allowances = f.allowances() },
		"grace":      func(f value) { t.Grace = f.span() },
		"retry":      func(f value) { t.Retry = f.span() },
		"prorate":    func(f value) { t.Prorate = f.Truth() },
		"notices":    func(f value) { t.Notices = f.notices() },
	}
	for _, key := range termsKeys {
		if field, ok := fields[key]; ok {
			each[key](field)
		}
	}
	if _, ok := fields["period"]; !ok {
		v.Faultf("no period: write how long the plan lasts before it is renewed, such as 1 month or 30 days")
	}
	if v.Reader().Faults() > faults {
		return t // what is wrong with a part is not told of the whole again
	}
	joined, _ := errors.AsType[interface {
		error
		Unwrap() []error
	}](t.Validate())
	if joined != nil {
		for _, fault := range joined.Unwrap() {
			v.Faultf("%s", fault)
		}
	}
	return t
}

// period reads 1 month, 3 months or 30 days.
func (v value) period() (p lifecycle.Period) {
	n, unit, ok := v.counted()
	switch {
	case !ok:
	case unit == "month" && n >= 1 && n <= 120:
		p.Months = int(n)
	case unit == "day" && n >= 1 && n <= 3660:
		p.Days = int(n)
	default:
		v.Faultf("a period is 1 to 120 months or 1 to 3660 days")
	}
	return p
}

// span reads a time such as 3 days, 12 hours or 30 minutes.
func (v value) span() time.Duration {
	n, unit, ok := v.counted()
	of := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unit]
	if !ok {
		return 0
	}
	if of == 0 || n > int64(400*24*time.Hour/of) {
		v.Faultf("no time of 0 to 400 days; write it as 3 days, 12 hours or 30 minutes")
		return 0
	}
	return time.Duration(n) * of
}

// counted reads a number and what it counts, in the singular.
func (v value) counted() (n int64, unit string, ok bool) {
	text, ok := v.Text()
	if !ok {
		return 0, "", false
	}
	number, unit, ok := strings.Cut(text, " ")
	if ok {
		n, ok = yamltext.ParseWhole(number)
	}
	if !ok {
		v.Faultf("%q is not a number and what it counts, such as 1 month, 30 days or 12 hours", yamltext.Clip(text))
	}
	return n, strings.TrimSuffix(unit, "s"), ok
}

// amount reads what is paid: 2850 EUR is 28 euros and 50 cents.
func (v value) amount() (rating.Units, rating.Unit) {
	text, ok := v.Text()
	if !ok {
		return 0, ""
	}
	number, unit, _ := strings.Cut(text, " ")
	n, ok := yamltext.ParseWhole(number)
	if !ok || n > maxNumber || !rating.Unit(unit).IsCurrency() {
		v.Faultf("%q is no price of a plan; write minor units and a currency, such as 2850 EUR for 28.50 euros", yamltext.Clip(text))
		return 0, ""
	}
	return rating.Units(n), rating.Unit(unit)
}

func (v value) allowances() (all []lifecycle.Allowance) {
	for _, item := range v.items() {
		fields, ok := item.fields(allowanceKeys...)
		if !ok {
			continue
		}
		a := lifecycle.Allowance{Unit: rating.Seconds, Class: defaultClass}
		if f, ok := fields["units"]; ok {
			a.Units = rating.Units(f.Whole(1, maxNumber))
		} else {
			item.Faultf("the allowance has no units")
		}
		if f, ok := fields["unit"]; ok {
			a.Unit = f.bucketUnit()
		}
		if f, ok := fields["class"]; ok {
			if text, ok := f.Text(); ok && !isName(text) {
				f.Faultf("%q cannot name a class of buckets", yamltext.Clip(text))
			} else if ok {
				a.Class = text
			}
		}
		if f, ok := fields["priority"]; ok {
			a.Priority = int(f.Whole(0, 1_000_000))
		}
		if f, ok := fields["rollover"]; ok {
			a.Rollover = rating.Units(f.Whole(0, maxNumber))
		}
		if f, ok := fields["low"]; ok {
			a.Low = rating.Units(f.Whole(0, maxNumber))
		}
		all = append(all, a)
	}
	return all
}

func (v value) notices() lifecycle.Notices {
	n := lifecycle.Notices{Used: defaultUsed, Before: defaultBefore}
	fields, ok := v.fields(noticesKeys...)
	if !ok {
		return n
	}
	if f, ok := fields["used"]; ok {
		n.Used = nil
		for _, item := range f.items() {
			percent := int(item.Whole(1, 100))
			if slices.Contains(n.Used, percent) {
				item.Faultf("%s percent are told twice", strconv.Itoa(percent))
			}
			n.Used = append(n.Used, percent)
		}
	}
	if f, ok := fields["before"]; ok {
		n.Before = f.span()
	}
	if f, ok := fields["off"]; ok {
		n.Off = f.Truth()
	}
	return n
}
