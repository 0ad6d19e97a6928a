package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

const summonsColumns = `subscriber_id, session_id, sub_session, kind, reason, rating_group, service_id, pool, origin_host, origin_realm,
	peer, asked_at, due_at, round, sent, sent_at, end_to_end`

type summonsRow struct {
	Subscriber  string        `db:"subscriber_id"`
	ID          string        `db:"session_id"`
	Sub         string        `db:"sub_session"`
	Kind        string        `db:"kind"`
	Reason      string        `db:"reason"`
	RatingGroup sql.NullInt64 `db:"rating_group"`
	ServiceID   sql.NullInt64 `db:"service_id"`
	Pool        sql.NullInt64 `db:"pool"`
	OriginHost  string        `db:"origin_host"`
	OriginRealm string        `db:"origin_realm"`
	Peer        string        `db:"peer"`
	AskedAt     time.Time     `db:"asked_at"`
	DueAt       time.Time     `db:"due_at"`
	Round       int           `db:"round"`
	Sent        int           `db:"sent"`
	SentAt      sql.NullTime  `db:"sent_at"`
	EndToEnd    uint32        `db:"end_to_end"`
}

func (r summonsRow) summons() ocs.Summons {
	return ocs.Summons{
		Session: ocs.SessionKey{ID: r.ID, Sub: r.Sub}, Subscriber: ocs.SubscriberID(r.Subscriber), Kind: ocs.SummonsKind(r.Kind),
		Reason: ocs.SummonsReason(r.Reason), Part: ocs.Part{RatingGroup: number32(r.RatingGroup), ServiceID: number32(r.ServiceID), Pool: number32(r.Pool)},
		Origin:  ocs.Origin{Host: r.OriginHost, Realm: r.OriginRealm, Peer: r.Peer},
		AskedAt: r.AskedAt.UTC(), DueAt: r.DueAt.UTC(), Round: r.Round, Sent: r.Sent, SentAt: instant(r.SentAt), EndToEnd: r.EndToEnd,
	}
}

func number32(n sql.NullInt64) *uint32 {
	if !n.Valid {
		return nil
	}
	return new(uint32(n.Int64)) //nolint:gosec // G115: was an Unsigned32 when it was written
}

// A second wish is heard when the first is over. It may be about another part of the session: then it is about all of it.
const insertSummonses = `
	INSERT INTO summons AS t (part, subscriber_id, session_id, sub_session, kind, reason, rating_group, service_id, pool,
		origin_host, origin_realm, peer, asked_at, due_at, round, sent, sent_at, end_to_end)
	SELECT u.*, 0, 0, NULL, 0
	FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
		$10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[])
		AS u (part, subscriber_id, session_id, sub_session, kind, reason, rating_group, service_id, pool, origin_host, origin_realm,
			peer, asked_at, due_at)
	ON CONFLICT (part, subscriber_id, session_id, sub_session, kind) DO UPDATE SET
		asked_at = GREATEST(t.asked_at, excluded.asked_at), reason = excluded.reason,
		rating_group = CASE WHEN t.rating_group = excluded.rating_group THEN t.rating_group END,
		service_id = CASE WHEN t.service_id = excluded.service_id THEN t.service_id END,
		pool = CASE WHEN t.pool = excluded.pool THEN t.pool END`

// AddSummonses stores summonses, to be sent by whichever server can. After the transaction [Store.Summoned] tells of them.
func (tx *Tx) AddSummonses(ctx context.Context, all []ocs.Summons) error {
	if len(all) == 0 {
		return nil
	}
	var parts, subscribers, ids, subs, kinds, reasons, groups, services, pools, hosts, realms, peers, asked, due array
	for i := range all {
		s := &all[i]
		parts.integer(int64(s.Subscriber.Slot()))
		subscribers.string(string(s.Subscriber))
		ids.string(s.Session.ID)
		subs.string(s.Session.Sub)
		kinds.string(string(s.Kind))
		reasons.string(string(s.Reason))
		groups.integerOrNull(s.Part.RatingGroup)
		services.integerOrNull(s.Part.ServiceID)
		pools.integerOrNull(s.Part.Pool)
		hosts.string(strings.ToLower(s.Origin.Host))
		realms.string(strings.ToLower(s.Origin.Realm))
		peers.string(strings.ToLower(s.Origin.Peer))
		asked.time(s.AskedAt)
		due.time(s.DueAt)
	}
	_, err := tx.run(ctx, insertSummonses, parts.value(), subscribers.value(), ids.value(), subs.value(), kinds.value(), reasons.value(),
		groups.value(), services.value(), pools.value(), hosts.value(), realms.value(), peers.value(), asked.value(), due.value())
	if err != nil {
		return fmt.Errorf("add %d summonses: %w", len(all), err)
	}
	tx.summoned = true
	return nil
}

