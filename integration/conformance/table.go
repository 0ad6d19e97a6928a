package main

import (
	"cmp"
	"fmt"
	"strings"
)

const preface = `# Conformance

Every requirement of [spec/gy.md](spec/gy.md) section 4, the tests that hold it and what they came to. Written by ` + "`make conformance`" + `;
a test of this project fails when it says what is not so, and when a requirement of MUST or SHOULD has no test.

A test by its name alone is a black-box test of package integration: octets to and from the real binary. ` + "`go test ./integration -run GY_077`" + `
runs what holds GY-077. "every test" means that each answer in the whole suite is looked at. A test with its package before it is
one inside, where the clock can be moved.

`

// table returns the page.
func table(requirements []requirement, tests map[string][]test, notes notes, outcomes outcomes) string {
	var b strings.Builder
	b.WriteString(preface)
	b.WriteString(summary(requirements, tests))
	section := ""
	for _, r := range requirements {
		if r.section != section {
			section = r.section
			fmt.Fprintf(&b, "\n## %s\n\n| Requirement | Level | Sentence | Test | Result |\n|---|---|---|---|---|\n", section)
		}
		var names []string
		for _, t := range tests[r.id] {
			names = append(names, t.String())
		}
		held := strings.Join(names, "<br>")
		if note := notes[r.id]; note != "" {
			held = strings.TrimPrefix(held+"<br>*"+note+"*", "<br>")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.id, r.level, r.sentence, cmp.Or(held, "none"), outcome(tests[r.id], outcomes))
	}
	return b.String()
}

// summary counts by level.
func summary(requirements []requirement, tests map[string][]test) string {
	var b strings.Builder
	b.WriteString("| Level | Requirements | Held by a black-box test | By a test inside only | Without a test |\n|---|---|---|---|---|\n")
	for _, level := range []string{"MUST", "SHOULD", "MAY"} {
		var all, outside, inside int
		for _, r := range requirements {
			if r.level != level {
				continue
			}
			all++
			switch held := tests[r.id]; {
			case len(held) > 0 && held[0].blackBox():
				outside++
			case len(held) > 0:
				inside++
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", level, all, outside, inside, all-outside-inside)
	}
	return b.String()
}

// outcome returns what the tests of a requirement came to together: the worst.
func outcome(tests []test, outcomes outcomes) string {
	seen := make(map[string]bool)
	for _, t := range tests {
		seen[outcomes.of(t)] = true
	}
	switch {
	case len(tests) == 0:
		return ""
	case seen["fail"]:
		return "**fail**"
	case seen[""]:
		return "not run"
	case seen["skip"]:
		return "skipped in part"
	}
	return "pass"
}
