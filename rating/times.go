package rating

import (
	"slices"
	"time"
)

// Times tell when other prices hold, by the clock on the wall of one place. What that clock shows decides, and nothing else:
// an hour that summer time takes out is not charged, and one that winter time brings twice is priced the same both times.
type Times struct {
	zone     *time.Location
	holidays []Date
	bounds   []int // seconds of the day at which any period begins or ends, in order, midnight included
	Periods  []Period
}

// A Period is a part of the week with a tariff of its own.
type Period struct {
	Days     Days
	From, To int // seconds of the day; To is the first that is not part of it. From >= To: over midnight, both ends on Days
	Tariff   Tariff
}

// Days are days of the week, a bit each, and holidays. A holiday is no day of the week.
type Days uint8

// Holidays stands for the holidays of [Times], EveryDay for them and all others.
const (
	Holidays Days = 1 << 7
	EveryDay Days = 1<<8 - 1
)

// On returns the day of the week as Days.
func On(d time.Weekday) Days { return 1 << uint(d) }

// A Date is a day of the calendar.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

func compareDates(a, b Date) int {
	if a.Year != b.Year {
		return a.Year - b.Year
	}
	if a.Month != b.Month {
		return int(a.Month) - int(b.Month)
	}
	return a.Day - b.Day
}

const (
	secondsOfDay = 86400
	mostBounds   = 64 // that are looked at: twenty days of three periods each
)

// NewTimes returns periods by the clock of zone; the first that fits counts, and where none does, the price of always.
func NewTimes(zone *time.Location, holidays []Date, periods []Period) *Times {
	t := &Times{zone: zone, holidays: slices.Clone(holidays), bounds: []int{0}, Periods: periods}
	slices.SortFunc(t.holidays, compareDates)
	for _, p := range periods {
		t.bounds = append(t.bounds, p.From%secondsOfDay, p.To%secondsOfDay)
	}
	slices.Sort(t.bounds)
	t.bounds = slices.Compact(t.bounds)
	return t
}

// Zone returns the place whose clock counts.
func (t *Times) Zone() *time.Location { return t.zone }

// At returns which period holds, -1 for none, and the first instant at which another may. The instant is exact where the
// change is near; a change that is weeks away is looked for again when that instant has come.
func (t *Times) At(at time.Time) (period int, until time.Time) {
	period = t.holding(at)
	until = at
	for range mostBounds {
		until = t.bound(until)
		if t.holding(until) != period {
			break
		}
	}
	return period, until
}

// holding returns the first period that fits what the clock shows at an instant, or -1.
func (t *Times) holding(at time.Time) int {
	day, second := t.clock(at)
	for i, p := range t.Periods {
		if p.Days&day != 0 && p.has(second) {
			return i
		}
	}
	return -1
}

func (p Period) has(second int) bool {
	if p.From < p.To {
		return p.From <= second && second < p.To
	}
	return second >= p.From || second < p.To
}

func (t *Times) clock(at time.Time) (day Days, second int) {
	local := at.In(t.zone)
	year, month, date := local.Date()
	if _, isHoliday := slices.BinarySearchFunc(t.holidays, Date{year, month, date}, compareDates); isHoliday {
		return Holidays, secondOf(local)
	}
	return On(local.Weekday()), secondOf(local)
}

func secondOf(local time.Time) int {
	hour, minute, second := local.Clock()
	return hour*3600 + minute*60 + second
}

// bound returns the next instant at which the clock shows a bound, or is set.
func (t *Times) bound(at time.Time) time.Time {
	local := at.In(t.zone)
	second := secondOf(local)
	next := secondsOfDay
	if i, _ := slices.BinarySearch(t.bounds, second+1); i < len(t.bounds) {
		next = t.bounds[i]
	}
	bound := at.Truncate(time.Second).Add(time.Duration(next-second) * time.Second)
	if _, set := local.ZoneBounds(); !set.IsZero() && set.Before(bound) {
		return set
	}
	return bound
}

// IsHoliday reports whether the clock shows a holiday at an instant.
func (t *Times) IsHoliday(at time.Time) bool {
	day, _ := t.clock(at)
	return day == Holidays
}
