package transfer

import (
	"errors"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
)

// What can be wrong with a quantity that a person typed.
var (
	ErrNoNumber = errors.New("no number of minutes")
	ErrNotWhole = errors.New("not a whole number of minutes, without sign")
	ErrZero     = errors.New("zero minutes")
	ErrTooMany  = errors.New("more minutes than can exist")
)

// ParseMinutes reads a whole number of minutes as a person types it and returns it in seconds. Digits may be ASCII,
// Arabic-Indic, extended Arabic-Indic or full-width, and blanks may surround them. Signs, decimals, exponents and
// separators are refused and never guessed at.
func ParseMinutes(s string) (rating.Units, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, ErrNoNumber
	}
	digits, ok := asciiDigits(s)
	if !ok {
		return 0, ErrNotWhole
	}
	var minutes rating.Units
	for i := range len(digits) {
		minutes = minutes*10 + rating.Units(digits[i]-'0')
		if minutes > MaxSeconds/minute {
			return 0, ErrTooMany
		}
	}
	if minutes == 0 {
		return 0, ErrZero
	}
	return minutes * minute, nil
}

// zeros are the first digits of the alphabets that are read.
var zeros = [...]rune{'0', '\u0660', '\u06F0', '\uFF10'}

// asciiDigits returns s in ASCII, or false when it holds anything but digits, or nothing.
func asciiDigits(s string) (string, bool) {
	var b strings.Builder
	for _, r := range s {
		d, ok := digit(r)
		if !ok {
			return "", false
		}
		b.WriteByte(d)
	}
	return b.String(), b.Len() > 0
}

func digit(r rune) (byte, bool) {
	for _, zero := range zeros {
		if r >= zero && r <= zero+9 {
			return byte('0' + r - zero), true //nolint:gosec // G115: a digit
		}
	}
	return 0, false
}
