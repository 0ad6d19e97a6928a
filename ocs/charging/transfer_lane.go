package charging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// mostDraws is how often numbers are drawn again for references that were taken. One in thousands is.
const mostDraws = 4

// decideTransfers makes every decision of a batch of transfers durable before any of them is answered.
func (l *lane) decideTransfers(batch []*pending) error {
	batch = slices.DeleteFunc(slices.Clone(batch), func(p *pending) bool { return !p.moving.begin() })
	if len(batch) == 0 {
		return nil
	}
	ctx, end := l.engine.telemetry.batch(batch)
	var made *ledger
	var err error
	for range mostDraws {
		made, err = l.engine.commitTransfers(ctx, batch)
		if !errors.Is(err, postgres.ErrReferenceTaken) {
			break
		}
	}
	end(err)
	unsure := err != nil && postgres.Classify(err) == postgres.Unknown
	for _, p := range batch {
		if err != nil || slices.Contains(made.strays, p) {
			p.moving.end(unsure)
		}
	}
	if err != nil {
		return err
	}
	for _, p := range batch {
		if slices.Contains(made.strays, p) {
			l.enqueue(p)
		} else {
			p.answer(ocs.Answer{Verdict: ocs.Granted})
		}
	}
	if len(made.strays) == len(batch) {
		pause() // all of them wait for rows that somebody holds
	}
	return nil
}

// commitTransfers is one transaction: lock, load, decide, save. It sets the outcomes of all but the strays.
func (e *Engine) commitTransfers(ctx context.Context, batch []*pending) (made *ledger, err error) {
	looking, cancel := context.WithTimeout(ctx, e.config.Deadline)
	defer cancel()
	register, err := e.lookUp(looking, batch)
	if err != nil {
		return nil, err
	}
	var ids []ocs.SubscriberID
	for _, p := range batch {
		p.moving.parties = register.partiesOf(p.moving)
		ids = append(ids, p.moving.ids()...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	err = e.config.Store.InTx(ctx, func(tx *postgres.Tx) error {
		subscribers, err := tx.LockFreeSubscribers(ctx, ids)
		if err != nil {
			return fmt.Errorf("lock %d subscribers: %w", len(ids), err)
		}
		held, err := tx.Held(ctx, ids, subscribers)
		if err != nil {
			return err
		}
		// After the lock: what was decided before us has its time before us.
		now := stamp(e.config.Clock())
		policy, err := e.policyInForce(ctx, tx)
		if err != nil {
			return err
		}
		made = newLedger(e.config.CodeKey, policy, now, subscribers)
		made.held = held
		if err := made.load(ctx, tx, batch, ids); err != nil {
			return err
		}
		if err := made.decideAll(batch); err != nil {
			return err
		}
		return made.save(ctx, tx, e.config.Events)
	})
	return made, err
}

// stamp is a time as the database keeps it, so that what is decided now and what is read later agree.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// policyInForce returns the policy, stopped when the kill switch of the database says so. That stays as it is until the
// transaction is over: after the switch nothing commits that did not know of it (I28).
func (e *Engine) policyInForce(ctx context.Context, tx *postgres.Tx) (*transfer.Policy, error) {
	policy := e.config.Policy()
	inForce, err := tx.ShareInForce(ctx)
	if err != nil {
		return nil, err
	}
	if policy.Stop == nil && !inForce.StoppedAt.IsZero() {
		stopped := *policy
		stopped.Stop = &transfer.Stop{Reason: inForce.StopReason, Since: inForce.StoppedAt}
		policy = &stopped
	}
	return policy, nil
}
