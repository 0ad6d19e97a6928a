package transfer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Limit bounds how often and how much. Any number of them; all must pass.
type Limit struct {
	Name     string
	Scope    Scope
	Kinds    []Kind    // empty: every kind
	Channels []Channel // empty: every channel
	Window   Window
	Count    int64        // at most; 0: not bounded
	Seconds  rating.Units // at most; 0: not bounded
	// Refused tells that refused requests count too, against guessing. They never count seconds.
	Refused bool
}

// Scope is whose transfers a limit counts.
type Scope string

// The scopes.
const (
	PerSender   Scope = "sender"
	PerReceiver Scope = "receiver"
	PerPair     Scope = "pair"  // one sender and one receiver, in this direction
	PerAsker    Scope = "asker" // requests for minutes, counted with who asks
)

// A Counter is one row of counting: what is stored, and also what a decision adds to it.
type Counter struct {
	Subscriber ocs.SubscriberID // whose it is, and in whose slot it lies
	Row        string
	Other      ocs.SubscriberID // the receiver of a pair, else empty
	Start      time.Time
	Count      int64
	Seconds    rating.Units
}

// A CounterRange names the counters that a decision reads: of one row, from Since on.
type CounterRange struct {
	Subscriber ocs.SubscriberID
	Row        string
	Other      ocs.SubscriberID
	Since      time.Time
}

// row names the limit in counters. A limit with another window counts anew.
func (l Limit) row() string { return string(l.Scope) + ":" + l.Name + ":" + l.Window.String() }

func (l Limit) applies(r Request) bool {
	return (l.Scope == PerAsker) == (r.Operation == OpSolicit) && fits(l.Kinds, r.Kind) && fits(l.Channels, r.Channel)
}

// fits reports whether a rule for some applies to one. A rule for none applies to all.
func fits[T comparable](some []T, one T) bool { return len(some) == 0 || slices.Contains(some, one) }

func (l Limit) counters(s State, now time.Time) CounterRange {
	c := CounterRange{Row: l.row(), Since: l.Window.Since(now)}
	switch l.Scope {
	case PerSender:
		c.Subscriber = s.Sender.Subscriber.ID
	case PerReceiver, PerAsker:
		c.Subscriber = s.Receiver.Subscriber.ID
	case PerPair:
		c.Subscriber, c.Other = s.Sender.Subscriber.ID, s.Receiver.Subscriber.ID
	}
	return c
}

// counted returns the stored counters that c names, oldest first. One from the future, after the clock was put back,
// counts too.
func (s State) counted(c CounterRange) (found []Counter) {
	for _, p := range []Party{s.Sender, s.Receiver} {
		for _, k := range p.Counters {
			if k.Subscriber == c.Subscriber && k.Row == c.Row && k.Other == c.Other && !k.Start.Before(c.Since) {
				found = append(found, k)
			}
		}
	}
	slices.SortFunc(found, func(a, b Counter) int { return a.Start.Compare(b.Start) })
	return found
}

func total(counters []Counter) (count int64, sum rating.Units) {
	for _, c := range counters {
		count, sum = count+c.Count, rating.Add(sum, max(0, c.Seconds))
	}
	return count, sum
}

// passes reports whether one more of n seconds is within l.
func (l Limit) passes(counters []Counter, n rating.Units) (countOK, secondsOK bool) {
	count, sum := total(counters)
	return l.Count == 0 || count < l.Count, l.Seconds == 0 || rating.Add(sum, n) <= l.Seconds
}

// nextPass returns when l would let n seconds pass, if nothing else happens; zero: never.
func (l Limit) nextPass(counters []Counter, n rating.Units, now time.Time) time.Time {
	if l.Seconds > 0 && n > l.Seconds {
		return time.Time{}
	}
	if l.Window.Period != Rolling {
		return l.Window.Next(now)
	}
	for i, c := range counters {
		if countOK, secondsOK := l.passes(counters[i+1:], n); countOK && secondsOK {
			return l.Window.leaves(c.Start)
		}
	}
	return time.Time{}
}

// left is how many seconds l still lets pass; [MaxSeconds] where it does not bound them.
func (l Limit) left(counters []Counter) rating.Units {
	count, sum := total(counters)
	switch {
	case l.Count > 0 && count >= l.Count:
		return 0
	case l.Seconds > 0:
		return max(0, l.Seconds-sum)
	}
	return MaxSeconds
}

func (l Limit) refusal(countOK bool) Refusal {
	switch {
	case l.Scope == PerPair:
		return PairLimit
	case l.Scope == PerReceiver:
		return ReceiverLimit
	case l.Window.short() && !countOK:
		return DayCountLimit
	case l.Window.short():
		return DaySecondsLimit
	case !countOK:
		return MonthCountLimit
	}
	return MonthSecondsLimit
}

// limits judges every limit and notes what is to be counted.
func (d *decision) limits() {
	for _, l := range d.policy.Limits {
		if !l.applies(d.request) {
			continue
		}
		c := l.counters(d.state, d.now)
		counters := d.state.counted(c)
		count, sum := total(counters)
		countOK, secondsOK := l.passes(counters, d.request.Seconds)
		next := l.nextPass(counters, d.request.Seconds, d.now)
		if l.Count > 0 {
			d.checkUntil("limit "+l.Name+" count", countOK, l.refusal(false),
				strconv.FormatInt(count, 10)+" before", "at most "+strconv.FormatInt(l.Count, 10)+" per "+l.Window.String(), next)
		}
		if l.Seconds > 0 {
			d.checkUntil("limit "+l.Name+" seconds", secondsOK, l.refusal(true),
				seconds(sum)+" before", atMost(l.Seconds)+" per "+l.Window.String(), next)
		}
		d.counting = append(d.counting, counting{
			counter: Counter{
				Subscriber: c.Subscriber, Row: c.Row, Other: c.Other, Start: l.Window.Start(d.now),
				Count: 1, Seconds: d.request.Seconds,
			},
			refused: l.Refused,
		})
	}
}

// counting is what a request adds to the counters if it comes to something, and if it does not.
type counting struct {
	counter  Counter
	refused  bool // counts refused requests too
	promised bool // a quote promises it: a free transfer
}

func (l Limit) validate() error {
	var faults []error
	if l.Name == "" {
		faults = append(faults, errors.New("no name"))
	}
	switch l.Scope {
	case PerSender, PerReceiver, PerPair, PerAsker:
	default:
		faults = append(faults, fmt.Errorf("scope %q is none of sender, receiver, pair, asker", l.Scope))
	}
	if l.Count < 0 || l.Seconds < 0 || l.Seconds > MaxSeconds {
		faults = append(faults, fmt.Errorf("count %d or seconds %d is out of range", l.Count, l.Seconds))
	}
	if cmp.Or(l.Count, int64(l.Seconds)) == 0 {
		faults = append(faults, errors.New("bounds neither count nor seconds"))
	}
	faults = append(faults, l.Window.validate(), validKinds(l.Kinds), validChannels(l.Channels))
	return errors.Join(faults...)
}
