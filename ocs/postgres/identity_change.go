package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// ErrIdentityRests is a name that was given up by another a short while ago.
var ErrIdentityRests = errors.New("identity was another's until lately and rests")

const (
	resting = `
		SELECT kind, value, subscriber_id FROM identity_rest
		WHERE value = ANY($1::text[]) AND kind = ANY($2::smallint[]) AND free_at > $3`
	forgetRest = `DELETE FROM identity_rest WHERE value = $1 AND kind = $2`
	rest       = `
		INSERT INTO identity_rest (value, kind, subscriber_id, given_up_at, free_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (value, kind) DO UPDATE SET
			subscriber_id = excluded.subscriber_id, given_up_at = excluded.given_up_at, free_at = excluded.free_at`
	// freeRested lets go of the names of closed subscribers that have rested long enough.
	freeRested = `
		DELETE FROM identity t USING identity_rest r
		WHERE r.value = ANY($1::text[]) AND r.kind = ANY($2::smallint[]) AND r.free_at <= $3
		AND t.value = r.value AND t.kind = r.kind AND t.subscriber_id = r.subscriber_id`
	formerOwner = `SELECT subscriber_id FROM identity_rest WHERE value = $1 AND kind = $2`

	dropIdentity  = `DELETE FROM identity WHERE value = $1 AND kind = $2 AND part = $3 AND subscriber_id = $4`
	namesOf       = `SELECT msisdn, imsi, sip_uri, nai, private_id FROM subscriber WHERE part = $1 AND id = $2`
	renewIdentity = `UPDATE identity SET version = $3 WHERE value = ANY($1::text[]) AND kind = ANY($2::smallint[]) AND part = $4 AND subscriber_id = $5`
	renameMSISDN  = `UPDATE subscriber SET msisdn = $3, identity_version = identity_version + 1 WHERE part = $1 AND id = $2`
	renameIMSI    = `UPDATE subscriber SET imsi = $3, identity_version = identity_version + 1 WHERE part = $1 AND id = $2`

	changeCard = `
		UPDATE party SET imsi = $3, sim_changed_at = $4 WHERE part = $1 AND subscriber_id = $2`
)

// An IdentityChange gives a subscriber another number or card.
type IdentityChange struct {
	Subscriber ocs.SubscriberID
	To         ocs.Identity // of kind E164 or IMSI
	At         time.Time
	FreeAt     time.Time // when somebody else may have the old one
}

// ChangeIdentity moves a subscriber to another number or card: history, buckets and sessions stay, the old name leads nowhere
// from now on. The subscriber that had a resting name last may have it back; for anybody else the error is ErrIdentityRests.
// When another has it the error is ErrIdentityTaken. A change to what it has already changes nothing and returns false.
func (s *Store) ChangeIdentity(ctx context.Context, c IdentityChange, entry AuditEntry) (changed bool, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		changed = false
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{c.Subscriber})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return ErrNotFound
		}
		old := ocs.Identity{Kind: c.To.Kind, Value: locked[0].MSISDN}
		if c.To.Kind == ocs.IMSI {
			old.Value = locked[0].IMSI
		}
		if old == c.To {
			return nil
		}
		changed = true
		if err := tx.giveIdentity(ctx, locked[0], c); err != nil {
			return err
		}
		if old.Value != "" {
			if err := tx.giveUp(ctx, locked[0].ID, old, c.At, c.FreeAt); err != nil {
				return err
			}
		}
		if err := tx.renewIdentities(ctx, locked[0]); err != nil {
			return err
		}
		rename := renameMSISDN
		if c.To.Kind == ocs.IMSI {
			rename = renameIMSI
			if _, err := tx.run(ctx, newParty, c.Subscriber.Slot(), string(c.Subscriber)); err != nil {
				return err
			}
			if _, err := tx.run(ctx, changeCard, c.Subscriber.Slot(), string(c.Subscriber), c.To.Value, stored(c.At)); err != nil {
				return err
			}
		}
		if _, err := tx.run(ctx, rename, c.Subscriber.Slot(), string(c.Subscriber), c.To.Value); err != nil {
			return err
		}
		return tx.AppendAudit(ctx, []AuditEntry{entry})
	})
	if err != nil {
		return false, fmt.Errorf("change an identity of subscriber %s: %w", c.Subscriber, err)
	}
	return changed, nil
}

// giveIdentity adds the new name.
func (tx *Tx) giveIdentity(ctx context.Context, to ocs.Subscriber, c IdentityChange) error {
	var kinds, values, parts, ids, versions array
	kinds.integer(int64(c.To.Kind))
	values.string(c.To.Value)
	parts.integer(int64(to.ID.Slot()))
	ids.string(string(to.ID))
	versions.integer(to.IdentityVersion + 1)
	rests, err := tx.restingOf(ctx, kinds, values, c.At)
	if err != nil {
		return err
	}
	if owner, ok := rests[c.To]; ok && owner != to.ID {
		return ErrIdentityRests
	}
	if _, err := tx.run(ctx, freeRested, values.value(), kinds.value(), stored(c.At)); err != nil {
		return err
	}
	count, err := tx.run(ctx, insertIdentities, kinds.value(), values.value(), parts.value(), ids.value(), versions.value())
	if err != nil {
		return err
	}
	if count == 0 {
		return ErrIdentityTaken
	}
	_, err = tx.run(ctx, forgetRest, c.To.Value, int64(c.To.Kind))
	return err
}

