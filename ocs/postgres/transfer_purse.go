package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

const (
	loadReceived = `
		SELECT ` + bucketColumns + ` FROM bucket
		WHERE subscriber_id = ANY($1::uuid[]) AND root = ANY($3::uuid[])
		AND (reserved > 0 OR balance > 0 AND (expires_at IS NULL OR expires_at > $2))`

	sumReceived = `
		SELECT subscriber_id, sum(balance)::bigint, sum(balance - reserved)::bigint FROM bucket
		WHERE subscriber_id = ANY($1::uuid[]) AND NOT root = ANY($3::uuid[]) AND unit = 'seconds'
		AND balance > 0 AND (expires_at IS NULL OR expires_at > $2)
		GROUP BY subscriber_id`
)

// LoadReceived returns those lots of locked subscribers that have one of some roots, and the sums of the others.
func (tx *Tx) LoadReceived(
	ctx context.Context, ids []ocs.SubscriberID, roots []ocs.BucketID, now time.Time,
) (lots []ocs.Bucket, rest map[ocs.SubscriberID]transfer.Rest, err error) {
	var list array
	for _, root := range roots {
		list.string(string(root))
	}
	arguments := []any{subscriberArray(ids), stored(now), list.value()}
	var r bucketRow
	err = tx.each(ctx, loadReceived, arguments, func(row *sql.Rows) error {
		err := r.scan(row)
		if err == nil {
			lots = append(lots, r.bucket())
		}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("load lots to join to: %w", err)
	}
	rest = make(map[ocs.SubscriberID]transfer.Rest, len(ids))
	err = tx.each(ctx, sumReceived, arguments, func(row *sql.Rows) error {
		var id string
		var total, free int64
		err := row.Scan(&id, &total, &free)
		rest[ocs.SubscriberID(id)] = transfer.Rest{Total: rating.Units(total), Free: rating.Units(free)}
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("sum up other lots: %w", err)
	}
	return lots, rest, nil
}
