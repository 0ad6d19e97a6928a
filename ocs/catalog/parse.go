package catalog

import (
	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// A parser gathers the plans of the files of a catalogue.
type parser struct {
	*yamltext.Reader
	plans   map[string]rating.Plan
	defined map[string]value // where each plan stands
}

// maxValues bounds the work that a text can ask for.
const maxValues = 2_000_000

func newParser() *parser {
	return &parser{
		Reader:  yamltext.NewReader("a catalogue", maxValues),
		plans:   map[string]rating.Plan{},
		defined: map[string]value{},
	}
}

// catalog returns what was gathered, or every fault.
func (p *parser) catalog(name string, source []byte) (*Catalog, error) {
	if len(p.defined) == 0 && p.Faults() == 0 {
		p.Add(Fault{File: name, Reason: "no plan: write at least one below the key plans"})
	}
	if err := p.Err(name); err != nil {
		return nil, err
	}
	return newCatalog(p.plans, source), nil
}

// file reads one file: any number of YAML documents.
func (p *parser) file(name string, data []byte) {
	for top := range p.Documents(name, data) {
		p.document(value{top})
	}
}

func (p *parser) document(top value) {
	fields, _ := top.fields("plans")
	plans, ok := fields["plans"]
	if !ok {
		return
	}
	for planName, v := range plans.entries("names of plans") {
		p.plan(planName, v)
	}
}

func (p *parser) plan(name string, v value) {
	if first, ok := p.defined[name]; ok {
		v.Faultf("a plan of this name is also in %s:%d; a plan is whole in one place", first.File, first.Line)
		return
	}
	p.defined[name] = v
	if !isName(name) {
		v.Faultf("%q cannot name a plan: use 1 to %d letters, digits, dots, dashes and underscores", yamltext.Clip(name), maxName)
	}
	p.plans[name] = v.plan(name)
}
