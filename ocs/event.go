package ocs

import (
	"slices"

	"github.com/gyro-ocs/gyro/rating"
)

// event is a request that is done in one step (§6). It is remembered like a session that ended as it began.
func (d *decision) event() {
	if d.known && (d.session.State == Open || d.session.Cause == ByEvent && len(d.session.Quotas) > 0) {
		d.answer.Verdict, d.keep = UnableToComply, true // a Session-Id names one debit, and a refund names it by that
		return
	}
	d.begin()
	d.session.State, d.session.Cause, d.session.EndedAt = Ended, ByEvent, d.now
	d.session.DueAt = d.now.Add(lateFor) // clients buffer events and send them again after long outages (§6.5)
	if v, ok := d.mayBeServed(); !ok {
		d.refuse(v, NoFault)
		return
	}
	if d.request.Action == RefundAccount {
		d.refund()
		return
	}
	if d.request.Action == DirectDebiting && d.session.Conditions.DeliverReport {
		d.refuse(NotApplicable, NoFault) // nobody pays for being told that a message arrived (spec/gy 3.20)
		return
	}
	charges, verdict, fault := d.priceEvent()
	if verdict != Granted {
		d.refuse(verdict, fault)
		return
	}
	switch d.request.Action {
	case DirectDebiting:
		d.debitEvent(charges)
	case CheckBalance:
		covers := d.covers(charges)
		d.answer.BalanceCovers = &covers
	case PriceEnquiry:
		d.answer.Cost = costOf(charges)
	case RefundAccount:
	}
}

// An eventCharge is the price of one service of an event, for one recipient.
type eventCharge struct {
	service int // index in the request; 0 when it has none
	tariff  rating.Tariff
	units   rating.Units
	asked   bool // the amount was named by the client
}

// maxCharges bounds what one event is charged for: services times recipients.
const maxCharges = 512

// priceEvent rates everything that the request asks for. One that cannot be rated refuses them all (spec/gy 3.15).
func (d *decision) priceEvent() ([]eventCharge, Verdict, Fault) {
	if d.plan.Rates == nil {
		return nil, UnableToComply, NoFault
	}
	services := d.request.Services
	if len(services) == 0 {
		services = []ServiceRequest{{}}
	}
	if len(services)*len(d.recipients()) > maxCharges {
		return nil, ResourcesExceeded, NoFault
	}
	var charges []eventCharge
	for i, s := range services {
		var asked Measured
		if s.Requested != nil {
			asked = *s.Requested
		}
		for _, number := range d.recipients() {
			r, fault, ok := d.eventRate(s.RatingGroup, number)
			if !ok {
				return nil, RatingFailed, fault
			}
			t := r.Tariff
			if t.Barred {
				return nil, ServiceDenied, NoFault
			}
			units, named := asked.measure(t.Measures)
			if !named && !asked.empty() {
				return nil, RatingFailed, FaultUnits
			}
			charges = append(charges, eventCharge{service: i, tariff: t, units: d.eventUnits(units), asked: named})
		}
	}
	return charges, Granted, NoFault
}

// recipients returns the numbers that a message goes to, or one empty number where there are none.
func (d *decision) recipients() []string {
	if d.service.Kind != rating.Message || len(d.session.Conditions.Recipients) == 0 {
		return []string{""}
	}
	return d.session.Conditions.Recipients
}

func (d *decision) eventRate(group *uint32, recipient string) (rating.Rate, Fault, bool) {
	if d.service.Kind != rating.Message {
		return d.find(d.plan, group, d.reportedAt())
	}
	usage, _ := d.rated(group, d.reportedAt())
	usage.Direction = d.session.Conditions.Direction
	if n, ok := rating.ParseNumber(recipient); ok {
		usage.Number = d.plan.Numbering.Complete(n)
	}
	r, ok := d.plan.Rate(usage)
	return r, FaultRatingGroup, ok
}

// eventUnits returns how many units one recipient costs: as many as were asked for, shared among the recipients, else
// the number of messages that the network told, else one.
func (d *decision) eventUnits(asked rating.Units) rating.Units {
	if asked == 0 {
		return max(1, rating.Units(d.session.Conditions.MessageCount))
	}
	return max(1, asked/rating.Units(len(d.recipients())))
}

// debitEvent takes all charges or none. A free event needs no control (§6.3).
func (d *decision) debitEvent(charges []eventCharge) {
	if !slices.ContainsFunc(charges, func(c eventCharge) bool { return !c.tariff.Free() }) {
		d.refuse(NotApplicable, NoFault)
		return
	}
	if !d.covers(charges) {
		d.refuse(CreditLimitReached, NoFault)
		d.refuseInside(CreditLimitReached)
		return
	}
	d.answer.Services = make([]ServiceAnswer, max(1, len(d.request.Services)))
	d.answer.CommandLevel = d.request.CommandLevel || len(d.request.Services) == 0
	for i, s := range d.request.Services {
		d.answer.Services[i] = ServiceAnswer{RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs}
	}
	for _, c := range charges {
		a := &d.answer.Services[c.service]
		q := &Quota{RatingGroup: a.RatingGroup, ServiceIDs: a.ServiceIDs}
		d.price(q, rating.Rate{Tariff: c.tariff})
		if q.metered() {
			m, b := q.meter(), &bill{decision: d, quota: q}
			m.Charge(c.units, d.now, nil, b)
			b.close(&m)
			q.setMeter(m)
		} else {
			d.charge(q, c.units, nil, false)
		}
		d.session.Quotas = append(d.session.Quotas, *q)
		a.Verdict, a.Measure, a.Granted = Granted, c.tariff.Measures, rating.Add(a.Granted, c.units)
	}
	d.answer.Refund = refundToken(d.session.Key)
	d.record()
}

func (d *decision) refuseInside(v Verdict) {
	for _, s := range d.request.Services {
		d.answer.Services = append(d.answer.Services, ServiceAnswer{RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs, Verdict: v})
	}
}

// covers reports whether the buckets could pay all charges at once. Nothing is taken or held.
func (d *decision) covers(charges []eventCharge) bool {
	trial := newPurse(d.account.Buckets, d.now)
	for _, c := range charges {
		if d.request.Action == CheckBalance && !c.asked {
			if !trial.hasAnything(c.tariff) { // no amount was named
				return false
			}
			continue
		}
		m := rating.Meter{Tariff: c.tariff}
		if m.Grant(c.units, d.now, nil, &lease{purse: trial}) < c.units {
			return false
		}
	}
	return true
}

// costOf adds up charges in the unit that the first is priced in; what is priced in another unit cannot be added.
func costOf(charges []eventCharge) *Cost {
	cost := Cost{Unit: inMoney(charges[0].tariff).Pays}
	for _, c := range charges {
		if t := inMoney(c.tariff); t.Pays == cost.Unit {
			cost.Units = rating.Add(cost.Units, t.Charge(c.units))
		}
	}
	return &cost
}

// inMoney returns t as the payer prices it who pays in money, or as it is where none does.
func inMoney(t rating.Tariff) rating.Tariff {
	for payer := range len(t.Then) + 1 {
		if by := t.By(payer); by.Pays.IsCurrency() {
			return by
		}
	}
	return t.By(0)
}
