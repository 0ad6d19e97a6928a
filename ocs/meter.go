package ocs

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// metered reports whether more than the total of q decides what it costs: the clock, or which of several payers can pay.
func (q *Quota) metered() bool {
	return len(q.Tariff.Then) > 0 || !q.Until.IsZero() || q.Continues || q.Carried > 0
}

func (q *Quota) meter() rating.Meter {
	return rating.Meter{Tariff: q.Tariff, Payer: q.Payer, Used: q.Used, Carried: q.Carried, Continues: q.Continues, Until: q.Until}
}

func (q *Quota) setMeter(m rating.Meter) {
	q.Tariff, q.Payer, q.Used, q.Carried, q.Continues, q.Until = m.Tariff, m.Payer, m.Used, m.Carried, m.Continues, m.Until
}

// costOf returns what used units of the stretch cost.
func (q *Quota) costOf(used rating.Units) rating.Units {
	m := q.meter()
	m.Used = used
	return m.Cost()
}

// Unit returns what the buckets count that pay for q now.
func (q *Quota) Unit() rating.Unit {
	if q.Payer == 0 {
		return q.Tariff.Pays
	}
	return q.Tariff.By(q.Payer).Pays
}

// clock tells the tariff of q at other times, by the catalogue that it began with.
func (d *decision) clock(q *Quota) rating.Clock {
	return func(at time.Time) (rating.Rate, bool) {
		plans, catalog := d.rules.version(q.Catalog)
		if catalog != q.Catalog {
			return rating.Rate{}, false // it is lost: what is known of it goes on
		}
		r, _, ok := d.find(plans[q.Plan], q.RatingGroup, at)
		return r, ok
	}
}

// How far the time of an event may be from ours to be believed (spec/gy 3.14).
const (
	eventAhead  = 5 * time.Second
	eventBehind = 24 * time.Hour
)

// reportedAt returns when what the request reports ended: at its Event-Timestamp, if that can be believed.
func (d *decision) reportedAt() time.Time {
	at := d.request.EventTime
	if at.IsZero() || at.Sub(d.now) > eventAhead || d.now.Sub(at) > eventBehind {
		at = d.now
	}
	return at.Truncate(time.Second)
}

// usedFrom returns when used seconds of q began that the request reports: never before the end of the report before.
func (d *decision) usedFrom(q *Quota, used rating.Units) time.Time {
	from := d.reportedAt()
	if q.Tariff.Measures == rating.Seconds || q.Tariff.Measures == "" && d.service.Measure == rating.Seconds {
		from = from.Add(-time.Duration(min(used, maxSeconds)) * time.Second)
	}
	if q.Through.After(from) {
		return q.Through
	}
	return from
}

// chargeMetered debits used, which s reports, and writes a rated event for every stretch.
func (d *decision) chargeMetered(q *Quota, s ServiceRequest, used rating.Units, held []Hold, late bool) (left []Hold) {
	m := q.meter()
	b := &bill{decision: d, quota: q, held: held, late: late}
	if m.Tariff.Measures == rating.Seconds {
		b.at = d.usedFrom(q, used)
		m.Charge(used, b.at, d.clock(q), b)
		q.Through = b.at
	} else {
		d.chargeVolume(&m, q, s, b)
	}
	b.close(&m)
	q.setMeter(m)
	return b.held
}

// chargeVolume charges for what the client told apart: before the change of tariff, after it, and what it cannot tell apart,
// which gets the cheaper price. Where nothing is told there was no change (§8.27).
func (d *decision) chargeVolume(m *rating.Meter, q *Quota, s ServiceRequest, b *bill) {
	var before, after, both rating.Units
	for _, u := range s.Used {
		n, _ := u.measure(d.measureOf(q))
		switch {
		case u.TariffChange == nil || *u.TariffChange == usedBefore:
			before = rating.Add(before, n)
		case *u.TariffChange == usedAfter:
			after = rating.Add(after, n)
		default:
			both = rating.Add(both, n)
		}
	}
	var next rating.Rate
	changed := false
	if !m.Until.IsZero() && (after > 0 || both > 0) {
		next, changed = d.clock(q)(m.Until)
	}
	m.Charge(before, d.now, nil, b)
	if !changed {
		m.Charge(rating.Add(after, both), d.now, nil, b)
		return
	}
	if !m.Cheaper(next, both) {
		m.Charge(both, d.now, nil, b)
		both = 0
	}
	m.Turn(next, b)
	m.Charge(rating.Add(after, both), d.now, nil, b)
}

