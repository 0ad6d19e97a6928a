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

type account struct {
	subscriber ocs.Subscriber
	buckets    []ocs.Bucket
	sessions   map[ocs.SessionKey]*ocs.Session
	known      map[ocs.SessionKey]bool // sessions that were loaded
	changed    map[ocs.SessionKey]bool
	touched    map[ocs.BucketID]bool
}

func newAccounts(subscribers []ocs.Subscriber, buckets []ocs.Bucket, sessions []ocs.Session) *accounts {
	a := &accounts{of: make(map[ocs.SubscriberID]*account, len(subscribers))}
	for _, s := range subscribers {
		a.of[s.ID] = &account{
			subscriber: s, sessions: map[ocs.SessionKey]*ocs.Session{}, known: map[ocs.SessionKey]bool{},
			changed: map[ocs.SessionKey]bool{}, touched: map[ocs.BucketID]bool{},
		}
	}
	for _, b := range buckets {
		if owner := a.of[b.Subscriber]; owner != nil {
			owner.buckets = append(owner.buckets, b)
		}
	}
	for i := range sessions {
		if owner := a.of[sessions[i].Subscriber]; owner != nil {
			owner.sessions[sessions[i].Key] = &sessions[i]
			owner.known[sessions[i].Key] = true
		}
	}
	return a
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
	return continues && a.sessions[p.request.Session] == nil
}

func (a *accounts) decide(rules *ocs.Rules, owner *account, p *pending, now time.Time) ocs.Answer {
	view := ocs.Account{
		Subscriber: owner.subscriber, Buckets: owner.buckets, Session: owner.sessions[p.key()],
		Refunded: owner.sessions[p.request.RefundOf],
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
				owner.touched[changed.ID] = true
			}
		}
	}
	for i := range o.Sessions {
		owner.sessions[o.Sessions[i].Key] = &o.Sessions[i]
		owner.changed[o.Sessions[i].Key] = true
	}
	a.events = append(a.events, o.Events...)
	a.records = append(a.records, o.Records...)
	a.postings = append(a.postings, o.Postings...)
}

// changes returns every row that is to be written.
func (a *accounts) changes() postgres.Changes {
	c := postgres.Changes{Events: a.events, Records: a.records, Postings: a.postings}
	for _, owner := range a.of {
		for _, b := range owner.buckets {
			if owner.touched[b.ID] {
				c.Buckets = append(c.Buckets, b)
			}
		}
		for key := range owner.changed {
			if owner.known[key] {
				c.Sessions = append(c.Sessions, *owner.sessions[key])
			} else {
				c.NewSessions = append(c.NewSessions, *owner.sessions[key])
			}
		}
	}
	return c
}
