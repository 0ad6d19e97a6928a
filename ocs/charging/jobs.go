package charging

import (
	"context"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// The jobs renew plans and book expiries as they become due. They have the rows of some subscribers in one transaction, and a
// call of one of those waits for it: so transactions are kept short, and between them the jobs rest, the longer the more
// requests wait. However many do, they go on a little.
const (
	jobTime     = 30 * time.Millisecond // that one transaction is to take
	leastAtOnce = 32                    // subscribers; a transaction of fewer costs as much
	mostAtOnce  = 256
	longestRest = 100 * time.Millisecond
	putOffFor   = time.Hour // what cannot be done because of a fault of ours
)

// A backlog is how the jobs are getting on with what is due.
type backlog struct {
	atOnce int // subscribers of the next transaction
	done   int // since nothing was due
	since  time.Time
}

// runJobs does what is due, until ctx ends.
func (e *Engine) runJobs(ctx context.Context) {
	tick := time.NewTicker(e.config.Sweep)
	defer tick.Stop()
	b := backlog{atOnce: leastAtOnce}
	for {
		began := time.Now()
		found, err := e.runJobsOnce(ctx, b.atOnce)
		took := time.Since(began)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			e.config.Logger.Warn("plans were not renewed and expiries not booked; they are tried again", "error", err)
		}
		if err != nil || found == 0 {
			b.caughtUp(e)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			continue
		}
		b.count(found, began)
		b.adapt(found, took)
		if !rest(ctx, restAfter(took, e.waiting())) {
			return
		}
	}
}

// waiting is how many requests wait or are being decided.
func (e *Engine) waiting() int {
	n := e.resolver.length()
	for _, l := range e.allLanes() {
		n += l.length()
	}
	return n
}

// restAfter is how long the jobs rest after a transaction: as long as it took when nobody waits, so that they never have
// more than half of the time, and longer the more do.
func restAfter(took time.Duration, waiting int) time.Duration {
	return max(took, min(took*time.Duration(1+waiting/8), longestRest))
}

func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (b *backlog) count(found int, began time.Time) {
	if b.done == 0 {
		b.since = began
	}
	b.done += found
}

// adapt has the next transaction take about as long as it is to.
func (b *backlog) adapt(found int, took time.Duration) {
	switch {
	case took > jobTime:
		b.atOnce = max(b.atOnce/2, leastAtOnce)
	case took < jobTime/2 && found >= b.atOnce:
		b.atOnce = min(b.atOnce*2, mostAtOnce)
	}
}

// worthTelling is how many subscribers make a run that is told in the log.
const worthTelling = 1000

func (b *backlog) caughtUp(e *Engine) {
	if b.done >= worthTelling {
		e.config.Logger.Info("plans are renewed and expiries booked, nothing more is due", "subscribers", b.done, "took", time.Since(b.since).Round(time.Millisecond))
	}
	b.done = 0
}

// runJobsOnce does what is due for up to limit subscribers, and returns for how many.
func (e *Engine) runJobsOnce(ctx context.Context, limit int) (found int, err error) {
	now, rules, ahead := e.config.Clock(), e.plans.rules(), e.plans.ahead()
	var subscribers []ocs.Subscriber
	var outcomes []lifecycle.Outcome
	err = e.config.Store.InTx(ctx, func(tx *postgres.Tx) (err error) {
		if subscribers, err = tx.LockDue(ctx, now, ahead, limit); err != nil {
			return err
		}
		outcomes, err = e.advance(ctx, tx, rules, subscribers, now)
		return err
	})
	if err != nil {
		if len(subscribers) == 0 || postgres.Classify(err) != postgres.Bug && postgres.Classify(err) != postgres.Unclassified {
			return 0, err
		}
		e.advanceEach(ctx, rules, subscribers, now)
		return len(subscribers), nil
	}
	e.complain(outcomes)
	e.telemetry.advanced(len(subscribers))
	return len(subscribers), nil
}

// advance does what is due for locked subscribers. A panic of the decision is an error.
func (e *Engine) advance(
	ctx context.Context, tx *postgres.Tx, rules lifecycle.Rules, subscribers []ocs.Subscriber, now time.Time,
) (outcomes []lifecycle.Outcome, err error) {
	if len(subscribers) == 0 {
		return nil, nil
	}
	accounts, err := tx.LoadLives(ctx, subscribers)
	if err != nil {
		return nil, err
	}
	if outcomes, err = decideLives(rules, accounts, now); err != nil {
		return nil, err
	}
	return outcomes, save(ctx, tx, subscribers, outcomes, now)
}

func decideLives(rules lifecycle.Rules, accounts []lifecycle.Account, now time.Time) (outcomes []lifecycle.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p)
		}
	}()
	outcomes = make([]lifecycle.Outcome, len(accounts))
	for i, a := range accounts {
		outcomes[i] = lifecycle.Advance(rules, a, now)
	}
	return outcomes, nil
}

// advanceEach gives each subscriber a transaction, after one for all of them failed, and puts off the one that it is due to.
func (e *Engine) advanceEach(ctx context.Context, rules lifecycle.Rules, subscribers []ocs.Subscriber, now time.Time) {
	for _, s := range subscribers {
		var outcomes []lifecycle.Outcome
		var locked []ocs.Subscriber
		err := e.config.Store.InTx(ctx, func(tx *postgres.Tx) (err error) {
			if locked, err = tx.LockFreeSubscribers(ctx, []ocs.SubscriberID{s.ID}); err != nil {
				return err
			}
			outcomes, err = e.advance(ctx, tx, rules, locked, now)
			return err
		})
		if err == nil {
			e.complain(outcomes)
			continue
		}
		if ctx.Err() != nil {
			return
		}
		e.config.Logger.Error("a plan could not be kept up", "subscriber", string(s.ID), "error", err)
		err = e.config.Store.InTx(ctx, func(tx *postgres.Tx) error { return tx.PutOffLife(ctx, s.ID, now, now.Add(putOffFor)) })
		if err != nil {
			e.config.Logger.Error("a plan that could not be kept up was not put off", "error", err)
		}
	}
}

// complain tells, at most once a minute, that the catalogue lacks a plan.
func (e *Engine) complain(outcomes []lifecycle.Outcome) {
	for i := range outcomes {
		if plan := outcomes[i].Orphan; plan != "" && time.Since(e.plans.orphanTold) > time.Minute {
			e.plans.orphanTold = time.Now()
			e.config.Logger.Warn("a plan that subscribers have is not in the catalogue: it is not renewed", "plan", plan)
		}
	}
}

// Plans is what changes the plans of subscribers.
func (e *Engine) Plans() *Plans { return e.plans }
