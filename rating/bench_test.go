package rating_test

import (
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

// A plan as most are: a handful of destinations, a second for a second.
func plainPlan() rating.Plan {
	named := func(name string, units rating.Units) rating.Tariff {
		t := voice(1, 1, units, 1)
		t.Name = name
		return t
	}
	free := named("received", 0)
	return rating.Plan{Name: "plain", Rates: map[rating.Kind]rating.Rates{rating.Voice: {
		Originating: rating.NewPrefixes(map[string]rating.Tariff{
			"": named("standard", 1), "+61": named("australia", 4), "+49800": named("free", 0), "+49900": named("premium", 9), "116": named("help", 0),
		}),
		Terminating: &free,
	}}}
}

var sink rating.Units

// The lookup and the charge of a plain call, which every request of every call makes.
func BenchmarkPlainLookup(b *testing.B) {
	plan, group := plainPlan(), uint32(100)
	u := rating.Usage{Kind: rating.Voice, Number: "+4930123456", RatingGroup: &group}
	for b.Loop() {
		t, _ := plan.Tariff(u)
		sink += t.Next
	}
}

func BenchmarkPlainCharge(b *testing.B) {
	t := voice(1, 1, 1, 1)
	n := rating.Units(0)
	for b.Loop() {
		n++
		sink += t.Charge(n) + t.Afford(n)
	}
}
