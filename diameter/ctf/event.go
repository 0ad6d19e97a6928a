package ctf

import (
	"context"
	"time"
)

// An Event is something that is charged at once, without a session (RFC 8506 §6): a short message, or a question.
type Event struct {
	From, To string
	Action   Action
	Units    uint32 // messages; 0: the server counts one
	Refund   string // of a refund: the Refund-Information that the answer to the debit had
	Context  string // empty: 32274@3gpp.org, short messages
}

// SMSContext is short messages (TS 32.274).
const SMSContext = "32274@3gpp.org"

// Event sends a CCR-E.
func (s *Switch) Event(ctx context.Context, event Event, watch func(Message)) (Outcome, error) {
	now := time.Now().Truncate(second)
	r := ccr{
		party: party{
			session: s.ids.nextSession(s.config.Host), from: withPlus(event.From), to: event.To, context: event.Context,
		},
		requestType: eventRequest, at: now, invited: now, unit: Events,
		asks: true, asked: event.Units, action: &event.Action, refund: event.Refund,
	}
	if r.context == "" {
		r.context = SMSContext
	}
	outcome := Outcome{Session: r.session, End: Done, Asked: 1}
	answer, err := s.exchange(ctx, r, watch)
	if err != nil {
		return outcome, err
	}
	outcome.Code, outcome.Refund = answer.Result(), answer.Refund
	if answer.Granted != nil {
		outcome.Granted = *answer.Granted
	}
	switch {
	case outcome.Code == 4011:
		outcome.End = Free
	case !success(outcome.Code):
		outcome.End = Refused
	}
	return outcome, nil
}
