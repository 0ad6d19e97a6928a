package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A Profile is what transfers want to know of a subscriber beyond charging. SIMChangedAt and PINChangedAt are not set with
// it: the one follows from the cards that are seen, the other from the PIN.
type Profile struct {
	transfer.Profile
	Subscriber ocs.SubscriberID
	Blocks     []ocs.SubscriberID // from whom it takes nothing
	IMSI       string             // that was used last; empty: not seen yet
}

type profileDocument struct {
	Name            string          `json:"name,omitzero"`
	Language        string          `json:"language,omitzero"`
	PlanFamily      string          `json:"family,omitzero"`
	Postpaid        bool            `json:"postpaid,omitzero"`
	Roaming         bool            `json:"roaming,omitzero"`
	SharedAccount   string          `json:"shared,omitzero"`
	Advance         bool            `json:"advance,omitzero"`
	OnNetSince      time.Time       `json:"on_net_since,omitzero"`
	RechargedAt     time.Time       `json:"recharged_at,omitzero"`
	SIMChangedAt    time.Time       `json:"sim_changed_at,omitzero"`
	PortedAt        time.Time       `json:"ported_at,omitzero"`
	DeviceChangedAt time.Time       `json:"device_changed_at,omitzero"`
	Freeze          transfer.Freeze `json:"freeze,omitzero"`
	FrozenUntil     time.Time       `json:"frozen_until,omitzero"`
}

type profileRow struct {
	Subscriber   string         `db:"subscriber_id"`
	Document     []byte         `db:"document"`
	Blocks       pq.StringArray `db:"blocks"`
	IMSI         string         `db:"imsi"`
	SIMChangedAt sql.NullTime   `db:"sim_changed_at"`
	PINChangedAt sql.NullTime   `db:"pin_changed_at"`
}

func (r profileRow) profile() (Profile, error) {
	d, err := readJSON[profileDocument]("party.document", r.Document)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{
		Profile: transfer.Profile{
			Name: d.Name, Language: d.Language, PlanFamily: d.PlanFamily, Postpaid: d.Postpaid, Roaming: d.Roaming,
			SharedAccount: d.SharedAccount, Advance: d.Advance, OnNetSince: d.OnNetSince, RechargedAt: d.RechargedAt,
			SIMChangedAt: d.SIMChangedAt, PortedAt: d.PortedAt, PINChangedAt: instant(r.PINChangedAt),
			DeviceChangedAt: d.DeviceChangedAt, Freeze: d.Freeze, FrozenUntil: d.FrozenUntil,
		},
		Subscriber: ocs.SubscriberID(r.Subscriber), IMSI: r.IMSI,
		Blocks: each(r.Blocks, func(id string) ocs.SubscriberID { return ocs.SubscriberID(id) }),
	}
	if seen := instant(r.SIMChangedAt); seen.After(p.SIMChangedAt) {
		p.SIMChangedAt = seen
	}
	return p, nil
}

