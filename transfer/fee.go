package transfer

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// basis is how many basis points make the whole.
const basis = 10_000

// A FeeRule is a price for moving minutes. The first rule that fits a transfer decides; where none fits, the transfer is
// refused and not done for nothing.
type FeeRule struct {
	Name     string
	Kinds    []Kind    // empty: every kind
	Channels []Channel // empty: every channel
	Bands    []FeeBand // ascending; one without UpTo comes last
	Least    rating.Units
	Most     rating.Units // 0: not bounded
	Free     int64        // so many transfers in each FreeEvery cost nothing
	// FreeEvery is the window of Free. It is a window of the calendar.
	FreeEvery Window
}

// A FeeBand is the price up to a quantity.
type FeeBand struct {
	UpTo        rating.Units // including; 0: everything above the bands before
	Flat        rating.Units
	BasisPoints int64 // of the quantity asked for; the sum is rounded up to a whole second (5.2)
}

// band returns the band of n seconds.
func (f FeeRule) band(n rating.Units) (FeeBand, bool) {
	for _, b := range f.Bands {
		if b.UpTo == 0 || n <= b.UpTo {
			return b, true
		}
	}
	return FeeBand{}, false
}

// fee is the price of n seconds. False: the rule has no band for so many.
func (f FeeRule) fee(n rating.Units) (rating.Units, bool) {
	b, ok := f.band(n)
	if !ok {
		return 0, false
	}
	fee := max(f.Least, b.Flat+partUp(n, b.BasisPoints))
	if f.Most > 0 {
		fee = min(fee, f.Most)
	}
	return fee, true
}

// partUp is points of n, rounded up: the operator's rounding.
func partUp(n rating.Units, points int64) rating.Units {
	return (n*rating.Units(points) + basis - 1) / basis
}

// partDown is points of n, rounded down: the rounding of commissions.
func partDown(n rating.Units, points int64) rating.Units { return n * rating.Units(points) / basis }

// portion is the same part of n that part is of whole, rounded down. None is negative, part is no more than whole, and
// whole is not 0. The product may need more than 64 bits.
func portion(n, part, whole rating.Units) rating.Units {
	hi, lo := bits.Mul64(uint64(n), uint64(part))    //nolint:gosec // G115: not negative
	quotient, _ := bits.Div64(hi, lo, uint64(whole)) //nolint:gosec // G115: not 0, and hi is below it
	return rating.FromWire(quotient)
}

func (f FeeRule) row() string { return "free:" + f.Name + ":" + f.FreeEvery.String() }

// feeRule returns the rule of a request.
func (p *Policy) feeRule(r Request) (FeeRule, bool) {
	i := slices.IndexFunc(p.Fees, func(f FeeRule) bool { return fits(f.Kinds, r.Kind) && fits(f.Channels, r.Channel) })
	if i < 0 {
		return FeeRule{}, false
	}
	return p.Fees[i], true
}

// price finds the fee of the request, from the quote when it brings one.
func (d *decision) price() {
	if d.request.QuoteID != "" {
		d.quoted()
		return
	}
	rule, ok := d.policy.feeRule(d.request)
	fee, inBand := rule.fee(d.request.Seconds)
	if !d.check("fee rule", ok && inBand, NoFeeRule, string(d.request.Kind)+" by "+string(d.request.Channel), rule.Name) {
		return
	}
	if rule.Free > 0 {
		fee = d.free(rule, fee)
	}
	d.fee = fee
	d.acceptedFee()
}

// free returns the fee of rule, or nothing while there are free ones left.
func (d *decision) free(rule FeeRule, fee rating.Units) rating.Units {
	c := rule.freeRange(d.state, d.now)
	used, _ := total(d.state.counted(c))
	if used >= rule.Free {
		return fee
	}
	d.counting = append(d.counting, counting{promised: true, counter: Counter{
		Subscriber: c.Subscriber, Row: c.Row, Start: rule.FreeEvery.Start(d.now), Count: 1,
	}})
	return 0
}

func (f FeeRule) freeRange(s State, now time.Time) CounterRange {
	return CounterRange{Subscriber: s.Sender.Subscriber.ID, Row: f.row(), Since: f.FreeEvery.Since(now)}
}

// acceptedFee judges the fee by what the request accepts, and by what is moved.
func (d *decision) acceptedFee() {
	if m := d.request.MaxFee; m != nil {
		d.check("fee accepted", d.fee <= *m, FeeTooHigh, seconds(d.fee), atMost(*m))
	}
	if d.bearer() == Receiver {
		d.check("fee below amount", d.fee < d.request.Seconds, FeeTooHigh, seconds(d.fee), "less than "+seconds(d.request.Seconds))
	}
}

// bearer is who bears the fee of the request.
func (d *decision) bearer() Bearer {
	if d.request.Bearer != "" {
		return d.request.Bearer
	}
	return d.policy.Kinds[d.request.Kind].Bearer
}

func (f FeeRule) validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(f.Name == "", "no name")
	fault(len(f.Bands) == 0, "no band")
	fault(f.Least < 0 || f.Most < 0 || f.Least > MaxSeconds || f.Most > MaxSeconds, "least %d or most %d is out of range", f.Least, f.Most)
	fault(f.Most > 0 && f.Least > f.Most, "least %d is above most %d", f.Least, f.Most)
	fault(f.Free < 0, "%d free transfers", f.Free)
	if f.Free > 0 {
		fault(f.FreeEvery.Period == Rolling, "the window of free transfers is none of the calendar")
		faults = append(faults, f.FreeEvery.validate())
	}
	for i, b := range f.Bands {
		fault(b.UpTo < 0 || b.UpTo > MaxSeconds, "band %d ends at %d", i, b.UpTo)
		fault(b.UpTo == 0 && i != len(f.Bands)-1, "band %d has no end and is not the last", i)
		fault(i > 0 && b.UpTo != 0 && b.UpTo <= f.Bands[i-1].UpTo, "band %d ends at %d, not after the one before", i, b.UpTo)
		fault(b.Flat < 0 || b.Flat > MaxSeconds, "band %d costs %d flat", i, b.Flat)
		fault(b.BasisPoints < 0 || b.BasisPoints > basis, "band %d costs %d basis points, not 0 to %d", i, b.BasisPoints, basis)
	}
	faults = append(faults, validKinds(f.Kinds), validChannels(f.Channels))
	return errors.Join(faults...)
}
