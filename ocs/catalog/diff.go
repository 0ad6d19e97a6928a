package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// maxZoneLines bounds how many prefixes that changed their zone are told one by one.
const maxZoneLines = 50

// Diff tells in words what b changes of a, one line for each: plans, tariffs by their name, which number has which, and zones.
// Comments are no change. Nothing: both charge alike.
func Diff(a, b *Catalog) []string {
	before, after := listPlans(a), listPlans(b)
	keys := slices.Sorted(maps.Keys(before))
	for key := range after {
		if _, ok := before[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var changes []string
	for _, key := range keys {
		was, had := before[key]
		is, has := after[key]
		switch {
		case !had:
			changes = append(changes, fmt.Sprintf("%s: added, %s", key, is))
		case !has:
			changes = append(changes, fmt.Sprintf("%s: removed, was %s", key, was))
		case is != was:
			changes = append(changes, fmt.Sprintf("%s: %s, was %s", key, is, was))
		}
	}
	return append(changes, diffZones(a.zones, b.zones)...)
}

func diffZones(a, b *rating.Zones) (changes []string) {
	before, count := maps.Collect(a.All()), 0
	tell := func(format string, args ...any) {
		if count++; count <= maxZoneLines {
			changes = append(changes, fmt.Sprintf(format, args...))
		}
	}
	for prefix, zone := range b.All() {
		was, had := before[prefix]
		delete(before, prefix)
		switch {
		case !had:
			tell("zones %s: added, %s", prefix, zone)
		case was != zone:
			tell("zones %s: %s, was %s", prefix, zone, was)
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(before)) {
		tell("zones %s: removed, was %s", prefix, before[prefix])
	}
	if count > maxZoneLines {
		changes = append(changes, fmt.Sprintf("zones: and %d more prefixes", count-maxZoneLines))
	}
	return changes
}

// A listing is a catalogue as lines, by their keys.
type listing map[string]string

func listPlans(c *Catalog) listing {
	l := listing{}
	for name, plan := range c.plans {
		key := "plans." + name
		l[key] = "a plan"
		n := plan.Numbering
		l[key+".numbering"] = words("country", n.CountryCode, "international", n.International, "national", n.National, "shortest", strconv.Itoa(n.Shortest))
		l.add(key+".home", sayNetworks(plan.Home))
		for kind, rates := range plan.Rates {
			l.rates(key+"."+string(kind), rates)
		}
	}
	return l
}

func (l listing) add(key, value string) {
	if value != "" {
		l[key] = value
	}
}

func (l listing) rates(key string, r rating.Rates) {
	l.prefixes(key, "tariffs", r.Originating)
	l.prefixes(key, "forwarded", r.Forwarded)
	l.prefixes(key, "received", r.Received)
	if r.Terminating != nil {
		l.tariff(key, *r.Terminating)
		l[key+".terminating"] = r.Terminating.Name
	}
	if r.Default != nil {
		l.tariff(key, *r.Default)
		l[key+".default"] = r.Default.Name
	}
	for group, t := range r.Groups {
		l.tariff(key, t)
		l[key+".groups."+strconv.FormatUint(uint64(group), 10)] = t.Name
	}
	for name, times := range r.Times {
		for i, p := range times.Periods {
			l.tariff(key, p.Tariff)
			l[fmt.Sprintf("%s tariff %s, period %d", key, name, i+1)] = words("tariff", p.Tariff.Name, "days", sayDays(p.Days), "hours", sayHours(p), "zone", times.Zone().String())
		}
	}
	for _, abroad := range r.Roaming {
		place := key + ".roaming." + abroad.Name
		l.add(place+".networks", sayNetworks(abroad.Networks))
		l.rates(place, abroad.Rates)
	}
}

func (l listing) prefixes(key, list string, p rating.Prefixes) {
	for c, t := range p.All() {
		l.tariff(key, t)
		switch {
		case c.By == rating.ByZone:
			l[key+"."+list+" zone "+c.Zone] = t.Name
		case c.Prefix == "":
			l[key+"."+list+" "+everythingElse] = t.Name
		default:
			l[key+"."+list+" "+c.Prefix] = t.Name
		}
	}
}

func (l listing) tariff(key string, t rating.Tariff) { l[key+" tariff "+t.Name] = SayTariff(t) }

// SayTariff tells what a tariff costs, in one line.
func SayTariff(t rating.Tariff) string {
	if t.Barred {
		return "barred"
	}
	parts := make([]string, 0, len(t.Then)+1)
	for payer := range len(t.Then) + 1 {
		by := t.By(payer)
		parts = append(parts, words(
			"", fmt.Sprintf("%s/%d %s", sayUnits(by.Price.Units, by.Pays), by.Price.Per, t.Measures), "increments", fmt.Sprintf("%d/%d", by.First, by.Next),
			"setup", unless(by.Setup == 0, sayUnits(by.Setup, by.Pays)), "buckets", strings.Join(by.Buckets, "+"),
		))
	}
	return strings.Join(parts, ", then ")
}

func sayUnits(n rating.Units, unit rating.Unit) string {
	return strconv.FormatInt(int64(n), 10) + " " + string(unit)
}

func unless(not bool, text string) string {
	if not {
		return ""
	}
	return text
}

// words joins names and values, without those that have none.
func words(pairs ...string) string {
	var told []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			told = append(told, strings.TrimSpace(pairs[i]+" "+pairs[i+1]))
		}
	}
	return strings.Join(told, " ")
}

func sayNetworks(n rating.Networks) string {
	all := slices.Concat(n.Codes, n.Nodes)
	if n.All {
		all = append(all, everythingElse)
	}
	return strings.Join(all, " ")
}

func sayDays(d rating.Days) string {
	if d == rating.EveryDay {
		return ""
	}
	var days []string
	for i, name := range weekdays {
		if d&rating.On(time.Weekday((i+1)%len(weekdays))) != 0 {
			days = append(days, name)
		}
	}
	if d&rating.Holidays != 0 {
		days = append(days, holidays)
	}
	return strings.Join(days, "+")
}

func sayHours(p rating.Period) string {
	if p.From == p.To {
		return ""
	}
	return sayClock(p.From) + "-" + sayClock(p.To)
}

func sayClock(second int) string {
	text := fmt.Sprintf("%02d:%02d", second/3600, second/60%60)
	if second%60 != 0 {
		text += fmt.Sprintf(":%02d", second%60)
	}
	return text
}
