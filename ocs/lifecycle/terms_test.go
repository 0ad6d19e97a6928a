package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

func TestTermsValidate(t *testing.T) {
	t.Parallel()
	good := func() Terms {
		return Terms{
			Plan: "a", Period: Period{Months: 1}, Price: Price{Units: 2850, Unit: "EUR"}, Grace: 3 * day, Retry: time.Hour,
			Allowances: []Allowance{{Unit: rating.Seconds, Units: 12000, Class: "plan", Rollover: 600, Low: 60}},
			Notices:    Notices{Used: []int{75, 100}, Before: 3 * day},
		}
	}
	if err := good().Validate(); err != nil {
		t.Fatalf("good terms: %v", err)
	}
	for _, c := range []struct {
		wrong string
		spoil func(*Terms)
	}{
		{"a period is", func(t *Terms) { t.Period = Period{} }},
		{"a period is", func(t *Terms) { t.Period = Period{Months: 1, Days: 1} }},
		{"a period is", func(t *Terms) { t.Period = Period{Days: 3661} }},
		{"which every month has", func(t *Terms) { t.Day = 29 }},
		{"needs a period of months", func(t *Terms) { t.Day, t.Period = 1, Period{Days: 30} }},
		{"not both", func(t *Terms) { t.Day, t.Exact = 1, true }},
		{"cannot begin on a day", func(t *Terms) { t.Day, t.FirstUse = 1, true }},
		{"only a plan that waits", func(t *Terms) { t.Within = day }},
		{"price -1", func(t *Terms) { t.Price.Units = -1 }},
		{"without a unit", func(t *Terms) { t.Price.Unit = "" }},
		{"no unit or no class", func(t *Terms) { t.Allowances[0].Class = "" }},
		{"allowance 1 of 0", func(t *Terms) { t.Allowances[0].Units = 0 }},
		{"bad rollover or low mark", func(t *Terms) { t.Allowances[0].Low = 12001 }},
		{"two allowances", func(t *Terms) { t.Allowances = append(t.Allowances, t.Allowances[0]) }},
		{"retry", func(t *Terms) { t.Retry = time.Second }},
		{"retries", func(t *Terms) { t.Grace, t.Retry = 300*day, time.Minute }},
		{"0 percent", func(t *Terms) { t.Notices.Used = []int{0} }},
		{"90 days before", func(t *Terms) { t.Notices.Before = 91 * day }},
	} {
		terms := good()
		c.spoil(&terms)
		if err := terms.Validate(); err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("got %v, want a fault with %q", err, c.wrong)
		}
	}
}

// Every boundary is later than the one before, whatever the zone and the clocks do, and its date is the one that is meant.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, period := range []Period{{Months: 1}, {Months: 3}, {Days: 1}, {Days: 30}} {
			for _, exact := range []bool{false, true} {
				terms := Terms{Period: period, Zone: zone, Exact: exact}
				anchor := time.Date(2023, 10, 31, 0, 30, 0, 0, zone)
				for n := range 400 {
					before, after := terms.boundary(anchor, n), terms.boundary(anchor, n+1)
					if !before.Before(after) {
						t.Fatalf("%s, %v, exact %t: boundary %d is %v, the next %v", name, period, exact, n, before, after)
					}
				}
				if first := terms.boundary(anchor, 0); first.After(anchor) {
					t.Errorf("%s: boundary 0 is %v, after %v", name, first, anchor)
				}
				if period.Months > 0 {
					if got := terms.boundary(anchor, 12/period.Months).In(zone).Format(time.DateOnly); got != "2024-10-31" {
						t.Errorf("%s, %v: a year later is %s", name, period, got)
					}
				}
			}
		}
	}
}
