package charging

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/gyro-ocs/gyro/ocs"
)

// A pending is a request that waits for its answer, or a session that waits to be closed, or a transfer.
type pending struct {
	request    ocs.Request
	closing    *closing // set: there is no request
	moving     *moving  // likewise
	subscriber ocs.SubscriberID
	version    int64 // of the subscriber's identities when it was found; -1 when it was found by its session
	found      int   // how often the subscriber was looked for
	submitted  time.Time
	deadline   time.Time
	done       func(ocs.Answer)
	answered   atomic.Bool
	span       trace.Span // nil where there is no request
}

// closing asks to close a session from outside. By supervision it is closed only if it is due.
type closing struct {
	key    ocs.SessionKey
	cause  ocs.EndCause
	hasten bool // do not close it, but supervise it more closely
}

// answer gives the answer, unless one was given: after its deadline a request is answered Busy, though the transaction
// that it is in may still come to an end. The client asks again and is given the remembered answer then.
func (p *pending) answer(a ocs.Answer) {
	if p.answered.Swap(true) {
		return
	}
	p.done(a)
}

// what names the kind of p in logs.
func (p *pending) what() string {
	switch {
	case p.moving != nil:
		return "transfer: " + p.moving.Request.Operation.String()
	case p.closing != nil:
		return "close"
	}
	return strconv.Itoa(int(p.request.Type))
}

// unanswered returns the requests of batch that still wait. batch is used up.
func unanswered(batch []*pending) []*pending {
	return slices.DeleteFunc(batch, func(p *pending) bool { return p.answered.Load() })
}

// patience is how long a request waits for a database that cannot be reached. Its client has other servers (§7 of RFC
// 8506), and hears of a failure only from us.
const patience = time.Second

// giveUp answers the requests that have waited long enough for a database that is away.
func giveUp(batch []*pending) {
	for _, p := range batch {
		if time.Since(p.submitted) > patience {
			p.answer(ocs.Answer{Verdict: ocs.Busy})
		}
	}
}

func (p *pending) key() ocs.SessionKey {
	if p.closing != nil {
		return p.closing.key
	}
	return p.request.Session
}

// A queue holds what waits for one worker, and what that worker has in hand.
type queue struct {
	mu      sync.Mutex
	waiting []*pending
	working []*pending
	size    int
	wake    chan struct{} // holds one token while something may be waiting
}

func newQueue(size int) queue { return queue{size: size, wake: make(chan struct{}, 1)} }

// put appends p. It reports false when the queue is full.
func (q *queue) put(p *pending) bool {
	q.mu.Lock()
	full := len(q.waiting) >= q.size
	if !full {
		q.waiting = append(q.waiting, p)
	}
	q.mu.Unlock()
	if full {
		return false
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// enqueue appends p, or answers that there is too much to do.
func (q *queue) enqueue(p *pending) {
	if !q.put(p) {
		p.answer(ocs.Answer{Verdict: ocs.Busy})
	}
}

// putBack appends p behind what waits, and reports false when nothing does.
func (q *queue) putBack(p *pending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		return false
	}
	q.waiting = append(q.waiting, p)
	return true
}

// take moves up to most of what waits into the worker's hands. It waits until there is something, or stop is closed.
func (q *queue) take(most int, stop <-chan struct{}) []*pending {
	for {
		q.mu.Lock()
		if n := min(most, len(q.waiting)); n > 0 {
			batch := q.waiting[:n:n]
			q.waiting = q.waiting[n:]
			q.working = slices.Clone(batch) // the worker shortens its own
			q.mu.Unlock()
			return batch
		}
		q.waiting = nil // lets go of the memory behind it
		q.mu.Unlock()
		select {
		case <-q.wake:
		case <-stop:
			return nil
		}
	}
}

// finished tells that the worker's hands are empty.
func (q *queue) finished() {
	q.mu.Lock()
	q.working = nil
	q.mu.Unlock()
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) + len(q.working)
}

// expire answers everything whose deadline has passed.
func (q *queue) expire(now time.Time) {
	q.mu.Lock()
	var late []*pending
	isLate := func(p *pending) bool {
		if now.After(p.deadline) {
			late = append(late, p)
			return true
		}
		return false
	}
	q.waiting = slices.DeleteFunc(q.waiting, isLate)
	for _, p := range q.working {
		isLate(p)
	}
	q.mu.Unlock()
	for _, p := range late {
		p.answer(ocs.Answer{Verdict: ocs.Busy})
	}
}
