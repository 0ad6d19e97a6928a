package catalog

import (
	"strconv"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// The keys of a plan and of the services in it, as catalog.schema.json has them.
var (
	planKeys      = []string{"description", "numbering", "voice", "data", "message"}
	numberingKeys = []string{"country_code", "international", "national", "shortest"}
	serviceKeys   = []string{"tariffs", "terminating", "groups", "default"}
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

func (v value) plan(name string) rating.Plan {
	plan := rating.Plan{Name: name, Rates: map[rating.Kind]rating.Rates{}}
	fields, ok := v.fields(planKeys...)
	if !ok {
		return plan
	}
	if description, ok := fields["description"]; ok {
		description.Text() // for people; only that it is text is checked
	}
	if numbering, ok := fields["numbering"]; ok {
		plan.Numbering = numbering.numbering()
	}
	for _, s := range services {
		if service, ok := fields[string(s.kind)]; ok {
			plan.Rates[s.kind] = service.rates(plan.Numbering, s.measures)
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

func (v value) rates(numbering rating.Numbering, measures rating.Unit) (rates rating.Rates) {
	fields, ok := v.fields(serviceKeys...)
	if !ok {
		return rates
	}
	names := names{}
	one := func(key string) *rating.Tariff {
		field, ok := fields[key]
		if !ok {
			return nil
		}
		return new(field.tariff(measures, names))
	}
	if tariffs, ok := fields["tariffs"]; ok {
		rates.Originating = tariffs.originating(numbering, measures, names)
	}
	rates.Terminating = one("terminating")
	rates.Default = one("default")
	if groups, ok := fields["groups"]; ok {
		rates.Groups = groups.groups(measures, names)
	}
	if len(names) == 0 {
		v.Faultf("the service has no tariff: add tariffs, terminating, groups or default")
	}
	return rates
}

// groups reads tariffs by Rating-Group, an Unsigned32 (RFC 8506 §8.29).
func (v value) groups(measures rating.Unit, names names) map[uint32]rating.Tariff {
	groups := map[uint32]rating.Tariff{}
	for name, entry := range v.entries("rating groups") {
		group, err := strconv.ParseUint(name, 10, 32)
		if err != nil || strconv.FormatUint(group, 10) != name { // 010 and 10 would be two keys and one group
			entry.Faultf("%q is no rating group: a whole number from 0 to 4294967295", yamltext.Clip(name))
			continue
		}
		groups[uint32(group)] = entry.tariff(measures, names)
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

// originating reads the tariffs by the number called.
func (v value) originating(numbering rating.Numbering, measures rating.Unit, names names) rating.Prefixes {
	byPrefix := map[string]rating.Tariff{}
	owners := map[string]value{}
	for _, item := range v.items() {
		tariff, destinations := item.calledTariff(numbering, measures, names)
		for _, d := range destinations {
			if owner, ok := owners[d.prefix]; ok {
				d.value.Faultf("%s is also in line %d, %s; it has one tariff", shown(d.prefix), owner.Line, owner.Key)
				continue
			}
			owners[d.prefix] = d.value
			byPrefix[d.prefix] = tariff
		}
	}
	return rating.NewPrefixes(byPrefix)
}

func shown(prefix string) string {
	if prefix == "" {
		return "everything else, *,"
	}
	return "the number " + prefix
}
