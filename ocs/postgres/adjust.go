package postgres

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// ErrNotCovered is an adjustment that cannot be made as a whole: the free units do not cover it, or there is no such bucket.
var ErrNotCovered = errors.New("the free units of the buckets do not cover this")

// Adjust corrects a balance. The movement names the adjustment: when the same was asked for under it before, nothing changes
// and repeated is true; when something else was, the error is ErrMovementDiffers. beside is done in the same transaction
// when something changes; its error undoes all of it.
func (s *Store) Adjust(
	ctx context.Context, a ocs.Adjustment, now time.Time, beside ...func(context.Context, *Tx) error,
) (repeated bool, err error) {
	id := a.Subscriber
	asked := sha256.Sum256(encode([]any{"adjust", a.Bucket, a.Unit, a.Units, a.Reason}))
	err = s.InTx(ctx, func(tx *Tx) error {
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return ErrNotFound
		}
		count, err := tx.run(ctx, insertMovement, id.Slot(), string(id), a.Movement, asked[:], stored(now))
		if err != nil {
			return err
		}
		if repeated = count == 0; repeated {
			return tx.sameMovement(ctx, id, a.Movement, asked)
		}
		var named []ocs.BucketID
		if a.Bucket != "" {
			named = append(named, a.Bucket)
		}
		buckets, err := tx.LoadBuckets(ctx, []ocs.SubscriberID{id}, now, named...)
		if err != nil {
			return err
		}
		changed, legs, ok := ocs.Adjust(buckets, a, now)
		if !ok {
			return ErrNotCovered
		}
		for _, do := range beside {
			if err := do(ctx, tx); err != nil {
				return err
			}
		}
		return tx.Save(ctx, Changes{Buckets: changed, Postings: legs})
	})
	if err != nil {
		return false, fmt.Errorf("adjust a balance of subscriber %s: %w", id, err)
	}
	return repeated, nil
}
