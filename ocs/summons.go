package ocs

import "time"

// A Summons calls the client of a session back to it: to ask anew for quota (RAR, §5.5), or to end it (ASR, RFC 6733 §8.5).
// A session has at most one of each kind; a wish that comes while one is under way is heard after it (spec/gy 3.18).
type Summons struct {
	Session    SessionKey
	Subscriber SubscriberID
	Kind       SummonsKind
	Reason     SummonsReason
	Part       Part

	Origin  Origin    // of the client, and the peer that brought its last request
	AskedAt time.Time // when it was wished for, last
	DueAt   time.Time // when something is to be done about it

	Round    int       // how often the client promised to come (RAA 2002), and did not
	Sent     int       // copies that were sent in this round
	SentAt   time.Time // the first of them
	EndToEnd uint32    // the same for all copies, so that the client knows them as such (RFC 6733 §5.5.4)
}

// A Part is the part of a session that a summons is about. The zero value is the whole session.
type Part struct {
	RatingGroup *uint32
	ServiceID   *uint32
	Pool        *uint32 // G-S-U-Pool-Identifier
}

// SummonsKind is what a client is to do.
type SummonsKind string

// The kinds of summons.
const (
	Reauthorise SummonsKind = "reauthorise"
	Abort       SummonsKind = "abort"
)

// SummonsReason is why a client is called.
type SummonsReason string

// The reasons to call.
const (
	UnitsCame    SummonsReason = "units came"    // a top-up or transfer, while the session was on its last units or restricted
	StateChanged SummonsReason = "state changed" // the subscriber was blocked, unblocked or closed
	TariffMoved  SummonsReason = "tariff changed"
	Ordered      SummonsReason = "operator"
)

// A SummonsReply is what came of a summons that was sent.
type SummonsReply uint8

// The replies.
const (
	Obeyed      SummonsReply = 1 + iota // 2001: done, or under way already
	WillFollow                          // 2002: a request follows
	NotKnown                            // 5002: the client has no such session
	Undelivered                         // 3002, 3004, or the connection was lost
	Declined                            // anything else
)

const (
	mostCopies   = 3                // of one summons: the first and two resends (spec/gy 3.7)
	mostRounds   = 2                // a client that promised to come is called again, once
	replyWithin  = 10 * time.Second // Tx
	busyFor      = 2 * time.Second  // before a client that was not reached is called by the next route
	lastChance   = time.Minute      // for a session that its client says it does not know, and for the CCR-T after an ASA
	SummonsLimit = 24 * time.Hour   // after which a summons that nobody could deliver is forgotten
)

// A SummonsStep is what is to be done about a summons.
type SummonsStep uint8

// The steps. But for Send and Await the summons is over.
const (
	Send   SummonsStep = 1 + iota // send a copy; with the T bit when Sent is above 1
	Await                         // until DueAt
	Forget                        // it came to its end
	Hasten                        // likewise, and the session ends in a minute unless something is heard of it
	End                           // likewise, and the session ends now
)

// Awaits reports whether units that come concern the client of s: it was told that its units are the last, or that none are
// left and access is to be restricted (§5.6).
func (s *Session) Awaits() bool {
	if s.State != Open {
		return false
	}
	for i := range s.Quotas {
		if q := &s.Quotas[i]; q.Final || q.Restricted {
			return true
		}
	}
	return false
}

// heardAt returns when the last request of s was decided.
func (s *Session) heardAt() time.Time {
	if n := len(s.Memory.Answers); n > 0 {
		return s.Memory.Answers[n-1].At
	}
	return s.StartedAt
}

// Summon returns a summons for an open session. now is never before what was heard of it, so that only what comes after is
// taken for an answer to the wish.
func (s *Session) Summon(kind SummonsKind, why SummonsReason, part Part, now time.Time) Summons {
	if heard := s.heardAt(); now.Before(heard) {
		now = heard
	}
	return Summons{
		Session: s.Key, Subscriber: s.Subscriber, Kind: kind, Reason: why, Part: part, Origin: s.Origin, AskedAt: now, DueAt: now,
	}
}

// Due decides what to do about a summons whose time has come. session is as it is stored, nil when it is not there any more.
// endToEnd names the request when this is its first copy.
func (s Summons) Due(session *Session, endToEnd uint32, now time.Time) (Summons, SummonsStep) {
	switch {
	case session == nil || session.State != Open && !s.endedUnheard(session):
		return s, Forget
	case s.Kind == Reauthorise && session.heardAt().After(s.AskedAt):
		return s, Forget // it came, asked or not: a CCR that crossed the RAR, or one before it was sent
	case now.Sub(s.AskedAt) > SummonsLimit, s.Sent >= mostCopies, s.Round >= mostRounds:
		return s, Forget
	}
	if s.Sent == 0 {
		s.SentAt, s.EndToEnd = now, endToEnd
	}
	s.Sent++
	s.Origin = session.Origin
	s.DueAt = now.Add(replyWithin)
	return s, Send
}

// endedUnheard reports whether a session that its client is to abort was ended here meanwhile: the client goes on all the same.
func (s Summons) endedUnheard(session *Session) bool {
	return s.Kind == Abort && session.Cause == ByOperator
}

// Answered decides what to do after a reply.
func (s Summons) Answered(r SummonsReply, now time.Time) (Summons, SummonsStep) {
	if r == Undelivered {
		s.DueAt = now.Add(busyFor)
		return s, Await
	}
	if s.Kind == Abort {
		switch r { //nolint:exhaustive // Undelivered was dealt with
		case Obeyed, WillFollow:
			return s, Hasten // the CCR-T follows (RFC 6733 §8.5)
		case NotKnown:
			return s, End
		}
		return s, Forget
	}
	switch r { //nolint:exhaustive // likewise
	case NotKnown:
		return s, Hasten
	case WillFollow:
		s.Round++
		s.Sent, s.DueAt = 0, now.Add(replyWithin)
		return s, Await
	}
	if s.AskedAt.After(s.SentAt) { // wished for again, meanwhile
		s.Round, s.Sent, s.DueAt = 0, 0, now
		return s, Await
	}
	return s, Forget
}

// HastenSession ends an open session in a minute, unless its client is heard of. It reports false when the session is not
// open or ends before anyhow.
func HastenSession(account Account, now time.Time) (Outcome, bool) {
	if account.Session == nil || account.Session.State != Open || !account.Session.DueAt.After(now.Add(lastChance)) {
		return Outcome{}, false
	}
	s := *account.Session
	s.DueAt = now.Add(lastChance)
	return Outcome{Sessions: []Session{s}}, true
}
