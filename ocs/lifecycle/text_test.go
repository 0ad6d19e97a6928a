package lifecycle

import (
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// Every message has words in every language, fits into one SMS whatever it tells, and leaves no placeholder.
func TestTextsFit(t *testing.T) {
	t.Parallel()
	const most = 1_000_000_000_000
	n := Notice{
		Plan: strings.Repeat("plan-", 12), Percent: 99, Units: most, Unit: rating.Seconds, Price: most, PriceUnit: "KWD",
		ValidTo: time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC),
		Left:    []Quantity{{most, rating.Seconds}, {most, rating.Octets}, {most, rating.Events}, {most, "KWD"}},
	}
	for _, m := range Messages() {
		n.Message = m
		for _, language := range transfer.Languages() {
			text := n.Render(language)
			if text == "" || !transfer.FitsSMS(text) || strings.ContainsAny(text, "{}") {
				t.Errorf("message %d in %s: %q", m, language, text)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		units    rating.Units
		currency rating.Unit
		want     string
	}{
		{2850, "EUR", "28.50 EUR"},
		{5, "EUR", "0.05 EUR"},
		{0, "EUR", "0.00 EUR"},
		{-150, "EUR", "-1.50 EUR"},
		{9900, "KRW", "9900 KRW"},
		{1234, "KWD", "1.234 KWD"},
	} {
		if got := Money(c.units, c.currency); got != c.want {
			t.Errorf("Money(%d, %s) = %q, want %q", c.units, c.currency, got, c.want)
		}
	}
}
