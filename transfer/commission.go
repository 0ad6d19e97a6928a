package transfer

import (
	"errors"
	"fmt"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A CommissionRule tells which part of a fee an agent and the agent above earn. What is left is the operator's, with every
// fraction that rounding leaves. The first rule that fits decides; none: all of the fee is the operator's.
type CommissionRule struct {
	Name  string
	Kinds []Kind // empty: every kind that an agent has a part in
	Bands []CommissionBand
}

// A CommissionBand is the commission of transfers up to a quantity.
type CommissionBand struct {
	UpTo   rating.Units // including; 0: everything above the bands before
	Agent  int64        // basis points of the fee
	Parent int64        // likewise; stays with the operator where there is no agent above
}

// earner is the agent who earns on a transfer of kind k: who sells from a float, or who pays out cash.
func earner(k Kind, s State) *Role {
	var earning, other Party
	switch k {
	case Agent, Float:
		earning, other = s.Sender, s.Receiver
	case CashOut:
		earning, other = s.Receiver, s.Sender
	case P2P, Merchant, Gift:
		return nil
	}
	if earning.Role == nil || earning.Role.Owner != "" && ownerOf(earning) == ownerOf(other) {
		return nil // no commission on one's own money (6.1)
	}
	return earning.Role
}

// ownerOf is the person behind a party.
func ownerOf(p Party) ocs.SubscriberID {
	if p.Role != nil && p.Role.Owner != "" {
		return p.Role.Owner
	}
	return p.Subscriber.ID
}

// shares divides fee. Together the shares are never more than it.
func (p *Policy) shares(r Request, s State, fee rating.Units) []Share {
	agent := earner(r.Kind, s)
	if agent == nil || fee == 0 {
		return nil
	}
	for _, rule := range p.Commissions {
		if !fits(rule.Kinds, r.Kind) {
			continue
		}
		for _, b := range rule.Bands {
			if b.UpTo == 0 || r.Seconds <= b.UpTo {
				return b.shares(agent, fee)
			}
		}
		return nil
	}
	return nil
}

func (b CommissionBand) shares(agent *Role, fee rating.Units) (shares []Share) {
	if n := partDown(fee, b.Agent); n > 0 {
		shares = append(shares, Share{Agent: agent.Code, Units: n})
	}
	if n := partDown(fee, b.Parent); n > 0 && agent.Parent != "" {
		shares = append(shares, Share{Agent: agent.Parent, Units: n})
	}
	return shares
}

func (c CommissionRule) validate() error {
	var faults []error
	if c.Name == "" {
		faults = append(faults, errors.New("no name"))
	}
	for i, b := range c.Bands {
		if b.Agent < 0 || b.Parent < 0 || b.Agent > basis || b.Parent > basis-b.Agent {
			faults = append(faults, fmt.Errorf("band %d: %d and %d basis points are not parts of one fee", i, b.Agent, b.Parent))
		}
		if b.UpTo < 0 || b.UpTo == 0 && i != len(c.Bands)-1 || i > 0 && b.UpTo != 0 && b.UpTo <= c.Bands[i-1].UpTo {
			faults = append(faults, fmt.Errorf("band %d ends at %d, out of order", i, b.UpTo))
		}
	}
	return errors.Join(append(faults, validKinds(c.Kinds))...)
}
