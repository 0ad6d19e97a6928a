package catalog

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func planText(name, price string) string {
	return "plans:\n  " + name + ": {voice: {default: {name: a, price: " + price + "}}}\n"
}

// files writes a directory and returns its path.
func files(t *testing.T, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func price(t *testing.T, c *Catalog, plan string) rating.Price {
	t.Helper()
	tariff, ok := c.Plans()[plan].Tariff(rating.Usage{Kind: rating.Voice})
	if !ok {
		t.Fatalf("no tariff in plan %s", plan)
	}
	return tariff.Price
}

func TestLoadDirectory(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{
		"b.yaml":      "\ufeff" + planText("second", "2"), // a byte order mark in the middle of the source would break it
		"a.yml":       "# no end of line after this plan\n" + strings.TrimSpace(planText("first", "1")),
		"c.yaml":      strings.ReplaceAll("---\n"+planText("third", "3"), "\n", "\r\n"),
		"README.md":   "not: [a catalogue",
		".hidden.yml": "not: [a catalogue",
	})
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(c.Plans())); !slices.Equal(got, []string{"first", "second", "third"}) {
		t.Errorf("plans %v", got)
	}
	again, err := Parse("kept", c.Source())
	if err != nil {
		t.Fatalf("the kept source is not read again: %v\n%s", err, c.Source())
	}
	if again.Version() != c.Version() || price(t, again, "third") != price(t, c, "third") {
		t.Errorf("version %s from the kept source, want %s", again.Version(), c.Version())
	}
}

func TestLoadFile(t *testing.T) {
	t.Parallel()
	dir := files(t, map[string]string{"x.conf": planText("p", "20/60")})
	c, err := Load(filepath.Join(dir, "x.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := price(t, c, "p"), (rating.Price{Units: 20, Per: 60}); got != want {
		t.Errorf("price %v, want %v", got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	twice := files(t, map[string]string{"a.yaml": planText("p", "1"), "b.yaml": planText("p", "1") + "x: 1\n"})
	pipe := files(t, nil)
	if err := syscall.Mkfifo(filepath.Join(pipe, "p.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	large := files(t, map[string]string{
		"a.yaml": planText("p", "1") + "#" + strings.Repeat("x", maxSize/2),
		"b.yaml": planText("q", "1") + "#" + strings.Repeat("x", maxSize/2),
	})
	for _, test := range []struct {
		name, path string
		want       []string
	}{
		{"what is not there", filepath.Join(twice, "none"), []string{"load catalogue: stat ", "no such file"}},
		{"a directory without catalogues", files(t, map[string]string{"a.txt": ""}), []string{"no *.yaml file in this directory"}},
		{"a pipe", pipe, []string{"p.yaml: not a regular file"}},
		{"more than is read", large, []string{"b.yaml: the catalogue is larger than the 16777216 octets"}},
		{"a plan in two files, and another fault", twice, []string{
			"b.yaml:2: plans.p: a plan of this name is also in " + filepath.Join(twice, "a.yaml") + ":2",
			"b.yaml:3: x: unknown key",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := Load(test.path)
			if c != nil || err == nil {
				t.Fatalf("Load = %v, %v, want an error", c, err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %s", err, want)
				}
			}
		})
	}
}

func TestVersionFollowsContent(t *testing.T) {
	t.Parallel()
	version := func(name, text string) string {
		c, err := Load(filepath.Join(files(t, map[string]string{name: text}), name))
		if err != nil {
			t.Fatal(err)
		}
		return c.Version()
	}
	a := version("a.yaml", planText("p", "1"))
	if b := version("b.yaml", planText("p", "1")); a != b {
		t.Errorf("the same text is %s and %s", a, b)
	}
	if b := version("a.yaml", planText("p", "2")); a == b {
		t.Errorf("another price is still version %s", b)
	}
}

// What a caller does with the map and the text reaches nobody else.
func TestCatalogIsNotShared(t *testing.T) {
	t.Parallel()
	c := Demo()
	clear(c.Plans())
	clear(c.Source())
	if len(c.Plans()) != 1 || c.Source()[0] == 0 {
		t.Error("the catalogue changed")
	}
}
