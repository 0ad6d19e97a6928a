package transfer

import (
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// ExpiryRule tells when moved seconds die. Under every mode but Extend that is never later than where they came from.
type ExpiryRule struct {
	Mode ExpiryMode
	Days int        // of Shorten, Fixed and Extend, each 24 hours
	Band []DaysBand // of ByAmount
	Life int        // of Extend: days after the first grant of which no second lives on, whoever has it
}

// A DaysBand is how long seconds live in transfers up to a quantity.
type DaysBand struct {
	UpTo rating.Units // including; 0: everything above the bands before
	Days int
}

// ExpiryMode is how an expiry is found.
type ExpiryMode string

// The modes. Fixed and ByAmount promise the receiver so many days: a lot that dies sooner is not for sending under them.
const (
	Inherit  ExpiryMode = "inherit"
	Shorten  ExpiryMode = "shorten" // the lot's own, or so many days, whichever is sooner
	Fixed    ExpiryMode = "fixed"
	ByAmount ExpiryMode = "by-amount"
	Extend   ExpiryMode = "extend" // so many days, also beyond the lot's own
)

// expiry returns when seconds of b die if they are moved now in a transfer of n. False: they may not be moved.
func (e ExpiryRule) expiry(b ocs.Bucket, n rating.Units, now time.Time) (time.Time, bool) {
	after := func(days int) time.Time { return now.Add(time.Duration(days) * day) }
	own := b.ExpiresAt
	switch e.Mode {
	case Shorten:
		return sooner(own, after(e.Days)), true
	case Fixed:
		return after(e.Days), !dies(own, after(e.Days))
	case ByAmount:
		days, ok := e.days(n)
		return after(days), ok && !dies(own, after(days))
	case Extend:
		return extended(own, after(e.Days), b.CreatedAt.Add(time.Duration(e.Life)*day)), true
	case Inherit:
	}
	return own, true
}

// extended is the later of own and wanted, but wanted no later than the end of life. The lot is a granted one, since Extend
// goes with a hop limit of 1 ([Policy.Validate]): its creation is that of its root.
func extended(own, wanted, end time.Time) time.Time {
	wanted = sooner(wanted, end)
	if dies(own, wanted) {
		return wanted
	}
	return own
}

func (e ExpiryRule) days(n rating.Units) (int, bool) {
	for _, b := range e.Band {
		if b.UpTo == 0 || n <= b.UpTo {
			return b.Days, true
		}
	}
	return 0, false
}

// dies reports whether an expiry lies before t. A zero one never comes.
func dies(expiry, t time.Time) bool { return !expiry.IsZero() && expiry.Before(t) }

// sooner returns the earlier of two expiries.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || dies(b, a) {
		return b
	}
	return a
}

// maxDays keeps times far from overflow.
const maxDays = 100 * 366

func (e ExpiryRule) validate() error {
	inRange := func(days int) bool { return days >= 1 && days <= maxDays }
	switch e.Mode {
	case Inherit:
		return nil
	case Shorten, Fixed:
		if !inRange(e.Days) {
			return fmt.Errorf("%d days are not 1 to %d", e.Days, maxDays)
		}
		return nil
	case Extend:
		if !inRange(e.Days) || !inRange(e.Life) {
			return fmt.Errorf("%d days or a life of %d days are not 1 to %d", e.Days, e.Life, maxDays)
		}
		return nil
	case ByAmount:
		return e.validateBands()
	}
	return fmt.Errorf("mode %q is none of inherit, shorten, fixed, by-amount, extend", e.Mode)
}

func (e ExpiryRule) validateBands() error {
	if len(e.Band) == 0 {
		return errors.New("no band")
	}
	var faults []error
	for i, b := range e.Band {
		if b.Days < 1 || b.Days > maxDays {
			faults = append(faults, fmt.Errorf("band %d: %d days are not 1 to %d", i, b.Days, maxDays))
		}
		if b.UpTo < 0 || b.UpTo == 0 && i != len(e.Band)-1 || i > 0 && b.UpTo != 0 && b.UpTo <= e.Band[i-1].UpTo {
			faults = append(faults, fmt.Errorf("band %d ends at %d, out of order", i, b.UpTo))
		}
	}
	return errors.Join(faults...)
}
