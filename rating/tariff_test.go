package rating_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/gyro-ocs/gyro/rating"
)

func voice(first, next, units, per rating.Units) rating.Tariff {
	return rating.Tariff{
		Name: "t", Measures: rating.Seconds, Pays: rating.Seconds, First: first, Next: next, Price: rating.Price{Units: units, Per: per},
	}
}

func TestCharge(t *testing.T) {
	t.Parallel()
	setup := voice(1, 1, 1, 1)
	setup.Setup = 10
	tests := []struct {
		name   string
		tariff rating.Tariff
		used   rating.Units
		want   rating.Units
	}{
		{"a call never answered costs nothing", voice(60, 60, 4, 1), 0, 0},
		{"nor does its setup", setup, 0, 0},
		{"setup comes with the first second", setup, 1, 11},
		{"one second of 60/60", voice(60, 60, 1, 1), 1, 60},
		{"the last second of an increment", voice(60, 60, 1, 1), 60, 60},
		{"the first of the next", voice(60, 60, 1, 1), 61, 120},
		{"30/6 within the first", voice(30, 6, 1, 1), 29, 30},
		{"30/6 beyond it", voice(30, 6, 1, 1), 31, 36},
		{"four for one", voice(1, 1, 4, 1), 25, 100},
		{"twenty for a minute, a fraction counts whole", voice(1, 1, 20, 60), 4, 2},
		{"a free call", voice(60, 60, 0, 1), 1 << 40, 0},
		{"more than there can be stays at the top", voice(1, 1, rating.Unlimited, 1), 3, rating.Unlimited},
		{"increments near the top do not wrap", voice(1, rating.Unlimited, 1, 1), 3, rating.Unlimited},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.tariff.Charge(test.used); got != test.want {
				t.Errorf("Charge(%d) = %d, want %d", test.used, got, test.want)
			}
		})
	}
}

// drawTariff makes small tariffs, so that a slow model can keep up, and huge ones, so that sums come to their limits.
func drawTariff(t *rapid.T, most int64) rating.Tariff {
	draw := func(least int64, name string) rating.Units {
		return rating.Units(rapid.Int64Range(least, most).Draw(t, name))
	}
	tariff := voice(draw(1, "first"), draw(1, "next"), draw(0, "price"), draw(1, "per"))
	tariff.Setup = draw(0, "setup")
	return tariff
}

func TestChargeNeverFalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tariff := drawTariff(t, int64(rating.Unlimited))
		used := rating.Units(rapid.Int64Range(0, int64(rating.Unlimited)-1).Draw(t, "used"))
		more := rating.Units(rapid.Int64Range(int64(used), int64(rating.Unlimited)).Draw(t, "more"))
		if a, b := tariff.Charge(used), tariff.Charge(more); a > b || a < 0 {
			t.Fatalf("Charge(%d) = %d, Charge(%d) = %d", used, a, more, b)
		}
	})
}

func TestAffordIsTheInverseOfCharge(t *testing.T) {
	t.Parallel()
	for _, most := range []int64{12, 1 << 30, int64(rating.Unlimited)} {
		rapid.Check(t, func(t *rapid.T) {
			tariff := drawTariff(t, most)
			balance := rating.Units(rapid.Int64Range(0, min(most*8, int64(rating.Unlimited)-1)&int64(rating.Unlimited)).Draw(t, "balance"))
			affordable := tariff.Afford(balance)
			if cost := tariff.Charge(affordable); cost > balance && affordable != rating.Unlimited {
				t.Fatalf("Afford(%d) = %d, which costs %d", balance, affordable, cost)
			}
			if affordable < rating.Unlimited {
				if cost := tariff.Charge(affordable + 1); cost <= balance {
					t.Fatalf("Afford(%d) = %d, but one more costs only %d", balance, affordable, cost)
				}
			}
		})
	}
}

// The slow model: seconds go by one after the other, an increment is begun whenever the last one is over.
func TestChargeAgainstSecondBySecond(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tariff := drawTariff(t, 90)
		used := rapid.IntRange(0, 600).Draw(t, "used")
		paid, left := rating.Units(0), rating.Units(0)
		for range used {
			if left == 0 {
				left = tariff.Next
				if paid == 0 {
					left = tariff.First
				}
				paid += left
			}
			left--
		}
		want := rating.Units(0)
		if used > 0 {
			want = tariff.Setup + (paid*tariff.Price.Units+tariff.Price.Per-1)/tariff.Price.Per
		}
		if got := tariff.Charge(rating.Units(used)); got != want {
			t.Fatalf("Charge(%d) = %d, want %d", used, got, want)
		}
	})
}

func TestValidateNamesEveryFault(t *testing.T) {
	t.Parallel()
	bad := rating.Tariff{Setup: -1, Price: rating.Price{Units: -1}}
	err := bad.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	const want = "no unit of usage\nno unit of the buckets that pay\nsetup -1 is negative\nfirst increment 0 is less than 1\n" +
		"next increment 0 is less than 1\nprice -1 is negative\nprice is for 0 units of usage, less than 1"
	if err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%v", err, want)
	}
	if err := voice(60, 60, 1, 1).Validate(); err != nil {
		t.Errorf("a good tariff: %v", err)
	}
}
