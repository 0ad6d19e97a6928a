package tmf654

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strings"

	"github.com/gyro-ocs/gyro/rating"
)

// The usage types of the description.
const (
	voice    = "voice"
	data     = "data"
	sms      = "sms"
	monetary = "monetary"
)

// A measure is how units are told: in steps of size, with exactly as many decimals as it has.
type measure struct {
	unit rating.Unit
	size int64 // smallest units in one; 0: money, which has decimals
}

// measures are the words for units that clients may use, by usage type.
var measures = map[string]map[string]measure{
	voice: {
		"s": {rating.Seconds, 1}, "sec": {rating.Seconds, 1}, "second": {rating.Seconds, 1}, "seconds": {rating.Seconds, 1},
		"min": {rating.Seconds, 60}, "minute": {rating.Seconds, 60}, "minutes": {rating.Seconds, 60}, "h": {rating.Seconds, 3600},
	},
	data: {
		"B": {rating.Octets, 1}, "kB": {rating.Octets, 1e3}, "KB": {rating.Octets, 1e3}, "MB": {rating.Octets, 1e6}, "GB": {rating.Octets, 1e9},
		"KiB": {rating.Octets, 1 << 10}, "MiB": {rating.Octets, 1 << 20}, "GiB": {rating.Octets, 1 << 30},
	},
	sms: {"sms": {rating.Events, 1}, "message": {rating.Events, 1}, "messages": {rating.Events, 1}},
}

// digits are those currencies of ISO 4217 whose minor unit is no hundredth.
var digits = func() map[rating.Unit]int {
	all := map[rating.Unit]int{}
	for n, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 3: "BHD IQD JOD KWD LYD OMR TND", 4: "CLF UYW",
	} {
		for code := range strings.FieldsSeq(codes) {
			all[rating.Unit(code)] = n
		}
	}
	return all
}()

func digitsOf(currency rating.Unit) int {
	if n, ok := digits[currency]; ok {
		return n
	}
	return 2
}

// maxUnits bounds what one request may name, as the care API does.
const maxUnits = 1_000_000_000_000

// parseQuantity reads an amount exactly: no float, no exponent, and no part of the smallest unit. usage tells which words
// for units are right. An amount below zero is for the caller to judge.
func parseQuantity(q map[string]any, usage string) (rating.Unit, rating.Units, *Fault) {
	number, ok := q["amount"].(json.Number)
	if !ok {
		return "", 0, newFault(http.StatusBadRequest, codeIncomplete, "amount.amount is missing")
	}
	word, _ := q["units"].(string)
	unit, factor, fault := scaleOf(usage, word)
	if fault != nil {
		return "", 0, fault
	}
	exact, ok := decimal(number.String())
	if !ok {
		return "", 0, malformed("amount.amount", "a decimal number without exponent")
	}
	exact.Mul(exact, factor)
	if !exact.IsInt() {
		return "", 0, malformed("amount.amount", "a whole number of "+string(unit))
	}
	if n := exact.Num(); n.IsInt64() && -maxUnits <= n.Int64() && n.Int64() <= maxUnits {
		return unit, rating.Units(n.Int64()), nil
	}
	return "", 0, malformed("amount.amount", "within bounds")
}

// scaleOf returns the unit that a word stands for, and how many of its smallest parts one has.
func scaleOf(usage, word string) (rating.Unit, *big.Rat, *Fault) {
	if usage == monetary {
		if len(word) != 3 || strings.ContainsFunc(word, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			return "", nil, malformed("amount.units", "a currency as in EUR")
		}
		minor := int64(1)
		for range digitsOf(rating.Unit(word)) {
			minor *= 10
		}
		return rating.Unit(word), big.NewRat(minor, 1), nil
	}
	m, ok := measures[usage][word]
	if !ok {
		return "", nil, malformed("amount.units", "a unit of "+usage+", such as s or min of voice")
	}
	return m.unit, big.NewRat(m.size, 1), nil
}

// maxDigits bounds a number before it is calculated with.
const maxDigits = 30

// decimal reads digits with at most one sign and one point.
func decimal(s string) (*big.Rat, bool) {
	if len(s) > maxDigits || strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '-' && r != '.' }) {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// usageOf tells the usage type of a unit.
func usageOf(unit rating.Unit) string {
	switch unit {
	case rating.Seconds:
		return voice
	case rating.Octets:
		return data
	case rating.Events:
		return sms
	}
	return monetary
}

// quantity tells units: seconds in minutes where they are whole, money with its decimals. Never with an exponent.
func quantity(unit rating.Unit, n rating.Units) map[string]any {
	told := func(number, units string) map[string]any {
		return map[string]any{"amount": json.Number(number), "units": units}
	}
	switch usageOf(unit) {
	case voice:
		if n%60 == 0 {
			return told(whole(n/60), "min")
		}
		return told(whole(n), "s")
	case data:
		return told(whole(n), "B")
	case sms:
		return told(whole(n), "message")
	}
	return told(fixed(n, digitsOf(unit)), string(unit))
}

func whole(n rating.Units) string { return fixed(n, 0) }

// fixed writes n with its last places behind the point.
func fixed(n rating.Units, places int) string {
	exact := big.NewRat(int64(n), 1)
	for range places {
		exact.Quo(exact, big.NewRat(10, 1))
	}
	return exact.FloatString(places)
}
