package ctf

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// A Call is a call that a subscriber makes.
type Call struct {
	From, To    string        // MSISDN with or without plus; number, SIP or tel URI
	Talk        time.Duration // from the answer to the end; 0: nobody answers
	AnswerDelay time.Duration // from the first request to the answer; it rings
	Interval    time.Duration // usage is reported at least so often; 0: when the quota is used up
	Ask         uint32        // seconds to ask for in each request; 0: as much as the server sees fit

	Context      string  // Service-Context-Id; empty: 32260@3gpp.org
	RatingGroup  *uint32 // in the MSCC
	CommandLevel bool    // units at command level, no MSCC (RFC 8506 without Multiple-Services)
	RealTime     bool    // wait for the time to pass
}

// DefaultContext is IMS voice (TS 32.260).
const DefaultContext = "32260@3gpp.org"

// An Outcome is how a call or an event came out.
type Outcome struct {
	Session string `json:"session"`
	End     End    `json:"end"`
	Code    uint32 `json:"result_code"`          // the last Result-Code that counted
	Seconds uint32 `json:"talked_seconds"`       // what the two talked
	Asked   int    `json:"requests"`             // CCRs sent, copies not counted
	Granted uint32 `json:"granted_units_in_all"` // sum of the grants
	Refund  string `json:"refund,omitempty"`     // names a debit, to give it back
}

// End is the way a call ends.
type End string

// The ends.
const (
	Completed  End = "completed"    // a party hung up
	Unanswered End = "not answered" // nobody took the call
	Refused    End = "refused"      // the server did not let it begin
	CutOff     End = "cut off"      // the balance ended first
	Free       End = "free"         // 4011: goes on without control
	Done       End = "done"         // of an event
)

// second is the grain of quota.
const second = time.Second

// Call places a call and tells watch of every message, in order, in the calling goroutine. The error is what kept the
// switch from knowing how the call came out; a server that refuses is an [Outcome]. When ctx ends, the caller hangs up:
// a call in real time is then reported as far as it went.
func (s *Switch) Call(ctx context.Context, call Call, watch func(Message)) (Outcome, error) {
	talk := &conversation{
		party: party{
			session: s.ids.nextSession(s.config.Host), from: withPlus(call.From), to: call.To,
			context: call.Context, ratingGroup: call.RatingGroup, commandLevel: call.CommandLevel,
		},
		call: call, exchange: s.exchange, watch: watch,
		now: time.Now(), hungUp: ctx.Done(),
	}
	if talk.context == "" {
		talk.context = DefaultContext
	}
	if !call.RealTime { // it has just ended
		talk.now = talk.now.Add(-call.AnswerDelay - call.Talk).Truncate(second)
	}
	talk.invited = talk.now
	// Hanging up ends the call, not the exchange that is under way: each has its own time limit.
	err := talk.run(context.WithoutCancel(ctx))
	return talk.outcome(), err
}

// A conversation is a call under way.
type conversation struct {
	party
	call     Call
	exchange func(context.Context, ccr, func(Message)) (Message, error)
	watch    func(Message)
	hungUp   <-chan struct{}

	now      time.Time // in the life of the call
	invited  time.Time
	answered time.Time // zero while it rings

	number    uint32 // of the next request
	asked     int
	grant     grant
	grants    uint32        // sum of all
	talked    time.Duration // since the answer
	unpaid    time.Duration // of talked, not yet reported
	end       End
	lastCode  uint32
	cancelled bool
}

// A grant is quota in force.
type grant struct {
	left    time.Duration // not yet talked
	until   time.Time     // end of validity; zero: none
	final   bool
	unasked bool // nothing was granted
}

func (c *conversation) outcome() Outcome {
	return Outcome{
		Session: c.session, End: c.end, Code: c.lastCode,
		Seconds: uint32(c.talked / second), Asked: c.asked, Granted: c.grants, //nolint:gosec // G115: a call is below 136 years
	}
}

func (c *conversation) run(ctx context.Context) error {
	answer, err := c.request(ctx, initialRequest, nil)
	switch {
	case err != nil:
		return err
	case answer.Code == 4011:
		c.talked, c.end = c.call.Talk, Free
		return nil
	case !success(answer.Code):
		c.end = Refused // no session began, so none is ended (RFC 8506 §7, table of the client)
		return nil
	case c.grant.unasked:
		c.end = Refused
		return c.terminate(ctx)
	}
	if open, err := c.ring(ctx); err != nil || !open {
		return err
	}
	return c.converse(ctx)
}

// ring waits for the answer. Quota whose validity ends before that is asked for again (RFC 8506 §8.33).
func (c *conversation) ring(ctx context.Context) (open bool, err error) {
	pickUp := c.now.Add(c.call.AnswerDelay)
	for c.now.Before(pickUp) && !c.cancelled {
		if until := c.grant.until; !until.IsZero() && until.Before(pickUp) {
			c.pass(until.Sub(c.now))
			if open, err := c.update(ctx, byValidity); err != nil || !open {
				return false, err
			}
			continue
		}
		c.pass(pickUp.Sub(c.now))
	}
	if c.call.Talk == 0 || c.cancelled {
		c.end = Unanswered
		return false, c.terminate(ctx)
	}
	c.answered = c.now
	return true, nil
}