// The values of Tariff-Change-Usage that tell on which side of the change something was used (§8.27).
const (
	usedBefore = 0
	usedAfter  = 1
)

// A bill debits what a meter charges for, as a [rating.Wallet], and writes the rated events.
type bill struct {
	*decision
	quota *Quota
	held  []Hold // reserved for the usage, released, and not yet taken
	late  bool
	at    time.Time  // where in time the usage is that is charged next; zero: its time does not matter
	event RatedEvent // of the stretch so far
}

// Free implements [rating.Wallet].
func (b *bill) Free(t *rating.Tariff) rating.Units { return b.purse.freeFor(*t, b.held) }

// Pay implements [rating.Wallet].
func (b *bill) Pay(m *rating.Meter, used, cost rating.Units) {
	taken, short := b.purse.take(m.Pricing(), cost, b.purse.expired(b.held))
	b.held = without(b.held, taken)
	b.event.Used = rating.Add(b.event.Used, used)
	b.event.Charged += cost - short
	b.event.Overrun = rating.Add(b.event.Overrun, short)
	b.event.Taken = addHolds(b.event.Taken, taken)
	if b.at.IsZero() {
		return
	}
	if b.quota.Since.IsZero() {
		b.quota.Since = b.at
	}
	b.at = b.at.Add(time.Duration(min(used, maxSeconds)) * time.Second)
}

// Ended implements [rating.Wallet]: the stretch is kept for the CDR, and an event for its refund.
func (b *bill) Ended(m *rating.Meter) {
	b.close(m)
	q := b.quota
	q.setMeter(*m)
	if b.request.Type == Event {
		b.session.Quotas = append(b.session.Quotas, *q)
	} else {
		b.session.Segments = addLine(b.session.Segments, q.line())
	}
	q.Given, q.Charged, q.Overrun, q.Taken, q.Since = 0, 0, 0, nil, time.Time{}
}

// close writes the event of what the stretch used.
func (b *bill) close(m *rating.Meter) {
	if b.event.Used == 0 {
		return
	}
	q, e := b.quota, b.event
	b.event = RatedEvent{}
	e.Subscriber, e.Session, e.Type, e.Number = b.account.Subscriber.ID, b.session.Key, b.request.Type, b.request.Number
	e.Line, e.At, e.Service, e.RatingGroup, e.Late = len(b.events), b.now, b.service.Name, q.RatingGroup, b.late
	e.Tariff, e.Plan, e.Catalog, e.Measure, e.Unit = m.Tariff.Name, q.Plan, q.Catalog, m.Tariff.Measures, m.Pricing().Pays
	b.events = append(b.events, e)
	q.Charged += e.Charged
	q.Overrun = rating.Add(q.Overrun, e.Overrun)
	q.Taken = addHolds(q.Taken, e.Taken)
}

// without returns held less what was taken.
func without(held, taken []Hold) []Hold {
	if len(held) == 0 || len(taken) == 0 {
		return held
	}
	held = slices.Clone(held)
	for _, t := range taken {
		for i := range held {
			if held[i].Bucket == t.Bucket {
				held[i].Units -= min(held[i].Units, t.Units)
			}
		}
	}
	return slices.DeleteFunc(held, func(h Hold) bool { return h.Units == 0 })
}

// A lease reserves what a meter may charge for, as a [rating.Wallet].
type lease struct {
	purse *purse
	held  []Hold
}

// Free implements [rating.Wallet].
func (l *lease) Free(t *rating.Tariff) rating.Units { return l.purse.free(*t) }

// Pay implements [rating.Wallet].
func (l *lease) Pay(m *rating.Meter, _, cost rating.Units) {
	l.held = addHolds(l.held, l.purse.hold(m.Pricing(), cost))
}

// Ended implements [rating.Wallet].
func (*lease) Ended(*rating.Meter) {}

// A course is one way in which a grant may be used: from when on, and how the meter stands then.
type course struct {
	meter rating.Meter
	at    time.Time
	clock rating.Clock // nil: the clock does not divide it
}

