package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A test is what holds requirements: a test function, or a scenario.
type test struct {
	dir  string // of its package, from the root of the module
	name string // TestGY_077_…, or testdata/final_units.txt
}

// blackBox reports whether the test knows the server by its octets only.
func (t test) blackBox() bool { return t.dir == "integration" }

func (t test) String() string {
	if t.blackBox() {
		return t.name
	}
	return t.dir + " " + t.name
}

var (
	inName  = regexp.MustCompile(`GY_(\d{3})`)
	inWords = regexp.MustCompile(`GY-(\d{3})(?: to GY-(\d{3}))?`)
)

// findTests returns the tests that hold each requirement, by its number, those of the black box first.
func findTests(root string) (map[string][]test, error) {
	found := make(map[string][]test)
	note := func(id string, t test) {
		if !slices.Contains(found[id], t) {
			found[id] = append(found[id], t)
		}
	}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		dir, file := filepath.Split(filepath.ToSlash(path))
		dir = strings.TrimSuffix(strings.TrimPrefix(dir, "./"), "/")
		switch {
		case entry.IsDir() && (file == ".git" || path == filepath.Join(root, "docs") || path == filepath.Join(root, "integration", "conformance")):
			return filepath.SkipDir
		case strings.HasSuffix(file, "_test.go"):
			return testsOf(path, func(id, name string) { note(id, test{dir, name}) })
		case filepath.Base(dir) == "testdata" && strings.HasSuffix(file, ".txt"):
			text, err := os.ReadFile(path)
			for _, id := range mentioned(string(text)) {
				note(id, test{filepath.ToSlash(filepath.Dir(dir)), "testdata/" + file})
			}
			return err
		}
		return nil
	})
	for _, tests := range found {
		slices.SortFunc(tests, func(a, b test) int {
			if a.blackBox() != b.blackBox() {
				if a.blackBox() {
					return -1
				}
				return 1
			}
			return cmp.Or(cmp.Compare(a.dir, b.dir), cmp.Compare(a.name, b.name))
		})
	}
	return found, err
}

// testsOf tells of every test of a file which requirements it holds: by its name, by the comment above it and by what is said in it. What
// is said anywhere else in the file, every test of the package relies on.
func testsOf(path string, tell func(id, name string)) error {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rest := string(text)
	for _, declaration := range parsed.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Recv != nil || !strings.HasPrefix(function.Name.Name, "Test") {
			continue
		}
		start := function.Pos()
		if function.Doc != nil {
			start = function.Doc.Pos()
		}
		body := string(text[files.Position(start).Offset:files.Position(function.End()).Offset])
		for _, number := range inName.FindAllStringSubmatch(function.Name.Name, -1) {
			tell("GY-"+number[1], function.Name.Name)
		}
		for _, id := range mentioned(body) {
			tell(id, function.Name.Name)
		}
		rest = strings.Replace(rest, body, "", 1)
	}
	for _, id := range mentioned(rest) {
		tell(id, "every test ("+filepath.Base(path)+")")
	}
	return nil
}

// mentioned returns the requirements that text speaks of: GY-077, or GY-161 to GY-166.
func mentioned(text string) []string {
	var all []string
	for _, found := range inWords.FindAllStringSubmatch(text, -1) {
		var first, last int
		fmt.Sscan(strings.TrimLeft(found[1], "0"), &first) //nolint:errcheck // digits
		last = first
		if found[2] != "" {
			fmt.Sscan(strings.TrimLeft(found[2], "0"), &last) //nolint:errcheck // digits
		}
		for n := first; n <= last; n++ {
			all = append(all, fmt.Sprintf("GY-%03d", n))
		}
	}
	return all
}
