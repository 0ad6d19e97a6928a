package postgres

import (
	"context"
	"fmt"

	"github.com/gyro-ocs/gyro/ocs"
)

// Located is where an identity leads. The zero value means that nobody has it. Version is the IdentityVersion of the
// subscriber when the identity was given to it: when the locked subscriber has another one, a cached Located is stale.
type Located struct {
	Subscriber ocs.SubscriberID
	Version    int64
}

const resolve = `
	SELECT kind, value, subscriber_id, version FROM identity
	WHERE value = ANY($1::text[]) AND kind = ANY($2::smallint[])`

// Resolve finds the subscribers that have the identities, in the order of ids.
func (s *Store) Resolve(ctx context.Context, ids []ocs.Identity) ([]Located, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var values, kinds array
	for _, id := range ids {
		values.string(id.Value)
		kinds.integer(int64(id.Kind))
	}
	var rows []struct {
		Kind       ocs.IdentityKind `db:"kind"`
		Value      string           `db:"value"`
		Subscriber string           `db:"subscriber_id"`
		Version    int64            `db:"version"`
	}
	if err := s.selectHot(ctx, &rows, resolve, values.value(), kinds.value()); err != nil {
		return nil, fmt.Errorf("resolve identities: %w", err)
	}
	known := make(map[ocs.Identity]Located, len(rows))
	for _, r := range rows {
		known[ocs.Identity{Kind: r.Kind, Value: r.Value}] = Located{ocs.SubscriberID(r.Subscriber), r.Version}
	}
	return each(ids, func(id ocs.Identity) Located { return known[id] }), nil
}

// Names are what a subscriber is called beside MSISDN and IMSI. Calls do not load them.
type Names struct{ SIPURI, NAI, Private string }

const names = `
	SELECT id, sip_uri, nai, private_id FROM subscriber
	WHERE part = ANY($1::smallint[]) AND id = ANY($2::uuid[]) AND (sip_uri <> '' OR nai <> '' OR private_id <> '')`

// Names returns the names of those subscribers that have any.
func (s *Store) Names(ctx context.Context, ids []ocs.SubscriberID) (map[ocs.SubscriberID]Names, error) {
	var parts array
	for _, id := range ids {
		parts.integer(int64(id.Slot()))
	}
	var rows []struct {
		ID      string `db:"id"`
		SIPURI  string `db:"sip_uri"`
		NAI     string `db:"nai"`
		Private string `db:"private_id"`
	}
	if err := s.selectInto(ctx, &rows, names, parts.value(), subscriberArray(ids)); err != nil {
		return nil, fmt.Errorf("names of %d subscribers: %w", len(ids), err)
	}
	found := make(map[ocs.SubscriberID]Names, len(rows))
	for _, r := range rows {
		found[ocs.SubscriberID(r.ID)] = Names{r.SIPURI, r.NAI, r.Private}
	}
	return found, nil
}
