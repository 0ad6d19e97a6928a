package rating

import "time"

// A Meter is how far the charging of one usage has come. What is used falls into stretches: one ends when the clock brings
// another tariff, and when another payer has to pay. Each stretch is charged by its own total, so that it does not matter in
// how many reports the usage is told.
//
// A fraction of a bucket unit and the last increment are rounded up once for a stretch. An increment that was begun is paid
// whole at its price, also when the tariff changes within it; what is left of it is used first, and costs nothing more.
type Meter struct {
	Tariff    Tariff
	Payer     int       // of the stretch: see [Tariff.By]
	Used      Units     // in the stretch
	Carried   Units     // of the stretch, from its beginning: paid for by the stretch before
	Continues bool      // it is not the first stretch: the setup and the first increment were paid
	Until     time.Time // first instant of what may be another tariff; zero: there is none
}

// A Wallet pays for the stretches of a meter.
type Wallet interface {
	// Free returns how much may be spent under t.
	Free(t *Tariff) Units
	// Pay pays cost for used units more, which m has counted already. cost is beyond Free only where the usage was made.
	Pay(m *Meter, used, cost Units)
	// Ended is told of a stretch with usage when it is over.
	Ended(m *Meter)
}

// A Clock tells the tariff at an instant; false: it is not known any more, and the one in force goes on.
type Clock func(at time.Time) (Rate, bool)

// Grant lets up to n units more be used, from at on, as far as the wallet can pay, and returns how many.
func (m *Meter) Grant(n Units, at time.Time, clock Clock, w Wallet) Units {
	return m.run(n, at, clock, w, false)
}

// Charge charges for n units more that were used, from at on. What nobody can pay is charged all the same, to the first payer
// who has anything, else to the last.
func (m *Meter) Charge(n Units, at time.Time, clock Clock, w Wallet) { m.run(n, at, clock, w, true) }

func (m *Meter) run(n Units, at time.Time, clock Clock, w Wallet, was bool) (used Units) {
	for used < n {
		limit := n - used
		timed := m.Timed() && clock != nil
		if timed {
			if !at.Before(m.Until) {
				m.ask(clock, at, w)
				continue
			}
			limit = min(limit, secondsTo(at, m.Until))
		}
		piece, cost := m.next(limit, w, was)
		if piece == 0 {
			return used
		}
		m.Used = Add(m.Used, piece)
		w.Pay(m, piece, cost)
		used += piece
		if timed {
			at = at.Add(time.Duration(piece) * time.Second)
		}
	}
	return used
}

// Timed reports whether the clock divides the usage of m. It does so only for time; the client divides any other usage, and
// tells which was before the change (RFC 8506 §8.27).
func (m *Meter) Timed() bool { return !m.Until.IsZero() && m.Tariff.Measures == Seconds }

// ask has the clock say what holds at an instant. An answer that has passed already is none.
func (m *Meter) ask(clock Clock, at time.Time, w Wallet) {
	r, ok := clock(at)
	switch {
	case !ok:
		m.Until = time.Time{}
		return
	case !r.Until.After(at):
		r.Until = time.Time{}
	}
	m.Turn(r, w)
}

// Turn goes on under another rate. When its tariff is the same, the stretch goes on too.
func (m *Meter) Turn(r Rate, w Wallet) {
	m.Until = r.Until
	if m.Tariff.Equal(r.Tariff) {
		return
	}
	ahead := m.ahead()
	if m.Used > 0 {
		w.Ended(m)
	}
	*m = Meter{Tariff: r.Tariff, Carried: ahead, Continues: m.Continues || m.Used > 0, Until: r.Until}
}

// secondsTo returns how many seconds begin before until, from at on.
func secondsTo(at, until time.Time) Units {
	return Units((until.Sub(at) + time.Second - 1) / time.Second)
}

// next returns how much of limit one payer pays at once, and for how much. It may begin another stretch. 0: nobody can pay.
func (m *Meter) next(limit Units, w Wallet, was bool) (piece, cost Units) {
	if ahead := m.ahead(); ahead > 0 {
		return min(limit, ahead), 0
	}
	if m.Tariff.Barred && !was {
		return 0, 0
	}
	payer, most := 0, limit
	if !was || len(m.Tariff.Then) > 0 {
		if payer, most = m.whoPays(w); most == 0 {
			if !was {
				return 0, 0
			}
			payer, most = m.whoOwes(w), limit
		}
	}
	m.payBy(payer, w)
	piece = min(limit, most)
	return piece, m.price(piece)
}

