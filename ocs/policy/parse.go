package policy

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/transfer"
)

// A parser reads the documents of a policy.
type parser struct {
	*yamltext.Reader
	rules *transfer.Policy // nil: not read yet
	line  int              // where they stand
}

// maxValues bounds the work that a text can ask for.
const maxValues = 100_000

// Parse reads a policy of one text. name stands in the faults.
func Parse(name string, data []byte) (*Policy, error) {
	if len(data) > maxSize {
		return nil, Fault{File: name, Reason: fmt.Sprintf("more than the %d octets that are read", maxSize)}
	}
	p := &parser{Reader: yamltext.NewReader("a policy", maxValues)}
	for top := range p.Documents(name, data) {
		p.document(value{top})
	}
	return p.policy(name, bytes.Clone(yamltext.TrimMark(data)))
}

// policy returns what was read, or every fault.
func (p *parser) policy(name string, source []byte) (*Policy, error) {
	if p.rules == nil && p.Faults() == 0 {
		p.Add(Fault{File: name, Reason: "no policy: write one below the key transfer"})
	}
	if err := p.Err(name); err != nil {
		return nil, err
	}
	policy := newPolicy(p.rules, source)
	if err := policy.rules.Validate(); err != nil { // what it finds was found with its line; this is for what was forgotten here
		return nil, Fault{File: name, Reason: strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	return policy, nil
}

func (p *parser) document(top value) {
	fields, _ := top.fields("transfer")
	v, ok := fields["transfer"]
	switch {
	case !ok:
	case p.rules != nil:
		v.Faultf("the key is also in line %d; a policy is whole in one place", p.line)
	default:
		p.rules, p.line = v.rules(), v.Line
	}
}
