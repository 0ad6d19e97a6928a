package main

import "time"

// parseExpiry reads --expires: an instant of RFC 3339, or a day, which counts as a whole in the time zone zone.
// Empty is nil: never.
func parseExpiry(s string, zone *time.Location) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if at, err = time.ParseInLocation(time.DateOnly, s, zone); err != nil {
			return nil, usagef("--expires %q is neither a day as 2030-12-31 nor an instant as 2030-12-31T23:00:00Z", s)
		}
		at = at.AddDate(0, 0, 1)
	}
	if at = at.UTC(); at.Year() > 9999 { // people write it for never, and it is no instant of RFC 3339
		return nil, usagef("--expires %s is too far away; leave --expires out for a bucket that never expires", s)
	}
	return &at, nil
}

// parseInstant reads an instant of RFC 3339, or a day, which stands for its first instant in the time zone zone.
func parseInstant(flag, s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return time.Time{}, usagef("%s %q is neither a day as 2026-03-01 nor an instant as 2026-03-01T12:00:00Z", flag, s)
	}
	return day, nil
}

const expiresUsage = "the bucket counts through this day, 2030-12-31, or until this instant, 2030-12-31T23:00:00Z (default never)"

// parsePeriod reads --from and --to.
func parsePeriod(from, to string, zone *time.Location) (first, end time.Time, err error) {
	if first, err = parseInstant("--from", from, zone); err != nil {
		return first, end, err
	}
	end, err = parseInstant("--to", to, zone)
	if err == nil && !first.IsZero() && !end.IsZero() && !first.Before(end) {
		err = usagef("--to %s is not later than --from %s", to, from)
	}
	return first, end, err
}
