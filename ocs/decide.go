package ocs

import (
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// Screen answers what needs no account: an emergency call, which is never charged and never refused whoever calls
// (spec/gy 3.19), and a service context that is not charged here. ok is false for every other request.
func (rules *Rules) Screen(r Request) (a Answer, ok bool) {
	if r.Type == Initial || r.Type == Event {
		if r.Emergency || rules.isEmergencyNumber(r.Conditions) {
			return Answer{Verdict: NotApplicable}, true
		}
	}
	if _, known := rules.Services[r.Context.Name]; !known {
		return Answer{Verdict: RatingFailed, Fault: FaultContext}, true
	}
	return Answer{}, false
}

func (rules *Rules) isEmergencyNumber(c *Conditions) bool {
	if c == nil {
		return false
	}
	for _, address := range []string{c.Called, c.Dialled} {
		if n, ok := rating.ParseNumber(address); ok && slices.Contains(rules.Emergency, n.Digits) {
			return true
		}
	}
	return false
}

// Decide answers r. A request that was answered before gets that answer again and changes nothing, in whatever order
// the copies come. Arguments are not modified. The caller has called [Rules.Screen], and has locked the account: between
// two calls of Decide for one subscriber nothing but the first one's Outcome changes what the second one sees.
func Decide(rules *Rules, account Account, r Request, now time.Time) Outcome {
	if account.Session != nil {
		if answer, seen, kept := account.Session.Memory.Recall(r.Type, r.Number); kept {
			answer.Notes = Repeated
			return Outcome{Answer: answer}
		} else if seen {
			answer = answerAgain(r)
			answer.Notes = Repeated
			return Outcome{Answer: answer}
		}
	}
	d := newDecision(rules, account, r, now)
	switch r.Type {
	case Initial:
		d.initial()
	case Update:
		d.update()
	case Termination:
		d.termination()
	case Event:
		d.event()
	}
	return d.outcome()
}

// answerAgain answers a copy of a request so old that its answer is no longer kept: done, and no quota.
func answerAgain(r Request) Answer {
	a := Answer{Verdict: Granted, CommandLevel: r.CommandLevel}
	if r.Type == Termination {
		return a
	}
	for _, s := range r.Services {
		a.Services = append(a.Services, ServiceAnswer{RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs, Verdict: Granted})
	}
	return a
}

// A decision is the work on one request. It owns every slice that it changes.
type decision struct {
	rules   *Rules
	service Service
	plan    rating.Plan
	catalog string // version that plan is of
	account Account
	request Request
	now     time.Time

	purse    *purse
	session  Session
	known    bool // the session was there before
	keep     bool // the session is to be stored, with the answer
	answer   Answer
	events   []RatedEvent
	records  []Record
	postings []Posting
	others   []Session
	notes    Notes
}

func newDecision(rules *Rules, account Account, r Request, now time.Time) *decision {
	d := &decision{
		rules: rules, service: rules.Services[r.Context.Name],
		account: account, request: r, now: now,
		purse:  newPurse(account.Buckets, now),
		answer: Answer{Verdict: Granted, CommandLevel: r.CommandLevel},
	}
	began := "" // the catalogue that a running session goes by
	if account.Session != nil {
		d.session, d.known = *account.Session, true
		d.session.Quotas = slices.Clone(d.session.Quotas)
		if s, ok := rules.Services[d.session.Service]; ok && r.Type != Initial {
			d.service = s // an update is charged as what it updates, whatever context it names
		}
		if r.Type != Initial && r.Type != Event {
			began = d.session.catalog()
		}
	}
	plans, version := rules.version(began)
	d.plan, d.catalog = plans[account.Subscriber.Plan], version
	return d
}

// catalog returns the version of the catalogue that the session began with, empty when nothing was rated yet. It finishes by
// it, whatever is in force by then.
func (s *Session) catalog() string {
	for i := range s.Quotas {
		if c := s.Quotas[i].Catalog; c != "" {
			return c
		}
	}
	if len(s.Segments) > 0 {
		return s.Segments[0].Catalog
	}
	return ""
}

func (d *decision) outcome() Outcome {
	o := Outcome{
		Answer: d.answer, Buckets: d.purse.changes(), Events: d.events, Records: d.records,
		Postings: d.postings, Sessions: d.others,
	}
	if d.keep {
		d.session.Memory = d.session.Memory.with(Remembered{
			Type: d.request.Type, Number: d.request.Number, At: d.now, Answer: d.answer,
		})
		o.Sessions = append(o.Sessions, d.session)
	}
	o.Answer.Notes = d.notes
	return o
}

// begin makes the session new. What an earlier session of the same key remembers stays remembered.
func (d *decision) begin() {
	d.session = Session{
		Key: d.request.Session, Subscriber: d.account.Subscriber.ID, State: Open, Service: d.service.Name,
		Origin: d.request.Origin, StartedAt: d.now, Memory: d.session.Memory, Records: d.session.Records,
	}
	if d.request.Conditions != nil {
		d.session.Conditions = *d.request.Conditions
	}
	d.keep = true
}

// refuse answers v at the level of the session, which never began or is over now. Usage that was reported stays debited.
func (d *decision) refuse(v Verdict, fault Fault) {
	d.answer.Verdict, d.answer.Fault = v, fault
	for i := range d.answer.Services { // a refusal comes with no grant (§5.1.2)
		s := &d.answer.Services[i]
		if s.Verdict == Granted {
			s.Verdict = v
		}
		s.Granted, s.Validity, s.Threshold, s.Final, s.FinalUnits, s.TariffChange = 0, 0, 0, false, nil, time.Time{}
		if s.Extras != nil {
			s.Extras = &Extras{Announcements: s.Extras.Announcements} // a refusal can be announced
		}
	}
	if d.request.Type != Update && len(d.events) == 0 {
		d.releaseAll()
		d.session.State, d.session.EndedAt = Refused, d.now
		d.session.DueAt = d.now.Add(refusedFor)
		if d.request.Type == Event { // clients buffer events and send them again after long outages (§6.5)
			d.session.DueAt = d.now.Add(lateFor)
		}
		if d.rules.Records.Refused {
			d.recordRefusal()
		}
		return
	}
	d.end(Ended, ByRefusal)
}

// end closes the session, gives back whatever it holds and writes its CDR.
func (d *decision) end(state SessionState, cause EndCause) {
	d.releaseAll()
	d.session.State, d.session.Cause, d.session.EndedAt = state, cause, d.now
	d.session.DueAt = d.now.Add(lateFor)
	d.record()
}

func (d *decision) releaseAll() {
	for i := range d.session.Quotas {
		d.release(&d.session.Quotas[i])
	}
}

func (d *decision) release(q *Quota) {
	d.purse.release(q.Held)
	q.Held, q.Granted, q.Validity, q.Final = nil, 0, 0, false
}

// mayBeServed refuses for a subscriber who may not use anything.
func (d *decision) mayBeServed() (Verdict, bool) {
	switch d.account.Subscriber.State {
	case Active:
		if d.account.Subscriber.Barred.Service(d.service.Kind) {
			return ServiceDenied, false
		}
		return Granted, true
	case Closed:
		return Unauthorised, false
	case Blocked:
	}
	return ServiceDenied, false
}
