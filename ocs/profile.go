package ocs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gyro-ocs/gyro/rating"
)

// FinalAction is a Final-Unit-Action with the values of the wire (§8.35).
type FinalAction uint8

// The final-unit actions.
const (
	Terminate FinalAction = iota
	Redirect
	RestrictAccess
)

// FinalUnits say what becomes of the user when the last units are used: a Final-Unit-Indication that is not TERMINATE (§5.6.2,
// §5.6.3).
type FinalUnits struct {
	Action  FinalAction
	To      string   // of Redirect: an IP address, URL or SIP URI
	Rules   []string // Restriction-Filter-Rule, in the form of IPFilterRule
	Filters []string // Filter-Id: names of filters in the gateway
	QoS     bool     // for clients of RFC 8506 also as QoS-Final-Unit-Indication (§8.68)
}

// Equal reports whether f and g tell a client the same.
func (f FinalUnits) Equal(g FinalUnits) bool {
	return f.Action == g.Action && f.To == g.To && f.QoS == g.QoS && slices.Equal(f.Rules, g.Rules) && slices.Equal(f.Filters, g.Filters)
}

// faults returns why f cannot be told.
func (f FinalUnits) faults() (faults []error) {
	switch f.Action {
	case Terminate:
		faults = append(faults, errors.New("TERMINATE is told by no action at all"))
	case Redirect:
		if f.To == "" {
			faults = append(faults, errors.New("final action redirect needs an address to redirect to (§8.37)"))
		}
	case RestrictAccess:
		if len(f.Rules)+len(f.Filters) == 0 {
			faults = append(faults, errors.New("final action restrict needs a filter rule or the name of a filter (§5.6.3)"))
		}
	default:
		faults = append(faults, fmt.Errorf("final action %d is none of 0 to 2", f.Action))
	}
	return faults
}

// Extras are what else a client is told beside a grant.
type Extras struct {
	HoldingTime     *uint32  // Quota-Holding-Time in seconds; 0: the client is to have none
	ConsumptionTime uint32   // Quota-Consumption-Time in seconds, with a grant of time; 0: not told
	Arm             bool     // tell Triggers, also when there are none: that disarms all (TS 32.299 §7.2.235)
	Triggers        []uint32 // Trigger-Types
	Announcements   []Announcement
}

// Equal reports whether e and f tell a client the same.
func (e Extras) Equal(f Extras) bool {
	return samePointed(e.HoldingTime, f.HoldingTime) && e.ConsumptionTime == f.ConsumptionTime && e.Arm == f.Arm &&
		slices.Equal(e.Triggers, f.Triggers) && slices.EqualFunc(e.Announcements, f.Announcements, Announcement.Equal)
}

// An Announcement is to be played to the served party (TS 32.299 §7.2.12aB).
type Announcement struct {
	ID       uint32
	Before   *uint32 // seconds before the quota ends; nil: before the call goes on
	Minutes  *uint32 // spoken in it
	Language string  // empty: the default of the media server
}

// Equal reports whether a and b tell a client the same.
func (a Announcement) Equal(b Announcement) bool {
	return a.ID == b.ID && a.Language == b.Language && samePointed(a.Before, b.Before) && samePointed(a.Minutes, b.Minutes)
}

// Announcements are those of a service; an ID of 0 is none.
type Announcements struct {
	Start       uint32 // when a call begins: for how many minutes the balance is enough
	Final       uint32 // FinalBefore seconds before the end of the last quota
	FinalBefore uint32
	Refused     uint32 // before a call is refused because nothing is left
	Language    string
}

func equalPointed[T any](a, b *T, equal func(a, b T) bool) bool {
	return a == b || a != nil && b != nil && equal(*a, *b)
}

// restrict answers for a quota of which nothing is left, where the service restricts access instead of ending: the indication
// and how long to wait, and no units (§5.6.2). A client that was told so before and asks again is refused: it returns false.
func (d *decision) restrict(q *Quota, a *ServiceAnswer) bool {
	if d.service.Final == nil || q.Restricted && !d.service.RestrictAgain {
		return false
	}
	d.keepRestricted(q, a)
	a.Final, a.FinalUnits = true, d.service.Final
	return true
}

// keepRestricted has the client come back after some time, without units until then.
func (d *decision) keepRestricted(q *Quota, a *ServiceAnswer) {
	q.Restricted, q.Validity = true, d.service.RestrictFor
	a.Validity = q.Validity
}

// waitRestricted answers a client that has used the last units and asks for no more: it waits (§5.6.2).
func (d *decision) waitRestricted(s ServiceRequest, a *ServiceAnswer) {
	if q := d.quota(s); q.Restricted {
		d.keepRestricted(q, a)
	}
}

// tellExtras adds to a what the service tells beside a grant; nothing in the usual case.
func (d *decision) tellExtras(q *Quota, a *ServiceAnswer) {
	a.Extras = d.service.Extras
	if a.Extras != nil && a.Extras.ConsumptionTime > 0 && q.Tariff.Measures != rating.Seconds {
		without := *a.Extras
		without.ConsumptionTime = 0
		a.Extras = &without
	}
	if d.service.Announce == nil {
		return
	}
	say := d.service.Announce
	if say.Start != 0 && d.request.Type == Initial && q.Tariff.Measures == rating.Seconds && !q.Tariff.Free() {
		lasts := rating.Add(q.Granted, q.Tariff.Afford(rating.Add(q.Tariff.Charge(q.Used+q.Granted), d.purse.free(q.Tariff)))-q.Used-q.Granted)
		minutes := uint32(min(lasts/60, maxSeconds)) //nolint:gosec // G115: bounded
		d.announce(a, Announcement{ID: say.Start, Minutes: &minutes, Language: say.Language})
	}
	if say.Final != 0 && q.Final && q.Tariff.Measures == rating.Seconds && rating.Units(say.FinalBefore) < q.Granted {
		d.announce(a, Announcement{ID: say.Final, Before: new(say.FinalBefore), Language: say.Language})
	}
}

// announceRefusal has the caller told why the call is refused.
func (d *decision) announceRefusal(a *ServiceAnswer) {
	if say := d.service.Announce; say != nil && say.Refused != 0 && d.request.Type == Initial {
		d.announce(a, Announcement{ID: say.Refused, Language: say.Language})
	}
}

func (d *decision) announce(a *ServiceAnswer, one Announcement) {
	var more Extras
	if a.Extras != nil {
		more = *a.Extras // that of the service is not changed
	}
	more.Announcements = append(slices.Clip(more.Announcements), one)
	a.Extras = &more
}

// tellMoney gives the cost so far, and what is left, where the service tells them and money pays (§8.7, TS 32.299 §7.2.172).
func (d *decision) tellMoney() {
	if !d.service.TellCost && !d.service.TellBalance {
		return
	}
	var currency rating.Unit
	var cost rating.Units
	add := func(l RecordLine) {
		if !l.Unit.IsCurrency() || currency != "" && l.Unit != currency {
			return
		}
		currency, cost = l.Unit, rating.Add(cost, l.Charged)
	}
	for _, l := range d.session.Segments {
		add(l)
	}
	for i := range d.session.Quotas {
		add(d.session.Quotas[i].line())
	}
	if currency == "" {
		return
	}
	if d.service.TellCost && d.request.Type != Initial {
		d.answer.Cost = &Cost{Units: cost, Unit: currency}
	}
	if d.service.TellBalance {
		d.answer.Balance = &Cost{Units: d.purse.balance(currency), Unit: currency}
	}
}
