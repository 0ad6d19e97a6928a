package transfer

import (
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func TestFeeTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		rule FeeRule
		n    rating.Units
		want rating.Units
	}{
		{"free", FeeRule{Bands: []FeeBand{{}}}, 600, 0},
		{"flat", FeeRule{Bands: []FeeBand{{Flat: 7}}}, 600, 7},
		{"percent, exact", FeeRule{Bands: []FeeBand{{BasisPoints: 200}}}, 600, 12},
		{"percent, rounded up", FeeRule{Bands: []FeeBand{{BasisPoints: 200}}}, 601, 13},
		{"a fraction of a second is one", FeeRule{Bands: []FeeBand{{BasisPoints: 1}}}, 1, 1},
		{"flat and percent", FeeRule{Bands: []FeeBand{{Flat: 5, BasisPoints: 1000}}}, 99, 15},
		{"at least", FeeRule{Least: 60, Bands: []FeeBand{{BasisPoints: 100}}}, 600, 60},
		{"at most", FeeRule{Most: 30, Bands: []FeeBand{{BasisPoints: 5000}}}, 600, 30},
		{"end of the first band", FeeRule{Bands: []FeeBand{{UpTo: 600, Flat: 1}, {Flat: 2}}}, 600, 1},
		{"begin of the second", FeeRule{Bands: []FeeBand{{UpTo: 600, Flat: 1}, {Flat: 2}}}, 601, 2},
		{"everything", FeeRule{Bands: []FeeBand{{BasisPoints: basis}}}, MaxSeconds, MaxSeconds},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := c.rule.fee(c.n); !ok || got != c.want {
				t.Errorf("fee of %d is %d, %v, want %d", c.n, got, ok, c.want)
			}
		})
	}
	if _, ok := (FeeRule{Bands: []FeeBand{{UpTo: 10}}}).fee(11); ok {
		t.Error("a fee above the last band")
	}
}

func TestFeeByKindAndChannel(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Fees = []FeeRule{
		{Name: "sms", Channels: []Channel{SMS}, Bands: []FeeBand{{Flat: 60}}},
		{Name: "gift", Kinds: []Kind{Gift}, Bands: []FeeBand{{Flat: 30}}},
		{Name: "others", Bands: []FeeBand{{Flat: 10}}},
	}
	w.grant("ann", 100, "purchased", 30)
	for _, c := range []struct {
		kind    Kind
		channel Channel
		want    rating.Units
	}{{P2P, API, 10}, {Gift, API, 30}, {Gift, SMS, 60}, {P2P, SMS, 60}} {
		o := must(t, w, w.do("ann", "bob", Request{
			Operation: OpSend, Kind: c.kind, Channel: c.channel, Seconds: minute, Credential: Credential{Result: Verified},
		}))
		equal(t, string(c.kind)+" by "+string(c.channel), o.Answer.Fee, c.want)
	}
}

func TestFirstTransfersAreFree(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Fees = []FeeRule{{Name: "f", Bands: []FeeBand{{Flat: 10}}, Free: 2, FreeEvery: Window{Period: Month}}}
	w.grant("ann", 100, "purchased", 60)
	fees := func(want ...rating.Units) {
		t.Helper()
		for i, fee := range want {
			equal(t, "fee", must(t, w, w.do("ann", "bob", send(i+1))).Answer.Fee, fee)
		}
	}
	quote := must(t, w, w.do("ann", "bob", Request{Operation: OpQuote, Seconds: 9 * minute}))
	equal(t, "quoted", quote.Answer.Fee, 0)
	fees(0) // the quote has used up nothing
	r := send(9)
	r.QuoteID = quote.Answer.QuoteID
	equal(t, "as quoted", must(t, w, w.do("ann", "bob", r)).Answer.Fee, 0)
	fees(10, 10) // but its use was the second
	w.now = w.now.AddDate(0, 1, 0)
	fees(0, 0, 10)
}
