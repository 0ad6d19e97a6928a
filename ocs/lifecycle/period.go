package lifecycle

import (
	"strconv"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Period is how long a plan lasts before it is renewed: months or days of the calendar, one of both.
type Period struct {
	Months int
	Days   int
}

func (p Period) valid() bool {
	return p.Days == 0 && p.Months >= 1 && p.Months <= 120 || p.Months == 0 && p.Days >= 1 && p.Days <= 3660
}

// String tells p as people write it in a catalogue.
func (p Period) String() string {
	n, unit := p.Days, "day"
	if p.Months > 0 {
		n, unit = p.Months, "month"
	}
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

// boundary returns the n-th end of a period, counted from anchor; the 0-th is not after it. Months are counted from the
// anchor and not from one end to the next, so that what began on the 31st ends on 28 February and on 31 March.
func (t Terms) boundary(anchor time.Time, n int) time.Time {
	local := anchor.In(t.zone())
	year, month, date := local.Date()
	if t.Day > 0 {
		if date < t.Day {
			month--
		}
		date = t.Day
	}
	if t.Period.Months > 0 {
		first := time.Date(year, month+time.Month(n*t.Period.Months), 1, 12, 0, 0, 0, time.UTC)
		year, month = first.Year(), first.Month()
		date = min(date, daysIn(year, month))
	} else {
		date += n * t.Period.Days
	}
	if t.Exact {
		hour, minute, second := local.Clock()
		return time.Date(year, month, date, hour, minute, second, local.Nanosecond(), t.zone()).UTC()
	}
	return midnight(year, month, date, t.zone())
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 12, 0, 0, 0, time.UTC).Day()
}

// midnight returns the first instant of a date. Where the clocks are put forward over midnight, 00:00 does not exist, and
// time.Date may answer with an instant of the day before: then the day begins with the change of the clocks.
func midnight(year int, month time.Month, date int, zone *time.Location) time.Time {
	t := time.Date(year, month, date, 0, 0, 0, 0, zone)
	_, _, want := time.Date(year, month, date, 12, 0, 0, 0, zone).Date()
	if t.Day() != want {
		_, t = t.ZoneBounds()
	}
	return t.UTC()
}

// days returns how many dates lie from the one of from to the one of to.
func (t Terms) days(from, to time.Time) int64 {
	return (noon(to.In(t.zone())).Unix() - noon(from.In(t.zone())).Unix()) / int64(day/time.Second)
}

func noon(local time.Time) time.Time {
	year, month, date := local.Date()
	return time.Date(year, month, date, 12, 0, 0, 0, time.UTC)
}

// A share is the part of a whole period that is lived, in days.
type share struct{ days, of int64 }

var whole = share{1, 1}

// part returns the share of the n-th period after anchor that begins at from. Without proration it is the whole.
func (t Terms) part(anchor time.Time, n int, from time.Time) share {
	begin, end := t.boundary(anchor, n-1), t.boundary(anchor, n)
	s := share{t.days(from, end), t.days(begin, end)}
	if !t.Prorate || s.of <= 0 || s.days <= 0 || s.days >= s.of {
		return whole
	}
	return s
}

// brings returns the share of what a period brings: a part of a unit is given whole.
func (s share) brings(units rating.Units) rating.Units {
	return (units*rating.Units(s.days) + rating.Units(s.of) - 1) / rating.Units(s.of)
}

// costs returns the share of a price: a part of a unit is not asked for.
func (s share) costs(units rating.Units) rating.Units {
	return units * rating.Units(s.days) / rating.Units(s.of)
}
