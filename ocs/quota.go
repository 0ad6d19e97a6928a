package ocs

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// quota returns the quota that s names, making it when it is new.
func (d *decision) quota(s ServiceRequest) *Quota {
	for i := range d.session.Quotas {
		if q := &d.session.Quotas[i]; equalGroup(q.RatingGroup, s.RatingGroup) && equalSet(q.ServiceIDs, s.ServiceIDs) {
			return q
		}
	}
	d.session.Quotas = append(d.session.Quotas, Quota{RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs})
	return &d.session.Quotas[len(d.session.Quotas)-1]
}

func sameQuota(a, b ServiceRequest) bool {
	return equalGroup(a.RatingGroup, b.RatingGroup) && equalSet(a.ServiceIDs, b.ServiceIDs)
}

func equalGroup(a, b *uint32) bool { return a == b || a != nil && b != nil && *a == *b }

func equalSet(a, b []uint32) bool {
	if len(a) != len(b) {
		return false
	}
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// debit takes what s reports from the buckets and gives back the rest of what was held. Increments count on the total
// of the quota: debit now = charge(total after) - charge(total before). Otherwise every update would round up anew.
func (d *decision) debit(s ServiceRequest, late bool) {
	if late && len(s.Used) == 0 {
		return // it holds nothing any more, and a session that is over gathers no quotas
	}
	q := d.quota(s)
	q.Reasons = s.reasons(q.Reasons)
	if d.overtaken(q) {
		d.notes |= OutOfOrder
		d.debitOvertaken(q, s)
		return
	}
	held := q.Held
	wasFinal := q.Final
	d.release(q)
	if wasFinal && d.service.Final != nil && s.Requested == nil && !late && !s.reported(QuotaHoldingTime) {
		q.Restricted = true // the last units are used, and the user is where the indication sent him (§5.6.2)
	}
	switch used := d.usage(q, s); {
	case used == 0:
	case q.metered():
		d.chargeMetered(q, s, used, held, late)
	default:
		d.charge(q, used, held, late)
	}
	if s.reported(FinalReport) {
		d.retire(q)
	}
}

// overtaken reports whether a later request asked for the same quota already: then only the usage of this one counts,
// and the grant in force stays (spec/gy 3.6).
func (d *decision) overtaken(q *Quota) bool {
	return d.request.Type == Update && q.Asked && d.request.Number < q.AskedBy
}

// debitOvertaken debits what s reports, beside the grant in force, which keeps as much of its hold as is left.
func (d *decision) debitOvertaken(q *Quota, s ServiceRequest) {
	d.purse.release(q.Held)
	held := q.Held
	q.Held = nil
	used := d.usage(q, s)
	if q.metered() {
		if used > 0 {
			held = d.chargeMetered(q, s, used, held, d.session.State != Open)
		}
		if d.session.State == Open {
			q.Held = d.purse.holdAgain(held, rating.Unlimited)
		}
		return
	}
	if used > 0 {
		d.charge(q, used, held, d.session.State != Open)
	}
	if d.session.State == Open && len(held) > 0 {
		cost := q.Tariff.Charge(rating.Add(q.Used, q.Granted)) - q.due()
		q.Held = d.purse.holdAgain(held, cost)
		for _, h := range q.Held {
			cost -= h.Units
		}
		q.Held = addHolds(q.Held, d.purse.hold(q.Tariff, min(cost, d.purse.free(q.Tariff))))
	}
}

// charge debits used, whose total alone decides what it costs, and writes the rated event.
func (d *decision) charge(q *Quota, used rating.Units, held []Hold, late bool) {
	event := RatedEvent{
		Subscriber: d.account.Subscriber.ID, Session: d.session.Key, Type: d.request.Type, Number: d.request.Number, Line: len(d.events),
		At: d.now, Service: d.service.Name, RatingGroup: q.RatingGroup, Tariff: q.Tariff.Name, Plan: q.Plan, Catalog: q.Catalog,
		Measure: d.measureOf(q), Used: used, Unit: q.Tariff.Pays, Late: late,
	}
	before := q.due()
	q.Used = rating.Add(q.Used, used)
	due := q.due() - before
	event.Taken, event.Overrun = d.purse.take(q.Tariff, due, held)
	event.Charged = due - event.Overrun
	q.Charged += event.Charged
	q.Overrun = rating.Add(q.Overrun, event.Overrun)
	q.Taken = addHolds(q.Taken, event.Taken)
	d.events = append(d.events, event)
}

// due returns what the usage of q costs so far. Usage that no tariff was found for costs nothing, and its rated event
// names no tariff.
func (q *Quota) due() rating.Units {
	if q.Tariff.Measures == "" {
		return 0
	}
	return q.Tariff.Charge(q.Used)
}

// usage adds up what s reports, in the unit of the quota's tariff. Usage of a quota that was never granted, as after a
// CONTINUE, is priced by the conditions in force.
func (d *decision) usage(q *Quota, s ServiceRequest) (sum rating.Units) {
	if len(s.Used) > 0 && q.Tariff.Measures == "" {
		for _, u := range s.Used {
			n, _ := u.measure(rating.Seconds)
			sum = rating.Add(sum, n)
		}
		if r, _, ok := d.find(d.plan, s.RatingGroup, d.usedFrom(q, sum)); ok {
			d.price(q, r)
		}
		sum = 0
	}
	for _, u := range s.Used {
		n, _ := u.measure(d.measureOf(q))
		sum = rating.Add(sum, n)
	}
	return sum
}

func (d *decision) measureOf(q *Quota) rating.Unit {
	if q.Tariff.Measures == "" {
		return d.service.Measure
	}
	return q.Tariff.Measures
}

func (d *decision) price(q *Quota, r rating.Rate) {
	q.Tariff, q.Until, q.Plan, q.Catalog, q.Network = r.Tariff, r.Until, d.plan.Name, d.catalog, d.session.Conditions.Network
}

// retire forgets q, but for the CDR. Asked for again, the same Rating-Group begins from zero.
func (d *decision) retire(q *Quota) {
	if q.Used > 0 {
		d.session.Segments = addLine(d.session.Segments, q.line())
	}
	*q = Quota{RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Asked: q.Asked, AskedBy: q.AskedBy}
}

// addLine returns lines with one more, joined to the one that differs only in amounts. lines itself stays as it is.
func addLine(lines []RecordLine, more RecordLine) []RecordLine {
	for i, l := range lines {
		if l.sameBut(more) {
			lines = slices.Clone(lines)
			lines[i].Used = rating.Add(l.Used, more.Used)
			lines[i].Charged += more.Charged
			lines[i].Overrun = rating.Add(l.Overrun, more.Overrun)
			lines[i].Taken = addHolds(slices.Clone(l.Taken), more.Taken)
			lines[i].Granted = rating.Add(l.Granted, more.Granted)
			lines[i].Reasons |= more.Reasons
			if l.From.IsZero() || !more.From.IsZero() && more.From.Before(l.From) {
				lines[i].From = more.From
			}
			return lines
		}
	}
	return append(slices.Clip(lines), more)
}

// grant reserves a new quota for s and says so in a. It grants what the balance affords; less than was wanted is
// the last grant, and nothing is a refusal (§5.6).
func (d *decision) grant(q *Quota, s ServiceRequest, a *ServiceAnswer, conditionsChanged bool) {
	if d.overtaken(q) {
		return
	}
	q.Asked, q.AskedBy = true, d.request.Number
	at := d.usedFrom(q, 0)
	d.turn(q, at)
	if q.Tariff.Measures == "" || conditionsChanged {
		if a.Verdict, a.Fault = d.rate(q, at); a.Verdict != Granted {
			return
		}
	}
	if q.Tariff.Barred {
		a.Verdict = ServiceDenied
		return
	}
	if q.Tariff.Free() && q.Until.IsZero() && d.service.FreeIsUncontrolled {
		a.Verdict = NotApplicable
		return
	}
	want, ok := d.wanted(q.Tariff, *s.Requested)
	if !ok {
		a.Verdict, a.Fault = RatingFailed, FaultUnits
		return
	}
	granted, held := d.hold(q, want, at)
	if granted <= 0 {
		if !d.restrict(q, a) {
			a.Verdict = CreditLimitReached
			d.announceRefusal(a)
		}
		return
	}
	q.Held, q.Granted, q.Final, q.Validity = held, granted, granted < want, d.validity(q.Tariff, granted)
	q.Restricted = false
	q.Given = rating.Add(q.Given, granted)
	a.Measure, a.Granted, a.Validity, a.Final = q.Tariff.Measures, q.Granted, q.Validity, q.Final
	a.Threshold = d.threshold(q)
	if q.Final {
		a.FinalUnits = d.service.Final
	}
	if d.service.Extras != nil || d.service.Announce != nil {
		d.tellExtras(q, a)
	}
	d.tellChange(q, a)
}

// hold reserves what up to want units of q may cost, used from at on, and returns how many can be granted.
func (d *decision) hold(q *Quota, want rating.Units, at time.Time) (granted rating.Units, held []Hold) {
	if q.metered() {
		return d.reserve(q, want, at)
	}
	cost := q.Tariff.Charge(q.Used)
	affordable := q.Tariff.Afford(rating.Add(cost, d.purse.free(q.Tariff))) - q.Used
	granted = min(want, affordable)
	if granted <= 0 {
		return 0, nil
	}
	return granted, d.purse.hold(q.Tariff, q.Tariff.Charge(rating.Add(q.Used, granted))-cost)
}

// rate finds the tariff of q under the conditions in force. What was used under another one is kept for the CDR.
func (d *decision) rate(q *Quota, at time.Time) (Verdict, Fault) {
	if d.plan.Rates == nil {
		return UnableToComply, NoFault // our fault: the catalogue lost the plan. 5031 would tell the client never to ask again
	}
	r, fault, ok := d.find(d.plan, q.RatingGroup, at)
	if !ok {
		return RatingFailed, fault
	}
	if q.Tariff.Measures != "" && !q.Tariff.Equal(r.Tariff) {
		d.retire(q)
		q.Asked, q.AskedBy = true, d.request.Number
	}
	if q.Tariff.Measures == "" {
		d.price(q, r)
	}
	q.Until = r.Until
	return Granted, NoFault
}

// wanted returns how much to grant if the balance allows it; false when only units were named that t does not measure.
func (d *decision) wanted(t rating.Tariff, asked Measured) (rating.Units, bool) {
	want, named := asked.measure(t.Measures)
	if !named && !asked.empty() {
		return 0, false
	}
	switch {
	case want == 0 && t.Free():
		want = d.service.MaxQuota // a long grant, so that a free call is not interrupted to ask
	case want == 0:
		want = d.service.DefaultQuota
	}
	return min(want, d.service.MaxQuota), true
}

// validity returns the Validity-Time of a grant. For time it leaves room for the ringing, so that no normal call is cut.
func (d *decision) validity(t rating.Tariff, granted rating.Units) time.Duration {
	if d.service.Validity > 0 || t.Measures != rating.Seconds {
		return d.service.Validity
	}
	return time.Duration(granted)*time.Second + d.service.Ringing
}

// threshold returns the quota threshold of a grant: always smaller than the grant, none with the final one.
func (d *decision) threshold(q *Quota) rating.Units {
	if d.service.Threshold == 0 || q.Final {
		return 0
	}
	part := max(q.Granted*rating.Units(d.service.Threshold)/100, d.service.LeastThreshold)
	if part >= q.Granted {
		return 0
	}
	return part
}
