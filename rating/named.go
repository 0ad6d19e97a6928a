package rating

import (
	"iter"
	"slices"
)

// Named returns the tariff that a service has under a name, wherever it is in the plan.
func (p Plan) Named(kind Kind, name string) (Tariff, bool) {
	rates := p.Rates[kind]
	for t := range rates.everyTariff() {
		if t.Name == name {
			return t, true
		}
	}
	if name == barredAbroad.Name {
		return barredAbroad, true
	}
	return Tariff{}, false
}

// SameByTheClock reports whether two names are those of one tariff at different times.
func (p Plan) SameByTheClock(kind Kind, a, b string) bool {
	rates := p.Rates[kind]
	return rates.sameByTheClock(a, b) || slices.ContainsFunc(rates.Roaming, func(r Roaming) bool { return r.Rates.sameByTheClock(a, b) })
}

func (r *Rates) sameByTheClock(a, b string) bool {
	for name, times := range r.Times {
		has := func(one string) bool {
			return one == name || slices.ContainsFunc(times.Periods, func(p Period) bool { return p.Tariff.Name == one })
		}
		if has(a) && has(b) {
			return true
		}
	}
	return false
}

// everyTariff yields all tariffs of a service, at home and in visited networks, always and at other times.
func (r *Rates) everyTariff() iter.Seq[Tariff] {
	return func(yield func(Tariff) bool) { r.each(yield) }
}

func (r *Rates) each(yield func(Tariff) bool) bool {
	for _, list := range [][]Tariff{r.Originating.tariffs, r.Forwarded.tariffs, r.Received.tariffs} {
		for _, t := range list {
			if !yield(t) {
				return false
			}
		}
	}
	for _, t := range []*Tariff{r.Terminating, r.Default} {
		if t != nil && !yield(*t) {
			return false
		}
	}
	for _, t := range r.Groups {
		if !yield(t) {
			return false
		}
	}
	for _, times := range r.Times {
		for _, p := range times.Periods {
			if !yield(p.Tariff) {
				return false
			}
		}
	}
	for i := range r.Roaming {
		if !r.Roaming[i].Rates.each(yield) {
			return false
		}
	}
	return true
}