// converse talks until somebody hangs up or the quota ends.
func (c *conversation) converse(ctx context.Context) error {
	for {
		stretch, why := c.next()
		passed := c.pass(stretch)
		c.talked += passed
		c.unpaid += passed
		c.grant.left -= passed
		switch {
		case c.cancelled || c.talked >= c.call.Talk:
			c.end = Completed
			return c.terminate(ctx)
		case c.grant.final && c.grant.left <= 0: // the user is disconnected (RFC 8506 §5.6.1)
			c.end = CutOff
			return c.terminate(ctx)
		}
		if open, err := c.update(ctx, why); err != nil || !open {
			return err
		}
	}
}

// next returns how long they talk until something must be told to the server, and why.
func (c *conversation) next() (stretch time.Duration, why *reason) {
	stretch, why = c.grant.left, byQuota
	if until := c.grant.until; !until.IsZero() && until.Sub(c.now) < stretch {
		stretch, why = max(until.Sub(c.now).Truncate(second), 0), byValidity
	}
	if c.call.Interval > 0 && c.call.Interval < stretch {
		stretch, why = c.call.Interval, nil
	}
	if left := c.call.Talk - c.talked; left < stretch {
		stretch, why = left, byFinal
	}
	return stretch, why
}

// pass lets d go by, in whole seconds. A caller who hangs up ends it early.
func (c *conversation) pass(d time.Duration) (passed time.Duration) {
	if c.call.RealTime && d > 0 {
		d = c.wait(d)
	}
	c.now = c.now.Add(d)
	return d
}

func (c *conversation) wait(d time.Duration) (passed time.Duration) {
	began := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return d
	case <-c.hungUp:
		c.cancelled = true
		return min(time.Since(began), d).Truncate(second)
	}
}

// update reports what was talked and asks for more. open is false when that ended the call.
func (c *conversation) update(ctx context.Context, why *reason) (open bool, err error) {
	answer, err := c.request(ctx, updateRequest, why)
	switch {
	case err != nil:
		return false, err
	case !success(answer.Code): // the server ended the session with this answer
		c.end = CutOff
		if answer.Code == 4011 {
			c.talked, c.end = c.call.Talk, Free
		}
		return false, nil
	case c.grant.unasked:
		c.end = CutOff
		return false, c.terminate(ctx)
	}
	return true, nil
}

func (c *conversation) terminate(ctx context.Context) error {
	_, err := c.request(ctx, terminationRequest, byFinal)
	return err
}

// request sends the next CCR and takes in what its answer grants.
func (c *conversation) request(ctx context.Context, requestType uint32, why *reason) (Message, error) {
	r := ccr{
		party: c.party, requestType: requestType, number: c.number, at: c.now, unit: Seconds,
		invited: c.invited, answered: c.answered,
	}
	if requestType != terminationRequest {
		r.asks, r.asked = true, c.call.Ask
	} else {
		r.cause = new(int32(0)) // normal end (TS 32.299 §7.2.35)
	}
	if requestType != initialRequest {
		r.used, r.reason = new(uint32(c.unpaid/second)), why //nolint:gosec // G115: a call is below 136 years
	}
	c.number++
	c.asked++
	answer, err := c.exchange(ctx, r, c.watch)
	if err != nil {
		return answer, err
	}
	c.unpaid = 0
	if code := answer.Result(); requestType != terminationRequest || !success(code) {
		c.lastCode = code
	}
	c.take(answer)
	return answer, nil
}

// take puts the grant of answer in place of the one before (RFC 8506 §5.3).
func (c *conversation) take(answer Message) {
	c.grant = grant{unasked: answer.Granted == nil || *answer.Granted == 0, final: answer.Final != ""}
	if !c.grant.unasked {
		c.grant.left = time.Duration(*answer.Granted) * second
		c.grants += *answer.Granted
	}
	if answer.Validity > 0 {
		c.grant.until = c.now.Add(time.Duration(answer.Validity) * second)
	}
}

// withPlus returns a number of digits with the plus of E.164, and everything else as it is.
func withPlus(msisdn string) string {
	if msisdn == "" || strings.HasPrefix(msisdn, "+") || strings.Trim(msisdn, "0123456789") != "" {
		return msisdn
	}
	return "+" + msisdn
}

// Validate returns why c cannot be placed.
func (c Call) Validate() error {
	switch {
	case strings.Trim(c.From, "+0123456789") != "" || strings.TrimPrefix(c.From, "+") == "":
		return fmt.Errorf("the caller %q is not a number", c.From)
	case c.To == "":
		return fmt.Errorf("nobody is called")
	case c.Talk < 0 || c.AnswerDelay < 0 || c.Interval < 0:
		return fmt.Errorf("a time of the call is negative")
	case c.Interval > 0 && c.Interval < second:
		return fmt.Errorf("the interval %v is below a second", c.Interval)
	}
	return nil
}
