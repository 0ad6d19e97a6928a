package rating_test

import (
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

const hour = 3600

func inBerlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestTimes(t *testing.T) {
	t.Parallel()
	berlin := inBerlin(t)
	weekdays := rating.On(time.Monday) | rating.On(time.Tuesday) | rating.On(time.Wednesday) | rating.On(time.Thursday) | rating.On(time.Friday)
	times := rating.NewTimes(berlin, []rating.Date{{Year: 2026, Month: 5, Day: 1}}, []rating.Period{
		{Days: rating.Holidays, From: 0, To: 0},
		{Days: rating.EveryDay, From: 2*hour + 1800, To: 3*hour + 1800},
		{Days: weekdays, From: 20 * hour, To: 8 * hour},
	})
	for _, test := range []struct {
		name, at string
		period   int
		until    string
	}{
		{"an afternoon", "2026-03-02T15:00:00+01:00", -1, "2026-03-02T20:00:00+01:00"},
		{"its last second", "2026-03-02T19:59:59+01:00", -1, "2026-03-02T20:00:00+01:00"},
		{"the first second of the evening", "2026-03-02T20:00:00+01:00", 2, "2026-03-03T02:30:00+01:00"},
		{"a part of a second does not matter", "2026-03-02T19:59:59.9+01:00", -1, "2026-03-02T20:00:00+01:00"},
		{"the night of Friday ends with the day", "2026-03-06T23:00:00+01:00", 2, "2026-03-07T00:00:00+01:00"},
		{"a weekend", "2026-03-07T12:00:00+01:00", -1, "2026-03-08T02:30:00+01:00"},
		{"the clock is set forward within a period: its second half is what is left", "2026-03-29T01:00:00+01:00", -1, "2026-03-29T03:00:00+02:00"},
		{"what is left of it", "2026-03-29T03:10:00+02:00", 1, "2026-03-29T03:30:00+02:00"},
		{"the clock is set back within a period: first", "2026-10-25T02:40:00+02:00", 1, "2026-10-25T02:00:00+01:00"},
		{"shown again, before the period", "2026-10-25T02:10:00+01:00", -1, "2026-10-25T02:30:00+01:00"},
		{"and within it once more", "2026-10-25T02:40:00+01:00", 1, "2026-10-25T03:30:00+01:00"},
		{"a holiday is no Friday", "2026-05-01T21:00:00+02:00", 0, "2026-05-02T00:00:00+02:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, test.at)
			if err != nil {
				t.Fatal(err)
			}
			period, until := times.At(at)
			if got := until.In(berlin).Format(time.RFC3339); period != test.period || got != test.until {
				t.Errorf("got %d until %s, want %d until %s", period, got, test.period, test.until)
			}
		})
	}
}

// Whatever the zone does with its clocks, nothing changes before the instant that was told.
func TestTimesKeepTheirWord(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Asia/Seoul"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		times := rating.NewTimes(zone, nil, []rating.Period{{Days: rating.EveryDay &^ rating.On(time.Friday), From: 23 * hour, To: 2*hour + 900}})
		at := time.Date(2011, 12, 1, 0, 0, 0, 0, time.UTC) // Apia leaves out the 30th of this month
		for at.Year() < 2013 {
			period, until := times.At(at)
			for probe := at; probe.Before(until); probe = probe.Add(15 * time.Minute) {
				if now, _ := times.At(probe); now != period {
					t.Fatalf("%s: %d was to hold from %v until %v, and at %v it is %d", name, period, at, until, probe, now)
				}
			}
			if !until.After(at) {
				t.Fatalf("%s: no way on from %v", name, at)
			}
			at = until
		}
	}
}
