package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/gyro-ocs/gyro/transfer"
)

// A Policy is a checked policy with its text. It never changes.
type Policy struct {
	rules  *transfer.Policy
	source []byte
}

// digestLength is in hexadecimal digits: 48 bits, so that a clash among a million versions is less likely than one in five
// hundred.
const digestLength = 12

// newPolicy names rules after source.
func newPolicy(rules *transfer.Policy, source []byte) *Policy {
	sum := sha256.Sum256(source)
	digest := hex.EncodeToString(sum[:])[:digestLength]
	if rules.Version != "" {
		digest = rules.Version + "+" + digest
	}
	rules.Version = digest
	return &Policy{rules: rules, source: source}
}

// Version names the policy: policy_version as its author wrote it, a plus, and the first digits of the SHA-256 of
// [Policy.Source]. A changed comment is another version, a renamed file is not.
func (p *Policy) Version() string { return p.rules.Version }

// Transfer returns the rules. They are shared and must not be changed.
func (p *Policy) Transfer() *transfer.Policy { return p.rules }

// Source returns the text, for keeping. [Parse] makes the same policy of it.
func (p *Policy) Source() []byte { return slices.Clone(p.source) }

//go:embed policy.yaml
var shipped []byte

// Default returns the policy that is shipped: that of [transfer.Default].
func Default() *Policy {
	p, err := Parse("policy.yaml", shipped)
	if err != nil {
		panic(fmt.Sprintf("policy: the embedded policy.yaml is broken: %v", err))
	}
	return p
}
