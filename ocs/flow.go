package ocs

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// initial is the first interrogation (§5.2).
func (d *decision) initial() {
	if d.known && d.session.State == Open {
		d.answer.Verdict, d.keep = UnableToComply, true // §7: an event that the state does not list
		return
	}
	d.begin()
	d.answer.FailureHandling, d.answer.Failover = d.service.FailureHandling, d.rules.Failover
	if v, ok := d.mayBeServed(); !ok {
		d.refuse(v, NoFault)
		return
	}
	d.interrogate()
}

// update is the intermediate interrogation (§5.3).
func (d *decision) update() {
	if !d.continues() {
		return
	}
	d.session.Origin.Peer = d.request.Origin.Peer // where a RAR goes
	d.endMonth()
	if v, ok := d.mayBeServed(); !ok {
		d.debitAll(false)
		d.refuse(v, NoFault)
		return
	}
	d.interrogate()
}

// termination is the final interrogation (§5.4). It succeeds also when the balance did not cover the usage: a client
// that is told of a failure here can do nothing about it (spec/gy 3.5).
func (d *decision) termination() {
	if !d.continues() {
		return
	}
	d.endMonth()
	d.mergeConditions()
	d.debitAll(false)
	d.answer.Services = nil
	d.tellMoney()
	d.end(Ended, ByTermination)
}

// maxQuotas bounds the Rating-Groups and sets of Service-Identifiers of one session, which is stored whole each time.
const maxQuotas = 512

// continues reports whether there is an open session that the request goes on with. Otherwise it has answered.
func (d *decision) continues() bool {
	d.keep = d.known
	switch {
	case !d.known || d.neverBegan():
		d.answer.Verdict = UnknownSession
		return false
	case d.session.State != Open:
		d.late()
		return false
	}
	return true
}

// neverBegan reports whether what is remembered under the key is no session: a refused request, or an event.
func (d *decision) neverBegan() bool { return d.session.State == Refused || d.session.Cause == ByEvent }

// interrogate does for every service what an initial request and an update have in common: debit what was used under
// the old conditions, give back the rest of the old quota, and reserve a new one under the new conditions.
func (d *decision) interrogate() {
	d.debitAll(false)
	if len(d.session.Quotas) > maxQuotas {
		d.refuse(ResourcesExceeded, NoFault) // what was used is debited, and the session ends
		return
	}
	changed := d.mergeConditions()
	wanted, denied := 0, 0
	for i, s := range d.request.Services {
		if !d.wantsQuota(i) {
			if d.service.Final != nil && s.Requested == nil {
				d.waitRestricted(s, &d.answer.Services[i])
			}
			continue
		}
		wanted++
		a := &d.answer.Services[i]
		d.grant(d.quota(s), s, a, changed)
		if a.Verdict != Granted {
			denied++
		}
	}
	if wanted > 0 && denied == wanted && (!d.service.DenyInside || d.request.CommandLevel) {
		first := d.firstDenied()
		d.refuse(first.Verdict, first.Fault)
		return
	}
	for _, a := range d.answer.Services {
		if a.Fault != NoFault {
			d.answer.Fault = a.Fault // Failed-AVP is mandatory in the CCA also when the code is inside an MSCC (§9.2)
		}
	}
	d.tellLowBalance()
	d.tellMoney()
	d.supervise()
	d.endInterval()
}

func (d *decision) firstDenied() ServiceAnswer {
	for _, a := range d.answer.Services {
		if a.Verdict != Granted {
			return a
		}
	}
	panic("ocs: no service was denied")
}

// wantsQuota reports whether service i of the request is to be granted: units were asked for, the report was not the
// last one of the service, and no later entry of the same request asks for the same quota (spec/gy 3.9, 3.11).
func (d *decision) wantsQuota(i int) bool {
	s := d.request.Services[i]
	if s.Requested == nil || s.reported(FinalReport) {
		return false
	}
	for _, later := range d.request.Services[i+1:] {
		if later.Requested != nil && sameQuota(later, s) {
			return false
		}
	}
	return true
}

// debitAll debits what every service of the request reports, and gives back the quotas that it names.
func (d *decision) debitAll(late bool) {
	d.answer.Services = make([]ServiceAnswer, len(d.request.Services))
	for i, s := range d.request.Services {
		d.answer.Services[i] = ServiceAnswer{RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs, Verdict: Granted}
		d.debit(s, late)
	}
	if len(d.events) > 0 || d.request.Type == Update {
		d.session.ReportedAt = d.now
	}
}

// late takes the usage that is reported of a session which is over: nothing that was used is given away. A termination
// is told that all is well. So is an update that only overtook the termination; any other update is told to begin anew.
func (d *decision) late() {
	overtaken := d.request.Type == Update && d.session.Cause == ByTermination &&
		d.now.Sub(d.session.EndedAt) <= lateUpdateOK && d.beforeTheEnd()
	d.debitAll(true)
	d.releaseAll()
	if len(d.events) > 0 {
		d.notes |= LateUsage
		d.recordLate()
	}
	switch {
	case d.request.Type == Termination:
		d.answer.Services = nil
	case !overtaken:
		d.answer.Services = nil
		d.answer.Verdict = UnknownSession
	}
}

// beforeTheEnd reports whether the request's number is below that of a termination.
func (d *decision) beforeTheEnd() bool {
	for _, s := range d.session.Memory.Seen {
		if s.Type == Termination && d.request.Number < s.Last {
			return true
		}
	}
	return false
}

