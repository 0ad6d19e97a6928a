package main

import (
	"errors"
	"maps"
	"strings"
	"testing"
)

// goodBooks are those of a run in which nothing went wrong.
func goodBooks() comparison {
	return comparison{Subscribers: 2, Reported: 300, Rated: 300, Debited: 300, Ended: 2, Records: 2, Settings: maps.Clone(durable)}
}

func TestDifferencesAreTold(t *testing.T) {
	t.Parallel()
	if faults := goodBooks().differences(); len(faults) != 0 {
		t.Errorf("good books differ: %v", faults)
	}
	for _, test := range []struct {
		name  string
		spoil func(*comparison)
		want  string
	}{
		{"a report was lost", func(c *comparison) { c.Rated = 240 }, "300 s were reported, 240 s are rated"},
		{"a report was charged twice", func(c *comparison) { c.Debited = 360 }, "300 s were reported, 360 s are debited"},
		{"more is left than there was", func(c *comparison) { c.Debited = -1 }, "-1 s are debited"},
		{"two errors that cancel out", func(c *comparison) { c.Wrong = 2 }, "2 subscribers have another sum than they reported"},
		{"overrun", func(c *comparison) { c.Overrun = 1 }, "1 s of overrun"},
		{"a session was left open", func(c *comparison) { c.Open = 1 }, "1 sessions are open"},
		{"a reservation was left standing", func(c *comparison) { c.Reserved = 60 }, "60 s are reserved"},
		{"a CDR is missing", func(c *comparison) { c.Records = 1 }, "2 calls ended, 1 CDRs were written"},
		{"fsync was off", func(c *comparison) { c.Settings["fsync"] = "off" }, "Postgres ran with fsync = off, want on"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := goodBooks()
			test.spoil(&c)
			if err := errors.Join(c.differences()...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
			if !strings.Contains(c.String(), "books differ: ") {
				t.Errorf("not told in the report:\n%s", c)
			}
		})
	}
}
