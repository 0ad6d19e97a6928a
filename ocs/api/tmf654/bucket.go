package tmf654

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

func tellBucket(b ocs.Bucket, s ocs.Subscriber, now time.Time) resource {
	status := "active"
	switch {
	case b.Expired(now):
		status = "expired"
	case s.State != ocs.Active:
		status = "suspended"
	}
	valid := resource{"startDateTime": moment(b.CreatedAt)}
	if !b.ExpiresAt.IsZero() {
		valid["endDateTime"] = moment(b.ExpiresAt)
	}
	return resource{
		"id": string(b.ID), "href": Base + "/bucket/" + string(b.ID), "@type": "Bucket", "name": b.Class, "isShared": false,
		"requestedDate": moment(b.CreatedAt), "confirmationDate": moment(b.CreatedAt), "status": status, "usageType": usageOf(b.Unit),
		"remainingValue": quantity(b.Unit, b.Free()), "remainingValueName": spoken(b.Unit, b.Free()),
		"reservedValue": quantity(b.Unit, b.Reserved), "validFor": valid,
		"logicalResource": logicalResource(s.MSISDN), "partyAccount": partyAccount(s.ID),
	}
}

// spoken tells units in a text.
func spoken(unit rating.Unit, n rating.Units) string {
	q := quantity(unit, n)
	return strings.TrimSpace(string(encoded(q["amount"]))) + " " + text(q, "units")
}

func (h *handler) listBuckets(c *call) (reply, error) {
	q, fault := parseQuery(c.r.URL.Query(), named("Bucket"))
	if fault != nil {
		return reply{}, fault
	}
	f, none, err := h.limits(c, &q, "logicalResource.id", "partyAccount.id")
	if err != nil {
		return reply{}, err
	}
	if none {
		return h.list(q, nothing())
	}
	return h.list(q, source{
		count: func() (int64, error) { return h.Store.CountBuckets(c.ctx, f.Subscriber) },
		page: func(offset, limit int) ([]resource, error) {
			buckets, err := h.Store.AllBuckets(c.ctx, f.Subscriber, offset, limit)
			if err != nil {
				return nil, err
			}
			return h.tellBuckets(c, buckets)
		},
	})
}

func (h *handler) tellBuckets(c *call, buckets []ocs.Bucket) ([]resource, error) {
	var ids []ocs.SubscriberID
	for _, b := range buckets {
		ids = append(ids, b.Subscriber)
	}
	known, err := h.names(c.ctx, ids)
	if err != nil {
		return nil, err
	}
	told := make([]resource, len(buckets))
	for i, b := range buckets {
		told[i] = tellBucket(b, known[b.Subscriber], c.now)
	}
	return told, nil
}

func (h *handler) getBucket(c *call) (reply, error) {
	id, err := uuid.Parse(c.id)
	if err != nil {
		return reply{}, unknown("bucket")
	}
	b, err := h.Store.Bucket(c.ctx, ocs.BucketID(id.String()))
	if errors.Is(err, postgres.ErrNotFound) {
		return reply{}, unknown("bucket")
	}
	if err != nil {
		return reply{}, err
	}
	told, err := h.tellBuckets(c, []ocs.Bucket{b})
	if err != nil {
		return reply{}, err
	}
	return one(c, named("Bucket"), told[0])
}

// An accumulated balance is what a subscriber has of one unit. Its id is subscriber and unit.
func accumulatedID(s ocs.SubscriberID, unit rating.Unit) string {
	return string(s) + "." + string(unit)
}

// accumulate adds up the buckets of one subscriber that count, by unit in the order in which they first come. A subscriber
// without any has no seconds, and that is told.
func accumulate(s ocs.Subscriber, buckets []ocs.Bucket, now time.Time) []resource {
	type total struct {
		units   rating.Units
		buckets []any
	}
	totals, order := map[rating.Unit]*total{}, []rating.Unit{}
	add := func(unit rating.Unit) *total {
		if totals[unit] == nil {
			totals[unit] = &total{buckets: []any{}}
			order = append(order, unit)
		}
		return totals[unit]
	}
	for _, b := range buckets {
		if b.Expired(now) || b.Balance == 0 {
			continue
		}
		t := add(b.Unit)
		t.units = rating.Add(t.units, b.Free())
		t.buckets = append(t.buckets, resource{"id": string(b.ID), "href": Base + "/bucket/" + string(b.ID), "name": b.Class})
	}
	if len(order) == 0 {
		add(rating.Seconds)
	}
	told := make([]resource, len(order))
	for i, unit := range order {
		id := accumulatedID(s.ID, unit)
		told[i] = resource{
			"id": id, "href": Base + "/accumulatedBalance/" + id, "@type": "AccumulatedBalance", "name": usageOf(unit),
			"description": "what is not in use of all buckets that have not expired", "bucket": totals[unit].buckets,
			"totalBalance":    quantity(unit, totals[unit].units),
			"logicalResource": resource{"id": s.MSISDN, "@referredType": "LogicalResource"}, "partyAccount": partyAccount(s.ID),
		}
	}
	return told
}

func (h *handler) accumulated(ctx context.Context, subscribers []ocs.Subscriber, now time.Time) (told []resource, err error) {
	for _, s := range subscribers {
		buckets, err := h.Store.Buckets(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		told = append(told, accumulate(s, buckets, now)...)
	}
	return told, nil
}

// maxSubscribers is of how many subscribers one list can tell accumulated balances.
const maxSubscribers = 1000

// listAccumulated tells the balances of one subscriber, or of all as long as there are not many: how many balances one has is
// only known when they are added up.
func (h *handler) listAccumulated(c *call) (reply, error) {
	q, fault := parseQuery(c.r.URL.Query(), named("AccumulatedBalance"))
	if fault != nil {
		return reply{}, fault
	}
	f, none, err := h.limits(c, &q, "logicalResource.id", "partyAccount.id")
	if err != nil {
		return reply{}, err
	}
	if none {
		return h.list(q, nothing())
	}
	var subscribers []ocs.Subscriber
	if f.Subscriber != "" {
		s, err := h.Store.Subscriber(c.ctx, f.Subscriber)
		if err != nil {
			return reply{}, err
		}
		subscribers = append(subscribers, s)
	} else if subscribers, err = h.Store.SubscriberPage(c.ctx, 0, maxSubscribers+1); err != nil {
		return reply{}, err
	}
	if len(subscribers) > maxSubscribers {
		return reply{}, newFault(http.StatusBadRequest, codeTooMany, "there are more than %d subscribers; name one by logicalResource.id", maxSubscribers)
	}
	told, err := h.accumulated(c.ctx, subscribers, c.now)
	if err != nil {
		return reply{}, err
	}
	return h.list(q, of(told))
}

func (h *handler) getAccumulated(c *call) (reply, error) {
	id, _, _ := strings.Cut(c.id, ".")
	u, err := uuid.Parse(id)
	if err != nil {
		return reply{}, unknown("accumulatedBalance")
	}
	s, err := h.Store.Subscriber(c.ctx, ocs.SubscriberID(u.String()))
	if errors.Is(err, postgres.ErrNotFound) {
		return reply{}, unknown("accumulatedBalance")
	}
	if err != nil {
		return reply{}, err
	}
	told, err := h.accumulated(c.ctx, []ocs.Subscriber{s}, c.now)
	if err != nil {
		return reply{}, err
	}
	for _, r := range told {
		if r["id"] == c.id {
			return one(c, named("AccumulatedBalance"), r)
		}
	}
	return reply{}, unknown("accumulatedBalance")
}
