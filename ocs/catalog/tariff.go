package catalog

import (
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// The keys of a tariff, of the others who pay for it, and of what it costs at other times, as catalog.schema.json has them.
var (
	tariffKeys       = []string{"name", "measures", "pays", "setup", "increments", "price", "buckets", "barred", "then", "times"}
	calledTariffKeys = append(slices.Clone(tariffKeys), "prefixes", "codes", "zones")
	payerKeys        = []string{"pays", "setup", "increments", "price", "buckets"}
)

// maxPayers bounds who else pays: each is asked for every grant.
const maxPayers = 4

// maxNumber bounds what a price, an increment or a setup fee is made of: a million million of any unit is an error of
// writing, and products with it still fit.
const maxNumber = 1_000_000_000_000

// calledTariff reads a tariff with the numbers that it is for.
func (r *planReader) calledTariff(v value, times map[string]*rating.Times) (t rating.Tariff, numbers []destination, zones []value) {
	fields, ok := v.fields(calledTariffKeys...)
	if !ok {
		return t, nil, nil
	}
	numbers = destinations(fields, r.numbering)
	_, hasPrefixes := fields["prefixes"]
	_, hasCodes := fields["codes"]
	list, hasZones := fields["zones"]
	if !hasPrefixes && !hasCodes && !hasZones {
		v.Faultf(`the tariff is for no number: add prefixes, codes or zones, prefixes: ["*"] for everything else`)
	}
	if hasZones {
		zones = list.items()
	}
	return r.price(v, fields, times), numbers, zones
}

// tariff reads a tariff that something else than the number selects.
func (r *planReader) tariff(v value, times map[string]*rating.Times) rating.Tariff {
	fields, ok := v.fields(tariffKeys...)
	if !ok {
		return rating.Tariff{}
	}
	return r.price(v, fields, times)
}

func (r *planReader) price(v value, fields map[string]value, times map[string]*rating.Times) rating.Tariff {
	t := rating.Tariff{Measures: r.measures, Pays: r.measures, First: 1, Next: 1, Price: rating.Price{Per: 1}}
	if name, ok := fields["name"]; ok {
		t.Name = name.tariffName(r.names)
	} else {
		v.Faultf("the tariff has no name; rated events tell it")
	}
	if field, ok := fields["measures"]; ok {
		t.Measures = field.usageUnit()
		t.Pays = t.Measures
	}
	setPrice(&t, fields)
	if _, ok := fields["price"]; !ok && !t.Barred {
		v.Faultf("the tariff has no price; write price: 0 where it is free")
	}
	if field, ok := fields["times"]; ok && t.Name != "" {
		times[t.Name] = r.times(field, t)
	}
	return t
}

// setPrice sets what fields say of a price; what they leave out stays.
func setPrice(t *rating.Tariff, fields map[string]value) {
	if field, ok := fields["pays"]; ok {
		t.Pays = field.bucketUnit()
	}
	if field, ok := fields["setup"]; ok {
		t.Setup = rating.Units(field.Whole(0, maxNumber))
	}
	if field, ok := fields["increments"]; ok {
		t.First, t.Next = field.increments()
	}
	if field, ok := fields["buckets"]; ok {
		t.Buckets = field.classes()
	}
	if field, ok := fields["barred"]; ok {
		t.Barred = field.Truth()
	}
	if field, ok := fields["price"]; ok {
		t.Price = field.ratio()
	}
	if field, ok := fields["then"]; ok {
		t.Then = field.payers(*t)
	}
}

// payers reads who pays when the buckets of a tariff cannot. The increments are those of the tariff unless told otherwise.
func (v value) payers(t rating.Tariff) (payers []rating.Payer) {
	items := v.items()
	if len(items) > maxPayers {
		v.Faultf("%d who pay are more than %d", len(items), maxPayers)
	}
	for _, item := range items {
		fields, ok := item.fields(payerKeys...)
		if !ok {
			continue
		}
		other := rating.Tariff{Pays: t.Pays, First: t.First, Next: t.Next, Price: rating.Price{Per: 1}}
		setPrice(&other, fields)
		if _, ok := fields["price"]; !ok {
			item.Faultf("who pays then has no price; write price: 0 where it is free")
		}
		payers = append(payers, rating.Payer{
			Pays: other.Pays, Setup: other.Setup, First: other.First, Next: other.Next, Price: other.Price, Buckets: other.Buckets,
		})
	}
	return payers
}

func (v value) tariffName(names names) string {
	name, ok := v.Text()
	switch {
	case !ok:
	case !isName(name):
		v.Faultf("%q cannot name a tariff: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(name), maxName)
	default:
		names.take(name, v)
	}
	return name
}

func (v value) usageUnit() rating.Unit {
	text, ok := v.Text()
	unit := rating.Unit(text)
	if ok && unit != rating.Seconds && unit != rating.Octets && unit != rating.Events {
		v.Faultf("usage is not counted in %q but in seconds, octets or events", yamltext.Clip(text))
	}
	return unit
}

// bucketUnit reads what a bucket counts. Of a currency only the form of an ISO 4217 code is checked: which codes exist changes
// every few years.
func (v value) bucketUnit() rating.Unit {
	text, ok := v.Text()
	unit := rating.Unit(text)
	if ok && unit != rating.Seconds && unit != rating.Octets && unit != rating.Events && !unit.IsCurrency() {
		v.Faultf("no bucket is counted in %q but in seconds, octets, events or a currency such as EUR", yamltext.Clip(text))
	}
	return unit
}

// increments reads first/next, such as 30/6, or one number for both.
func (v value) increments() (first, next rating.Units) {
	text, ok := v.Text()
	if !ok {
		return 1, 1
	}
	one, other, isPair := strings.Cut(text, "/")
	if !isPair {
		other = one
	}
	f, firstOK := yamltext.ParseWhole(one)
	n, nextOK := yamltext.ParseWhole(other)
	if !firstOK || !nextOK || f < 1 || n < 1 || f > maxNumber || n > maxNumber {
		v.Faultf("%q are no increments; write first/next of whole numbers from 1, such as 60/60 or 30/6", yamltext.Clip(text))
		return 1, 1
	}
	return rating.Units(f), rating.Units(n)
}

// ratio reads a price: units/per, such as 4/1 or 20/60, or units for each one.
func (v value) ratio() rating.Price {
	text, ok := v.Text()
	if !ok {
		return rating.Price{Per: 1}
	}
	numerator, denominator, isPair := strings.Cut(text, "/")
	if !isPair {
		denominator = "1"
	}
	units, unitsOK := yamltext.ParseWhole(numerator)
	per, perOK := yamltext.ParseWhole(denominator)
	if !unitsOK || !perOK || per < 1 || units > maxNumber || per > maxNumber {
		v.Faultf("%q is no price; write bucket units / units of usage in whole numbers, such as 4/1 or 20/60", yamltext.Clip(text))
		return rating.Price{Per: 1}
	}
	return rating.Price{Units: rating.Units(units), Per: rating.Units(per)}
}

// classes reads the classes of buckets that may pay.
func (v value) classes() []string {
	var classes []string
	for _, item := range v.items() {
		class, ok := item.Text()
		switch {
		case !ok:
		case !isName(class):
			item.Faultf("%q cannot name a class of buckets: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(class), maxName)
		case slices.Contains(classes, class):
			item.Faultf("the class %s is named twice", class)
		default:
			classes = append(classes, class)
		}
	}
	return classes
}
