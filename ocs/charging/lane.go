package charging

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A lane makes the transactions of some slots, one after the other.
type lane struct {
	queue
	engine *Engine

	// commit decides about a batch and makes it durable, before it answers any of it.
	commit func(batch []*pending) error
}

func newLane(e *Engine) *lane {
	l := &lane{engine: e, queue: newQueue(e.config.QueueSize)}
	l.commit = l.decide
	return l
}

func (l *lane) run(stop <-chan struct{}) {
	for {
		batch := l.take(l.engine.config.MaxBatch, stop)
		if batch == nil {
			return
		}
		l.work(batch)
		l.finished()
	}
}

// work sees to it that every request of the batch is answered. When a transaction fails for a reason that may be one
// request's own, the batch is split until the culprit is alone: its mates are served (spec/store I14).
func (l *lane) work(batch []*pending) {
	for {
		if batch = unanswered(batch); len(batch) == 0 {
			return
		}
		err := l.commit(batch)
		if err == nil {
			return
		}
		if errors.Is(err, errOverdue) {
			continue
		}
		class := postgres.Classify(err)
		l.engine.telemetry.failed(class, err)
		switch {
		case class == postgres.Full:
			l.engine.config.Logger.Error("the database is full: requests are refused", "error", err)
			answerAll(batch, ocs.Busy)
			return
		case len(batch) > 1 && mayBeOneRequestsOwn(class):
			l.work(batch[:len(batch)/2])
			l.work(batch[len(batch)/2:])
			return
		case class == postgres.Retryable && l.putBack(batch[0]):
			return // somebody holds its row: those behind it need not wait for that
		case class == postgres.Unavailable:
			giveUp(batch)
			pause()
		case class == postgres.Retryable || class == postgres.Unknown:
			pause() // safe to repeat, also when the outcome is unknown. Until the deadline; then expire answers
		default:
			l.engine.config.Logger.Error("a request could not be decided", "type", batch[0].what(), "error", err)
			answerAll(batch, ocs.UnableToComply)
			return
		}
	}
}

func pause() { time.Sleep(20*time.Millisecond + rand.N(80*time.Millisecond)) }

// mayBeOneRequestsOwn reports whether leaving out one request might cure an error: it sent something wrong, or the row
// that it waits for is held by somebody.
func mayBeOneRequestsOwn(c postgres.Class) bool {
	return c == postgres.Bug || c == postgres.Refused || c == postgres.Unclassified || c == postgres.Retryable
}

func answerAll(batch []*pending, v ocs.Verdict) {
	for _, p := range batch {
		p.answer(ocs.Answer{Verdict: v})
	}
}

// decide makes every decision of a batch durable before any of its requests is answered. The lock comes first, so that
// two copies of one request cannot both be the first.
func (l *lane) decide(batch []*pending) error {
	now, rules := l.engine.config.Clock(), l.engine.config.Rules()
	ctx, end := l.engine.telemetry.batch(batch)
	var answers []ocs.Answer
	var strays []*pending
	var held map[ocs.SubscriberID]bool
	err := l.engine.config.Store.InTx(ctx, func(tx *postgres.Tx) error {
		a, err := l.load(ctx, tx, batch, now)
		if err != nil {
			return err
		}
		held = a.held
		rules = l.engine.recall(ctx, rules, a)
		answers, strays, err = a.decideAll(rules, batch, now)
		if err != nil {
			return err
		}
		if err := tx.Save(ctx, a.changes()); err != nil {
			return err
		}
		return stillWanted(batch)
	})
	end(err)
	if err != nil {
		return err
	}
	for i, p := range batch {
		if !slices.Contains(strays, p) {
			p.answer(answers[i])
		}
	}
	for _, p := range strays {
		if held[p.subscriber] {
			l.engine.patient.enqueue(p)
		} else {
			l.engine.resolver.again(p)
		}
	}
	if l == l.engine.patient && len(strays) == len(batch) {
		pause() // somebody holds the rows of all of them
	}
	return nil
}

// errOverdue is a batch with a request whose deadline passed while it was worked on: it was answered Busy, and must have no
// effect (spec/gy 3.7). The others are decided again without it.
var errOverdue = errors.New("a request was answered before it was decided")

func stillWanted(batch []*pending) error {
	if slices.ContainsFunc(batch, func(p *pending) bool { return p.answered.Load() }) {
		return errOverdue
	}
	return nil
}

// load locks the subscribers of a batch and reads all that its decisions look at.
func (l *lane) load(ctx context.Context, tx *postgres.Tx, batch []*pending, now time.Time) (*accounts, error) {
	ids := make([]ocs.SubscriberID, len(batch))
	var refs []postgres.SessionRef
	for i, p := range batch {
		ids[i] = p.subscriber
		refs = append(refs, postgres.SessionRef{Subscriber: p.subscriber, Key: p.key()})
		if p.request.RefundOf.ID != "" {
			refs = append(refs, postgres.SessionRef{Subscriber: p.subscriber, Key: p.request.RefundOf})
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	subscribers, err := tx.LockFreeSubscribers(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("lock %d subscribers: %w", len(ids), err)
	}
	held, err := tx.Held(ctx, ids, subscribers)
	if err != nil {
		return nil, err
	}
	sessions, err := tx.LoadSessions(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("load sessions: %w", err)
	}
	buckets, err := tx.LoadBuckets(ctx, ids, now, paidFrom(sessions, batch)...)
	if err != nil {
		return nil, fmt.Errorf("load buckets: %w", err)
	}
	a := newAccounts(subscribers, buckets, sessions)
	a.held = held
	return a, nil
}

// paidFrom returns the buckets that the debits were taken from which the batch asks to refund: they may be drained.
func paidFrom(sessions []ocs.Session, batch []*pending) (ids []ocs.BucketID) {
	for _, p := range batch {
		if p.request.RefundOf.ID == "" {
			continue
		}
		for i := range sessions {
			if sessions[i].Key != p.request.RefundOf {
				continue
			}
			for _, q := range sessions[i].Quotas {
				for _, h := range q.Taken {
					ids = append(ids, h.Bucket)
				}
			}
		}
	}
	return ids
}

// errPanic marks a decision that panicked: our bug, and one request's own.
var errPanic = errors.New("decision panicked")

func recovered(p any) error {
	return fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
}
