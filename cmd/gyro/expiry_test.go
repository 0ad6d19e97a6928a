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
		{"a day counts as a whole", "2030-12-31", "2031-01-01T00:00:00+01:00"},
		{"also the day on which summer time begins", "2030-03-31", "2030-04-01T00:00:00+02:00"},
		{"an instant stays", "2030-12-31T23:00:00Z", "2030-12-31T23:00:00Z"},
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