// For the ways in which it says "equal" see updateBuckets.
const openSessions = `
	SELECT ` + sessionColumns + `
	FROM unnest($1::smallint[], $2::uuid[]) AS u (slot, owner)
	JOIN session ON part = ANY(ARRAY[slot]) AND subscriber_id = ANY(ARRAY[owner]) AND state = 'open'`

// OpenSessions returns the open sessions of locked subscribers.
func (tx *Tx) OpenSessions(ctx context.Context, ids []ocs.SubscriberID) ([]ocs.Session, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var parts, subscribers array
	for _, id := range ids {
		parts.integer(int64(id.Slot()))
		subscribers.string(string(id))
	}
	var rows []sessionRow
	if err := tx.selectInto(ctx, &rows, openSessions, parts.value(), subscribers.value()); err != nil {
		return nil, fmt.Errorf("open sessions: %w", err)
	}
	return sessionsOf(rows)
}

// SummonAll summons the clients of all open sessions of a locked subscriber.
func (tx *Tx) SummonAll(ctx context.Context, id ocs.SubscriberID, kind ocs.SummonsKind, why ocs.SummonsReason, now time.Time) error {
	open, err := tx.OpenSessions(ctx, []ocs.SubscriberID{id})
	if err != nil {
		return err
	}
	var all []ocs.Summons
	for i := range open {
		all = append(all, open[i].Summon(kind, why, ocs.Part{}, now))
	}
	return tx.AddSummonses(ctx, all)
}

// lift summons the clients of sessions that wait for units, when postings bring some (RFC 8506 §5.6.4). It is a part of Save,
// so that no way to bring units forgets it.
func (tx *Tx) lift(ctx context.Context, postings []ocs.Posting) error {
	if tx.fresh {
		return nil
	}
	var gainers []ocs.SubscriberID
	var at time.Time
	for _, p := range postings {
		if p.Units > 0 && p.Bucket != "" && p.Kind != ocs.RefundPosting {
			gainers, at = append(gainers, p.Subscriber), p.At
		}
	}
	slices.Sort(gainers)
	open, err := tx.OpenSessions(ctx, slices.Compact(gainers))
	if err != nil {
		return err
	}
	var all []ocs.Summons
	for i := range open {
		if open[i].Awaits() {
			all = append(all, open[i].Summon(ocs.Reauthorise, ocs.UnitsCame, ocs.Part{}, at))
		}
	}
	return tx.AddSummonses(ctx, all)
}

const claimSummonses = `
	SELECT ` + summonsColumns + ` FROM summons
	WHERE due_at <= $1 AND (origin_host = ANY($2::text[]) OR peer = ANY($2::text[]) OR due_at <= $4 AND origin_realm = ANY($3::text[]))
	ORDER BY due_at LIMIT $5 FOR UPDATE SKIP LOCKED`

// ClaimSummonses locks up to limit summonses that are due at now and whose client is one of hosts, or behind one of them, or, when
// nobody nearer has taken them until agents, in one of realms. What somebody else has is passed over.
func (tx *Tx) ClaimSummonses(ctx context.Context, hosts, realms []string, now, agents time.Time, limit int) ([]ocs.Summons, error) {
	var hostArray, realmArray array
	for _, h := range hosts {
		hostArray.string(strings.ToLower(h))
	}
	for _, r := range realms {
		realmArray.string(strings.ToLower(r))
	}
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows []summonsRow
	if err := tx.tx.SelectContext(ctx, &rows, claimSummonses, stored(now), hostArray.value(), realmArray.value(), stored(agents), limit); err != nil {
		return nil, fmt.Errorf("claim summonses: %w", err)
	}
	return each(rows, summonsRow.summons), nil
}

const lockSummons = `
	SELECT ` + summonsColumns + ` FROM summons
	WHERE part = $1 AND subscriber_id = $2 AND session_id = $3 AND sub_session = $4 AND kind = $5 FOR UPDATE`

