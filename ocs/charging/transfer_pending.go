package charging

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// A moving is a transfer that waits for its outcome.
type moving struct {
	Transfer
	parties // as they were found last
	lookups int

	outcome  transfer.Outcome
	done     chan result
	answered *atomic.Bool

	mu      sync.Mutex
	running bool // a transaction that it is in may still be committed
	unsure  bool // one was, or was not: nobody knows
}

type result struct {
	outcome transfer.Outcome
	err     error
}

// newMoving returns what waits for the outcome of t.
func newMoving(t Transfer, deadline time.Duration) *pending {
	m := &moving{Transfer: t, done: make(chan result, 1)}
	now := time.Now()
	p := &pending{moving: m, submitted: now, deadline: now.Add(deadline), done: m.finish}
	m.answered = &p.answered
	return p
}

// begin notes that a transaction with m in it is begun. It reports false when m was answered already: then it must not be
// in it, because its client may have been told that nothing was written.
func (m *moving) begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = !m.answered.Load()
	return m.running
}

// end notes that the transaction is over, without m or with an outcome that nobody knows.
func (m *moving) end(unsure bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = false
	m.unsure = m.unsure || unsure
}

// finish tells the client. The verdict is that of the lane: Granted when there is an outcome.
func (m *moving) finish(a ocs.Answer) {
	if a.Verdict == ocs.Granted {
		m.done <- result{outcome: m.outcome}
		return
	}
	m.mu.Lock()
	unsure := m.running || m.unsure
	m.mu.Unlock()
	switch {
	case unsure:
		m.done <- result{err: ErrUnknownOutcome}
	case a.Verdict == ocs.Busy:
		m.done <- result{err: ErrBusy}
	default:
		m.done <- result{err: ErrUnable}
	}
}

// asking lets copies of one request, on one server, come one after the other where a try of a PIN is counted.
type asking struct {
	mu   sync.Mutex
	busy map[postgres.AnswerKey]chan struct{}
}

// enter waits until no copy is being asked. leave lets the next one in.
func (a *asking) enter(ctx context.Context, key postgres.AnswerKey) (leave func(), err error) {
	for {
		a.mu.Lock()
		before, isBusy := a.busy[key]
		if !isBusy {
			mine := make(chan struct{})
			if a.busy == nil {
				a.busy = map[postgres.AnswerKey]chan struct{}{}
			}
			a.busy[key] = mine
			a.mu.Unlock()
			return func() {
				a.mu.Lock()
				delete(a.busy, key)
				a.mu.Unlock()
				close(mine)
			}, nil
		}
		a.mu.Unlock()
		select {
		case <-before:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
