package tmf654

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

// What is told is read back as the same, whatever the unit, and never has an exponent.
func TestQuantityIsReadBack(t *testing.T) {
	t.Parallel()
	for _, unit := range []rating.Unit{rating.Seconds, rating.Octets, rating.Events, "EUR", "KRW", "KWD", "CLF"} {
		for _, n := range []rating.Units{1, 7, 59, 60, 61, 99, 100, 1000, 12345, 1 << 30, maxUnits} {
			told := quantity(unit, n)
			text := string(encoded(told["amount"]))
			if strings.ContainsAny(text, "eE") {
				t.Errorf("%d %s is told as %s", n, unit, text)
			}
			u, back, fault := parseQuantity(told, usageOf(unit))
			if fault != nil || u != unit || back != n {
				t.Errorf("%d %s is told as %v and read back as %d %s: %v", n, unit, told, back, u, fault)
			}
		}
	}
}

// Whatever text stands for an amount: it is refused, or it is exactly the number that is told back.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{"1", "0.1", "1e3", "-0.5", "1.", ".5", "+1", "0x10", "1_000", "1/2", "NaN", "Inf", "9223372036854775808", strings.Repeat("9", 400)} {
		f.Add(seed, "min")
	}
	f.Fuzz(func(t *testing.T, number, word string) {
		for _, usage := range []string{voice, data, sms, monetary, "other", ""} {
			unit, units, fault := parseQuantity(map[string]any{"amount": json.Number(number), "units": word}, usage)
			if fault != nil {
				if fault.HTTP != 400 || fault.Reason == "" {
					t.Errorf("%q %q of %s: %v", number, word, usage, fault)
				}
				continue
			}
			if strings.ContainsAny(number, "eE/_xXnN") || units > maxUnits || units < -maxUnits {
				t.Errorf("%q %q of %s is %d", number, word, usage, units)
			}
			if units == 0 {
				continue
			}
			_, again, fault := parseQuantity(quantity(unit, units), usageOf(unit))
			if fault != nil || again != units {
				t.Errorf("%q %q of %s: %d and then %d %v", number, word, usage, units, again, fault)
			}
		}
	})
}

// Whatever stands in a query: it is refused with 400, or it can be asked of any resource.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"limit=1&offset=2", "fields=id,status", "amount.amount.gt=1", "a=%zz", "bucket.id=x&bucket.id.ne=y", "requestedDate.lt=z", "fields=none", ".=", "eq=1"} {
		f.Add(seed)
	}
	r := resource{"id": "1", "amount": resource{"amount": json.Number("2"), "units": "min"}, "bucket": resource{"id": "x"},
		"product": []any{resource{"id": "p"}, resource{"id": "q"}}, "requestedDate": "2026-03-01T12:00:00Z", "isAutoTopup": true}
	f.Fuzz(func(t *testing.T, text string) {
		values := make(map[string][]string)
		for pair := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = append(values[name], value)
		}
		q, fault := parseQuery(values, named(topup.typ))
		if fault != nil {
			if fault.HTTP != 400 {
				t.Errorf("%q: %v", text, fault)
			}
			return
		}
		q.matches(r)
		if chosen := q.choose(r); chosen["id"] != "1" {
			t.Errorf("%q: %v", text, chosen)
		}
		if _, fault := parseSubscriptionQuery(text); fault != nil && fault.HTTP != 400 {
			t.Errorf("%q: %v", text, fault)
		}
	})
}
