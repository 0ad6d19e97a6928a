package rating

import (
	"math"
	"math/bits"
)

// Units is a whole number of whatever the [Unit] beside it counts.
type Units int64

// Unlimited is more than any usage or balance: what a free tariff affords, and where sums that are too large stay.
const Unlimited Units = math.MaxInt64

// A Unit names what a quantity counts. A bucket that holds money has the ISO 4217 code of its currency as its unit
// and counts minor units: 250 of "EUR" is two euros fifty.
type Unit string

// The units of usage. Each can also be held in a bucket.
const (
	Seconds Unit = "seconds" // CC-Time, RFC 8506 §8.21
	Octets  Unit = "octets"  // CC-Total-Octets, §8.23
	Events  Unit = "events"  // CC-Service-Specific-Units, §8.26
)

// IsCurrency reports whether u has the form of an ISO 4217 code.
func (u Unit) IsCurrency() bool {
	if len(u) != 3 {
		return false
	}
	for i := range len(u) {
		if u[i] < 'A' || u[i] > 'Z' {
			return false
		}
	}
	return true
}

// FromWire makes Units of an unsigned number that a peer sent. What does not fit stays at Unlimited.
func FromWire(n uint64) Units {
	if n > uint64(Unlimited) {
		return Unlimited
	}
	return Units(n)
}

// Add returns a+b, or Unlimited where the sum would be larger. Neither is negative.
func Add(a, b Units) Units {
	if a > Unlimited-b {
		return Unlimited
	}
	return a + b
}

// scaleUp returns n*by/per rounded up, or Unlimited. None is negative and per is not 0.
func scaleUp(n, by, per Units) Units {
	hi, lo := bits.Mul64(unsigned(n), unsigned(by))
	lo, carry := bits.Add64(lo, unsigned(per-1), 0)
	return divide(hi+carry, lo, per)
}

// scaleDown returns n*by/per rounded down, or Unlimited. None is negative and per is not 0.
func scaleDown(n, by, per Units) Units {
	hi, lo := bits.Mul64(unsigned(n), unsigned(by))
	return divide(hi, lo, per)
}

func divide(hi, lo uint64, per Units) Units {
	if hi >= unsigned(per) {
		return Unlimited
	}
	quotient, _ := bits.Div64(hi, lo, unsigned(per))
	return FromWire(quotient)
}

func unsigned(n Units) uint64 { return uint64(n) } //nolint:gosec // G115: callers bring no negative units
