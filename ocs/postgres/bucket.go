package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

const bucketColumns = `id, subscriber_id, unit, class, priority, balance, reserved, expires_at, created_at, root,
	parent, hops, watch`

type bucketRow struct {
	ID         string         `db:"id"`
	Subscriber string         `db:"subscriber_id"`
	Unit       string         `db:"unit"`
	Class      string         `db:"class"`
	Priority   int            `db:"priority"`
	Balance    int64          `db:"balance"`
	Reserved   int64          `db:"reserved"`
	ExpiresAt  sql.NullTime   `db:"expires_at"`
	CreatedAt  time.Time      `db:"created_at"`
	Root       string         `db:"root"`
	Parent     sql.NullString `db:"parent"`
	Hops       int            `db:"hops"`
	Watch      int64          `db:"watch"`
}

// scan reads a row of bucketColumns.
func (r *bucketRow) scan(row *sql.Rows) error {
	return row.Scan(&r.ID, &r.Subscriber, &r.Unit, &r.Class, &r.Priority, &r.Balance, &r.Reserved, &r.ExpiresAt, &r.CreatedAt,
		&r.Root, &r.Parent, &r.Hops, &r.Watch)
}

func (r bucketRow) bucket() ocs.Bucket {
	return ocs.Bucket{
		ID: ocs.BucketID(r.ID), Subscriber: ocs.SubscriberID(r.Subscriber), Unit: rating.Unit(r.Unit), Class: r.Class,
		Priority: r.Priority, Balance: rating.Units(r.Balance), Reserved: rating.Units(r.Reserved),
		ExpiresAt: instant(r.ExpiresAt), CreatedAt: r.CreatedAt.UTC(),
		Root: ocs.BucketID(r.Root), Parent: ocs.BucketID(r.Parent.String), Hops: r.Hops,
		Watch: rating.Units(r.Watch),
	}
}

// instant reads a time that may be absent.
func instant(t sql.NullTime) time.Time {
	if !t.Valid {
		return time.Time{}
	}
	return t.Time.UTC()
}

// loadBuckets finds what may pay, and what still holds a reservation although it expired.
const loadBuckets = `
	SELECT ` + bucketColumns + ` FROM bucket
	WHERE subscriber_id = ANY($1::uuid[])
	AND (reserved > 0 OR balance > 0 AND (expires_at IS NULL OR expires_at > $2) OR id = ANY($3::uuid[]))`

const loadBucketsOfSlot = loadBuckets + ` AND part = $4::smallint`

// LoadBuckets returns the buckets of subscribers that count at now or hold a reservation, and those that also names
// whatever their state: a refund goes to a bucket that may be drained.
func (tx *Tx) LoadBuckets(
	ctx context.Context, ids []ocs.SubscriberID, now time.Time, also ...ocs.BucketID,
) ([]ocs.Bucket, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var named array
	for _, id := range also {
		named.string(string(id))
	}
	statement, arguments := tx.slotted(loadBuckets, loadBucketsOfSlot, ids, subscriberArray(ids), stored(now), named.value())
	buckets := make([]ocs.Bucket, 0, len(ids))
	var r bucketRow
	err := tx.each(ctx, statement, arguments, func(row *sql.Rows) error {
		err := r.scan(row)
		if err != nil {
			return err
		}
		buckets = append(buckets, r.bucket())
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load buckets: %w", err)
	}
	return buckets, nil
}

// updateBuckets says "equal" in ways that leave the planner one plan: each bucket is looked up by its subscriber. "= ANY
// (ARRAY[…])" can use the index but can neither be hashed nor merged, "IS NOT DISTINCT FROM" can do none of it; with plain
// "=" it reads the whole table when it believes that to be small (spec/store S14).
const updateBuckets = `
	UPDATE bucket t SET balance = u.balance, reserved = u.reserved
	FROM (SELECT unnest($1::uuid[]) AS subscriber_id, unnest($2::uuid[]) AS id, unnest($3::bigint[]) AS balance,
		unnest($4::bigint[]) AS reserved) AS u
	WHERE t.subscriber_id = ANY(ARRAY[u.subscriber_id]) AND t.id IS NOT DISTINCT FROM u.id`

const updateBucketsOfSlot = updateBuckets + ` AND t.part = $5::smallint`

// errVanished can only be our bug: buckets are never deleted. Units taken from one that is not there would be lost.
var errVanished = errors.New("buckets to be updated do not exist")

func (tx *Tx) updateBuckets(ctx context.Context, buckets []ocs.Bucket) error {
	var ids, balances, reserved array
	subscribers := make([]ocs.SubscriberID, len(buckets))
	for i, b := range buckets {
		ids.string(string(b.ID))
		balances.integer(int64(b.Balance))
		reserved.integer(int64(b.Reserved))
		subscribers[i] = b.Subscriber
	}
	statement, arguments := tx.slotted(updateBuckets, updateBucketsOfSlot, subscribers,
		subscriberArray(subscribers), ids.value(), balances.value(), reserved.value())
	count, err := tx.exec(ctx, statement, arguments...)
	if err != nil {
		return err
	}
	if count != int64(len(buckets)) {
		return fmt.Errorf("%w: %d of %d", errVanished, int64(len(buckets))-count, len(buckets))
	}
	return nil
}

const insertBuckets = `
	INSERT INTO bucket (part, id, subscriber_id, unit, class, priority, balance, reserved, expires_at, created_at,
		root, parent, hops)
	SELECT
		unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::text[]),
		unnest($6::integer[]), unnest($7::bigint[]), unnest($8::bigint[]), unnest($9::timestamptz[]),
		unnest($10::timestamptz[]), unnest($11::uuid[]), unnest($12::uuid[]), unnest($13::integer[])`

func (tx *Tx) insertBuckets(ctx context.Context, buckets []ocs.Bucket) error {
	var parts, ids, subscribers, units, classes, priorities, balances, reserved, expiries, creations array
	var roots, parents, hops array
	for _, b := range buckets {
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
		roots.string(string(cmp.Or(b.Root, b.ID)))
		parents.stringOrNull(string(b.Parent))
		hops.integer(int64(b.Hops))
	}
	_, err := tx.exec(ctx, insertBuckets, parts.value(), ids.value(), subscribers.value(), units.value(), classes.value(),
		priorities.value(), balances.value(), reserved.value(), expiries.value(), creations.value(),
		roots.value(), parents.value(), hops.value())
	return err
}

const selectBuckets = `
	SELECT ` + bucketColumns + ` FROM bucket
	WHERE part = $1 AND subscriber_id = $2
	ORDER BY created_at, id`

// Buckets returns all buckets of a subscriber, drained and expired ones too, oldest first.
func (s *Store) Buckets(ctx context.Context, id ocs.SubscriberID) ([]ocs.Bucket, error) {
	var rows []bucketRow
	if err := s.selectInto(ctx, &rows, selectBuckets, id.Slot(), string(id)); err != nil {
		return nil, fmt.Errorf("buckets of subscriber %s: %w", id, err)
	}
	return each(rows, bucketRow.bucket), nil
}
