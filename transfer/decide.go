package transfer

import (
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// Decide answers r. A request that was answered before gets that answer again and changes nothing. Arguments are not
// modified. The caller has locked both parties and everything in s that is stored: between two calls nothing but the
// first one's Outcome changes what the second one sees.
func Decide(policy *Policy, s State, r Request, now time.Time) Outcome {
	if s.Existing != nil {
		return again(*s.Existing, r)
	}
	d := newDecision(policy, s, r, now)
	if d.wellFormed() {
		d.dispatch()
	}
	return d.outcome()
}

// again answers a request whose reference is known. What is stored stays: a refusal of the second is not the first's.
func again(first Remembered, r Request) Outcome {
	if first.Fingerprint != r.Fingerprint() {
		return Outcome{Answer: Answer{Refusal: ReferenceReused, Kind: r.Kind}, Repeated: true}
	}
	return Outcome{Answer: first.Answer, Repeated: true}
}

// A decision is the work on one request. It owns every slice that it changes.
type decision struct {
	policy  *Policy
	state   State
	request Request // completed from the stored transfer that it acts on
	content string  // fingerprint of the request as it came
	now     time.Time

	sender, receiver *book
	fee              rating.Units
	counting         []counting
	checks           []Check
	retryAt          time.Time
	heldBy           []string // risk rules that want a person to decide
	alerts           []string

	answer    Answer
	transfers []Transfer
	quote     *Quote
	postings  []ocs.Posting
	counters  []Counter
	texts     []Text
}

// usualChecks is room for the checks of a transfer under a policy of usual size.
const usualChecks = 32

func newDecision(policy *Policy, s State, r Request, now time.Time) *decision {
	d := &decision{
		policy: policy, state: s, request: r.completed(s), content: r.Fingerprint(), now: now,
		sender: newBook(s.Sender.Buckets), receiver: newBook(s.Receiver.Buckets),
		checks: make([]Check, 0, usualChecks),
	}
	d.receiver.rest = s.Receiver.Rest
	if s.Sender.Rest != (Rest{}) {
		panic("transfer: not all lots of the sender were loaded")
	}
	d.answer.Kind = d.request.Kind
	return d
}

// completed fills in what a request on a stored transfer leaves to that one.
func (r Request) completed(s State) Request {
	o := s.Original
	if o == nil || !r.Operation.OnStored() {
		return r
	}
	r.Kind, r.Bearer, r.Counterparty = o.Kind, o.Bearer, o.Counterparty
	if r.Operation != OpReverse || r.Seconds == 0 {
		r.Seconds = o.Seconds
	}
	return r
}

// wellFormed refuses what no rule can judge.
func (d *decision) wellFormed() bool {
	r := d.request
	if !r.Operation.ReadsOnly() && r.Operation != OpLapse {
		d.check("reference is there", r.Reference != "", Incomplete, yesNo(r.Reference != ""), "yes")
		d.check("reference is visible ASCII", visible(r.Reference, MaxReference), Malformed, "other characters, or too long", "at most 64")
	}
	d.check("note", len([]rune(r.Note)) <= MaxNote && printable(r.Note), Malformed, "too long, or not printable", "at most 64 characters")
	d.check("bearer", r.Bearer == "" || r.Bearer == Originator || r.Bearer == Receiver, Malformed, string(r.Bearer), "originator or receiver")
	d.check("not negative", r.Seconds >= 0 && r.ValidFor >= 0 && (r.MaxFee == nil || *r.MaxFee >= 0), Malformed, "a negative value", "none")
	d.check("actor", d.mayAsk(), Malformed, string(r.By), "who may ask for "+r.Operation.String())
	d.check("person", r.By != ByOperator || r.Person != "", Incomplete, yesNo(r.Person != ""), "yes")
	if r.Kind == CashOut && !r.Operation.OnStored() && r.Operation != OpQuote && r.Operation != OpAllowance {
		d.check("cash-out is prepared", r.Operation == OpPrepare, Malformed, r.Operation.String(), OpPrepare.String())
		d.check("pay-out code", r.PayoutHash != "", Incomplete, yesNo(r.PayoutHash != ""), "yes")
	}
	if d.answer.Refusal == None {
		d.checks = d.checks[:0] // what is in order goes without saying
	}
	return d.answer.Refusal == None
}

// mayAsk reports whether the actor of the request is one that its operation can come from.
func (d *decision) mayAsk() bool {
	switch by := d.request.By; d.request.Operation {
	case OpQuote, OpSend, OpPrepare, OpAllowance:
		return by == BySender || by == ByOperator
	case OpSolicit:
		return by == ByReceiver
	case OpLapse:
		return by == BySystem
	case OpConfirm, OpCancel, OpReverse, OpReverseAccept, OpReverseRefuse, OpEnquire, OpAccept, OpDecline:
		return by == BySender || by == ByReceiver || by == ByOperator
	}
	return false
}

func (d *decision) dispatch() {
	switch d.request.Operation {
	case OpQuote:
		d.quoteIt()
	case OpSend, OpPrepare:
		d.send()
	case OpSolicit:
		d.solicit()
	case OpAllowance:
		d.allowance()
	case OpConfirm, OpCancel, OpReverse, OpReverseAccept, OpReverseRefuse, OpEnquire, OpAccept, OpDecline, OpLapse:
		if d.mine() {
			d.onStored()
		}
	}
}

// mine reports whether there is the stored transfer, and whether it is the actor's to act on. What is other people's is
// answered as if it did not exist.
func (d *decision) mine() bool {
	o, by := d.state.Original, d.request.By
	ok := o != nil && (by == ByOperator || by == BySystem ||
		by == BySender && o.Sender != "" && o.Sender == d.state.Sender.Subscriber.ID ||
		by == ByReceiver && o.Receiver != "" && o.Receiver == d.state.Receiver.Subscriber.ID && o.Status != Failed)
	return d.check("original transfer", ok, OriginalUnknown, yesNo(ok), "one's own")
}

func (d *decision) onStored() {
	o := *d.state.Original
	d.answer.Original = o.Reference
	if d.request.Operation == OpEnquire {
		d.enquire(&o)
		return
	}
	if d.request.Operation == OpReverse {
		d.reverse(&o)
		return
	}
	if d.pending(&o) {
		d.settle(&o)
	}
}

// outcome puts together what came of it.
func (d *decision) outcome() Outcome {
	d.count()
	if d.answer.Refusal != None && !d.retryAt.IsZero() {
		d.answer.RetryAfter = max(time.Second, (d.retryAt.Sub(d.now) + time.Second - 1).Truncate(time.Second))
	}
	for i := range d.transfers {
		t := &d.transfers[i]
		if t.Reference == d.answer.Reference {
			t.Checks, t.Policy = d.checks, d.policy.Version
		}
	}
	changed, made := d.sender.changes()
	changedToo, madeToo := d.receiver.changes()
	o := Outcome{
		Answer: d.answer, Transfers: d.transfers, Quote: d.quote,
		Buckets: append(changed, changedToo...), NewBuckets: append(made, madeToo...),
		Postings: d.postings, Counters: d.counters, Checks: d.checks, Texts: d.texts,
		Alerts: d.alerts,
	}
	if acting := d.state.Acting(d.request.By); d.request.Reference != "" && acting != "" && !d.request.Operation.ReadsOnly() {
		o.Remembered = &Remembered{
			Caller: d.request.Caller, Subscriber: acting, Reference: d.request.Reference,
			Fingerprint: d.content, At: d.now, Answer: d.answer,
		}
	}
	return o
}

// count adds a refused request to the counters of those limits that want it. What came to something was counted there.
func (d *decision) count() {
	if d.answer.Refusal == None || d.request.Operation == OpQuote {
		return
	}
	for _, c := range d.counting {
		if c.refused {
			c.counter.Seconds = 0
			d.counters = append(d.counters, c.counter)
		}
	}
}

// counted adds what the request counts, and returns it so that it can be taken back.
func (d *decision) counted() (all []Counter) {
	for _, c := range d.counting {
		all = append(all, c.counter)
	}
	d.counters = append(d.counters, all...)
	return all
}

// uncount takes back what a transfer that came to nothing had counted.
func (d *decision) uncount(t *Transfer) {
	for _, c := range t.Counted {
		c.Count, c.Seconds = -c.Count, -c.Seconds
		d.counters = append(d.counters, c)
	}
	t.Counted = nil
}

// visible reports whether s is at most most characters of visible ASCII.
func visible(s string, most int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= most
}

// printable reports whether s is text without control characters.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7F || r == 0xFFFD {
			return false
		}
	}
	return true
}
