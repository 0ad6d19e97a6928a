package cdr

import (
	"errors"
	"fmt"
	"time"
)

// A Month is a calendar month in a time zone.
type Month struct {
	Name     string // 2026-10
	From, To time.Time
	Zone     *time.Location
}

// ErrNoMonth is text that names no month.
var ErrNoMonth = errors.New("a month is written as 2026-10")

// ParseMonth reads a month as people write it.
func ParseMonth(text string, zone *time.Location) (Month, error) {
	first, err := time.ParseInLocation("2006-01", text, zone)
	if err != nil || first.Format("2006-01") != text {
		return Month{}, fmt.Errorf("%q: %w", text, ErrNoMonth)
	}
	return monthFrom(first), nil
}

// MonthOf returns the month that t lies in.
func MonthOf(t time.Time, zone *time.Location) Month {
	year, month, _ := t.In(zone).Date()
	return monthFrom(time.Date(year, month, 1, 0, 0, 0, 0, zone))
}

func monthFrom(first time.Time) Month {
	return Month{
		Name: first.Format("2006-01"), From: first.UTC(),
		To: time.Date(first.Year(), first.Month()+1, 1, 0, 0, 0, 0, first.Location()).UTC(), Zone: first.Location(),
	}
}

// Next returns the month after m.
func (m Month) Next() Month { return MonthOf(m.To, m.Zone) }

// Before returns the month before m.
func (m Month) Before() Month { return MonthOf(m.From.Add(-time.Hour), m.Zone) }