// whoPays returns the first payer who can pay another increment, and how many units he can; 0: nobody can.
func (m *Meter) whoPays(w Wallet) (payer int, most Units) {
	for payer := range len(m.Tariff.Then) + 1 {
		t := m.pricing(payer)
		most := m.affords(&t, payer, w.Free(&t))
		if most > 0 && payer > 0 && !m.Continues && m.own() == 0 {
			most = min(most, t.increment()) // once the call goes on, one before may pay who could not pay a setup
		}
		if most > 0 {
			return payer, most
		}
	}
	return 0, 0
}

// increment is how much of a usage is paid at once when it begins. What is free is paid for unit by unit.
func (t *Tariff) increment() Units {
	if t.Price.Units == 0 {
		return 1
	}
	return t.First
}

func (m *Meter) whoOwes(w Wallet) int {
	for payer := range m.Tariff.Then {
		if t := m.pricing(payer); w.Free(&t) > 0 {
			return payer
		}
	}
	return len(m.Tariff.Then)
}

// affords returns how many units more free pays under t, which is the pricing of payer.
func (m *Meter) affords(t *Tariff, payer int, free Units) Units {
	if payer != m.Payer {
		return t.Afford(free)
	}
	own := m.own()
	all := t.Afford(Add(t.Charge(own), free))
	if all == Unlimited {
		return Unlimited
	}
	return max(0, all-own)
}

// payBy begins another stretch when another payer takes over from one who has paid.
func (m *Meter) payBy(payer int, w Wallet) {
	switch {
	case payer == m.Payer:
	case m.own() == 0:
		m.Payer = payer
	default:
		w.Ended(m)
		*m = Meter{Tariff: m.Tariff, Payer: payer, Continues: true, Until: m.Until}
	}
}

// Pricing returns the tariff by which the stretch is charged.
func (m *Meter) Pricing() Tariff { return m.pricing(m.Payer) }

func (m *Meter) pricing(payer int) Tariff {
	t := m.Tariff.By(payer)
	if m.Continues || payer != m.Payer && m.own() > 0 {
		t.Setup, t.First = 0, t.Next
	}
	return t
}

// own is what the stretch itself has to pay for.
func (m *Meter) own() Units { return max(0, m.Used-m.Carried) }

// ahead is what may still be used of the increment that was begun.
func (m *Meter) ahead() Units {
	if m.Used < m.Carried {
		return m.Carried - m.Used
	}
	own := m.own()
	if own == 0 {
		return 0
	}
	t := m.pricing(m.Payer)
	if t.Price.Units == 0 {
		return 0
	}
	return t.RoundUp(own) - own
}

// Cost returns what the stretch costs so far.
func (m *Meter) Cost() Units {
	t := m.pricing(m.Payer)
	return t.Charge(m.own())
}

// price returns what more units cost.
func (m *Meter) price(more Units) Units {
	t := m.pricing(m.Payer)
	return t.Charge(max(0, Add(m.Used, more)-m.Carried)) - t.Charge(m.own())
}

// Cheaper reports whether n units more cost less once m has turned to r. What is paid from other buckets is not compared.
func (m *Meter) Cheaper(r Rate, n Units) bool {
	next := *m
	next.Turn(r, nowhere{})
	here, there := m.Pricing(), next.Pricing()
	return here.Pays == there.Pays && next.price(n) < m.price(n)
}

// nowhere is a wallet for what is only looked at.
type nowhere struct{}

func (nowhere) Free(*Tariff) Units       { return 0 }
func (nowhere) Pay(*Meter, Units, Units) {}
func (nowhere) Ended(*Meter)             {}

// Replay counts used units more as paid by payer, whatever anybody has, and returns what they cost.
func (m *Meter) Replay(payer int, used Units) (cost Units) {
	m.payBy(payer, nowhere{})
	cost = m.price(used)
	m.Used = Add(m.Used, used)
	return cost
}

// Rounded returns what the stretch counts of its usage: whole increments, without what the stretch before paid for.
func (m *Meter) Rounded() Units {
	t := m.Pricing()
	return t.RoundUp(m.own())
}
