package catalog

import (
	"reflect"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/lifecycle"
)

func TestTerms(t *testing.T) {
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
	const day = 24 * time.Hour
	want := map[string]lifecycle.Terms{
		"minutes-200": {
			Plan: "minutes-200", Period: lifecycle.Period{Months: 1}, Zone: seoul, Price: lifecycle.Price{Units: 2850, Unit: "KRW"},
			Allowances: []lifecycle.Allowance{
				{Unit: "seconds", Units: 12000, Class: "plan", Rollover: 6000, Low: 300},
				{Unit: "events", Units: 50, Class: "plan"}, {Unit: "octets", Units: 500_000_000, Class: "plan"},
			},
			Grace: 7 * day, Retry: 6 * time.Hour, Prorate: true, Notices: lifecycle.Notices{Used: []int{75, 100}, Before: 3 * day},
		},
		"starter": {
			Plan: "starter", Period: lifecycle.Period{Days: 30}, Zone: seoul, FirstUse: true, Within: 90 * day, FirstFree: true,
			Price:      lifecycle.Price{Units: 1200, Unit: "KRW"},
			Allowances: []lifecycle.Allowance{{Unit: "seconds", Units: 3600, Class: "plan"}},
			Retry:      6 * time.Hour, Notices: lifecycle.Notices{Used: []int{75, 100}, Before: 3 * day},
		},
		"family": {
			Plan: "family", Period: lifecycle.Period{Months: 1}, Zone: seoul, Price: lifecycle.Price{Units: 7900, Unit: "KRW"},
			Allowances: []lifecycle.Allowance{{Unit: "seconds", Units: 36000, Class: "plan", Rollover: 18000, Low: 900}},
			Grace:      7 * day, Retry: 6 * time.Hour, Notices: lifecycle.Notices{Used: []int{75, 100}, Before: 3 * day},
		},
	}
	got := c.Terms()
	for plan := range got {
		if !reflect.DeepEqual(got[plan], want[plan]) {
			t.Errorf("%s: got  %+v\nwant %+v", plan, got[plan], want[plan])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d plans with terms, want %d", len(got), len(want))
	}
	if got := Demo().Terms(); len(got) != 0 {
		t.Errorf("the demo has terms: %+v", got)
	}
}
