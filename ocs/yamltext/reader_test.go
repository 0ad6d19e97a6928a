package yamltext_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

// read reads what the tests here have: name: text, on: truth, size: 1..9, list: texts.
func read(text string) (got []string, err error) {
	r := yamltext.NewReader("a test", 1000)
	for top := range r.Documents("x.yaml", []byte(text)) {
		fields, _ := top.Fields("name", "on", "size", "list")
		if f, ok := fields["name"]; ok {
			name, _ := f.Text()
			got = append(got, name)
		}
		if f, ok := fields["on"]; ok && f.Truth() {
			got = append(got, "on")
		}
		if f, ok := fields["size"]; ok {
			got = append(got, strconv.FormatInt(f.Whole(1, 9), 10))
		}
		if f, ok := fields["list"]; ok {
			for _, item := range f.Items() {
				text, _ := item.Text()
				got = append(got, text)
			}
		}
	}
	return got, r.Err("x.yaml")
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want, fault string }{
		{"nothing", "", "", ""},
		{"only comments", "# a\n---\n# b\n", "", ""},
		{"every kind", "name: a\non: true\nsize: 9\nlist: [b, c]", "a on 9 b c", ""},
		{"text is as it is written", "name: +0800", "+0800", ""},
		{"a byte order mark", "\ufeffname: a", "a", ""},
		{"two documents", "name: a\n---\nname: b", "a b", ""},
		{"an alias", "list: [&x a, *x]", "a a", ""},
		{"faults by line", "on: 1\nsize: 10\nname: [a]\nlist: []\nother: 1", "",
			"x.yaml:1: on: \"1\" where true or false is needed\n" +
				"x.yaml:2: size: \"10\" is no whole number from 1 to 9\n" +
				"x.yaml:3: name: a list where text is needed\n" +
				"x.yaml:4: list: an empty list; fill it or leave the key out\n" +
				"x.yaml:5: other: unknown key; those known here are name, on, size, list"},
		{"an octal number", "size: 0o7", "", `x.yaml:1: size: "0o7" is no whole number from 1 to 9`},
		{"a key twice", "name: a\nname: b", "", "x.yaml:2: name: the key is also in line 1; leave one"},
		{"a merge key", "<<: {name: a}", "", "x.yaml:1: a key must be plain text; merge keys are not used"},
		{"a list for keys", "- a", "", "x.yaml:1: a list where keys are needed; those known here are name, on, size, list"},
		{"text for a list", "list: a", "", `x.yaml:1: list: "a" where a list is needed: [a, b]`},
		{"no YAML", "name: {", "", "x.yaml:1: not YAML: did not find expected node content"},
		{"no YAML from the scanner", "name:\n\t- a", "", "x.yaml:2: not YAML: found character that cannot start any token"},
		{"an anchor that is not there", "name: a\nlist: *b", "", "x.yaml:2: not YAML: unknown anchor 'b' referenced"},
		{"no UTF-8", "name: a\n# \xe9", "", "x.yaml:2: not UTF-8 text without control characters"},
		{"an escape sequence", "name: \x1b[31m", "", "x.yaml:1: not UTF-8 text without control characters"},
		{"a directive", "%YAML 1.1\n---\nname: a", "", "x.yaml:1: a YAML directive (%) is not used in a test"},
		{"too many values", "list: &a [" + strings.Repeat("b,", 2000) + "]", "", "x.yaml: its aliases make more than 1000 values of it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(test.text)
			fault := ""
			if err != nil {
				fault = err.Error()
			}
			if fault != test.fault || err == nil && strings.Join(got, " ") != test.want {
				t.Errorf("%q\ngot  %q, %s\nwant %q, %s", test.text, got, fault, test.want, test.fault)
			}
		})
	}
}

// What a machine wrote wrongly is not told ten thousand times, and a fault is short whatever stands in the text.
func TestFaultsAreShortAndFew(t *testing.T) {
	t.Parallel()
	_, err := read("list:\n" + strings.Repeat("  - ["+strings.Repeat("é", 1000)+"]\n", 900) + strings.Repeat("k", 500) + ": 1")
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != yamltext.MaxFaults+1 || lines[yamltext.MaxFaults] != "and 801 more faults" {
		t.Errorf("%d lines, the last: %s", len(lines), lines[len(lines)-1])
	}
	_, err = read("name: a\n" + strings.Repeat("é", 500) + ": 1")
	if got := err.Error(); len(got) > 250 || !strings.Contains(got, "é…: unknown key") {
		t.Errorf("%d octets: %s", len(got), got)
	}
}
