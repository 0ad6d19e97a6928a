package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A DayOfUse is what a subscriber used on one day.
type DayOfUse struct {
	Day     string       `db:"day"` // 2026-03-01, in the zone that was asked for
	Measure rating.Unit  `db:"measure"`
	Used    rating.Units `db:"used"`
	Unit    rating.Unit  `db:"unit"`
	Charged rating.Units `db:"charged"`
	Calls   int          `db:"calls"`
}

const usageByDay = `
	SELECT to_char(rated_at AT TIME ZONE $5, 'YYYY-MM-DD') AS day, measure, sum(used)::bigint AS used, unit,
		sum(charged)::bigint AS charged, count(DISTINCT (session_id, sub_session)) AS calls
	FROM rated_event
	WHERE part = $1 AND subscriber_id = $2 AND rated_at >= $3 AND rated_at < $4
	GROUP BY 1, measure, unit ORDER BY 1, measure, unit`

// UsageByDay adds up what a subscriber used in a period, by day and unit. A report counts on the day on which it came.
func (s *Store) UsageByDay(ctx context.Context, id ocs.SubscriberID, from, to time.Time, zone string) ([]DayOfUse, error) {
	var days []DayOfUse
	if err := s.selectInto(ctx, &days, usageByDay, id.Slot(), string(id), stored(from), stored(to), zone); err != nil {
		return nil, fmt.Errorf("usage of subscriber %s: %w", id, err)
	}
	return days, nil
}
