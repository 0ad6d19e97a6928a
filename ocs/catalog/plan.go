package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// The keys of a plan and of the services in it, as catalog.schema.json has them.
var (
	planKeys      = []string{"description", "numbering", "home", "calendar", "voice", "data", "message", "terms"}
	numberingKeys = []string{"country_code", "international", "national", "shortest"}
	ratesKeys     = []string{"tariffs", "forwarded", "received", "terminating", "groups", "default"}
	serviceKeys   = append(slices.Clone(ratesKeys), "roaming")
	roamingKeys   = append(slices.Clone(ratesKeys), "name", "networks")
)

// services are the kinds of service of a plan, each with the unit in which its usage is counted unless a tariff says
// otherwise, and with which a bucket pays unless a tariff says otherwise.
var services = []struct {
	kind     rating.Kind
	measures rating.Unit
}{
	{rating.Voice, rating.Seconds},
	{rating.Data, rating.Octets},
	{rating.Message, rating.Events},
}

// A planReader reads one plan.
type planReader struct {
	*parser
	numbering rating.Numbering
	home      bool      // is told
	calendar  *calendar // nil: the plan names none
	measures  rating.Unit
	names     names // of the tariffs of one service
}

func (r *planReader) plan(name string, v value) rating.Plan {
	plan := rating.Plan{Name: name, Rates: map[rating.Kind]rating.Rates{}}
	fields, ok := v.fields(planKeys...)
	if !ok {
		return plan
	}
	if description, ok := fields["description"]; ok {
		description.Text() // for people; only that it is text is checked
	}
	if numbering, ok := fields["numbering"]; ok {
		r.numbering = numbering.numbering()
		plan.Numbering = r.numbering
	}
	if home, ok := fields["home"]; ok {
		plan.Home, r.home = r.joined(home), true
	}
	if calendar, ok := fields["calendar"]; ok {
		r.calendar = r.named(calendar)
	}
	for _, s := range services {
		if service, ok := fields[string(s.kind)]; ok {
			r.measures, r.names = s.measures, names{}
			plan.Rates[s.kind] = r.service(service)
		}
	}
	if len(plan.Rates) == 0 {
		v.Faultf("the plan prices nothing: add voice, data or message")
	}
	return plan
}

func (v value) numbering() (n rating.Numbering) {
	fields, _ := v.fields(numberingKeys...)
	digits := func(key, what string, most int) string {
		field, ok := fields[key]
		if !ok {
			return ""
		}
		text, ok := field.Text()
		if ok && (!yamltext.IsDigits(text) || len(text) > most) {
			field.Faultf("%q is not %s: 1 to %d digits", yamltext.Clip(text), what, most)
		}
		return text
	}
	n.CountryCode = digits("country_code", "a country code without plus", 3)
	n.International = digits("international", "the prefix of international numbers", 8)
	n.National = digits("national", "the trunk prefix of national numbers", 4)
	if shortest, ok := fields["shortest"]; ok {
		n.Shortest = int(shortest.Whole(0, 15))
	}
	if n.CountryCode == "" && n.National != "" {
		v.Faultf("national numbers cannot be completed without country_code")
	}
	return n
}

func (r *planReader) service(v value) (rates rating.Rates) {
	fields, ok := v.fields(serviceKeys...)
	if !ok {
		return rates
	}
	rates = r.rates(v, fields)
	if roaming, ok := fields["roaming"]; ok {
		if !r.home {
			roaming.Faultf("nobody knows who roams: add home to the plan, the names of the networks at home")
		}
		for _, item := range roaming.items() {
			rates.Roaming = append(rates.Roaming, r.roaming(item))
		}
	}
	return rates
}

// rates reads the tariffs of a service, at home or in other networks.
func (r *planReader) rates(v value, fields map[string]value) (rates rating.Rates) {
	before := len(r.names)
	rates.Times = map[string]*rating.Times{}
	one := func(key string) *rating.Tariff {
		field, ok := fields[key]
		if !ok {
			return nil
		}
		return new(r.tariff(field, rates.Times))
	}
	list := func(key string) (p rating.Prefixes) {
		if field, ok := fields[key]; ok {
			p = r.prefixes(field, rates.Times)
		}
		return p
	}
	rates.Originating, rates.Forwarded, rates.Received = list("tariffs"), list("forwarded"), list("received")
	rates.Terminating = one("terminating")
	rates.Default = one("default")
	if groups, ok := fields["groups"]; ok {
		rates.Groups = r.groups(groups, rates.Times)
	}
	if len(r.names) == before {
		v.Faultf("the service has no tariff: add tariffs, received, terminating, groups or default")
	}
	return rates
}

