// Package yamltest is what tests of readers of YAML share: files that say on each line what is wrong with it, and schemas that
// tell editors what the reader knows.
package yamltest

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

var marked = regexp.MustCompile(`# fault (.+)$`)

// CompareFaults loads each file that matches pattern and compares the faults with the marks "# fault what must be told & what
// else" on its lines. Nothing else may be told, and there must be a file.
func CompareFaults(t *testing.T, pattern string, load func(file string) error) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of faults: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			compareFaults(t, file, expectedFaults(string(data)), toldFaults(t, load(file)))
		})
	}
}

func expectedFaults(text string) map[int][]string {
	want := map[int][]string{}
	for i, line := range strings.Split(text, "\n") {
		if found := marked.FindStringSubmatch(line); found != nil && i > 0 {
			want[i+1] = strings.Split(found[1], " & ")
		}
	}
	return want
}

// toldFaults takes an error of a reader apart.
func toldFaults(t *testing.T, err error) (told []yamltext.Fault) {
	t.Helper()
	joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err)
	if !ok {
		t.Fatalf("no joined faults: %v", err)
	}
	for _, e := range joined.Unwrap() {
		fault, ok := errors.AsType[yamltext.Fault](e)
		if !ok {
			t.Errorf("not a Fault: %v", e)
		}
		told = append(told, fault)
	}
	return told
}

func compareFaults(t *testing.T, file string, want map[int][]string, told []yamltext.Fault) {
	t.Helper()
	if !slices.IsSortedFunc(told, func(a, b yamltext.Fault) int { return cmp.Compare(a.Line, b.Line) }) {
		t.Error("not in the order of lines")
	}
	for _, fault := range told {
		if fault.File != file {
			t.Errorf("%v: file %q, want %q", fault, fault.File, file)
		}
		at := slices.IndexFunc(want[fault.Line], func(part string) bool { return strings.Contains(fault.Error(), part) })
		if at < 0 {
			t.Errorf("not expected: %v", fault)
			continue
		}
		want[fault.Line] = slices.Delete(want[fault.Line], at, at+1)
	}
	for line, parts := range want {
		for _, part := range parts {
			t.Errorf("line %d: not told: %s", line, part)
		}
	}
}