// reserve holds what up to want units of q may cost, and returns how many can be granted. Where it is not known on which side
// of a change of tariff they will be used, it holds for the dearer side (§5.1.1).
func (d *decision) reserve(q *Quota, want rating.Units, at time.Time) (granted rating.Units, held []Hold) {
	courses := d.courses(q, want, at)
	granted = want
	for _, c := range courses {
		var n rating.Units
		n, held = d.try(c, granted)
		granted = min(granted, n)
		if len(courses) > 1 {
			d.purse.release(held)
		}
	}
	if len(courses) == 1 {
		return granted, held
	}
	held = nil
	for _, c := range courses {
		_, one := d.try(c, granted)
		d.purse.release(one)
		held = dearer(held, one)
	}
	d.purse.reserve(held)
	return granted, held
}

func (d *decision) try(c course, n rating.Units) (granted rating.Units, held []Hold) {
	l := &lease{purse: d.purse}
	granted = c.meter.Grant(n, c.at, c.clock, l)
	return granted, l.held
}

// courses returns the ways in which want units of q may be used from at on. A call that was not answered yet may begin any
// time; the dearest is that it begins now, or when the tariff changes. Volume may be used on either side of the change.
func (d *decision) courses(q *Quota, want rating.Units, at time.Time) []course {
	m, clock := q.meter(), d.clock(q)
	here := course{meter: m, at: at, clock: clock}
	if m.Until.IsZero() {
		return []course{here}
	}
	var latest time.Time // until when the grant may be used
	switch {
	case m.Tariff.Measures != rating.Seconds:
		here.clock = nil
		if !d.service.TariffChange {
			return []course{here}
		}
		latest = d.now.Add(d.longest())
	case q.Through.IsZero():
		latest = at.Add(time.Duration(min(want, maxSeconds))*time.Second + d.service.Ringing)
	}
	next, ok := rating.Rate{}, false
	if m.Until.Before(latest) {
		next, ok = clock(m.Until)
	}
	if !ok || next.Tariff.Barred { // the clock ends the grant where it will be barred
		return []course{here}
	}
	there := here
	there.meter.Turn(next, &lease{})
	there.at = m.Until
	return []course{here, there}
}

// longest returns for how long a grant of volume is used at most.
func (d *decision) longest() time.Duration {
	if d.service.Validity > 0 {
		return d.service.Validity
	}
	return d.service.Supervision
}

// dearer returns of every bucket the greater hold.
func dearer(a, b []Hold) []Hold {
	for _, h := range b {
		i := slices.IndexFunc(a, func(o Hold) bool { return o.Bucket == h.Bucket })
		if i < 0 {
			a = append(a, h)
		} else {
			a[i].Units = max(a[i].Units, h.Units)
		}
	}
	return a
}

// turn brings q under the tariff of an instant, where the clock has moved on since it was granted last.
func (d *decision) turn(q *Quota, at time.Time) {
	if q.Until.IsZero() || at.Before(q.Until) {
		return
	}
	r, ok := d.clock(q)(at)
	if !ok {
		q.Until = time.Time{}
		return
	}
	m := q.meter()
	m.Turn(r, &bill{decision: d, quota: q})
	q.setMeter(m)
}

// tellChange sees to it that a grant of volume is not used under the wrong tariff: the client is told when to count anew,
// or comes back when it is time, not in the same second as all the others (spec/gy 3.14).
func (d *decision) tellChange(q *Quota, a *ServiceAnswer) {
	if q.Until.IsZero() || q.Tariff.Measures == rating.Seconds || !q.Until.Before(d.now.Add(d.longest())) {
		return
	}
	if d.service.TariffChange {
		a.TariffChange = q.Until
		return
	}
	spread := time.Duration(1+d.session.Key.spread()%30) * time.Second
	q.Validity = q.Until.Sub(d.now).Truncate(time.Second) + spread
	a.Validity = q.Validity
}

// spread returns a number that is the same for a session and different between sessions: FNV-1a of the key.
func (k SessionKey) spread() uint32 {
	hash := uint32(2166136261)
	for i := range len(k.ID) {
		hash = (hash ^ uint32(k.ID[i])) * 16777619
	}
	return hash
}
