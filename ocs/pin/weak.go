package pin

import (
	"slices"
	"strings"
)

// Weakness is why a PIN may not be chosen.
type Weakness string

// The weaknesses. The zero value is none.
const (
	Strong      Weakness = ""
	NotDigits   Weakness = "not digits"
	WrongLength Weakness = "wrong length"
	Repeats     Weakness = "repeats"      // of a digit or a group, or made of two digits only
	IsRun       Weakness = "a run"        // 123456, 2468, 890123, 112233
	IsDate      Weakness = "like a date"  // day and month, with a year or not, in any order that people write
	OwnNumber   Weakness = "in a number"  // of the subscriber, also backwards
	IsCommon    Weakness = "a common one" // a favourite that no rule above finds
	SameAsLast  Weakness = "the last one"
)

// Weak tells why pin may not be chosen by a subscriber with these numbers, or Strong.
func Weak(pin Secret, digits int, numbers ...string) Weakness {
	p := string(pin)
	switch {
	case strings.Trim(p, "0123456789") != "":
		return NotDigits
	case len(p) != digits:
		return WrongLength
	case repeats(p):
		return Repeats
	case isRun(p):
		return IsRun
	case inNumber(p, numbers):
		return OwnNumber
	case isDate(p):
		return IsDate
	case slices.Contains(common, p):
		return IsCommon
	}
	return Strong
}

// common are favourites that no rule finds: paths over the keypad and words of numbers.
var common = []string{
	"2580", "0852", "3690", "1379", "1397", "9731", "1793", "7139", "5683", "5201", "14789632", "15935728", "14725836",
}

// repeats reports whether p is a group of digits again and again, or has fewer than three different ones.
func repeats(p string) bool {
	for n := 1; n <= len(p)/2; n++ {
		if len(p)%n == 0 && strings.Repeat(p[:n], len(p)/n) == p {
			return true
		}
	}
	different := map[rune]bool{}
	for _, r := range p {
		different[r] = true
	}
	return len(different) < 3
}

// isRun reports whether the digits rise or fall by one step throughout, 0 following 9 (123456, 8642), also with each of them
// twice (112233), or within each half (123321). Of halves of three digits only those count that people count by, up or down by
// one: by some step or other every hundredth PIN has two (482 913).
func isRun(p string) bool {
	if steady(p) {
		return true
	}
	if len(p)%2 != 0 {
		return false
	}
	var once strings.Builder
	for i := 0; i < len(p); i += 2 {
		if p[i] != p[i+1] {
			return counts(p[:len(p)/2]) && counts(p[len(p)/2:])
		}
		once.WriteByte(p[i])
	}
	return steady(once.String())
}

// steady reports whether every digit is the one before and the same step, modulo ten.
func steady(p string) bool {
	if len(p) < 3 {
		return false
	}
	step := (p[1] - p[0] + 10) % 10
	for i := 2; i < len(p); i++ {
		if (p[i]-p[i-1]+10)%10 != step {
			return false
		}
	}
	return true
}

// counts reports whether p is a run that people know by heart.
func counts(p string) bool {
	step := (p[1] - p[0] + 10) % 10
	return steady(p) && (len(p) > 3 || step == 1 || step == 9)
}

func inNumber(p string, numbers []string) bool {
	reversed := []byte(p)
	slices.Reverse(reversed)
	return slices.ContainsFunc(numbers, func(n string) bool {
		return strings.Contains(n, p) || strings.Contains(n, string(reversed))
	})
}

// The ways in which people write a birthday, by length: d day, m month, y year.
var dateForms = map[int][]string{
	4: {"ddmm", "mmdd", "yyyy"},
	6: {"ddmmyy", "mmddyy", "yymmdd"},
	8: {"ddmmyyyy", "mmddyyyy", "yyyymmdd"},
}

func isDate(p string) bool {
	return slices.ContainsFunc(dateForms[len(p)], func(form string) bool {
		parts := map[rune]int{'d': 1, 'm': 1, 'y': 0}
		for _, r := range "dmy" {
			if i, n := strings.IndexRune(form, r), strings.Count(form, string(r)); n > 0 {
				parts[r] = number(p[i : i+n])
			}
		}
		year := parts['y']
		return parts['d'] >= 1 && parts['d'] <= 31 && parts['m'] >= 1 && parts['m'] <= 12 &&
			(strings.Count(form, "y") != 4 || year >= 1900 && year < 2040)
	})
}

func number(digits string) (n int) {
	for _, r := range digits {
		n = n*10 + int(r-'0')
	}
	return n
}
