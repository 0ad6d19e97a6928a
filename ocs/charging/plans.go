package charging

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// Plans changes what becomes of the plans of subscribers: for customer care, and for the jobs. Several servers may do so
// at once: each subscriber is locked, and what is due is looked up under the lock.
type Plans struct {
	Store *postgres.Store
	Terms func() map[string]lifecycle.Terms // of the catalogue in force, by plan; read once for every transaction
	Clock func() time.Time

	orphanTold time.Time // when the jobs told last of a plan that the catalogue lacks
}

// rules are what one transaction goes by.
func (p *Plans) rules() lifecycle.Rules {
	terms := p.Terms()
	return lifecycle.Rules{
		Terms: func(plan string) (lifecycle.Terms, bool) {
			t, ok := terms[plan]
			return t, ok
		},
		NewBucketID: func() ocs.BucketID { return ocs.BucketID(newID()) },
	}
}

// ahead is how long before their expiry buckets are looked at: as long as any plan tells of it before.
func (p *Plans) ahead() (longest time.Duration) {
	for _, t := range p.Terms() {
		if !t.Notices.Off {
			longest = max(longest, t.Notices.Before)
		}
	}
	return longest
}

// An Act is something that is done to a subscriber's plan: [lifecycle.Advance] or an act of customer care.
type Act func(lifecycle.Rules, lifecycle.Account, time.Time) (lifecycle.Outcome, error)

// Do does act, durably, with the audit entry that note makes of it. An error of act itself is returned as it is, and nothing
// was changed.
func (p *Plans) Do(
	ctx context.Context, id ocs.SubscriberID, act Act, note func(lifecycle.Account, lifecycle.Outcome, time.Time) postgres.AuditEntry,
) error {
	now := p.Clock()
	return p.Store.InTx(ctx, func(tx *postgres.Tx) error {
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return postgres.ErrNotFound
		}
		accounts, err := tx.LoadLives(ctx, locked)
		if err != nil {
			return err
		}
		o, err := act(p.rules(), accounts[0], now)
		if err != nil {
			return err
		}
		if err := save(ctx, tx, locked, []lifecycle.Outcome{o}, now); err != nil {
			return err
		}
		if o.Plan != "" && o.Contract == nil {
			if err := tx.SetPlan(ctx, id, o.Plan); err != nil {
				return err
			}
		}
		if note == nil {
			return nil
		}
		return tx.AppendAudit(ctx, []postgres.AuditEntry{note(accounts[0], o, now)})
	})
}

// Advance does what is due for one subscriber.
func Advance(rules lifecycle.Rules, a lifecycle.Account, now time.Time) (lifecycle.Outcome, error) {
	return lifecycle.Advance(rules, a, now), nil
}

// save writes what became of locked subscribers, and the texts that tell them of it.
func save(ctx context.Context, tx *postgres.Tx, subscribers []ocs.Subscriber, outcomes []lifecycle.Outcome, now time.Time) error {
	if err := tx.SaveLives(ctx, outcomes); err != nil {
		return err
	}
	var told []ocs.SubscriberID
	for i := range outcomes {
		if len(outcomes[i].Notices) > 0 && subscribers[i].MSISDN != "" {
			told = append(told, subscribers[i].ID)
		}
	}
	if len(told) == 0 {
		return nil
	}
	profiles, err := tx.LoadProfiles(ctx, told)
	if err != nil {
		return err
	}
	languages := make(map[ocs.SubscriberID]string, len(profiles))
	for _, p := range profiles {
		languages[p.Subscriber] = p.Language
	}
	var texts []outbox.Message
	for i := range outcomes {
		for _, n := range outcomes[i].Notices {
			if subscribers[i].MSISDN == "" {
				continue
			}
			texts = append(texts, outbox.Message{
				ID: newID(), Kind: outbox.Text, To: subscribers[i].MSISDN, Body: n.Render(languages[n.To]), Reference: "plan", CreatedAt: now,
			})
		}
	}
	if err := tx.AppendOutbox(ctx, texts); err != nil {
		return fmt.Errorf("texts about plans: %w", err)
	}
	return nil
}
