package integration

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/gyro-ocs/gyro"

// mayImport is the picture of docs/architecture.md: what each room of the house may import of the others. A package
// below a room belongs to it unless it has a line of its own, and may always import its own room.
var mayImport = map[string][]string{
	"rating":              {},
	"ocs":                 {"rating"},
	"transfer":            {"rating", "ocs"},
	"ocs/lifecycle":       {"rating", "ocs", "transfer"}, // tells minutes and days as transfer does
	"ocs/scenariotest":    {},                            // plays scenarios for the tests of the core
	"ocs/yamltext":        {},
	"ocs/catalog":         {"rating", "ocs", "ocs/lifecycle", "ocs/yamltext"},
	"ocs/policy":          {"rating", "ocs", "transfer", "ocs/yamltext"},
	"ocs/pin":             {"rating", "ocs", "transfer"},
	"ocs/outbox":          {"rating", "ocs", "transfer"},
	"ocs/postgres":        {"rating", "ocs", "transfer", "ocs/lifecycle", "ocs/pin", "ocs/outbox"}, // the types of what pin and outbox keep in it
	"ocs/charging":        {"rating", "ocs", "transfer", "ocs/lifecycle", "ocs/pin", "ocs/outbox", "ocs/postgres"},
	"ocs/inforce":         {},                                                                         // what all servers go by
	"ocs/policy/inforce":  {"rating", "ocs", "transfer", "ocs/policy", "ocs/postgres", "ocs/inforce"}, // which policy
	"ocs/catalog/inforce": {"rating", "ocs", "ocs/catalog", "ocs/postgres", "ocs/inforce"},            // which catalogue
	"ocs/cdr":             {"rating", "ocs", "transfer", "ocs/postgres", "ocs/yamltext"},
	"ocs/api": {
		"rating", "ocs", "transfer", "ocs/lifecycle", "ocs/policy", "ocs/policy/inforce", "ocs/pin", "ocs/outbox", "ocs/postgres", "ocs/charging", "ocs/catalog",
		"ocs/catalog/inforce", "ocs/cdr",
	},
	"dictionaries":         {},
	"dictionaries/reading": {"dictionaries"},
	"diameter":             {"rating", "ocs", "transfer", "dictionaries"}, // declares the interface of the engine instead of importing it
	"integration":          {},
	"cmd/gyro": {
		"rating", "ocs", "transfer", "ocs/lifecycle", "ocs/catalog", "ocs/catalog/inforce", "ocs/policy", "ocs/policy/inforce", "ocs/pin", "ocs/outbox", "ocs/postgres", "ocs/charging", "ocs/cdr",
		"ocs/api", "dictionaries", "dictionaries/reading", "diameter",
	},
}

// pureRooms decide and know nothing of the world: no clock, SQL, socket, log or random source.
var pureRooms = []string{"rating", "ocs", "transfer", "ocs/lifecycle"}

var pureImports = []string{
	"cmp", "errors", "fmt", "iter", "maps", "math", "math/bits", "slices", "strconv", "strings", "time",
}

func TestImportsPointLeftward(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		room := roomOf(p.ImportPath)
		if room == "" {
			t.Errorf("%s lies in no room of docs/architecture.md", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, modulePath+"/") {
				continue
			}
			if other := roomOf(imported); other != room && !slices.Contains(mayImport[room], other) {
				t.Errorf("%s imports %s: %s may import only %v", p.ImportPath, imported, room, mayImport[room])
			}
		}
	}
}

func TestPureCoreKnowsNoWorld(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		if !slices.Contains(pureRooms, roomOf(p.ImportPath)) {
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, modulePath+"/") && !slices.Contains(pureImports, imported) {
				t.Errorf("%s imports %s: the pure core may import only %v", p.ImportPath, imported, pureImports)
			}
		}
	}
}

type listedPackage struct {
	ImportPath string
	Imports    []string // without those of tests
}

func listPackages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", modulePath+"/...").Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("output of go list: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) < len(pureRooms) {
		t.Fatalf("go list found %d packages, fewer than there are pure rooms", len(packages))
	}
	return packages
}

// roomOf returns the longest key of mayImport that is the package's path or a folder above it.
func roomOf(importPath string) string {
	path := strings.TrimPrefix(importPath, modulePath+"/")
	longest := ""
	for room := range mayImport {
		if (path == room || strings.HasPrefix(path, room+"/")) && len(room) > len(longest) {
			longest = room
		}
	}
	return longest
}
