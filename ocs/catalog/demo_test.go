package catalog

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

var rewrite = flag.Bool("rewrite", false, "write what was got into testdata")

// What the plan demo charges, as a list that people can check: testdata/demo.txt.
func TestDemo(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/demo.txt")
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	plan := Demo().Plans()["demo"]
	var got strings.Builder
	for line := range strings.Lines(string(want)) {
		question, _, isAnswered := strings.Cut(line, " =")
		if !isAnswered || line[0] == '#' {
			got.WriteString(line)
			continue
		}
		fmt.Fprintf(&got, "%s = %s\n", question, answer(t, plan, question))
	}
	if got.String() == string(want) {
		return
	}
	if *rewrite {
		if err := os.WriteFile("testdata/demo.txt", []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("got\n%s\nwant\n%s", got.String(), want)
}

// answer tells the tariff and the price of: kind direction number used [rg=group]
func answer(t *testing.T, plan rating.Plan, question string) string {
	t.Helper()
	var kind, direction, number string
	var used rating.Units
	if _, err := fmt.Sscan(question, &kind, &direction, &number, &used); err != nil {
		t.Fatalf("%q: %v", question, err)
	}
	u := rating.Usage{Kind: rating.Kind(kind)}
	if direction == "from" {
		u.Direction = rating.Terminating
	}
	if n, ok := rating.ParseNumber(number); ok {
		u.Number = plan.Numbering.Complete(n)
	}
	if _, after, ok := strings.Cut(question, "rg="); ok {
		group := new(uint32)
		if _, err := fmt.Sscan(after, group); err != nil {
			t.Fatalf("%q: %v", question, err)
		}
		u.RatingGroup = group
	}
	tariff, ok := plan.Tariff(u)
	switch {
	case !ok:
		return "none"
	case tariff.Barred:
		return tariff.Name + " barred"
	}
	return fmt.Sprintf("%s %d %s of %d %s", tariff.Name, tariff.Charge(used), tariff.Pays, used, tariff.Measures)
}

// Other parts of the project, and others' scripts, rely on the plan demo.
func TestDemoTariffs(t *testing.T) {
	t.Parallel()
	catalog := Demo()
	plans := catalog.Plans()
	if len(plans) != 1 || plans["demo"].Name != "demo" {
		t.Fatalf("plans %v, want demo alone", plans)
	}
	if len(catalog.Version()) != versionLength {
		t.Errorf("version %q, want %d digits", catalog.Version(), versionLength)
	}
	standard, ok := plans["demo"].Tariff(rating.Usage{Kind: rating.Voice, Number: "+4930123456", RatingGroup: new(uint32(100))})
	want := rating.Tariff{
		Name: "standard", Measures: rating.Seconds, Pays: rating.Seconds, First: 1, Next: 1, Price: rating.Price{Units: 1, Per: 1},
	}
	if !ok || fmt.Sprint(standard) != fmt.Sprint(want) {
		t.Errorf("standard tariff %+v, want %+v", standard, want)
	}
}
