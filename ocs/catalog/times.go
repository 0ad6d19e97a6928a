package catalog

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // so that it does not matter what the machine has

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// The keys of a calendar and of the periods of a tariff, as catalog.schema.json has them.
var (
	calendarKeys = []string{"timezone", "holidays"}
	periodKeys   = []string{"name", "days", "hours", "pays", "setup", "increments", "price", "buckets", "barred", "then"}
)

// maxPeriods bounds what is looked at for every call.
const maxPeriods = 50

// A calendar is whose clock counts, and which days are holidays.
type calendar struct {
	zone     *time.Location
	holidays []rating.Date
}

func (v value) calendar() calendar {
	c := calendar{zone: time.UTC}
	fields, ok := v.fields(calendarKeys...)
	if !ok {
		return c
	}
	zone, ok := fields["timezone"]
	if !ok {
		v.Faultf("no timezone: name one of the IANA time zones, such as Europe/Berlin")
	} else if text, ok := zone.Text(); ok {
		c.zone = zone.location(text)
	}
	if holidays, ok := fields["holidays"]; ok {
		for _, item := range holidays.items() {
			text, ok := item.Text()
			if !ok {
				continue
			}
			day, err := time.Parse(time.DateOnly, text)
			if err != nil {
				item.Faultf("%q is no day; write year, month and day: 2026-12-25", yamltext.Clip(text))
				continue
			}
			date := rating.Date{Year: day.Year(), Month: day.Month(), Day: day.Day()}
			if slices.Contains(c.holidays, date) {
				item.Faultf("%s is there twice", text)
			}
			c.holidays = append(c.holidays, date)
		}
	}
	return c
}

func (v value) location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		v.Faultf("%q is no time zone; name one of the IANA time zones, such as Europe/Berlin", yamltext.Clip(name))
		return time.UTC
	}
	return zone
}

// named returns the calendar that a plan names.
func (p *parser) named(v value) *calendar {
	name, ok := v.Text()
	if !ok {
		return nil
	}
	c, ok := p.calendars[name]
	if !ok {
		v.Faultf("no calendar is named %q; they stand below the key calendars", yamltext.Clip(name))
	}
	return &c
}

// times reads what base costs at other times. What a period leaves out is as always.
func (r *planReader) times(v value, base rating.Tariff) *rating.Times {
	items := v.items()
	if len(items) > maxPeriods {
		v.Faultf("%d periods are more than %d", len(items), maxPeriods)
	}
	if r.calendar == nil {
		v.Faultf("nobody knows whose clock counts: add calendar to the plan, and the calendar below the key calendars")
		return nil
	}
	var periods []rating.Period
	for _, item := range items {
		fields, ok := item.fields(periodKeys...)
		if !ok {
			continue
		}
		p := rating.Period{Days: rating.EveryDay, Tariff: base}
		if name, ok := fields["name"]; ok {
			p.Tariff.Name = name.tariffName(r.names)
		} else {
			item.Faultf("the period has no name; rated events tell it")
		}
		_, priced := fields["price"]
		setPrice(&p.Tariff, fields)
		if _, told := fields["barred"]; !priced && !told {
			item.Faultf("the period has no price; write price: 0 where it is free")
		}
		if days, ok := fields["days"]; ok {
			p.Days = days.days()
		}
		if hours, ok := fields["hours"]; ok {
			p.From, p.To = hours.hours()
		}
		periods = append(periods, p)
	}
	return rating.NewTimes(r.calendar.zone, r.calendar.holidays, periods)
}

// weekdays are the days of a week, in their order, by what they are called.
var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

const holidays = "holidays"

// days reads a list of days, ranges of them and holidays: [monday-friday, sunday, holidays].
func (v value) days() (days rating.Days) {
	for _, item := range v.items() {
		text, ok := item.Text()
		if !ok {
			continue
		}
		from, to, isRange := strings.Cut(text, "-")
		if !isRange {
			to = from
		}
		first, last := slices.Index(weekdays, from), slices.Index(weekdays, to)
		switch {
		case text == holidays:
			days |= rating.Holidays
		case first < 0 || last < 0:
			item.Faultf("%q is no day: monday to sunday, monday-friday, or holidays, which are no other day", yamltext.Clip(text))
		default:
			for i := first; ; i = (i + 1) % len(weekdays) {
				days |= rating.On(time.Weekday((i + 1) % len(weekdays)))
				if i == last {
					break
				}
			}
		}
	}
	return days
}

// hours reads a part of the day: 08:00-20:00, or 20:00-08:00 for the evening and the early morning of the days.
func (v value) hours() (from, to int) {
	text, ok := v.Text()
	if !ok {
		return 0, 0
	}
	begin, end, isRange := strings.Cut(text, "-")
	from, fromOK := secondOfDay(begin)
	to, toOK := secondOfDay(end)
	if !isRange || !fromOK || !toOK || from == to || from == 24*3600 {
		v.Faultf("%q is no part of a day; write from-to, such as 08:00-20:00, or 20:00-08:00 over midnight", yamltext.Clip(text))
		return 0, 0
	}
	return from, to
}

// secondOfDay reads 08:00, 08:00:30 or 24:00.
func secondOfDay(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 3600, true
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Hour()*3600 + t.Minute()*60 + t.Second(), true
		}
	}
	return 0, false
}
