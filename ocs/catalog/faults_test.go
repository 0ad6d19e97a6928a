package catalog

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
		c, err := Load(file)
		if c != nil {
			t.Error("a catalogue with faults was loaded")
		}
		return err
	})
}

func TestTextThatIsNoCatalogue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "x.yaml: no plan: write at least one below the key plans"},
		{"only comments", "# plans\n---\n# and more\n", "x.yaml: no plan: write at least one below the key plans"},
		{"no plan below plans", "plans: {}\n", "x.yaml: no plan: write at least one below the key plans"},
		{"nothing below plans", "plans:\n", "x.yaml:1: plans: nothing where names of plans are needed"},
		{"a list", "- plans\n", "x.yaml:1: a list where keys are needed; those known here are zones, networks, calendars, plans"},
		{"broken YAML", "plans:\n  demo: {\n", "x.yaml:3: not YAML: did not find expected node content"},
		{"broken in the first line", "plans: {", "x.yaml:1: not YAML: did not find expected node content"},
		{"an open quote", "plans:\n  \"p: {}\n", "x.yaml:2: not YAML: found unexpected end of stream"},
		{"an alias of nothing", "plans:\n  p: {}\n  q: *p\n", "x.yaml:3: not YAML: unknown anchor 'p' referenced"},
		{"a tabulator", "plans:\n\tdemo: 1\n", "x.yaml:2: not YAML: found character that cannot start any token"},
		{"Latin-1", "plans:\n  d\xe9mo: {}\n", "x.yaml:2: not UTF-8 text without control characters"},
		{"UTF-16", "\xff\xfep\x00", "x.yaml:1: not UTF-8 text without control characters"},
		{"an escape sequence", "plans:\n\n  \x1b[31m: 1\n", "x.yaml:3: not UTF-8 text without control characters"},
		{"a directive", "%YAML 1.1\n---\nplans: {}\n", "x.yaml:1: a YAML directive (%) is not used in a catalogue"},
		{"one plan twice", good + "---\n" + good,
			"x.yaml:5: plans.p: a plan of this name is also in x.yaml:2; a plan is whole in one place"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := Parse("x.yaml", []byte(test.text))
			if c != nil || err == nil || err.Error() != test.want {
				t.Errorf("Parse(%q) = %v, %v\nwant %s", test.text, c, err, test.want)
			}
		})
	}
}

// good is the smallest catalogue; its plan begins in line 2.
const good = "plans:\n  p: {voice: {default: {name: a, price: 1}}}\n"

// What a machine wrote wrongly is not told ten thousand times: each of 5000 tariffs has a bad name, a bad price and no
// numbers, and the service is then without any tariff.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	text := "plans:\n  p:\n    voice:\n      tariffs:\n" + strings.Repeat("        - {name: a b, price: x}\n", 5000)
	_, err := Parse("x.yaml", []byte(text))
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != yamltext.MaxFaults+1 || lines[yamltext.MaxFaults] != "and 14901 more faults" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
}

// Aliases may share, but not multiply without bound.
func TestAliasesAreBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("plans:\n  p: {voice: {tariffs: [&t {name: a, price: 1, prefixes: &p [")
	text.WriteString(strings.Repeat("+1,", 5000) + "]}, ")
	text.WriteString(strings.Repeat("{name: a, price: 1, prefixes: *p},", 5000) + "]}}\n")
	_, err := Parse("x.yaml", []byte(text.String()))
	if err == nil || !strings.Contains(err.Error(), "its aliases make more than 2000000 values of it") {
		t.Errorf("got %.300v", err)
	}
}
