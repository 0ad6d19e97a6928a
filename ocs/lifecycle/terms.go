package lifecycle

import (
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Terms are what a plan promises for each of its periods, and what a period costs.
type Terms struct {
	Plan       string
	Period     Period
	Zone       *time.Location // whose days and months count; nil: UTC
	Day        int            // of the month, 1 to 28, on which every period begins; 0: the day of the activation
	Exact      bool           // periods begin at the time of day of the activation, and not at midnight
	FirstUse   bool           // the first period begins when something of it is used
	Within     time.Duration  // and begins so long after it was granted in any case; 0: it waits for ever
	FirstFree  bool           // the first period costs nothing
	Price      Price
	Allowances []Allowance
	Grace      time.Duration // how long a renewal that could not be paid is tried again
	Retry      time.Duration // how often
	Prorate    bool          // a part of a period costs and brings its part; what is paid and not lived is given back
	Notices    Notices
}

// A Price is what a period costs, and which buckets pay it.
type Price struct {
	Units   rating.Units // 0: nothing
	Unit    rating.Unit  // a currency, or what else buckets count
	Classes []string     // of the buckets that may pay; empty: all
}

// An Allowance is what a period brings.
type Allowance struct {
	Unit     rating.Unit
	Units    rating.Units
	Class    string
	Priority int
	Rollover rating.Units // of what is left, at most so much goes on into the next period
	Low      rating.Units // below this the subscriber is told; 0: never
}

// Notices are what the subscriber is told.
type Notices struct {
	Used   []int         // percent of an allowance that is used, 1 to 100
	Before time.Duration // the end of a period, or of any lot; 0: not told
	Off    bool          // nothing is told at all
}

// The bounds of terms.
const (
	maxAllowances = 16
	maxUnits      = 1_000_000_000_000 // of an allowance or a price: products with days and percents fit
	maxGrace      = 400 * day
	minRetry      = time.Minute
	mostRetries   = 5000 // in a grace
)

const day = 24 * time.Hour

// Validate returns everything that is wrong with t, joined.
func (t Terms) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(!t.Period.valid(), "a period is 1 to 120 months or 1 to 3660 days")
	fault(t.Day < 0 || t.Day > 28, "day %d is not 1 to 28, which every month has", t.Day)
	fault(t.Day > 0 && t.Period.Months == 0, "a day of the month needs a period of months")
	fault(t.Day > 0 && t.Exact, "periods begin on a day of the month at midnight, or exactly at the time of the activation, not both")
	fault(t.Day > 0 && t.FirstUse, "a plan that waits for its first use cannot begin on a day of the month")
	fault(t.Within < 0 || t.Within > 0 && !t.FirstUse, "only a plan that waits for its first use is activated within a time")
	fault(t.Price.Units < 0 || t.Price.Units > maxUnits, "price %d is not 0 to %d", t.Price.Units, int64(maxUnits))
	fault(t.Price.Units > 0 && t.Price.Unit == "", "a price without a unit")
	fault(len(t.Allowances) > maxAllowances, "%d allowances are more than %d", len(t.Allowances), maxAllowances)
	for i, a := range t.Allowances {
		fault(a.Unit == "" || a.Class == "", "allowance %d has no unit or no class", i+1)
		fault(a.Units < 1 || a.Units > maxUnits, "allowance %d of %d is not 1 to %d", i+1, a.Units, int64(maxUnits))
		fault(a.Rollover < 0 || a.Low < 0 || a.Rollover > maxUnits || a.Low > a.Units, "allowance %d has a bad rollover or low mark", i+1)
		for _, other := range t.Allowances[:i] {
			fault(other.Unit == a.Unit && other.Class == a.Class, "two allowances of %s have class %s", a.Unit, a.Class)
		}
	}
	fault(t.Grace < 0 || t.Grace > maxGrace, "grace %v is not 0 to %v", t.Grace, maxGrace)
	fault(t.Grace > 0 && t.Retry < minRetry, "retry %v is less than %v", t.Retry, minRetry)
	fault(t.Retry > 0 && t.Grace/t.Retry > mostRetries, "more than %d retries in a grace", mostRetries)
	for _, percent := range t.Notices.Used {
		fault(percent < 1 || percent > 100, "%d percent is not 1 to 100", percent)
	}
	fault(t.Notices.Before < 0 || t.Notices.Before > 90*day, "a notice %v before the end is not 0 to 90 days before", t.Notices.Before)
	return errors.Join(faults...)
}

// allowance returns the allowance of a unit and class.
func (t Terms) allowance(unit rating.Unit, class string) (Allowance, bool) {
	for _, a := range t.Allowances {
		if a.Unit == unit && a.Class == class {
			return a, true
		}
	}
	return Allowance{}, false
}

func (t Terms) zone() *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}