func profiles(rows []profileRow) ([]Profile, error) {
	found := make([]Profile, len(rows))
	for i, r := range rows {
		var err error
		if found[i], err = r.profile(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

const (
	loadProfiles = `
		SELECT subscriber_id, document, blocks, imsi, sim_changed_at, pin_changed_at FROM party
		WHERE subscriber_id = ANY($1::uuid[])`

	// newParty is the row of a subscriber of whom nothing is known.
	newParty = `
		INSERT INTO party (part, subscriber_id, document, blocks, imsi, pin_hash, pin_must_change, pin_tries, pin_locks, pin_resets)
		VALUES ($1, $2, '{}', '{}', '', '', false, 0, 0, 0)
		ON CONFLICT (part, subscriber_id) DO NOTHING`

	updateProfile = `UPDATE party SET document = $3 WHERE part = $1 AND subscriber_id = $2`

	block = `
		UPDATE party SET blocks = array_append(blocks, $3::uuid)
		WHERE part = $1 AND subscriber_id = $2 AND NOT ($3::uuid = ANY(blocks)) AND cardinality(blocks) < $4`
	unblock = `UPDATE party SET blocks = array_remove(blocks, $3::uuid) WHERE part = $1 AND subscriber_id = $2`

	seeCards = `
		INSERT INTO party (part, subscriber_id, document, blocks, imsi, sim_changed_at, pin_hash, pin_must_change, pin_tries,
			pin_locks, pin_resets)
		SELECT u.part, u.subscriber_id, '{}', '{}', u.imsi, u.changed_at, '', false, 0, 0, 0
		FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::timestamptz[]) AS u (part, subscriber_id, imsi, changed_at)
		ON CONFLICT (part, subscriber_id) DO UPDATE SET imsi = excluded.imsi,
			sim_changed_at = COALESCE(excluded.sim_changed_at, party.sim_changed_at)`
)

// Profile returns what is known of a subscriber; of one of whom nothing is known, nothing.
func (s *Store) Profile(ctx context.Context, id ocs.SubscriberID) (Profile, error) {
	var rows []profileRow
	err := s.selectHot(ctx, &rows, loadProfiles, subscriberArray([]ocs.SubscriberID{id}))
	var found []Profile
	if err == nil {
		found, err = profiles(rows)
	}
	if err != nil {
		return Profile{}, fmt.Errorf("profile of subscriber %s: %w", id, err)
	}
	if len(found) == 0 {
		return Profile{Subscriber: id}, nil
	}
	return found[0], nil
}

// SetProfile replaces the profile of a subscriber. It waits for a decision about that subscriber that is being made.
func (s *Store) SetProfile(ctx context.Context, id ocs.SubscriberID, p transfer.Profile) error {
	document := encode(profileDocument{
		Name: p.Name, Language: p.Language, PlanFamily: p.PlanFamily, Postpaid: p.Postpaid, Roaming: p.Roaming,
		SharedAccount: p.SharedAccount, Advance: p.Advance, OnNetSince: p.OnNetSince, RechargedAt: p.RechargedAt,
		SIMChangedAt: p.SIMChangedAt, PortedAt: p.PortedAt, DeviceChangedAt: p.DeviceChangedAt,
		Freeze: p.Freeze, FrozenUntil: p.FrozenUntil,
	})
	err := s.withParty(ctx, id, func(tx *Tx) error {
		_, err := tx.run(ctx, updateProfile, id.Slot(), string(id), string(document))
		return err
	})
	if err != nil {
		return fmt.Errorf("set profile of subscriber %s: %w", id, err)
	}
	return nil
}

// mostBlocks bounds a block list.
const mostBlocks = 200

// Block makes a subscriber take nothing from another, as far as there is room for one more.
func (s *Store) Block(ctx context.Context, id, other ocs.SubscriberID) error {
	err := s.withParty(ctx, id, func(tx *Tx) error {
		_, err := tx.run(ctx, block, id.Slot(), string(id), string(other), mostBlocks)
		return err
	})
	if err != nil {
		return fmt.Errorf("block for subscriber %s: %w", id, err)
	}
	return nil
}

// Unblock undoes Block.
func (s *Store) Unblock(ctx context.Context, id, other ocs.SubscriberID) error {
	err := s.withParty(ctx, id, func(tx *Tx) error {
		_, err := tx.run(ctx, unblock, id.Slot(), string(id), string(other))
		return err
	})
	if err != nil {
		return fmt.Errorf("unblock for subscriber %s: %w", id, err)
	}
	return nil
}

// withParty calls fn with the subscriber locked and its row of party made.
func (s *Store) withParty(ctx context.Context, id ocs.SubscriberID, fn func(*Tx) error) error {
	return s.InTx(ctx, func(tx *Tx) error {
		locked, err := tx.LockSubscribers(ctx, []ocs.SubscriberID{id})
		if err != nil {
			return err
		}
		if len(locked) == 0 {
			return ErrNotFound
		}
		if _, err := tx.run(ctx, newParty, id.Slot(), string(id)); err != nil {
			return err
		}
		return fn(tx)
	})
}

// LoadProfiles returns the profiles of locked subscribers; those of whom nothing is known are left out.
func (tx *Tx) LoadProfiles(ctx context.Context, ids []ocs.SubscriberID) ([]Profile, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []profileRow
	if err := tx.selectInto(ctx, &rows, loadProfiles, subscriberArray(ids)); err != nil {
		return nil, fmt.Errorf("load profiles: %w", err)
	}
	return profiles(rows)
}

// A Card is an IMSI that a locked subscriber was seen with.
type Card struct {
	Subscriber ocs.SubscriberID
	IMSI       string
	ChangedAt  time.Time // zero: it is the first that was seen
}

func (tx *Tx) seeCards(ctx context.Context, cards []Card) error {
	var parts, ids, imsis, times array
	for _, c := range cards {
		parts.integer(int64(c.Subscriber.Slot()))
		ids.string(string(c.Subscriber))
		imsis.string(c.IMSI)
		times.time(c.ChangedAt)
	}
	_, err := tx.run(ctx, seeCards, parts.value(), ids.value(), imsis.value(), times.value())
	return err
}