// restingOf returns who had those names last that rest at an instant.
func (tx *Tx) restingOf(ctx context.Context, kinds, values array, at time.Time) (map[ocs.Identity]ocs.SubscriberID, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows []struct {
		Kind       ocs.IdentityKind `db:"kind"`
		Value      string           `db:"value"`
		Subscriber string           `db:"subscriber_id"`
	}
	if err := tx.tx.SelectContext(ctx, &rows, resting, values.value(), kinds.value(), stored(at)); err != nil {
		return nil, fmt.Errorf("resting identities: %w", err)
	}
	found := make(map[ocs.Identity]ocs.SubscriberID, len(rows))
	for _, r := range rows {
		found[ocs.Identity{Kind: r.Kind, Value: r.Value}] = ocs.SubscriberID(r.Subscriber)
	}
	return found, nil
}

// restOf is restingOf for a list of names.
func (tx *Tx) restOf(ctx context.Context, names []ocs.Identity, at time.Time) (map[ocs.Identity]ocs.SubscriberID, error) {
	var kinds, values array
	for _, name := range names {
		kinds.integer(int64(name.Kind))
		values.string(name.Value)
	}
	return tx.restingOf(ctx, kinds, values, at)
}

// giveUp takes a name from a subscriber, and lets it rest.
func (tx *Tx) giveUp(ctx context.Context, id ocs.SubscriberID, name ocs.Identity, at, freeAt time.Time) error {
	if _, err := tx.run(ctx, dropIdentity, name.Value, int64(name.Kind), id.Slot(), string(id)); err != nil {
		return err
	}
	return tx.letRest(ctx, id, name, at, freeAt)
}

func (tx *Tx) letRest(ctx context.Context, id ocs.SubscriberID, name ocs.Identity, at, freeAt time.Time) error {
	_, err := tx.run(ctx, rest, name.Value, int64(name.Kind), string(id), stored(at), stored(freeAt))
	return err
}

// identities returns the names that lead to a subscriber. Table identity has no index by subscriber: they are told from its
// row, which also keeps those of one that was closed, and which may be another's meanwhile.
func (tx *Tx) identities(ctx context.Context, id ocs.SubscriberID) ([]ocs.Identity, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var row struct {
		MSISDN  string `db:"msisdn"`
		IMSI    string `db:"imsi"`
		SIPURI  string `db:"sip_uri"`
		NAI     string `db:"nai"`
		Private string `db:"private_id"`
	}
	if err := tx.tx.GetContext(ctx, &row, namesOf, id.Slot(), string(id)); err != nil {
		return nil, fmt.Errorf("identities of a subscriber: %w", err)
	}
	var kinds, values array
	var all []ocs.Identity
	for kind, value := range []string{ocs.E164: row.MSISDN, ocs.IMSI: row.IMSI, ocs.SIPURI: row.SIPURI, ocs.NAI: row.NAI, ocs.Private: row.Private} {
		kinds.integer(int64(kind))
		values.string(value)
		all = append(all, ocs.Identity{Kind: ocs.IdentityKind(kind), Value: value})
	}
	owners := map[ocs.Identity]ocs.SubscriberID{}
	if err := tx.owners(ctx, kinds, values, owners); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(n ocs.Identity) bool { return owners[n] != id }), nil
}

// renewIdentities gives the names of a subscriber its next version, which others have cached the last one of.
func (tx *Tx) renewIdentities(ctx context.Context, s ocs.Subscriber) error {
	names, err := tx.identities(ctx, s.ID)
	if err != nil {
		return err
	}
	var kinds, values array
	for _, n := range names {
		kinds.integer(int64(n.Kind))
		values.string(n.Value)
	}
	_, err = tx.run(ctx, renewIdentity, values.value(), kinds.value(), s.IdentityVersion+1, s.ID.Slot(), string(s.ID))
	return err
}

// FormerOwner returns who had a name last that rests or rested, or ErrNotFound.
func (s *Store) FormerOwner(ctx context.Context, name ocs.Identity) (ocs.SubscriberID, error) {
	var rows []string
	if err := s.selectInto(ctx, &rows, formerOwner, name.Value, int64(name.Kind)); err != nil {
		return "", fmt.Errorf("former owner of an identity: %w", err)
	}
	if len(rows) == 0 {
		return "", ErrNotFound
	}
	return ocs.SubscriberID(rows[0]), nil
}
