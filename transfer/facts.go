package transfer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Past is an earlier transfer of the sender, as risk rules look at it: one that moved or holds minutes.
type Past struct {
	At      time.Time
	Sent    bool // else received
	Other   ocs.SubscriberID
	Kind    Kind
	Seconds rating.Units
}

// A Return is the last time when the receiver gave minutes of a root away.
type Return struct {
	Root ocs.BucketID
	At   time.Time
}

// A Look tells what risk rules want to know of the past.
type Look struct {
	Past    time.Duration // how far back the sender's transfers are looked at; 0: they are not
	Returns time.Duration // likewise where the receiver gave away what would come back
}

// The names of facts, without the time that they look back.
const (
	amountFact      = "amount"               // of this transfer
	maxFact         = "max"                  // of one transfer of the kind
	ageFact         = "account_age"          // the sender's time on net
	receiverAgeFact = "receiver_account_age" //
	holdFact        = "median_hold"          // how long the sender kept what it sent on in the last 24 hours; nothing sent on: very long
	outFact         = "out"                  // seconds sent, this transfer too
	inFact          = "in"                   // seconds received
	countFact       = "count"                // transfers sent, this one too
	receivedFact    = "received_count"       // transfers received
	sendersFact     = "distinct_senders"     // from whom the sender received
	receiversFact   = "distinct_receivers"   // to whom it sent, this one too
	pairFact        = "same_pair_count"      // from this sender to this receiver, this one too
	agentPairFact   = "same_pair_agent_subscriber_count"
	returnFact      = "root_returns_to_former_owner"
)

// dimensions are what facts count. Those that look back end in a time: out_24h.
var dimensions = map[string]struct {
	of        dimension
	looksBack bool
}{
	amountFact: {quantities, false}, maxFact: {quantities, false}, ageFact: {times, false}, receiverAgeFact: {times, false},
	holdFact: {times, false}, outFact: {quantities, true}, inFact: {quantities, true}, countFact: {counted, true},
	receivedFact: {counted, true}, sendersFact: {counted, true}, receiversFact: {counted, true}, pairFact: {counted, true},
	agentPairFact: {counted, true}, returnFact: {counted, false},
}

