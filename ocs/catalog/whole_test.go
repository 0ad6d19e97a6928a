package catalog

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/yamltext/yamltest"
	"github.com/gyro-ocs/gyro/rating"
)

// What a catalogue with everything charges, as a list that people can check.
func TestWhole(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/whole")
	if err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, "testdata/whole/whole.txt", func(question string) string { return answerWhole(t, c.Plans()["p"], question) })

	// The text that is kept makes the same of it.
	kept, err := Parse("kept", c.Source())
	if err != nil {
		t.Fatalf("%v\n%s", err, c.Source())
	}
	if kept.Version() != c.Version() || !bytes.Equal(kept.Source(), c.Source()) {
		t.Errorf("kept as\n%s\nread as\n%s", c.Source(), kept.Source())
	}
	checkAnswers(t, "testdata/whole/whole.txt", func(question string) string { return answerWhole(t, kept.Plans()["p"], question) })
}

// answerWhole tells what is charged: direction number time seconds [network]
func answerWhole(t *testing.T, plan rating.Plan, question string) string {
	t.Helper()
	return answerCall(t, plan, berlin(t), question)
}

func answerCall(t *testing.T, plan rating.Plan, zone *time.Location, question string) string {
	t.Helper()
	words := append(strings.Fields(question), "")
	at, err := time.ParseInLocation("2006-01-02T15:04:05", words[2], zone)
	if err != nil {
		t.Fatal(err)
	}
	var used rating.Units
	if _, err := fmt.Sscan(words[3], &used); err != nil {
		t.Fatal(err)
	}
	u := rating.Usage{
		Kind: rating.Voice, At: at, Network: words[4],
		Direction: map[string]rating.Direction{"to": rating.Originating, "from": rating.Terminating, "on": rating.Forwarding}[words[0]],
	}
	if u.Network == "33612" || u.Network == "49171" { // no such networks: the numbers of switches
		u.Network, u.Node = "", u.Network
	}
	n, _ := rating.ParseNumber(words[1])
	u.Number = plan.Numbering.Complete(n)
	r, ok := plan.Rate(u)
	if !ok {
		return "none"
	}
	if r.Tariff.Barred {
		return r.Tariff.Name + " barred"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s %d %s", r.Tariff.Name, r.Tariff.Charge(used), r.Tariff.Pays)
	for i := range r.Tariff.Then {
		by := r.Tariff.By(i + 1)
		fmt.Fprintf(&out, ", or %d %s", by.Charge(used), by.Pays)
	}
	fmt.Fprintf(&out, " by %s", cmp.Or(r.Choice.Zone, r.Choice.Prefix, "direction"))
	if !r.Until.IsZero() {
		out.WriteString(r.Until.In(zone).Format(" until Mon 15:04"))
	}
	return out.String()
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// checkAnswers compares a file of questions and answers with what is answered now.
func checkAnswers(t *testing.T, file string, answer func(question string) string) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for line := range strings.Lines(string(want)) {
		question, _, isAnswered := strings.Cut(line, " =")
		if !isAnswered || line[0] == '#' {
			got.WriteString(line)
			continue
		}
		fmt.Fprintf(&got, "%s = %s\n", question, answer(question))
	}
	if got.String() == string(want) {
		return
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("got\n%s\nwant\n%s", got.String(), want)
}

func TestFaultsOfZones(t *testing.T) {
	t.Parallel()
	plan := "zones: {file: z.csv}\nplans: {p: {voice: {tariffs: [{name: a, zones: [one], price: 1}]}}}\n"
	for _, test := range []struct{ name, csv, want string }{
		{"no columns", "+33,one\n", "z.csv:1: the first line does not name the columns: write prefix,zone"},
		{"empty", "prefix,zone\n", "z.csv: no prefix is in it"},
		{"no prefix", "prefix,zone\n+3x,one\n", `z.csv:2: "+3x" is no prefix`},
		{"no zone", "prefix,zone\n33,\n", `z.csv:2: "" cannot name a zone`},
		{"twice", "prefix,zone\n33,one\n34,one\n+33,two\n", "z.csv:4: the prefix +33 is also in line 2, for zone one"},
		{"a zone without tariff", "prefix,zone\n33,one\n34,two\n35,three\n", "2 zones have no tariff here: three, two"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(files(t, map[string]string{"a.yaml": plan, "z.csv": test.csv}))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := Load(files(t, map[string]string{"a.yaml": plan})); err == nil || !strings.Contains(err.Error(), "a.yaml:1: zones.file: ") {
		t.Errorf("without the file: %v", err)
	}
}

// Loading 300,000 prefixes from a file.
func BenchmarkLoadZones(b *testing.B) {
	dir := b.TempDir()
	var csv strings.Builder
	csv.WriteString("prefix,zone\n")
	for i := range 300_000 {
		fmt.Fprintf(&csv, "%d,zone%d\n", 1_000_000+i*29, i%1500)
	}
	plan := "zones: {file: z.csv}\nplans: {p: {voice: {tariffs: [{name: a, zones: [\"*\"], price: 1}]}}}\n"
	for name, text := range map[string]string{"a.yaml": plan, "z.csv": csv.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		c, err := Load(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(c.Zones().Bytes()), "B-kept")
	}
}

// The plans that are shipped to start from.
func TestShippedPlans(t *testing.T) {
	t.Parallel()
	const dir = "../../deploy/catalog"
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	checkAnswers(t, "testdata/deploy.txt", func(question string) string {
		plan, question, _ := strings.Cut(question, " ")
		return answerCall(t, c.Plans()[plan], seoul, question)
	})
	for _, name := range []string{"world.yaml", "plans.yaml"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		schema := yamltest.ReadSchema(t, schemaFile)
		if faults := schema.Check(t, data); len(faults) > 0 {
			t.Errorf("%s by the schema: %s", name, strings.Join(faults, "\n"))
		}
	}
}
