package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// keeps tells why what is free in a lot may not be moved in a transfer of n seconds, or "".
func (p *Policy) keeps(l ocs.Bucket, k Kind, n rating.Units, now time.Time) KeptReason {
	class := p.Classes[l.Class]
	switch {
	case !class.Movable || !fits(class.Kinds, k):
		return ByClass
	case class.MaxHops > 0 && l.Hops >= class.MaxHops:
		return ByHops
	case !l.ExpiresAt.IsZero() && l.ExpiresAt.Sub(now) < p.BeforeExpiry:
		return ByExpiry
	}
	if _, ok := p.Expiry.expiry(l, n, now); !ok {
		return ByExpiry
	}
	return ""
}

// purse divides what a sender has by what may become of it in a transfer of n seconds.
func (p *Policy) purse(b *book, k Kind, n rating.Units, now time.Time) Purse {
	var purse Purse
	for _, l := range b.lots {
		if !counts(l, now) {
			continue
		}
		purse.Total = rating.Add(purse.Total, l.Balance)
		purse.InUse = rating.Add(purse.InUse, l.Reserved)
		if reason := p.keeps(l, k, n, now); reason == "" {
			purse.Movable = rating.Add(purse.Movable, l.Free())
		} else if l.Free() > 0 {
			purse.keep(l.Class, reason, l.Free())
		}
	}
	return purse
}

func (p *Purse) keep(class string, reason KeptReason, n rating.Units) {
	for i := range p.Kept {
		if k := &p.Kept[i]; k.Class == class && k.Reason == reason {
			k.Units = rating.Add(k.Units, n)
			return
		}
	}
	p.Kept = append(p.Kept, Kept{Class: class, Reason: reason, Units: n})
}

// kept returns what is kept for one reason.
func (p Purse) kept(reason KeptReason) (sum rating.Units) {
	for _, k := range p.Kept {
		if k.Reason == reason {
			sum = rating.Add(sum, k.Units)
		}
	}
	return sum
}

// plan takes amount, and then the fee from the next lots in order (5.2). The caller has made sure that the movable lots
// cover both.
func (p *Policy) plan(b *book, r Request, amount, fee rating.Units, now time.Time) (moves []Move) {
	for _, l := range b.lots {
		if !counts(l, now) || p.keeps(l, r.Kind, r.Seconds, now) != "" {
			continue
		}
		free := l.Free()
		if part := min(amount, free); part > 0 {
			expiry, _ := p.Expiry.expiry(l, r.Seconds, now)
			moves = append(moves, Move{From: l.ID, Units: part, Class: p.becomes(l.Class, r.Kind), ExpiresAt: expiry})
			amount, free = amount-part, free-part
		}
		if part := min(fee, free); part > 0 { // something is free only where amount is covered
			moves = append(moves, Move{From: l.ID, Units: part, Fee: true})
			fee -= part
		}
	}
	return moves
}

func (p *Policy) becomes(class string, k Kind) string {
	if other := p.Classes[class].Becomes[k]; other != "" {
		return other
	}
	return class
}

// firstExpiry returns when the first of the lots that moves take from dies; zero: none ever does.
func (b *book) firstExpiry(moves []Move) (first time.Time) {
	for _, m := range moves {
		first = sooner(first, b.peek(m.From).ExpiresAt)
	}
	return first
}
