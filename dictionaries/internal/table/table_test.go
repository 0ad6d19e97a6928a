package table_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/dictionaries/internal/table"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	master, err := os.ReadFile("../../dictionary.txt")
	if err != nil {
		t.Fatal(err)
	}
	dictionary, err := table.Read(bytes.NewReader(master))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range table.Files(dictionary) {
		got, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is older than dictionary.txt: run go generate ./dictionaries", name)
		}
	}
}

func TestReadNamesTheFault(t *testing.T) {
	t.Parallel()
	const start = "vendor 3GPP 10415\napplication 4 Credit-Control\n"
	for _, c := range []struct{ name, line, want string }{
		{"code is no number", "A x - M Time", "line 3"},
		{"vendor not declared", "A 1 Nokia M Time", `unknown vendor "Nokia"`},
		{"flags", "A 1 - X Time", `unknown flags "X"`},
		{"type", "A 1 - M Integer16", `unknown type "Integer16"`},
		{"line too short", "A 1", "needs code, vendor, flags and type"},
		{"word alone", "A", "says nothing"},
		{"value of a string", "A 1 - M UTF8String ONE=1", "belong to a UTF8String"},
		{"value without number", "A 1 - M Enumerated ONE", "no NAME=value"},
		{"name of a value twice", "A 1 - M Enumerated ONE=1 ONE=2", "is there twice"},
		{"number of a value twice", "A 1 - M Enumerated ONE=1 TWO=1", "is there twice"},
		{"member without brackets", "A 1 - M Grouped Other", "no member"},
		{"member that is not there", "A 1 - M Grouped [Other]", "unknown member Other"},
		{"name twice", "A 1 - M Time\nA 2 - M Time", "A is there twice"},
		{"code twice", "A 1 3GPP M Time\nB 1 3GPP M Time", "B has the code 1 of A"},
		{"command without members", "command CCR 272 Credit-Control-Request", "short name, a code, a name"},
	} {
		_, err := table.Read(strings.NewReader(start + c.line + "\n"))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q gives %v, want %q", c.name, c.line, err, c.want)
		}
	}
}
