package main

import (
	"testing"
	"time"
)

func TestParseExpiry(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, text, want string }{
		{"none is never", "", "never"},
		{"a day counts as a whole", "2030-12-31", "2030-12-31T23:00:00Z"},
		{"also the day on which summer time begins", "2030-03-31", "2030-03-31T22:00:00Z"},
		{"an instant stays", "2030-12-31T23:00:00Z", "2030-12-31T23:00:00Z"},
		{"the last day that can be written", "9999-12-30", "9999-12-30T23:00:00Z"},
		{"a day that ends where years do, east of Greenwich", "9999-12-31", "9999-12-31T23:00:00Z"},
		{"an instant that is over in another year", "9999-12-31T23:30:00-01:00", "refused"},
		{"a year of five digits", "10000-01-01", "refused"},
		{"a day that does not exist", "2030-02-30", "refused"},
		{"an instant without zone", "2030-12-31T23:00:00", "refused"},
		{"a word", "tomorrow", "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at, err := parseExpiry(test.text, berlin)
			got := "never"
			switch {
			case err != nil:
				got = "refused"
				if exitCode(err) != exitUsage {
					t.Errorf("exit code %d, want %d", exitCode(err), exitUsage)
				}
			case at != nil:
				got = at.Format(time.RFC3339)
			}
			if got != test.want {
				t.Errorf("parseExpiry(%q) = %s, want %s", test.text, got, test.want)
			}
		})
	}
}

// West of Greenwich and in it, the last day of the last year ends in a year that nobody can write.
func TestParseExpiryOfTheLastDay(t *testing.T) {
	t.Parallel()
	_, err := parseExpiry("9999-12-31", time.UTC)
	if exitCode(err) != exitUsage || err.Error() != "--expires 9999-12-31 is too far away; leave --expires out for a bucket that never expires" {
		t.Errorf("got %v", err)
	}
}

func TestParsePeriodRefusesEmptyPeriod(t *testing.T) {
	t.Parallel()
	if _, _, err := parsePeriod("2026-03-02", "2026-03-01", time.UTC); exitCode(err) != exitUsage {
		t.Errorf("--to before --from: %v, want a usage error", err)
	}
	first, end, err := parsePeriod("2026-03-01", "2026-03-02", time.UTC)
	if err != nil || end.Sub(first) != 24*time.Hour {
		t.Errorf("one day is %v to %v, %v", first, end, err)
	}
}
