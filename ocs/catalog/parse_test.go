package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func TestTariffValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, kind, tariff string
		want               rating.Tariff
	}{
		{"left out: to the second, paid in its own unit", "voice", "price: 4/1",
			rating.Tariff{Measures: "seconds", Pays: "seconds", First: 1, Next: 1, Price: rating.Price{Units: 4, Per: 1}}},
		{"one number of increments is both", "voice", "price: 1, increments: 60",
			rating.Tariff{Measures: "seconds", Pays: "seconds", First: 60, Next: 60, Price: rating.Price{Units: 1, Per: 1}}},
		{"money in minor units", "voice", "price: 20/60, increments: 30/6, setup: 5, pays: EUR",
			rating.Tariff{Measures: "seconds", Pays: "EUR", Setup: 5, First: 30, Next: 6, Price: rating.Price{Units: 20, Per: 60}}},
		{"classes of buckets", "data", "price: 1/1024, buckets: [plan, gift]",
			rating.Tariff{Measures: "octets", Pays: "octets", First: 1, Next: 1, Price: rating.Price{Units: 1, Per: 1024}, Buckets: []string{"plan", "gift"}}},
		{"data by time is paid in time", "data", "price: 1, measures: seconds",
			rating.Tariff{Measures: "seconds", Pays: "seconds", First: 1, Next: 1, Price: rating.Price{Units: 1, Per: 1}}},
		{"messages from minutes", "message", "price: 60, pays: seconds",
			rating.Tariff{Measures: "events", Pays: "seconds", First: 1, Next: 1, Price: rating.Price{Units: 60, Per: 1}}},
		{"barred needs no price", "voice", "barred: true",
			rating.Tariff{Measures: "seconds", Pays: "seconds", First: 1, Next: 1, Price: rating.Price{Units: 0, Per: 1}, Barred: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf("plans: {p: {%s: {default: {name: n, %s}}}}", test.kind, test.tariff)
			c, err := Parse("x.yaml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			test.want.Name = "n"
			got, ok := c.Plans()["p"].Tariff(rating.Usage{Kind: rating.Kind(test.kind)})
			if !ok || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", test.want) {
				t.Errorf("%s\ngot  %+v\nwant %+v", text, got, test.want)
			}
			if err := got.Validate(); err != nil {
				t.Errorf("accepted here, not by rating: %v", err)
			}
		})
	}
}

// Prefixes are completed by the numbering of their own plan, and found by the longest.
func TestPrefixesOfTwoCountries(t *testing.T) {
	t.Parallel()
	c, err := Parse("x.yaml", []byte(`
plans:
  germany:
    numbering: {country_code: 49, international: 00, national: 0, shortest: 6}
    voice: &voice
      tariffs:
        - {name: premium, prefixes: [0900], price: 9}
        - {name: abroad, prefixes: [+], price: 4}
        - {name: home, prefixes: [0], price: 1}
        - {name: service, codes: [22], price: 0}
  netherlands:
    numbering: {country_code: 31, international: 00, national: 0, shortest: 6}
    voice: *voice
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ plan, dialled, want string }{
		{"germany", "0900123456", "premium"},
		{"netherlands", "0900123456", "premium"},
		{"germany", "+49900123456", "premium"},
		{"netherlands", "+49900123456", "abroad"},
		{"germany", "030123456", "home"},
		{"netherlands", "0031612345678", "home"},
		{"germany", "0031612345678", "abroad"},
		{"germany", "22833", "service"},
		{"germany", "33822", "none"},
	} {
		plan := c.Plans()[test.plan]
		number, _ := rating.ParseNumber(test.dialled)
		got := "none"
		if tariff, ok := plan.Tariff(rating.Usage{Kind: rating.Voice, Number: plan.Numbering.Complete(number)}); ok {
			got = tariff.Name
		}
		if got != test.want {
			t.Errorf("%s dialled in plan %s: tariff %s, want %s", test.dialled, test.plan, got, test.want)
		}
	}
}

// No text panics, and what is accepted can price everything and is read again from its source.
func FuzzParse(f *testing.F) {
	f.Add(demo)
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(good + "---\nplans: &a {q: *a}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("x.yaml", data)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without text")
			}
			return
		}
		for name, plan := range c.Plans() {
			for kind := range plan.Rates {
				tariff, ok := plan.Tariff(rating.Usage{Kind: kind, Number: "+49301234567"})
				if !ok {
					continue
				}
				if err := tariff.Validate(); err != nil {
					t.Fatalf("plan %s %s: %v", name, kind, err)
				}
				tariff.Charge(rating.Unlimited)
			}
		}
		again, err := Parse("x.yaml", c.Source())
		if err != nil || again.Version() != c.Version() {
			t.Fatalf("not read again: %v", err)
		}
	})
}
