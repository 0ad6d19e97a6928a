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
