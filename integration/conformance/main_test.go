package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// fromRoot has the test work where the module is.
func fromRoot(t *testing.T) {
	t.Helper()
	t.Chdir("../..")
}

// The page has every requirement in its words, and says of no test that does not exist that it holds one. A test that came since the page
// was written may be missing from it.
func TestPageIsTrue(t *testing.T) {
	fromRoot(t)
	requirements, err := readRequirements("docs/spec/gy.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := findTests(".")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if strings.Contains(page, "**fail**") {
		t.Error("docs/conformance.md was written after a run in which a test failed: make conformance")
	}
	for _, r := range requirements {
		start := fmt.Sprintf("| %s | %s | %s | ", r.id, r.level, r.sentence)
		_, rest, found := strings.Cut(page, "\n"+start)
		if !found {
			t.Errorf("docs/conformance.md does not have %s as the specification has it: make conformance", r.id)
			continue
		}
		held, _, _ := strings.Cut(rest, " | ")
		for name := range strings.SplitSeq(held, "<br>") {
			exists := slices.ContainsFunc(tests[r.id], func(held test) bool { return held.String() == name })
			if !exists && name != "none" && !strings.HasPrefix(name, "*") {
				t.Errorf("docs/conformance.md says that %s is held by %s, which it is not: make conformance", r.id, name)
			}
		}
	}
}

// A requirement of MUST or SHOULD without a test fails, unless it is one of the known gaps. Those only become fewer: make conformance
// takes off the list what has a test, and nothing puts anything on it. A MAY without a test has a note that says why.
func TestEveryRequirementHasATest(t *testing.T) {
	fromRoot(t)
	requirements, err := readRequirements("docs/spec/gy.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(requirements) != 190 {
		t.Errorf("%d requirements, want 190", len(requirements))
	}
	tests, err := findTests(".")
	if err != nil {
		t.Fatal(err)
	}
	notes, err := readNotes("integration/conformance/notes.txt")
	if err != nil {
		t.Fatal(err)
	}
	gaps, err := readNotes("integration/conformance/gaps.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requirements {
		held, gap := len(tests[r.id]) > 0, gaps[r.id] != ""
		switch {
		case !held && !gap && r.level != "MAY":
			t.Errorf("%s (%s) has no test: %s", r.id, r.level, r.sentence)
		case !held && r.level == "MAY" && notes[r.id] == "" && !gap:
			t.Errorf("%s has neither a test nor a note in integration/conformance/notes.txt: %s", r.id, r.sentence)
		}
	}
	for id := range tests {
		if !slices.ContainsFunc(requirements, func(r requirement) bool { return r.id == id }) {
			t.Errorf("%v holds %s, which is no requirement", tests[id], id)
		}
	}
}

func TestMentioned(t *testing.T) {
	got := strings.Join(mentioned("// GY-077: one; GY-161 to GY-163 and GY-005, not GY-12."), " ")
	if want := "GY-077 GY-161 GY-162 GY-163 GY-005"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOutcomes(t *testing.T) {
	o, err := readOutcomes(strings.NewReader(`{"Action":"pass","Package":"github.com/gyro-ocs/gyro/ocs","Test":"TestA"}
# noise
{"Action":"skip","Package":"github.com/gyro-ocs/gyro/integration","Test":"TestB"}
{"Action":"pass","Package":"github.com/gyro-ocs/gyro/ocs"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		tests []test
		want  string
	}{
		{"none", nil, ""},
		{"one that passed", []test{{"ocs", "TestA"}}, "pass"},
		{"a scenario of a package that passed", []test{{"ocs", "testdata/x.txt"}}, "pass"},
		{"one that was skipped", []test{{"integration", "TestB"}, {"ocs", "TestA"}}, "skipped in part"},
		{"one that was not run", []test{{"integration", "TestC"}}, "not run"},
	} {
		if got := outcome(test.tests, o); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
