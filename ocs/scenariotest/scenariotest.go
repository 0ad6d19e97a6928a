// Package scenariotest is what tests of the pure core share: scenarios that people can read and correct. A scenario is text: a
// block of commands, a line of dashes, what they come to. Blank lines end a block, # begins a comment.
package scenariotest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios come to into their files")

// A World is what a scenario plays in.
type World struct {
	Command func(t *testing.T, line string) string // runs one line and returns what there is to tell
	Check   func() error                           // the invariants, after every command
}

// Run plays each file in testdata in a world of its own, and compares what it comes to with what the file says.
func Run(t *testing.T, newWorld func() World) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, newWorld(), string(source))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(source) {
				t.Errorf("%s came to something else; go test -rewrite shows the difference:\n%s", file, got)
			}
		})
	}
}

// play runs a scenario and returns it with what its commands came to.
func play(t *testing.T, w World, source string) string {
	t.Helper()
	var out, result strings.Builder
	expected := false
	flush := func() {
		if result.Len() > 0 {
			out.WriteString("----\n" + result.String())
			result.Reset()
		}
	}
	for line := range strings.Lines(source) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			flush()
			expected = false
			out.WriteString("\n")
		case line == "----":
			expected = true
		case expected:
		case strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
		default:
			out.WriteString(line + "\n")
			result.WriteString(w.Command(t, line))
			if err := w.Check(); err != nil {
				t.Fatalf("after %q: %v", line, err)
			}
		}
	}
	flush()
	return out.String()
}
