package charging

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// accounts are the locked subscribers of one batch with all that was loaded of them, as the decisions made so far
// leave them.
type accounts struct {
	of       map[ocs.SubscriberID]*account
	held     map[ocs.SubscriberID]bool // by somebody else
	events   []ocs.RatedEvent
	records  []ocs.Record
	postings []ocs.Posting
}

// An account has few sessions and buckets in a batch, mostly one of each: lists are searched sooner than maps are made.
type account struct {
	subscriber ocs.Subscriber
	buckets    []ocs.Bucket
	touched    []bool // which of buckets
	sessions   []accountSession
}

type accountSession struct {
	*ocs.Session
	stored  bool // it was loaded
	changed bool
}

func newAccounts(subscribers []ocs.Subscriber, buckets []ocs.Bucket, sessions []ocs.Session) *accounts {
	a := &accounts{of: make(map[ocs.SubscriberID]*account, len(subscribers))}
	all := make([]account, len(subscribers))
	for i, s := range subscribers {
		all[i].subscriber = s
		a.of[s.ID] = &all[i]
	}
	for i := range buckets {
		if owner := a.of[buckets[i].Subscriber]; owner != nil {
			owner.buckets = append(owner.buckets, buckets[i])
			owner.touched = append(owner.touched, false)
		}
	}
	for i := range sessions {
		if owner := a.of[sessions[i].Subscriber]; owner != nil {
			owner.sessions = append(owner.sessions, accountSession{Session: &sessions[i], stored: true})
		}
	}
	return a
}

// session returns a session, or nil when there is none.
func (a *account) session(key ocs.SessionKey) *ocs.Session {
	for _, s := range a.sessions {
		if s.Key == key {
			return s.Session
		}
	}
	return nil
}

func (a *account) setSession(session *ocs.Session) {
	for i := range a.sessions {
		if a.sessions[i].Key == session.Key {
			a.sessions[i].Session, a.sessions[i].changed = session, true
			return
		}
	}
	a.sessions = append(a.sessions, accountSession{Session: session, changed: true})
}

// decideAll decides about a batch, one request after the other, each on what the one before left. Strays are the
// requests that belong to another subscriber than was thought; they get no answer here. An error is a panic of ours.
func (a *accounts) decideAll(rules *ocs.Rules, batch []*pending, now time.Time) (answers []ocs.Answer, strays []*pending, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	answers = make([]ocs.Answer, len(batch))
	for i, p := range batch {
		owner := a.of[p.subscriber]
		switch {
		case a.held[p.subscriber]:
			strays = append(strays, p)
		case owner == nil && p.closing != nil: // nobody is left whose session it could be
		case owner == nil || owner.isStray(p):
			strays = append(strays, p)
		default:
			answers[i] = a.decide(rules, owner, p, now)
		}
	}
	return answers, strays, nil
}

// isStray reports whether p was brought here by an identity that has moved on, or continues a session that this
// subscriber does not have: the session's subscriber stays, whatever identity an update brings (spec/gy 3.19).
func (a *account) isStray(p *pending) bool {
	if p.closing != nil || p.version < 0 {
		return false
	}
	if p.version != a.subscriber.IdentityVersion {
		return true
	}
	continues := p.request.Type == ocs.Update || p.request.Type == ocs.Termination
	return continues && a.session(p.request.Session) == nil
}

func (a *accounts) decide(rules *ocs.Rules, owner *account, p *pending, now time.Time) ocs.Answer {
	view := ocs.Account{
		Subscriber: owner.subscriber, Buckets: owner.buckets, Session: owner.session(p.key()),
		Refunded: owner.session(p.request.RefundOf),
	}
	if p.closing != nil {
		a.close(rules, owner, view, p.closing, now)
		return ocs.Answer{Verdict: ocs.Granted}
	}
	outcome := ocs.Decide(rules, view, p.request, now)
	a.apply(owner, outcome)
	return outcome.Answer
}

func (a *accounts) close(rules *ocs.Rules, owner *account, view ocs.Account, c *closing, now time.Time) {
	var outcome ocs.Outcome
	var ok bool
	switch {
	case c.hasten:
		outcome, ok = ocs.HastenSession(view, now)
	case c.cause == ocs.BySupervision:
		outcome, ok = ocs.Supervise(rules, view, now)
	default:
		outcome, ok = ocs.CloseSession(rules, view, c.cause, now)
	}
	if ok {
		a.apply(owner, outcome)
	}
}

func (a *accounts) apply(owner *account, o ocs.Outcome) {
	for _, changed := range o.Buckets {
		for i := range owner.buckets {
			if owner.buckets[i].ID == changed.ID {
				owner.buckets[i] = changed
				owner.touched[i] = true
			}
		}
	}
	for i := range o.Sessions {
		owner.setSession(&o.Sessions[i])
	}
	a.events = append(a.events, o.Events...)
	a.records = append(a.records, o.Records...)
	a.postings = append(a.postings, o.Postings...)
}

// changes returns every row that is to be written.
func (a *accounts) changes() postgres.Changes {
	c := postgres.Changes{Events: a.events, Records: a.records, Postings: a.postings}
	for _, owner := range a.of {
		for i, touched := range owner.touched {
			if touched {
				c.Buckets = append(c.Buckets, owner.buckets[i])
			}
		}
		for _, s := range owner.sessions {
			switch {
			case s.changed && s.stored:
				c.Sessions = append(c.Sessions, *s.Session)
			case s.changed:
				c.NewSessions = append(c.NewSessions, *s.Session)
			}
		}
	}
	return c
}
