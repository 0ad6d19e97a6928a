package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/gyro-ocs/gyro/ocs"
)

const (
	listBuckets  = `SELECT ` + bucketColumns + ` FROM bucket WHERE `
	countBuckets = `SELECT count(*) FROM bucket WHERE `
)

// AllBuckets returns up to limit buckets of one subscriber or, without one, of all, from the one at offset on.
func (s *Store) AllBuckets(ctx context.Context, subscriber ocs.SubscriberID, offset, limit int) ([]ocs.Bucket, error) {
	c := &clauses{}
	c.subscriber(subscriber)
	statement, arguments := c.page(listBuckets, "part, id", offset, limit)
	var rows []bucketRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list buckets: %w", err)
	}
	return each(rows, bucketRow.bucket), nil
}

// CountBuckets returns how many buckets one subscriber has or, without one, how many there are.
func (s *Store) CountBuckets(ctx context.Context, subscriber ocs.SubscriberID) (int64, error) {
	c := &clauses{}
	c.subscriber(subscriber)
	n, err := s.count(ctx, countBuckets, c)
	if err != nil {
		return 0, fmt.Errorf("count buckets: %w", err)
	}
	return n, nil
}

const (
	subscribersByID = `SELECT ` + subscriberColumns + ` FROM subscriber WHERE id = ANY($1::uuid[])`
	subscriberPage  = `SELECT ` + subscriberColumns + ` FROM subscriber WHERE `
	subscriberCount = `SELECT count(*) FROM subscriber WHERE `
)

// Subscribers returns those of ids that exist, in any order.
func (s *Store) Subscribers(ctx context.Context, ids []ocs.SubscriberID) ([]ocs.Subscriber, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var rows []subscriberRow
	if err := s.selectInto(ctx, &rows, subscribersByID, subscriberArray(ids)); err != nil {
		return nil, fmt.Errorf("subscribers: %w", err)
	}
	return each(rows, subscriberRow.subscriber), nil
}

// SubscriberPage returns up to limit subscribers in the order of their ids, from the one at offset on.
func (s *Store) SubscriberPage(ctx context.Context, offset, limit int) ([]ocs.Subscriber, error) {
	statement, arguments := (&clauses{}).page(subscriberPage, "part, id", offset, limit)
	var rows []subscriberRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list subscribers: %w", err)
	}
	return each(rows, subscriberRow.subscriber), nil
}

// CountSubscribers returns how many subscribers there are.
func (s *Store) CountSubscribers(ctx context.Context) (int64, error) {
	n, err := s.count(ctx, subscriberCount, &clauses{})
	if err != nil {
		return 0, fmt.Errorf("count subscribers: %w", err)
	}
	return n, nil
}
