package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
)

// The subscribers that something is due for are locked as they are found, in the order of what is due longest. Whom somebody
// else holds comes next time. What is due is read again after the lock: it may have been done meanwhile.
const (
	dueContracts = `
		SELECT ` + dueColumns + ` FROM contract d JOIN subscriber s ON s.id = ANY(ARRAY[d.subscriber_id])
		WHERE d.due_at <= $1
		ORDER BY d.due_at LIMIT $2 FOR NO KEY UPDATE OF s SKIP LOCKED`

	dueLooks = `
		SELECT ` + dueColumns + ` FROM bucket d JOIN subscriber s ON s.id = ANY(ARRAY[d.subscriber_id])
		WHERE d.expiry_look_at <= $1 AND NOT d.expiry_booked
		ORDER BY d.expiry_look_at LIMIT $2 FOR NO KEY UPDATE OF s SKIP LOCKED`

	// A bucket that was never looked at is found some time before it expires, so that its subscriber can be told.
	dueExpiries = `
		SELECT ` + dueColumns + ` FROM bucket d JOIN subscriber s ON s.id = ANY(ARRAY[d.subscriber_id])
		WHERE d.expires_at <= $1 AND d.expiry_look_at IS NULL AND NOT d.expiry_booked
		ORDER BY d.expires_at LIMIT $2 FOR NO KEY UPDATE OF s SKIP LOCKED`

	dueColumns = `s.id, s.state, s.plan, s.identity_version, s.msisdn, s.imsi, s.created_at`

	loadLots = `
		SELECT ` + bucketColumns + `, expiry_look_at, expiry_booked FROM bucket
		WHERE subscriber_id = ANY($1::uuid[]) AND (balance > 0 OR watch > 0 OR expires_at IS NOT NULL AND NOT expiry_booked)`

	updateLots = `
		UPDATE bucket t SET balance = u.balance, watch = u.watch, expires_at = u.expires_at, expiry_look_at = u.look_at,
			expiry_booked = u.booked
		FROM (SELECT unnest($1::uuid[]) AS subscriber_id, unnest($2::uuid[]) AS id, unnest($3::bigint[]) AS balance,
			unnest($4::bigint[]) AS watch, unnest($5::timestamptz[]) AS expires_at, unnest($6::timestamptz[]) AS look_at,
			unnest($7::boolean[]) AS booked) AS u
		WHERE t.subscriber_id = ANY(ARRAY[u.subscriber_id]) AND t.id IS NOT DISTINCT FROM u.id`

	insertLots = `
		INSERT INTO bucket (part, id, subscriber_id, unit, class, priority, balance, reserved, expires_at, created_at, root, parent,
			hops, watch, expiry_look_at)
		SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::text[]),
			unnest($6::integer[]), unnest($7::bigint[]), unnest($8::bigint[]), unnest($9::timestamptz[]),
			unnest($10::timestamptz[]), unnest($11::uuid[]), unnest($12::uuid[]), unnest($13::integer[]),
			unnest($14::bigint[]), unnest($15::timestamptz[])`

	setPlans = `
		UPDATE subscriber t SET plan = u.plan FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::text[]) AS plan) AS u
		WHERE t.id = ANY(ARRAY[u.id])`
)

// LockDue locks up to limit subscribers who have a contract or a bucket that something is due for at now, and returns
// them. A bucket is looked at ahead of its expiry for the first time. When there are none, nothing is due that is free.
func (tx *Tx) LockDue(ctx context.Context, now time.Time, ahead time.Duration, limit int) ([]ocs.Subscriber, error) {
	for _, due := range []struct {
		statement string
		at        time.Time
	}{{dueContracts, now}, {dueLooks, now}, {dueExpiries, now.Add(ahead)}} {
		var rows []subscriberRow
		if err := tx.selectInto(ctx, &rows, due.statement, stored(due.at), limit); err != nil {
			return nil, fmt.Errorf("lock subscribers that something is due for: %w", err)
		}
		if len(rows) == 0 {
			continue
		}
		slices.SortFunc(rows, func(a, b subscriberRow) int { return strings.Compare(a.ID, b.ID) })
		rows = slices.CompactFunc(rows, func(a, b subscriberRow) bool { return a.ID == b.ID }) // a join tells one for each bucket
		return each(rows, subscriberRow.subscriber), nil
	}
	return nil, nil
}

type lotRow struct {
	bucketRow
	LookAt sql.NullTime `db:"expiry_look_at"`
	Booked bool         `db:"expiry_booked"`
}

// LoadLives returns what [lifecycle.Advance] looks at, of locked subscribers, in their order.
func (tx *Tx) LoadLives(ctx context.Context, subscribers []ocs.Subscriber) ([]lifecycle.Account, error) {
	if len(subscribers) == 0 {
		return nil, nil
	}
	ids := subscriberArray(each(subscribers, func(s ocs.Subscriber) ocs.SubscriberID { return s.ID }))
	accounts := make([]lifecycle.Account, len(subscribers))
	of := make(map[string]*lifecycle.Account, len(subscribers))
	for i, s := range subscribers {
		accounts[i].Subscriber = s
		of[string(s.ID)] = &accounts[i]
	}
	var contracts []contractRow
	if err := tx.selectInto(ctx, &contracts, loadContracts, ids); err != nil {
		return nil, fmt.Errorf("load contracts: %w", err)
	}
	for _, r := range contracts {
		c, err := r.contract()
		if err != nil {
			return nil, fmt.Errorf("load contract of subscriber %s: %w", r.Subscriber, err)
		}
		of[r.Subscriber].Contract = &c
	}
	var lots []lotRow
	if err := tx.selectInto(ctx, &lots, loadLots, ids); err != nil {
		return nil, fmt.Errorf("load lots: %w", err)
	}
	for _, r := range lots {
		a := of[r.Subscriber]
		a.Buckets = append(a.Buckets, lifecycle.Bucket{Bucket: r.bucket(), LookAt: instant(r.LookAt), Booked: r.Booked})
	}
	return accounts, nil
}

