package rating_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gyro-ocs/gyro/rating"
)

// An account pays everything from one balance.
type account struct{ balance, spent rating.Units }

func (a *account) Free(*rating.Tariff) rating.Units          { return a.balance - a.spent }
func (a *account) Pay(_ *rating.Meter, _, cost rating.Units) { a.spent += cost }
func (*account) Ended(*rating.Meter)                         {}
func chargeAll(c course, used, at rating.Units) rating.Units {
	m, a := c.meter(at), &account{balance: 1 << 40}
	m.Charge(used, c.at(at), c.clock, a)
	return a.spent
}

// A course is a tariff that changes now and then.
type course struct {
	tariffs []rating.Tariff
	lengths []int // seconds; the last tariff goes on
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (c course) at(second rating.Units) time.Time {
	return noon.Add(time.Duration(second) * time.Second)
}

func (c course) clock(at time.Time) (rating.Rate, bool) {
	end := noon
	for i, length := range c.lengths {
		if end = end.Add(time.Duration(length) * time.Second); at.Before(end) {
			return rating.Rate{Tariff: c.tariffs[i], Until: end}, true
		}
	}
	return rating.Rate{Tariff: c.tariffs[len(c.lengths)]}, true
}

func (c course) meter(second rating.Units) rating.Meter {
	r, _ := c.clock(c.at(second))
	return rating.Meter{Tariff: r.Tariff, Until: r.Until}
}

func drawCourse(t *rapid.T) (c course) {
	for range rapid.IntRange(0, 4).Draw(t, "changes") {
		c.lengths = append(c.lengths, rapid.IntRange(1, 100).Draw(t, "length"))
	}
	for i := range len(c.lengths) + 1 {
		tariff := drawTariff(t, 90)
		tariff.Name = string(rune('a' + i))
		c.tariffs = append(c.tariffs, tariff)
	}
	return c
}

// Across changes of tariff too, a charge never falls as the usage grows, and what is granted is the most that it covers.
func TestMeterIsMonotoneAndGrantItsInverse(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCourse(t)
		start := rating.Units(rapid.IntRange(0, 200).Draw(t, "start"))
		used := rating.Units(rapid.IntRange(0, 400).Draw(t, "used"))
		if a, b := chargeAll(c, used, start), chargeAll(c, used+1, start); a > b || a < 0 {
			t.Fatalf("%d s cost %d, one more costs %d", used, a, b)
		}
		a := &account{balance: rating.Units(rapid.IntRange(0, 50_000).Draw(t, "balance"))}
		m := c.meter(start)
		const most = 2000
		granted := m.Grant(most, c.at(start), c.clock, a)
		if cost := chargeAll(c, granted, start); cost != a.spent || cost > a.balance {
			t.Fatalf("granted %d s for %d of %d, they cost %d", granted, a.spent, a.balance, cost)
		}
		if granted < most {
			if cost := chargeAll(c, granted+1, start); cost <= a.balance {
				t.Fatalf("granted %d s for %d, but one more costs only %d", granted, a.balance, cost)
			}
		}
	})
}

// It does not matter in how many reports the usage is told.
func TestMeterForgetsReports(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCourse(t)
		start := rating.Units(rapid.IntRange(0, 200).Draw(t, "start"))
		m, a, at := c.meter(start), &account{balance: 1 << 40}, start
		for _, report := range rapid.SliceOfN(rapid.IntRange(0, 100), 0, 8).Draw(t, "reports") {
			m.Charge(rating.Units(report), c.at(at), c.clock, a)
			at += rating.Units(report)
		}
		if want := chargeAll(c, at-start, start); a.spent != want {
			t.Fatalf("%d s cost %d in reports, %d at once", at-start, a.spent, want)
		}
	})
}