// tellLowBalance gives the low balance indication once for every crossing of the threshold (TS 32.299 §7.2.97).
func (d *decision) tellLowBalance() {
	if d.service.LowBalance == 0 || len(d.session.Quotas) == 0 {
		return
	}
	tariff := d.session.Quotas[0].Tariff
	low := tariff.Pays != "" && d.purse.free(tariff) < d.service.LowBalance && !tariff.Free()
	for i := range tariff.Then { // who has more than minutes is not low on them while anything else pays
		low = low && d.purse.free(tariff.By(i+1)) == 0
	}
	d.answer.LowBalance = low && !d.session.LowTold
	d.session.LowTold = low
}

// supervise restarts the supervision timer Tcc: twice the longest validity among the grants in force (§13).
func (d *decision) supervise() {
	tcc := d.service.Supervision
	var longest time.Duration
	for _, q := range d.session.Quotas {
		if q.Granted > 0 || q.Restricted {
			longest = max(longest, q.Validity)
		}
	}
	if longest > 0 {
		tcc = 2 * longest
	}
	d.session.DueAt = d.now.Add(tcc)
}

// Supervise closes a session of which nothing was heard until its DueAt, and gives back what it held. It reports false
// when the session is not open or not due: another server, or a request, was faster.
func Supervise(rules *Rules, account Account, now time.Time) (Outcome, bool) {
	s := account.Session
	if s == nil || s.State != Open || now.Before(s.DueAt) {
		return Outcome{}, false
	}
	return closeSession(rules, account, Expired, BySupervision, now), true
}

// CloseSession ends an open session for a cause that lies outside it. It reports false when the session is not open.
func CloseSession(rules *Rules, account Account, cause EndCause, now time.Time) (Outcome, bool) {
	if account.Session == nil || account.Session.State != Open {
		return Outcome{}, false
	}
	return closeSession(rules, account, Expired, cause, now), true
}

func closeSession(rules *Rules, account Account, state SessionState, cause EndCause, now time.Time) Outcome {
	d := newDecision(rules, account, Request{Session: account.Session.Key}, now)
	d.endMonth()
	d.end(state, cause)
	o := d.outcome()
	o.Sessions = append(o.Sessions, d.session)
	return o
}

// mergeConditions takes the conditions that the request brings; what it leaves out stays as it was (§5.3). It reports
// whether a rating input changed.
func (d *decision) mergeConditions() (changed bool) {
	if d.request.Conditions == nil {
		return false
	}
	old := d.session.Conditions
	d.session.Conditions = old.merged(*d.request.Conditions)
	return !sameRating(old, d.session.Conditions)
}

func (c Conditions) merged(with Conditions) Conditions {
	if !with.RoleGiven {
		with.Direction, with.RoleGiven = c.Direction, c.RoleGiven
	}
	keep(&with.Calling, c.Calling)
	keep(&with.Called, c.Called)
	keep(&with.Dialled, c.Dialled)
	keep(&with.Network, c.Network)
	keep(&with.ServingNode, c.ServingNode)
	keep(&with.ICID, c.ICID)
	keep(&with.APN, c.APN)
	keep(&with.MessageCount, c.MessageCount)
	if with.Recipients == nil {
		with.Recipients = c.Recipients
	}
	if with.Routes == nil {
		with.Routes = c.Routes
	}
	if with.CallStart.IsZero() {
		with.CallStart = c.CallStart
	}
	if with.Answered.IsZero() {
		with.Answered = c.Answered
	}
	if with.CauseCode == nil {
		with.CauseCode = c.CauseCode
	}
	return with
}

func keep[T comparable](now *T, before T) {
	var unset T
	if *now == unset {
		*now = before
	}
}

func sameRating(a, b Conditions) bool {
	return a.Direction == b.Direction && a.Calling == b.Calling && a.Called == b.Called && a.Dialled == b.Dialled &&
		a.Network == b.Network && a.ServingNode == b.ServingNode
}

// measure returns how much of unit m holds, and whether it holds that unit at all.
func (m Measured) measure(unit rating.Unit) (n rating.Units, ok bool) {
	switch unit {
	case rating.Seconds:
		return value(m.Time)
	case rating.Octets:
		if m.TotalOctets != nil {
			return value(m.TotalOctets)
		}
		in, hasIn := value(m.InputOctets)
		out, hasOut := value(m.OutputOctets)
		return rating.Add(in, out), hasIn || hasOut
	case rating.Events:
		return value(m.Specific)
	}
	return 0, false
}

func value(n *uint64) (rating.Units, bool) {
	if n == nil {
		return 0, false
	}
	return min(rating.FromWire(*n), maxReport), true
}

// empty reports whether m names no unit at all.
func (m Measured) empty() bool {
	return m.Time == nil && m.TotalOctets == nil && m.InputOctets == nil && m.OutputOctets == nil && m.Specific == nil && !m.Money
}

// reasons returns set with the reasons that s tells.
func (s ServiceRequest) reasons(set Reasons) Reasons {
	set = set.with(s.Reason)
	for i := range s.Used {
		set = set.with(s.Used[i].Reason)
	}
	return set
}

func (s ServiceRequest) reported(why Reason) bool {
	if s.Reason == why {
		return true
	}
	for _, u := range s.Used {
		if u.Reason == why {
			return true
		}
	}
	return false
}