// Facts returns the names of all facts, in the form in which they are written.
func Facts() (names []string) {
	for name, f := range dimensions {
		if f.looksBack {
			name += "_24h"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// A fact is one number about a transfer.
type fact struct {
	name    string
	within  time.Duration
	between *[2]operand // countFact: only amounts between these
}

var errNoFact = errors.New("no fact")

func parseFact(text string) (fact, error) {
	if f, ok := dimensions[text]; ok && !f.looksBack {
		return fact{name: text}, nil
	}
	if i := strings.LastIndexByte(text, '_'); i > 0 && dimensions[text[:i]].looksBack {
		within, err := lookBack(text[i+1:])
		return fact{name: text[:i], within: within}, err
	}
	return fact{}, fmt.Errorf("%w is called %q; there are %s", errNoFact, text, strings.Join(Facts(), ", "))
}

func (f fact) dimension() dimension { return dimensions[f.name].of }

// String returns the fact as it is written.
func (f fact) String() string {
	text := f.name
	switch {
	case f.name == returnFact:
		return text + " within " + f.within.String()
	case f.within > 0:
		text += "_" + sayLookBack(f.within)
	}
	if f.between != nil {
		text += "(amount between bounds)"
	}
	return text
}

func sayLookBack(d time.Duration) string {
	if d%time.Hour == 0 {
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	}
	return d.String()
}

// facts are looked up once for each decision, and told.
type facts struct {
	decision *decision
	told     []string // name and value, in the order in which they were looked at
}

func (f *facts) value(of fact) int64 {
	n := f.find(of)
	unit := ""
	switch of.dimension() {
	case quantities, times:
		unit = " s"
	case counted, bareNumber:
	}
	if line := of.String() + " " + strconv.FormatInt(n, 10) + unit; !slices.Contains(f.told, line) {
		f.told = append(f.told, line)
	}
	return n
}

func (f *facts) find(of fact) int64 {
	d := f.decision
	r, since := d.request, d.now.Add(-of.within)
	switch of.name {
	case amountFact:
		return clip(r.Seconds)
	case maxFact:
		return clip(d.policy.Kinds[r.Kind].Most)
	case ageFact:
		return f.age(d.state.Sender)
	case receiverAgeFact:
		return f.age(d.state.Receiver)
	case holdFact:
		return f.medianHold()
	case returnFact:
		return f.returning(since)
	}
	this := Past{At: d.now, Sent: true, Other: d.state.Receiver.Subscriber.ID, Kind: r.Kind, Seconds: r.Seconds}
	var sum, count rating.Units
	others := map[ocs.SubscriberID]bool{}
	for _, p := range append(slices.Clip(d.state.Past), this) {
		if !p.At.Before(since) && f.counts(of, p, this) {
			sum, count, others[p.Other] = rating.Add(sum, p.Seconds), count+1, true
		}
	}
	switch of.name {
	case outFact, inFact:
		return clip(sum)
	case sendersFact, receiversFact:
		return int64(len(others))
	}
	return clip(count)
}

// counts reports whether a fact counts an earlier transfer, or this one.
func (f *facts) counts(of fact, p, this Past) bool {
	switch of.name {
	case outFact, receiversFact:
		return p.Sent
	case inFact, receivedFact, sendersFact:
		return !p.Sent
	case countFact:
		return p.Sent && (of.between == nil ||
			clip(p.Seconds)*scale >= of.between[0].value(f) && clip(p.Seconds)*scale <= of.between[1].value(f))
	case pairFact:
		return p.Sent && p.Other == this.Other
	case agentPairFact:
		return p.Sent && p.Other == this.Other && p.Kind == Agent
	}
	return false
}

// age is in seconds. Of who is not known to have come, it is 0.
func (f *facts) age(p Party) int64 {
	if p.Profile.OnNetSince.IsZero() {
		return 0
	}
	return clip(rating.Units(f.decision.now.Sub(p.Profile.OnNetSince) / time.Second))
}

// medianHold matches what was sent in the last day with what was received before, first in first out, and returns the middle
// of the times between, each match counting once.
func (f *facts) medianHold() int64 {
	d := f.decision
	since := d.now.Add(-day)
	past := slices.DeleteFunc(slices.Clone(d.state.Past), func(p Past) bool { return p.At.Before(since) })
	past = append(past, Past{At: d.now, Sent: true, Seconds: d.request.Seconds})
	slices.SortStableFunc(past, func(a, b Past) int { return a.At.Compare(b.At) })
	var waiting []Past
	var held []time.Duration
	for _, p := range past {
		if !p.Sent {
			waiting = append(waiting, p)
			continue
		}
		for n := p.Seconds; n > 0 && len(waiting) > 0; {
			part := min(n, waiting[0].Seconds)
			held = append(held, p.At.Sub(waiting[0].At))
			n -= part
			if waiting[0].Seconds -= part; waiting[0].Seconds == 0 {
				waiting = waiting[1:]
			}
		}
	}
	if len(held) == 0 {
		return mostFact
	}
	slices.Sort(held)
	return int64(held[len(held)/2] / time.Second)
}

// returning is 1 when a lot that would be taken from holds minutes that the receiver gave away since.
func (f *facts) returning(since time.Time) int64 {
	d := f.decision
	amount, _ := d.parts()
	for _, m := range d.policy.plan(d.sender, d.request, amount, 0, d.now) {
		root := d.sender.peek(m.From).Root
		if slices.ContainsFunc(d.state.Returns, func(r Return) bool { return r.Root == root && !r.At.Before(since) }) {
			return 1
		}
	}
	return 0
}
