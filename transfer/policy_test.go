package transfer

import (
	"strings"
	"testing"
	"time"
)

func TestDefaultPolicyIsValid(t *testing.T) {
	t.Parallel()
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

// Validate tells every fault, not the first.
func TestPolicyFaults(t *testing.T) {
	t.Parallel()
	p := Default()
	p.Version = ""
	p.Kinds["loan"] = KindRules{}
	p.Kinds[P2P] = KindRules{Least: 61, Most: 119, Step: 60, Bearer: "me", Reversal: ReversalRules{Way: Claim, Persons: 1, Decide: time.Hour, Claims: 1}}
	p.Channels["fax"] = ChannelRules{Step: "shout"}
	p.Classes["purchased"] = ClassRules{Movable: true, MaxHops: 2, Becomes: map[Kind]string{P2P: ""}}
	p.Limits = append(p.Limits, p.Limits[0], Limit{Scope: "all", Window: Window{Period: Rolling, Length: 90 * time.Second}})
	p.Fees = append(p.Fees, FeeRule{Name: "bad", Bands: []FeeBand{{}, {UpTo: 5, BasisPoints: 10_001}}, Free: 1, FreeEvery: Window{Period: Rolling, Length: time.Hour}})
	p.Commissions = append(p.Commissions, CommissionRule{Bands: []CommissionBand{{Agent: 6000, Parent: 4001}}})
	p.Expiry = ExpiryRule{Mode: Extend, Days: 30}
	p.QuoteLife, p.PayoutTries, p.PIN.Digits = 0, 0, 3
	p.Cooling.SIM = -1
	err := p.Validate()
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		"no version", `kind "loan" is none of`, "no multiple of 60 lies in 61 to 119", `bearer "me"`, "1 and 0 persons; it takes 2",
		`channel "fax" is none of`, `step "shout"`, "expiry extend needs a hop limit of 1, here 2", "becomes no class by p2p",
		`limit "sender:a day:day UTC" is there twice`, `scope "all"`, "rolling window of 1m30s", "bounds neither",
		"band 0 has no end and is not the last", "10001 basis points", "is none of the calendar", "6000 and 4001 basis points",
		"a life of 0 days", "life of a quote is 0s", "0 tries of a pay-out code", "3 digits", "a cooling time is negative",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in:\n%v", want, err)
		}
	}
}

func TestExpiryTable(t *testing.T) {
	t.Parallel()
	w := newWorld()
	now := w.now
	in := func(days int) time.Time { return now.Add(time.Duration(days) * day) }
	amounts := []DaysBand{{UpTo: 60, Days: 1}, {UpTo: 600, Days: 7}}
	for _, c := range []struct {
		name string
		rule ExpiryRule
		own  time.Time // zero: never
		want time.Time
		ok   bool
	}{
		{"inherit", ExpiryRule{Mode: Inherit}, in(5), in(5), true},
		{"inherit never", ExpiryRule{Mode: Inherit}, time.Time{}, time.Time{}, true},
		{"shorten", ExpiryRule{Mode: Shorten, Days: 3}, in(5), in(3), true},
		{"shorten what is shorter", ExpiryRule{Mode: Shorten, Days: 9}, in(5), in(5), true},
		{"shorten never", ExpiryRule{Mode: Shorten, Days: 9}, time.Time{}, in(9), true},
		{"fixed", ExpiryRule{Mode: Fixed, Days: 5}, in(5), in(5), true},
		{"fixed beyond its own", ExpiryRule{Mode: Fixed, Days: 6}, in(5), in(6), false},
		{"fixed never", ExpiryRule{Mode: Fixed, Days: 6}, time.Time{}, in(6), true},
		{"by amount", ExpiryRule{Mode: ByAmount, Band: amounts}, in(9), in(7), true},
		{"by amount beyond its own", ExpiryRule{Mode: ByAmount, Band: amounts}, in(6), in(7), false},
		{"extend", ExpiryRule{Mode: Extend, Days: 9, Life: 60}, in(5), in(9), true},
		{"extend to the end of life", ExpiryRule{Mode: Extend, Days: 60, Life: 40}, in(5), in(30), true},
		{"extend what lives longer", ExpiryRule{Mode: Extend, Days: 60, Life: 40}, in(35), in(35), true},
		{"extend never", ExpiryRule{Mode: Extend, Days: 9, Life: 60}, time.Time{}, time.Time{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := w.buckets[""]
			b.ExpiresAt, b.CreatedAt = c.own, in(-10)
			got, ok := c.rule.expiry(b, 600, now)
			if ok != c.ok || !got.Equal(c.want) {
				t.Errorf("got %v, %v, want %v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}
