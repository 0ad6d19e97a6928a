package transfer

import (
	"fmt"
	"time"
)

// A Window is a span of time over which a limit counts.
type Window struct {
	Period Period
	Length time.Duration  // of a rolling window, else 0
	Zone   *time.Location // whose calendar counts; nil: UTC
}

// Period is the kind of a window.
type Period string

// The periods. A week begins on Monday (ISO 8601).
const (
	Day     Period = "day"
	Week    Period = "week"
	Month   Period = "month"
	Rolling Period = "rolling"
)

// slicesOfWindow is how finely a rolling window is counted.
const slicesOfWindow = 24

// String names w in counters: another window counts anew.
func (w Window) String() string {
	if w.Period == Rolling {
		return "rolling " + w.Length.String()
	}
	return string(w.Period) + " " + w.zone().String()
}

func (w Window) zone() *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}

// short reports whether w is told to people as a limit of the day, and not of the month.
func (w Window) short() bool { return w.Period == Day || w.Period == Rolling && w.Length <= day }

// slice is how long one counter of a rolling window counts: a 24th of it, in whole minutes.
func (w Window) slice() time.Duration {
	return max(time.Minute, (w.Length / slicesOfWindow).Truncate(time.Minute))
}

// Start returns the start of the counter that counts at now.
func (w Window) Start(now time.Time) time.Time {
	year, month, date := now.In(w.zone()).Date()
	switch w.Period {
	case Day:
		return midnight(year, month, date, w.zone())
	case Week:
		sinceMonday := (int(now.In(w.zone()).Weekday()) + 6) % 7
		return midnight(year, month, date-sinceMonday, w.zone())
	case Month:
		return midnight(year, month, 1, w.zone())
	case Rolling:
	}
	return sliceStart(now, w.slice())
}

// sliceStart cuts time into slices since 1970, so that every server cuts alike.
func sliceStart(now time.Time, slice time.Duration) time.Time {
	step := int64(slice / time.Second)
	since := now.Unix()
	return time.Unix(since-((since%step)+step)%step, 0).UTC()
}

// Since returns the start of the oldest counter that still counts at now.
func (w Window) Since(now time.Time) time.Time {
	if w.Period == Rolling {
		return sliceStart(now.Add(-w.Length), w.slice()) // the slice that the edge of the window lies in counts whole
	}
	return w.Start(now)
}

// Next returns when the calendar window that now lies in is over. A rolling one never is.
func (w Window) Next(now time.Time) time.Time {
	year, month, date := now.In(w.zone()).Date()
	switch w.Period {
	case Day:
		return midnight(year, month, date+1, w.zone())
	case Week:
		sinceMonday := (int(now.In(w.zone()).Weekday()) + 6) % 7
		return midnight(year, month, date-sinceMonday+7, w.zone())
	case Month:
		return midnight(year, month+1, 1, w.zone())
	case Rolling:
	}
	return time.Time{}
}

// leaves returns when a slice of a rolling window no longer counts.
func (w Window) leaves(start time.Time) time.Time { return start.Add(w.slice() + w.Length) }

// midnight returns the first instant of a date. Where the clocks are put forward over midnight, 00:00 does not exist, and
// time.Date may answer with an instant of the day before: then the day begins with the change of the clocks. (Where it
// answers with a later one, that is the change itself, in every zone of the tz database since 1900.)
func midnight(year int, month time.Month, date int, zone *time.Location) time.Time {
	t := time.Date(year, month, date, 0, 0, 0, 0, zone)
	_, _, want := time.Date(year, month, date, 12, 0, 0, 0, zone).Date()
	if t.Day() != want {
		_, t = t.ZoneBounds()
	}
	return t.UTC()
}

// MaxWindow is the longest window that a limit can have.
const MaxWindow = 400 * day

func (w Window) validate() error {
	switch w.Period {
	case Day, Week, Month:
		if w.Length != 0 {
			return fmt.Errorf("a calendar window has no length of its own, here %v", w.Length)
		}
		return nil
	case Rolling:
		if w.Length < time.Minute || w.Length%time.Minute != 0 || w.Length > MaxWindow {
			return fmt.Errorf("rolling window of %v is not 1 minute to %d days, in whole minutes", w.Length, MaxWindow/day)
		}
		return nil
	}
	return fmt.Errorf("window %q is none of day, week, month, rolling", w.Period)
}