// LockSummons returns a summons as it is now, or ErrNotFound when it is over.
func (tx *Tx) LockSummons(ctx context.Context, s ocs.Summons) (ocs.Summons, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows []summonsRow
	err := tx.tx.SelectContext(ctx, &rows, lockSummons, s.Subscriber.Slot(), string(s.Subscriber), s.Session.ID, s.Session.Sub, string(s.Kind))
	if err != nil {
		return ocs.Summons{}, fmt.Errorf("lock summons: %w", err)
	}
	if len(rows) == 0 {
		return ocs.Summons{}, fmt.Errorf("lock summons: %w", ErrNotFound)
	}
	return rows[0].summons(), nil
}

const (
	saveSummons = `
		UPDATE summons SET due_at = $6, round = $7, sent = $8, sent_at = $9, end_to_end = $10, peer = $11
		WHERE part = $1 AND subscriber_id = $2 AND session_id = $3 AND sub_session = $4 AND kind = $5`
	deleteSummons = `
		DELETE FROM summons WHERE part = $1 AND subscriber_id = $2 AND session_id = $3 AND sub_session = $4 AND kind = $5`
	forgetSummonses = `DELETE FROM summons WHERE asked_at < $1`
)

// SaveSummons stores how far a locked summons has come.
func (tx *Tx) SaveSummons(ctx context.Context, s ocs.Summons) error {
	_, err := tx.run(ctx, saveSummons, s.Subscriber.Slot(), string(s.Subscriber), s.Session.ID, s.Session.Sub, string(s.Kind),
		stored(s.DueAt), s.Round, s.Sent, optional(s.SentAt), int64(s.EndToEnd), strings.ToLower(s.Origin.Peer))
	if err != nil {
		return fmt.Errorf("save summons: %w", err)
	}
	return nil
}

// DeleteSummons forgets a locked summons.
func (tx *Tx) DeleteSummons(ctx context.Context, s ocs.Summons) error {
	_, err := tx.run(ctx, deleteSummons, s.Subscriber.Slot(), string(s.Subscriber), s.Session.ID, s.Session.Sub, string(s.Kind))
	if err != nil {
		return fmt.Errorf("delete summons: %w", err)
	}
	return nil
}

// ForgetSummonses forgets those that were asked for before a time: nobody could deliver them.
func (s *Store) ForgetSummonses(ctx context.Context, before time.Time) error {
	err := s.InTx(ctx, func(tx *Tx) error {
		_, err := tx.run(ctx, forgetSummonses, stored(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget summonses: %w", err)
	}
	return nil
}

const summonsesOf = `
	SELECT ` + summonsColumns + ` FROM summons
	WHERE part = $1 AND subscriber_id = $2 AND session_id = $3 AND sub_session = $4 ORDER BY kind`

// SummonsesOf returns the summonses of a session that are under way.
func (s *Store) SummonsesOf(ctx context.Context, ref SessionRef) ([]ocs.Summons, error) {
	var rows []summonsRow
	if err := s.selectInto(ctx, &rows, summonsesOf, ref.Subscriber.Slot(), string(ref.Subscriber), ref.Key.ID, ref.Key.Sub); err != nil {
		return nil, fmt.Errorf("summonses of a session: %w", err)
	}
	return each(rows, summonsRow.summons), nil
}

// Summon summons the client of one open session by its key, with the audit entries of it, or returns ErrNotFound.
func (s *Store) Summon(
	ctx context.Context, key ocs.SessionKey, kind ocs.SummonsKind, part ocs.Part, now time.Time, entries ...AuditEntry,
) error {
	owners, err := s.Locate(ctx, []ocs.SessionKey{key})
	if err != nil {
		return err
	}
	err = s.InTx(ctx, func(tx *Tx) error {
		if owners[0] == "" {
			return ErrNotFound
		}
		if _, err := tx.LockSubscribers(ctx, owners[:1]); err != nil {
			return err
		}
		sessions, err := tx.LoadSessions(ctx, []SessionRef{{owners[0], key}})
		if err != nil {
			return err
		}
		if len(sessions) == 0 || sessions[0].State != ocs.Open {
			return ErrNotFound
		}
		if err := tx.AppendAudit(ctx, entries); err != nil {
			return err
		}
		return tx.AddSummonses(ctx, []ocs.Summons{sessions[0].Summon(kind, ocs.Ordered, part, now)})
	})
	if err != nil {
		return fmt.Errorf("summon: %w", err)
	}
	return nil
}

// Summoned receives a value after a transaction of this store has added summonses.
func (s *Store) Summoned() <-chan struct{} { return s.summoned }

// tellSummoned is called after such a transaction.
func (s *Store) tellSummoned() {
	select {
	case s.summoned <- struct{}{}:
	default: // whoever waits for it was told already
	}
}
