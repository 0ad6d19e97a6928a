package transfer

import (
	"testing"
	"time"
)

func TestQuietHours(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	night, noon := Quiet{From: 22 * 60, To: 7*60 + 30}, Quiet{From: 12 * 60, To: 13 * 60}
	local := Quiet{From: 22 * 60, To: 7 * 60, Zone: berlin}
	for _, c := range []struct {
		name    string
		quiet   Quiet
		at, end string // empty: not quiet
	}{
		{"before the night", night, "2026-03-10T21:59:59Z", ""},
		{"its first instant", night, "2026-03-10T22:00:00Z", "2026-03-11T07:30:00Z"},
		{"after midnight", night, "2026-03-11T00:00:00Z", "2026-03-11T07:30:00Z"},
		{"its last minute", night, "2026-03-11T07:29:59Z", "2026-03-11T07:30:00Z"},
		{"its end", night, "2026-03-11T07:30:00Z", ""},
		{"within a day", noon, "2026-03-10T12:30:00Z", "2026-03-10T13:00:00Z"},
		{"after it", noon, "2026-03-10T13:00:00Z", ""},
		{"no quiet", Quiet{}, "2026-03-10T00:00:00Z", ""},
		{"month end", night, "2026-02-28T23:00:00Z", "2026-03-01T07:30:00Z"},
		{"of another zone", local, "2026-01-10T21:00:00Z", "2026-01-11T06:00:00Z"},
		{"the clocks go forward in it", local, "2026-03-28T23:00:00Z", "2026-03-29T05:00:00Z"},
		{"the clocks go back in it", local, "2026-10-24T22:00:00Z", "2026-10-25T06:00:00Z"},
	} {
		end, ok := c.quiet.until(utc(t, c.at))
		if c.end == "" && ok || c.end != "" && (!ok || !end.Equal(utc(t, c.end))) {
			t.Errorf("%s: quiet until %v, %v; want %q", c.name, end, ok, c.end)
		}
	}
}

func utc(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Nobody is asked for minutes at night; who asks is told when it will be possible. What was asked for before can be given.
func TestNobodyIsAskedInQuietHours(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.grant("ann", 100, "purchased", 30)
	w.policy.Solicit.Quiet = Quiet{From: 13 * 60, To: 14 * 60}
	ask := func() Outcome {
		return w.do("ann", "bob", Request{Operation: OpSolicit, By: ByReceiver, Seconds: 10 * minute})
	}
	before := must(t, w, ask())
	w.now = w.now.Add(time.Hour) // 13:00
	o := ask()
	want(t, w, o, SenderNotEligible)
	equal(t, "again after", o.Answer.RetryAfter, time.Hour)
	must(t, w, w.do("ann", "bob", Request{Operation: OpAccept, Original: string(before.Answer.Reference)}))
	must(t, w, w.do("ann", "bob", Request{Operation: OpSend, Seconds: minute}))
	w.now = w.now.Add(time.Hour)
	must(t, w, ask())
}
