package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
)

// A NewSubscriber is a subscriber with all that it begins with.
type NewSubscriber struct {
	Subscriber ocs.Subscriber
	Identities []ocs.Identity
	Bucket     *ocs.Bucket
	Postings   []ocs.Posting
	Contract   *lifecycle.Contract // nil: the plan has no terms
}

// name returns its first identity of a kind; empty: it has none.
func (n *NewSubscriber) name(kind ocs.IdentityKind) string {
	for _, id := range n.Identities {
		if id.Kind == kind {
			return id.Value
		}
	}
	return ""
}

// An IdentityTakenError says which of the new subscribers could not be created. It does not say the identity: errors get
// logged.
type IdentityTakenError struct {
	Row  int // index in the argument of CreateSubscribers
	Kind ocs.IdentityKind

	Rests bool // nobody has it: another one had it until lately
}

func (e *IdentityTakenError) Error() string {
	return fmt.Sprintf("new subscriber %d: %v", e.Row, ErrIdentityTaken)
}

// Unwrap makes errors.Is(err, ErrIdentityTaken) true.
func (e *IdentityTakenError) Unwrap() error { return ErrIdentityTaken }

// chunk is how many rows one statement of an import carries.
const chunk = 5000

const insertSubscribers = `
	INSERT INTO subscriber (part, id, state, plan, identity_version, msisdn, imsi, created_at, sip_uri, nai, private_id)
	SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
		$8::timestamptz[], $9::text[], $10::text[], $11::text[])`

// CreateSubscribers creates all of them or none. now is written where Subscriber.CreatedAt is zero. When an identity is
// taken, also by another of them, the error is an *[IdentityTakenError]. The audit entries are written with them.
func (s *Store) CreateSubscribers(ctx context.Context, subscribers []NewSubscriber, now time.Time, entries ...AuditEntry) error {
	if err := uniqueIdentities(subscribers); err != nil {
		return err
	}
	err := s.inTx(ctx, s.bulk, func(tx *Tx) error {
		tx.fresh = true
		if err := tx.insertIdentities(ctx, subscribers, now); err != nil {
			return err
		}
		for rows := range slices.Chunk(subscribers, chunk) {
			if err := tx.insertSubscribers(ctx, rows, now); err != nil {
				return err
			}
			var c Changes
			var contracts []*lifecycle.Contract
			for _, n := range rows {
				if n.Contract != nil {
					contracts = append(contracts, n.Contract)
				}
				if n.Bucket != nil {
					c.NewBuckets = append(c.NewBuckets, *n.Bucket)
				}
				c.Postings = append(c.Postings, n.Postings...)
			}
			if err := tx.Save(ctx, c); err != nil {
				return err
			}
			if len(contracts) > 0 {
				if err := tx.saveContracts(ctx, contracts); err != nil {
					return err
				}
			}
		}
		return tx.AppendAudit(ctx, entries)
	})
	if err != nil {
		return fmt.Errorf("create %d subscribers: %w", len(subscribers), err)
	}
	return nil
}

func uniqueIdentities(subscribers []NewSubscriber) error {
	seen := make(map[ocs.Identity]bool, 2*len(subscribers))
	for row, n := range subscribers {
		for _, id := range n.Identities {
			if seen[id] {
				return &IdentityTakenError{Row: row, Kind: id.Kind}
			}
			seen[id] = true
		}
	}
	return nil
}

func (tx *Tx) insertSubscribers(ctx context.Context, subscribers []NewSubscriber, now time.Time) error {
	var parts, ids, states, plans, versions, msisdns, imsis, creations, uris, nais, privates array
	for _, n := range subscribers {
		s := n.Subscriber
		parts.integer(int64(s.ID.Slot()))
		ids.string(string(s.ID))
		states.string(string(s.State))
		plans.string(s.Plan)
		versions.integer(s.IdentityVersion)
		msisdns.string(s.MSISDN)
		imsis.string(s.IMSI)
		if s.CreatedAt.IsZero() {
			s.CreatedAt = now
		}
		creations.time(s.CreatedAt)
		uris.string(n.name(ocs.SIPURI))
		nais.string(n.name(ocs.NAI))
		privates.string(n.name(ocs.Private))
	}
	_, err := tx.run(ctx, insertSubscribers, parts.value(), ids.value(), states.value(), plans.value(), versions.value(),
		msisdns.value(), imsis.value(), creations.value(), uris.value(), nais.value(), privates.value())
	if err != nil {
		return fmt.Errorf("insert subscribers: %w", err)
	}
	return nil
}

const insertIdentities = `
	INSERT INTO identity (kind, value, part, subscriber_id, version)
	SELECT * FROM unnest($1::smallint[], $2::text[], $3::smallint[], $4::uuid[], $5::bigint[])
	ON CONFLICT (value, kind) DO NOTHING`

// insertIdentities comes first and goes in one order for all, so that two imports of the same names neither wait for each
// other nor find out at the end.
func (tx *Tx) insertIdentities(ctx context.Context, subscribers []NewSubscriber, now time.Time) error {
	type named struct {
		ocs.Identity
		row int
	}
	var all []named
	for row, n := range subscribers {
		for _, id := range n.Identities {
			all = append(all, named{id, row})
		}
	}
	slices.SortFunc(all, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.Value, b.Value), cmp.Compare(a.Kind, b.Kind))
	})
	for names := range slices.Chunk(all, chunk) {
		var kinds, values, parts, ids, versions array
		for _, n := range names {
			s := subscribers[n.row].Subscriber
			kinds.integer(int64(n.Kind))
			values.string(n.Value)
			parts.integer(int64(s.ID.Slot()))
			ids.string(string(s.ID))
			versions.integer(s.IdentityVersion)
		}
		rests, err := tx.restingOf(ctx, kinds, values, now)
		if err != nil {
			return err
		}
		for _, n := range names {
			if _, rests := rests[n.Identity]; rests {
				return &IdentityTakenError{Row: n.row, Kind: n.Kind, Rests: true}
			}
		}
		if _, err := tx.run(ctx, freeRested, values.value(), kinds.value(), stored(now)); err != nil {
			return fmt.Errorf("free identities: %w", err)
		}
		count, err := tx.run(ctx, insertIdentities, kinds.value(), values.value(), parts.value(), ids.value(), versions.value())
		if err != nil {
			return fmt.Errorf("insert identities: %w", err)
		}
		if count == int64(len(names)) {
			continue
		}
		owners := map[ocs.Identity]ocs.SubscriberID{}
		if err := tx.owners(ctx, kinds, values, owners); err != nil {
			return err
		}
		first := named{row: len(subscribers)}
		for _, n := range names {
			taken := owners[n.Identity] != subscribers[n.row].Subscriber.ID
			if taken && (n.row < first.row || n.row == first.row && n.Kind < first.Kind) {
				first = n
			}
		}
		return &IdentityTakenError{Row: first.row, Kind: first.Kind}
	}
	return nil
}

func (tx *Tx) owners(ctx context.Context, kinds, values array, owners map[ocs.Identity]ocs.SubscriberID) error {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows []struct {
		Kind       ocs.IdentityKind `db:"kind"`
		Value      string           `db:"value"`
		Subscriber string           `db:"subscriber_id"`
		Version    int64            `db:"version"`
	}
	if err := tx.tx.SelectContext(ctx, &rows, resolve, values.value(), kinds.value()); err != nil {
		return fmt.Errorf("find taken identities: %w", err)
	}
	for _, r := range rows {
		owners[ocs.Identity{Kind: r.Kind, Value: r.Value}] = ocs.SubscriberID(r.Subscriber)
	}
	return nil
}
