package catalog

import (
	"maps"
	"slices"

	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// A parser gathers what the files of a catalogue say. Plans are read last: they name what stands in any of the files.
type parser struct {
	*yamltext.Reader
	open      func(name string) ([]byte, error) // a file beside the catalogue
	opened    map[string][]byte
	found     []named // plans
	plans     map[string]rating.Plan
	defined   map[string]value // where each plan, list of networks or calendar stands
	zones     *rating.Zones
	zoneIndex map[string]int
	networks  map[string]rating.Networks
	calendars map[string]calendar
	terms     map[string]lifecycle.Terms
}

// named is a plan that was found and not read yet.
type named struct {
	name string
	value
}

// maxValues bounds the work that a text can ask for.
const maxValues = 2_000_000

// topKeys are the keys of a file, as catalog.schema.json has them.
var topKeys = []string{"zones", "networks", "calendars", "plans"}

func newParser(open func(name string) ([]byte, error)) *parser {
	return &parser{
		Reader: yamltext.NewReader("a catalogue", maxValues),
		open:   open, opened: map[string][]byte{},
		plans: map[string]rating.Plan{}, defined: map[string]value{},
		networks: map[string]rating.Networks{}, calendars: map[string]calendar{},
		terms: map[string]lifecycle.Terms{},
	}
}

// catalog returns what was gathered, or every fault.
func (p *parser) catalog(name string, source []byte) (*Catalog, error) {
	for _, plan := range p.found {
		p.plan(plan)
	}
	if len(p.found) == 0 && p.Faults() == 0 {
		p.Add(Fault{File: name, Reason: "no plan: write at least one below the key plans"})
	}
	if err := p.Err(name); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(p.opened)) {
		source = appendFile(source, name, p.opened[name])
	}
	c := newCatalog(p.plans, p.zones, source)
	c.terms = p.terms
	return c, nil
}

// file reads one file: any number of YAML documents.
func (p *parser) file(name string, data []byte) {
	for top := range p.Documents(name, data) {
		p.document(value{top})
	}
}

func (p *parser) document(top value) {
	fields, _ := top.fields(topKeys...)
	if v, ok := fields["zones"]; ok {
		p.readZones(v)
	}
	if v, ok := fields["networks"]; ok {
		for name, entry := range v.entries("names of networks") {
			if p.define("networks", name, entry) {
				p.networks[name] = entry.networks()
			}
		}
	}
	if v, ok := fields["calendars"]; ok {
		for name, entry := range v.entries("names of calendars") {
			if p.define("calendar", name, entry) {
				p.calendars[name] = entry.calendar()
			}
		}
	}
	if v, ok := fields["plans"]; ok {
		for name, entry := range v.entries("names of plans") {
			if p.define("plan", name, entry) {
				p.found = append(p.found, named{name, entry})
			}
		}
	}
}

// define notes where what is called name stands. It reports false when another one has the name.
func (p *parser) define(what, name string, v value) bool {
	key := what + " " + name
	if first, ok := p.defined[key]; ok {
		v.Faultf("a %s of this name is also in %s:%d; a %s is whole in one place", what, first.File, first.Line, what)
		return false
	}
	p.defined[key] = v
	if !isName(name) {
		v.Faultf("%q cannot name a %s: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(name), what, maxName)
	}
	return true
}

func (p *parser) plan(n named) {
	r := planReader{parser: p}
	p.plans[n.name] = r.plan(n.name, n.value)
	p.readTerms(n.name, n.value)
}