// SaveLives writes what became of locked subscribers, but for the notices.
func (tx *Tx) SaveLives(ctx context.Context, outcomes []lifecycle.Outcome) error {
	var contracts []*lifecycle.Contract
	var changed, made []lifecycle.Bucket
	var postings []ocs.Posting
	var moved []*lifecycle.Contract
	for i := range outcomes {
		o := &outcomes[i]
		if o.Contract != nil {
			contracts = append(contracts, o.Contract)
		}
		if o.Plan != "" && o.Contract != nil {
			moved = append(moved, o.Contract)
		}
		changed = append(changed, o.Buckets...)
		made = append(made, o.NewBuckets...)
		postings = append(postings, o.Postings...)
	}
	for _, step := range []struct {
		what  string
		count int
		save  func() error
	}{
		{"contracts", len(contracts), func() error { return tx.saveContracts(ctx, contracts) }},
		{"plans", len(moved), func() error { return tx.setPlans(ctx, moved) }},
		{"lots", len(changed), func() error { return tx.updateLots(ctx, changed) }},
		{"new lots", len(made), func() error { return tx.insertLots(ctx, made) }},
		{"postings", len(postings), func() error { return tx.insertPostings(ctx, postings) }},
		{"postings that calls wait for", len(made), func() error { return tx.lift(ctx, postings) }},
	} {
		if step.count == 0 {
			continue
		}
		if err := step.save(); err != nil {
			return fmt.Errorf("save %d %s: %w", step.count, step.what, err)
		}
	}
	return nil
}

func (tx *Tx) setPlans(ctx context.Context, contracts []*lifecycle.Contract) error {
	var ids, plans array
	for _, c := range contracts {
		ids.string(string(c.Subscriber))
		plans.string(c.Plan)
	}
	_, err := tx.run(ctx, setPlans, ids.value(), plans.value())
	return err
}

// SetPlan gives a locked subscriber a plan that has no contract.
func (tx *Tx) SetPlan(ctx context.Context, id ocs.SubscriberID, plan string) error {
	return tx.setPlans(ctx, []*lifecycle.Contract{{Subscriber: id, Plan: plan}})
}

func (tx *Tx) updateLots(ctx context.Context, lots []lifecycle.Bucket) error {
	var subscribers, ids, balances, watches, expiries, looks, booked array
	for i := range lots {
		b := &lots[i]
		subscribers.string(string(b.Subscriber))
		ids.string(string(b.ID))
		balances.integer(int64(b.Balance))
		watches.integer(int64(b.Watch))
		expiries.time(b.ExpiresAt)
		looks.time(b.LookAt)
		booked.boolean(b.Booked)
	}
	count, err := tx.exec(ctx, updateLots, subscribers.value(), ids.value(), balances.value(), watches.value(), expiries.value(),
		looks.value(), booked.value())
	if err == nil && count != int64(len(lots)) {
		err = fmt.Errorf("%w: %d of %d", errVanished, int64(len(lots))-count, len(lots))
	}
	return err
}

func (tx *Tx) insertLots(ctx context.Context, lots []lifecycle.Bucket) error {
	var parts, ids, subscribers, units, classes, priorities, balances, reserved, expiries, creations array
	var roots, parents, hops, watches, looks array
	for i := range lots {
		b := &lots[i]
		parts.integer(int64(b.Subscriber.Slot()))
		ids.string(string(b.ID))
		subscribers.string(string(b.Subscriber))
		units.string(string(b.Unit))
		classes.string(b.Class)
		priorities.integer(int64(b.Priority))
		balances.integer(int64(b.Balance))
		reserved.integer(int64(b.Reserved))
		expiries.time(b.ExpiresAt)
		creations.time(b.CreatedAt)
		roots.string(string(b.Root))
		parents.stringOrNull(string(b.Parent))
		hops.integer(int64(b.Hops))
		watches.integer(int64(b.Watch))
		looks.time(b.LookAt)
	}
	_, err := tx.exec(ctx, insertLots, parts.value(), ids.value(), subscribers.value(), units.value(), classes.value(), priorities.value(),
		balances.value(), reserved.value(), expiries.value(), creations.value(), roots.value(), parents.value(), hops.value(),
		watches.value(), looks.value())
	return err
}

const (
	putOffContract = `UPDATE contract SET due_at = $4 WHERE part = $1 AND subscriber_id = $2 AND due_at <= $3`
	putOffLooks    = `
		UPDATE bucket SET expiry_look_at = $4
		WHERE part = $1 AND subscriber_id = $2 AND NOT expiry_booked AND expires_at IS NOT NULL
		AND (expiry_look_at <= $3 OR expiry_look_at IS NULL)`
)

// PutOffLife has a subscriber left alone until then, of whom something is due at now.
func (tx *Tx) PutOffLife(ctx context.Context, id ocs.SubscriberID, now, until time.Time) error {
	for _, statement := range []string{putOffContract, putOffLooks} {
		if _, err := tx.run(ctx, statement, id.Slot(), string(id), stored(now), stored(until)); err != nil {
			return fmt.Errorf("put off subscriber %s: %w", id, err)
		}
	}
	return nil
}
