package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

const minute rating.Units = 60

// Default returns the policy of a server whose operator has loaded none: careful limits, no fee between friends, expiry
// inherited, a PIN wherever a person is. Its decisions are those at the head of the specification.
func Default() *Policy {
	claims := ReversalRules{
		Way: Claim, Window: 3 * day, Decide: 7 * day, Persons: 2, PersonsAfter: 3, Claims: 1,
	}
	between := KindRules{Least: minute, Most: 500 * minute, Step: minute, Bearer: Originator, Reversal: claims}
	shop := KindRules{
		Least: minute, Most: 2000 * minute, Step: 1, Bearer: Originator, Reversal: ReversalRules{Way: Refund},
	}
	cash := KindRules{Least: 10 * minute, Most: 2000 * minute, Step: minute, Bearer: Originator, Reversal: ReversalRules{Way: NoReversal}}
	float := KindRules{Least: minute, Most: 1_000_000 * minute, Step: minute, Bearer: Originator, Reversal: claims}
	everyone := []Kind{P2P, Gift, Merchant, CashOut}
	return &Policy{
		Version: "default",
		Kinds: map[Kind]KindRules{
			P2P: between, Gift: between, Merchant: shop, CashOut: cash, Agent: between, Float: float,
		},
		Channels: map[Channel]ChannelRules{
			USSD:      {Step: PIN, Interactive: true},
			SMS:       {Step: PIN, Interactive: true},
			IVR:       {Step: PIN, Interactive: true},
			App:       {Step: PIN, Interactive: true},
			AgentDesk: {Step: PIN, Interactive: true},
			API:       {Step: NoStep},
		},
		Classes: map[string]ClassRules{
			"purchased": {Movable: true, Kinds: everyone},
			"plan":      {Movable: true, Kinds: everyone},
			"gift":      {Movable: true, Kinds: everyone},
			"received":  {Movable: true, Kinds: everyone},
			"float":     {Movable: true, Kinds: []Kind{Agent, Float}, Becomes: map[Kind]string{Agent: "purchased"}},
			"bonus":     {},
			"borrowed":  {},
		},
		Limits: []Limit{
			{Name: "a day", Scope: PerSender, Kinds: []Kind{P2P, Gift}, Window: Window{Period: Day}, Count: 10, Seconds: 1000 * minute},
			{Name: "a month", Scope: PerSender, Kinds: []Kind{P2P, Gift}, Window: Window{Period: Rolling, Length: 30 * day}, Count: 100, Seconds: 5000 * minute},
			{Name: "received", Scope: PerReceiver, Kinds: []Kind{P2P, Gift}, Window: Window{Period: Day}, Count: 20, Seconds: 2000 * minute},
			{Name: "to one", Scope: PerPair, Kinds: []Kind{P2P, Gift}, Window: Window{Period: Day}, Count: 5},
			{Name: "asked a day", Scope: PerAsker, Window: Window{Period: Day}, Count: 5},
			{Name: "asked a month", Scope: PerAsker, Window: Window{Period: Rolling, Length: 30 * day}, Count: 30},
		},
		Fees: []FeeRule{
			{Name: "cash", Kinds: []Kind{CashOut}, Bands: []FeeBand{{BasisPoints: 200}}, Least: minute},
			{Name: "free", Bands: []FeeBand{{}}},
		},
		Commissions: []CommissionRule{{Name: "agents", Bands: []CommissionBand{{Agent: 6000, Parent: 1000}}}},
		Expiry:      ExpiryRule{Mode: Inherit},
		Eligibility: Eligibility{PostpaidReceives: true},
		Cooling:     Cooling{SIM: 3 * day, Port: 3 * day, PIN: day},
		Solicit:     SolicitRules{Enabled: true, Life: day},
		PIN:         PINRules{Digits: 6, Tries: 3, Lock: day, LockGrowth: 2, Resets: 1, ResetEvery: 30 * day},
		QuoteLife:   5 * time.Minute, HoldLife: day, ConsentLife: day, PayoutLife: 3 * day, ReviewLife: 3 * day,
		PayoutTries: 3, RepeatAfter: time.Minute,
	}
}
