package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A requirement is a row of the tables in docs/spec/gy.md section 4.
type requirement struct {
	id       string // GY-077
	level    string // MUST, SHOULD or MAY
	sentence string
	section  string // heading of its table
}

func readRequirements(path string) ([]requirement, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all []requirement
	section := ""
	for line := range strings.Lines(string(text)) {
		if heading, ok := strings.CutPrefix(line, "### "); ok {
			section = strings.TrimSpace(heading)
		}
		if !strings.HasPrefix(line, "| GY-") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			return nil, fmt.Errorf("%s: %d cells, want 5, in %s", path, len(cells), line)
		}
		all = append(all, requirement{
			id: strings.TrimSpace(cells[0]), level: strings.TrimSpace(cells[1]), sentence: strings.TrimSpace(cells[2]), section: section,
		})
	}
	return all, nil
}

// notes say why a requirement has no test: the text behind its number.
type notes map[string]string

var noteLine = regexp.MustCompile(`^(GY-\d{3}) (\S.*)$`)

// readNotes reads lines like "GY-120 not built: …". Empty lines and those that begin with # say nothing.
func readNotes(path string) (notes, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := make(notes)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		found := noteLine.FindStringSubmatch(line)
		if found == nil || all[found[1]] != "" {
			return nil, fmt.Errorf("%s: %q is no note, or the second one of its requirement", path, line)
		}
		all[found[1]] = found[2]
	}
	return all, nil
}

// closeGaps takes off the list of known gaps what has a test by now.
func closeGaps(path string, tests map[string][]test) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if id, _, _ := strings.Cut(line, " "); len(tests[id]) == 0 {
			kept.WriteString(line)
		}
	}
	return os.WriteFile(path, []byte(kept.String()), 0o644)
}
