package transfer

import (
	"fmt"
	"time"
)

// Quiet is the part of a day, by the clocks of a zone, in which nobody is asked for minutes: a request is a text on a telephone
// that somebody has beside the bed. Receipts are sent at any hour, since they tell what has been done. Both ends are minutes after
// midnight; a part that ends before it begins lies over midnight, and one that ends where it begins is none.
type Quiet struct {
	From, To int
	Zone     *time.Location // nil: UTC
}

// until returns the end of the quiet part that now lies in; ok is false when it lies in none.
func (q Quiet) until(now time.Time) (end time.Time, ok bool) {
	zone := q.Zone
	if zone == nil {
		zone = time.UTC
	}
	local := now.In(zone)
	at := local.Hour()*60 + local.Minute()
	overMidnight := q.To < q.From
	if q.From == q.To || !overMidnight && (at < q.From || at >= q.To) || overMidnight && at < q.From && at >= q.To {
		return time.Time{}, false
	}
	year, month, date := local.Date()
	if overMidnight && at >= q.From {
		date++
	}
	return time.Date(year, month, date, q.To/60, q.To%60, 0, 0, zone).UTC(), true
}

// String returns the part of the day as people write it.
func (q Quiet) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", q.From/60, q.From%60, q.To/60, q.To%60)
}

func (q Quiet) validate() error {
	if min(q.From, q.To) < 0 || max(q.From, q.To) >= 24*60 {
		return fmt.Errorf("quiet from minute %d to %d: a day has 1440", q.From, q.To)
	}
	return nil
}