// roaming reads the tariffs in some other networks.
func (r *planReader) roaming(v value) (abroad rating.Roaming) {
	fields, ok := v.fields(roamingKeys...)
	if !ok {
		return abroad
	}
	if name, ok := fields["name"]; ok {
		abroad.Name, _ = name.Text()
	}
	if !isName(abroad.Name) {
		v.Faultf("%q cannot name the tariffs of a visited network: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(abroad.Name), maxName)
	}
	if networks, ok := fields["networks"]; ok {
		abroad.Networks = r.joined(networks)
	} else {
		v.Faultf(`no networks: name some of the key networks, or write networks: ["*"] for all others`)
	}
	abroad.Rates = r.rates(v, fields)
	return abroad
}

// groups reads tariffs by Rating-Group, an Unsigned32 (RFC 8506 §8.29).
func (r *planReader) groups(v value, times map[string]*rating.Times) map[uint32]rating.Tariff {
	groups := map[uint32]rating.Tariff{}
	for name, entry := range v.entries("rating groups") {
		group, err := strconv.ParseUint(name, 10, 32)
		if err != nil || strconv.FormatUint(group, 10) != name { // 010 and 10 would be two keys and one group
			entry.Faultf("%q is no rating group: a whole number from 0 to 4294967295", yamltext.Clip(name))
			continue
		}
		groups[uint32(group)] = r.tariff(entry, times)
	}
	return groups
}

// names are the tariffs of one service of a plan by name, to tell of two that share one: rated events name the tariff.
type names map[string]value

func (n names) take(name string, v value) {
	if first, ok := n[name]; ok {
		v.Faultf("a tariff named %q is also in line %d; names differ within a service", name, first.Line)
		return
	}
	n[name] = v
}

// prefixes reads the tariffs by the number of the other party.
func (r *planReader) prefixes(v value, times map[string]*rating.Times) rating.Prefixes {
	table := rating.NewTable(nil)
	if r.zones != nil {
		table = rating.NewTable(r.zones)
	}
	owners := map[string]value{}
	zoned := zonesOf{reader: r, owners: map[string]value{}}
	for _, item := range v.items() {
		tariff, destinations, zones := r.calledTariff(item, times)
		var prefixes []string
		for _, d := range destinations {
			if owner, ok := owners[d.prefix]; ok {
				d.value.Faultf("%s is also in line %d, %s; it has one tariff", shown(d.prefix), owner.Line, owner.Key)
				continue
			}
			owners[d.prefix] = d.value
			prefixes = append(prefixes, d.prefix)
		}
		table.Add(tariff, prefixes...)
		zoned.add(table, tariff, zones)
	}
	zoned.finish(table, v)
	return table.Prefixes()
}

func shown(prefix string) string {
	if prefix == "" {
		return "everything else, *,"
	}
	return "the number " + prefix
}

// zonesOf gives the zones of a list of tariffs to them.
type zonesOf struct {
	reader *planReader
	owners map[string]value
	others *rating.Tariff // for every zone that is not named
}

func (z *zonesOf) add(table *rating.Table, tariff rating.Tariff, zones []value) {
	var indexes []int
	for _, item := range zones {
		name, ok := item.Text()
		if !ok {
			continue
		}
		if owner, ok := z.owners[name]; ok {
			item.Faultf("the zone %s is also in line %d, %s; it has one tariff", yamltext.Clip(name), owner.Line, owner.Key)
			continue
		}
		z.owners[name] = item
		if name == everythingElse {
			z.others = &tariff
			continue
		}
		index, ok := z.reader.zoneIndex[name]
		if !ok {
			item.Faultf("no zone is named %q; zones stand below the key zones, or in the CSV file that it names", yamltext.Clip(name))
			continue
		}
		indexes = append(indexes, index)
	}
	table.AddZones(tariff, indexes...)
}

// finish sees to it that a list that prices zones prices all of them: one that was forgotten would be charged as whatever
// its prefix begins with.
func (z *zonesOf) finish(table *rating.Table, list value) {
	if len(z.owners) == 0 {
		return
	}
	var rest []int
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(z.reader.zoneIndex)) {
		if _, ok := z.owners[name]; !ok {
			rest = append(rest, z.reader.zoneIndex[name])
			missing = append(missing, name)
		}
	}
	switch {
	case z.others != nil:
		table.AddZones(*z.others, rest...)
	case len(missing) > 0:
		list.Faultf(`%d zones have no tariff here: %s; name them, or write zones: ["*"] for all others`, len(missing), yamltext.Clip(strings.Join(missing, ", ")))
	}
}
