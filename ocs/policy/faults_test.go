package policy

import (
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/ocs/yamltext/yamltest"
)

// Each line of testdata/faults that is wrong says what must be told of it. Nothing else may be.
func TestEveryFaultIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	yamltest.CompareFaults(t, "testdata/faults/*.yaml", func(file string) error {
		p, err := Load(file)
		if p != nil {
			t.Error("a policy with faults was loaded")
		}
		return err
	})
}

func TestTextThatIsNoPolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "x.yaml: no policy: write one below the key transfer"},
		{"only comments", "# transfer\n---\n# and more\n", "x.yaml: no policy: write one below the key transfer"},
		{"nothing below transfer", "transfer:\n", "x.yaml:1: transfer: nothing where keys are needed; those known here are " + strings.Join(transferKeys, ", ")},
		{"a list", "- transfer\n", "x.yaml:1: a list where keys are needed; those known here are transfer"},
		{"broken YAML", "transfer:\n  fees: {\n", "x.yaml:3: not YAML: did not find expected node content"},
		{"Latin-1", "transfer:\n  d\xe9mo: {}\n", "x.yaml:2: not UTF-8 text without control characters"},
		{"an escape sequence", "transfer:\n\n  \x1b[31m: 1\n", "x.yaml:3: not UTF-8 text without control characters"},
		{"a directive", "%YAML 1.1\n---\ntransfer: {}\n", "x.yaml:1: a YAML directive (%) is not used in a policy"},
		{"twice", sample("repeat_after: 0") + "\n---\n" + sample("repeat_after: 0"), "x.yaml:8: transfer: the key is also in line 1; a policy is whole in one place"},
		{"too long", strings.Repeat("#", maxSize+1), "x.yaml: more than the 1048576 octets that are read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p, err := Parse("x.yaml", []byte(test.text))
			if p != nil || err == nil || err.Error() != test.want {
				t.Errorf("Parse = %v, %v\nwant %s", p, err, test.want)
			}
		})
	}
}

// sample is the smallest policy with one thing more.
func sample(more string) string {
	return "transfer:\n  kinds: {p2p: {least: 60, most: 600}}\n  channels: {ussd: {}}\n  classes: {plan: {movable: true}}\n  " + more + "\n  fees: [{name: free}]"
}

// What a machine wrote wrongly is not told ten thousand times.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	_, err := Parse("x.yaml", []byte(sample("limits:\n"+strings.Repeat("    - {scope: x, window: y}\n", 5000))))
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != yamltext.MaxFaults+1 || !strings.HasSuffix(lines[yamltext.MaxFaults], " more faults") {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
}

// Aliases may share, but not multiply without bound.
func TestAliasesAreBounded(t *testing.T) {
	t.Parallel()
	limit := "{name: a, scope: sender, window: day/calendar, count: 1, kinds: &k [" + strings.Repeat("p2p,", 1000) + "]}"
	text := sample("limits: [" + limit + strings.Repeat(", {scope: sender, window: day/calendar, count: 1, kinds: *k}", 1000) + "]")
	_, err := Parse("x.yaml", []byte(text))
	if err == nil || !strings.Contains(err.Error(), "its aliases make more than 100000 values of it") {
		t.Errorf("got %.300v", err)
	}
}
