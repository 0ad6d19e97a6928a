package ocs

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// A Stretch is a part of a usage that was, or would be, charged alike.
type Stretch struct {
	Meter   rating.Meter // as it stands at the end
	Choice  rating.Choice
	From    time.Time // zero: its time does not matter
	Used    rating.Units
	Charged rating.Units
	Short   rating.Units // due, and nobody can pay it
	Taken   []Hold
}

// Estimate tells what used units would cost that begin at an instant, and from which buckets. Nothing changes. ok is false when
// the plan has no tariff for it.
func Estimate(plan rating.Plan, u rating.Usage, used rating.Units, buckets []Bucket, at time.Time) (parts []Stretch, ok bool) {
	u.At = at
	r, ok := plan.Rate(u)
	if !ok {
		return nil, false
	}
	e := estimate{purse: newPurse(buckets, at), at: at}
	m := rating.Meter{Tariff: r.Tariff, Until: r.Until}
	e.open.Choice = r.Choice
	m.Charge(used, at, func(at time.Time) (rating.Rate, bool) {
		u.At = at
		r, ok := plan.Rate(u)
		e.next = r.Choice
		return r, ok
	}, &e)
	e.Ended(&m)
	return e.parts, true
}

// An estimate notes what a meter charges for, as a [rating.Wallet].
type estimate struct {
	purse *purse
	at    time.Time
	open  Stretch
	next  rating.Choice // what the clock chose last
	parts []Stretch
}

// Free implements [rating.Wallet].
func (e *estimate) Free(t *rating.Tariff) rating.Units { return e.purse.free(*t) }

// Pay implements [rating.Wallet].
func (e *estimate) Pay(m *rating.Meter, used, cost rating.Units) {
	taken, short := e.purse.take(m.Pricing(), cost, nil)
	if e.open.Used == 0 {
		e.open.From = e.at
	}
	e.open.Used = rating.Add(e.open.Used, used)
	e.open.Charged += cost - short
	e.open.Short = rating.Add(e.open.Short, short)
	e.open.Taken = addHolds(e.open.Taken, taken)
	if m.Tariff.Measures == rating.Seconds {
		e.at = e.at.Add(time.Duration(min(used, maxSeconds)) * time.Second)
	}
}

// Ended implements [rating.Wallet].
func (e *estimate) Ended(m *rating.Meter) {
	if e.open.Used == 0 {
		return
	}
	e.open.Meter = *m
	e.parts = append(e.parts, e.open)
	choice := e.open.Choice
	if e.next.By != rating.ByNothing {
		choice = e.next
	}
	e.open = Stretch{Choice: choice}
}

// A Replayed is a rated event, and what the catalogue of its time says that it costs.
type Replayed struct {
	Event RatedEvent
	Known bool         // its tariff was found
	Meter rating.Meter // after it, under that tariff
	Cost  rating.Units // what it costs
	Anew  bool         // the usage was counted from the beginning: a session or a rating group began, or other conditions
}

// Exact reports whether the event was charged what its tariff says.
func (r Replayed) Exact() bool { return r.Known && r.Cost == r.Event.Charged+r.Event.Overrun }

// Replay charges the events of a session again, in their order, by the plans of their catalogues.
func Replay(events []RatedEvent, kind rating.Kind, planOf func(catalog, plan string) (rating.Plan, bool)) []Replayed {
	meters := map[uint32]rating.Meter{} // by rating group
	all := make([]Replayed, len(events))
	for i, e := range events {
		group := uint32(0)
		if e.RatingGroup != nil {
			group = *e.RatingGroup
		}
		all[i] = replay(meters[group], e, kind, planOf)
		meters[group] = all[i].Meter
	}
	return all
}

// replay tries in which way the usage went on: in its stretch, in one that the clock began, or from the beginning.
func replay(m rating.Meter, e RatedEvent, kind rating.Kind, planOf func(catalog, plan string) (rating.Plan, bool)) Replayed {
	r := Replayed{Event: e, Meter: m}
	plan, ok := planOf(e.Catalog, e.Plan)
	if !ok {
		return r
	}
	t, ok := plan.Named(kind, e.Tariff)
	if !ok {
		return r
	}
	r.Known = true
	var ways []rating.Meter
	switch {
	case m.Used > 0 && m.Tariff.Name == t.Name:
		ways = append(ways, m)
	case m.Used > 0 && plan.SameByTheClock(kind, m.Tariff.Name, t.Name):
		turned := m
		turned.Turn(rating.Rate{Tariff: t}, &lease{})
		ways = append(ways, turned)
	}
	ways = append(ways, rating.Meter{Tariff: t})
	for i, way := range ways {
		for payer := range len(t.Then) + 1 {
			if t.By(payer).Pays != e.Unit {
				continue
			}
			one := Replayed{Event: e, Known: true, Meter: way, Anew: i == len(ways)-1}
			one.Cost = one.Meter.Replay(payer, e.Used)
			if one.Exact() {
				return one
			}
			if i == 0 && r.Cost == 0 {
				r.Meter, r.Cost, r.Anew = one.Meter, one.Cost, one.Anew
			}
		}
	}
	return r
}

// UsageOf returns what the tariff of a recorded call is chosen by, at an instant.
func (rules *Rules) UsageOf(r Record, plan rating.Plan, group *uint32, at time.Time) rating.Usage {
	d := decision{
		rules: rules, service: rules.Services[r.Service], plan: plan, account: Account{Subscriber: Subscriber{MSISDN: r.MSISDN}},
		session: Session{Conditions: r.Conditions},
	}
	u, _ := d.rated(group, at)
	return u
}
