package catalog

import (
	"slices"
	"testing"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	load := func(yaml, csv string) *Catalog {
		c, err := Load(files(t, map[string]string{"a.yaml": "zones: {file: z.csv}\nplans:\n" + yaml, "z.csv": "prefix,zone\n" + csv}))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := load(`
  gone: {voice: {default: {name: a, price: 1}}}
  kept:
    voice:
      tariffs:
        - {name: near, prefixes: ["*"], price: 1, then: [{pays: EUR, price: 9/60}]}
        - {name: far, zones: [one, two], price: 2}
    data: {groups: {10: {name: data, price: 1}}}
`, "33,one\n34,two\n35,two\n")
	after := load(`
  kept:
    # a comment is no change
    voice:
      tariffs:
        - {name: near, prefixes: ["*"], price: 1, then: [{pays: EUR, increments: 60/60, price: 9/60}]}
        - {name: far, zones: [one], price: 2}
        - {name: new, zones: [two], prefixes: ["+36"], setup: 5, price: 3}
      terminating: {name: in, barred: true}
    data: {groups: {11: {name: data, price: 1}}}
`, "33,one\n34,one\n36,two\n")
	want := []string{
		"plans.gone: removed, was a plan",
		"plans.gone.numbering: removed, was shortest 0",
		"plans.gone.voice tariff a: removed, was 1 seconds/1 seconds increments 1/1",
		"plans.gone.voice.default: removed, was a",
		"plans.kept.data.groups.10: removed, was data",
		"plans.kept.data.groups.11: added, data",
		"plans.kept.voice tariff in: added, barred",
		"plans.kept.voice tariff near: 1 seconds/1 seconds increments 1/1, then 9 EUR/60 seconds increments 60/60, " +
			"was 1 seconds/1 seconds increments 1/1, then 9 EUR/60 seconds increments 1/1",
		"plans.kept.voice tariff new: added, 3 seconds/1 seconds increments 1/1 setup 5 seconds",
		"plans.kept.voice.tariffs +36: added, new",
		"plans.kept.voice.tariffs zone two: new, was far",
		"plans.kept.voice.terminating: added, in",
		"zones +34: one, was two",
		"zones +36: added, two",
		"zones +35: removed, was two",
	}
	if got := Diff(before, after); !slices.Equal(got, want) {
		t.Errorf("got")
		for _, line := range got {
			t.Log(line)
		}
	}
	if got := Diff(after, after); len(got) > 0 {
		t.Errorf("with itself: %v", got)
	}
}
