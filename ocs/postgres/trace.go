package postgres

import (
	"context"
	"fmt"

	"github.com/gyro-ocs/gyro/ocs"
)

// It names every slot, as it has no other way to know where a bucket lies: as many looks into the primary key.
const selectBucket = `SELECT ` + bucketColumns + ` FROM bucket WHERE part = ANY($1::smallint[]) AND id = $2`

const selectMoved = `
	SELECT ` + bucketColumns + ` FROM bucket
	WHERE root = $1 AND hops > 0
	ORDER BY hops, created_at, id LIMIT $2`

// mostMoved bounds what a trace reads.
const mostMoved = 10_000

// Bucket returns one bucket of any subscriber, or ErrNotFound. id is a UUID.
func (s *Store) Bucket(ctx context.Context, id ocs.BucketID) (ocs.Bucket, error) {
	var slots array
	for slot := range int64(ocs.Slots) {
		slots.integer(slot)
	}
	var rows []bucketRow
	if err := s.selectInto(ctx, &rows, selectBucket, slots.value(), string(id)); err != nil {
		return ocs.Bucket{}, fmt.Errorf("bucket %s: %w", id, err)
	}
	if len(rows) == 0 {
		return ocs.Bucket{}, fmt.Errorf("bucket %s: %w", id, ErrNotFound)
	}
	return rows[0].bucket(), nil
}

// BucketTrace returns the lot that the units of a bucket were first granted in, and then every lot that units were moved
// to from there: a tree, by Parent, with the fewest hops first.
func (s *Store) BucketTrace(ctx context.Context, id ocs.BucketID) ([]ocs.Bucket, error) {
	root, err := s.Bucket(ctx, id)
	if err == nil && root.Root != root.ID {
		root, err = s.Bucket(ctx, root.Root)
	}
	if err != nil {
		return nil, fmt.Errorf("trace of bucket %s: %w", id, err)
	}
	var rows []bucketRow
	if err := s.selectInto(ctx, &rows, selectMoved, string(root.ID), mostMoved); err != nil {
		return nil, fmt.Errorf("trace of bucket %s: %w", id, err)
	}
	return append([]ocs.Bucket{root}, each(rows, bucketRow.bucket)...), nil
}
