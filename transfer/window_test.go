package transfer

import (
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are there on every machine
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestI17_CalendarWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		period Period
		zone   string
		now    string
		start  string
		next   string
	}{
		{"last second of a day", Day, "UTC", "2026-03-10T23:59:59Z", "2026-03-10T00:00:00Z", "2026-03-11T00:00:00Z"},
		{"midnight begins a day", Day, "UTC", "2026-03-11T00:00:00Z", "2026-03-11T00:00:00Z", "2026-03-12T00:00:00Z"},
		{"leap second is the last of its day", Day, "UTC", "2016-12-31T23:59:59.999Z", "2016-12-31T00:00:00Z", "2017-01-01T00:00:00Z"},
		{"local midnight", Day, "Asia/Seoul", "2026-03-10T15:00:00Z", "2026-03-10T15:00:00Z", "2026-03-11T15:00:00Z"},
		{"day of 23 hours", Day, "Europe/Berlin", "2026-03-29T10:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{"day of 25 hours", Day, "Europe/Berlin", "2026-10-25T10:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		{"midnight does not exist", Day, "America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"},
		{"the day before it", Day, "America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"},
		{"midnight does not exist, east", Day, "Asia/Beirut", "2022-03-26T23:00:00Z", "2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z"},
		{"midnight inside the gap", Day, "America/Toronto", "1919-03-31T12:00:00Z", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"},
		{"midnight twice", Day, "America/Havana", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"},
		{"a date that was left out", Day, "Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"},
		{"week begins on Monday", Week, "UTC", "2026-03-15T23:00:00Z", "2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z"},
		{"week over the end of a year", Week, "UTC", "2027-01-01T00:00:00Z", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
		{"end of February", Month, "UTC", "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		{"leap day", Month, "UTC", "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		{"month with a change of clocks", Month, "Europe/Berlin", "2026-03-31T12:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"},
		{"end of a year", Month, "Asia/Seoul", "2026-12-31T14:59:59Z", "2026-11-30T15:00:00Z", "2026-12-31T15:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := Window{Period: c.period, Zone: zone(t, c.zone)}
			now := at(t, c.now)
			if got := w.Start(now); !got.Equal(at(t, c.start)) {
				t.Errorf("start of %s is %v, want %s", c.now, got, c.start)
			}
			if got := w.Next(now); !got.Equal(at(t, c.next)) {
				t.Errorf("next after %s is %v, want %s", c.now, got, c.next)
			}
		})
	}
}

// Over two years of hours in difficult zones: every instant lies in its window, and windows follow each other without gap.
func TestI17_WindowsCoverAllTime(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, p := range []Period{Day, Week, Month} {
				w := Window{Period: p, Zone: zone(t, name)}
				now := time.Date(2011, 6, 1, 0, 0, 0, 0, time.UTC)
				if name == "America/Sao_Paulo" || name == "Asia/Beirut" {
					now = now.AddDate(7, 0, 0)
				}
				for range 2 * 366 * 24 {
					now = now.Add(time.Hour)
					start, next := w.Start(now), w.Next(now)
					if start.After(now) || !next.After(now) {
						t.Fatalf("%s: %v lies outside %v to %v", p, now, start, next)
					}
					if !w.Start(next).Equal(next) || !w.Start(next.Add(-time.Second)).Equal(start) {
						t.Fatalf("%s: after %v comes %v, which begins at %v", p, start, next, w.Start(next))
					}
				}
			}
		})
	}
}

func TestRollingWindow(t *testing.T) {
	t.Parallel()
	w := Window{Period: Rolling, Length: 30 * day}
	now := at(t, "2026-03-10T12:34:56Z")
	if w.slice() != 30*time.Hour {
		t.Errorf("slice of %v", w.slice())
	}
	start := w.Start(now)
	if start.After(now) || now.Sub(start) >= w.slice() {
		t.Errorf("slice of %v begins at %v", now, start)
	}
	leaves := w.leaves(start)
	if w.Since(leaves.Add(-time.Second)).After(start) || !w.Since(leaves).After(start) {
		t.Errorf("the slice of %v leaves at %v, but counts from %v on", start, leaves, w.Since(leaves))
	}
	if n := leaves.Sub(start) / w.slice(); n > slicesOfWindow+1 {
		t.Errorf("%d counters in one window", n)
	}
	old := time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC)
	if got := w.Start(old); got.After(old) {
		t.Errorf("before 1970 a slice begins at %v, after %v", got, old)
	}
}
