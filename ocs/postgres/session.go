package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A SessionRef names a session. A session is kept with its subscriber, so that both are in one slot.
type SessionRef struct {
	Subscriber ocs.SubscriberID
	Key        ocs.SessionKey
}

const sessionColumns = `subscriber_id, session_id, sub_session, state, cause, service, origin_host, origin_realm,
	origin_state_id, origin_peer, started_at, reported_at, ended_at, due_at, low_told, refunded, records, conditions, quotas,
	segments, memory`

type sessionRow struct {
	Subscriber    string       `db:"subscriber_id"`
	ID            string       `db:"session_id"`
	Sub           string       `db:"sub_session"`
	State         string       `db:"state"`
	Cause         string       `db:"cause"`
	Service       string       `db:"service"`
	OriginHost    string       `db:"origin_host"`
	OriginRealm   string       `db:"origin_realm"`
	OriginStateID uint32       `db:"origin_state_id"`
	OriginPeer    string       `db:"origin_peer"`
	StartedAt     time.Time    `db:"started_at"`
	ReportedAt    sql.NullTime `db:"reported_at"`
	EndedAt       sql.NullTime `db:"ended_at"`
	DueAt         time.Time    `db:"due_at"`
	LowTold       bool         `db:"low_told"`
	Refunded      bool         `db:"refunded"`
	Records       int          `db:"records"`
	Conditions    []byte       `db:"conditions"`
	Quotas        []byte       `db:"quotas"`
	Segments      []byte       `db:"segments"`
	Memory        []byte       `db:"memory"`
}

func (r *sessionRow) session() (s ocs.Session, err error) {
	conditions, err := decode[conditionsDocument]("conditions", r.Conditions)
	if err != nil {
		return s, err
	}
	quotas, err := decode[[]quotaDocument]("quotas", r.Quotas)
	if err != nil {
		return s, err
	}
	segments, err := decode[[]lineDocument]("segments", r.Segments)
	if err != nil {
		return s, err
	}
	memory, err := decode[memoryDocument]("memory", r.Memory)
	if err != nil {
		return s, err
	}
	return ocs.Session{
		Key: ocs.SessionKey{ID: r.ID, Sub: r.Sub}, Subscriber: ocs.SubscriberID(r.Subscriber),
		State: ocs.SessionState(r.State), Cause: ocs.EndCause(r.Cause), Service: r.Service,
		Origin:     ocs.Origin{Host: r.OriginHost, Realm: r.OriginRealm, StateID: r.OriginStateID, Peer: r.OriginPeer},
		Conditions: conditionsFromDocument(conditions), Quotas: each(quotas, quotaFromDocument),
		Segments: each(segments, lineFromDocument), Memory: memoryFromDocument(memory),
		StartedAt: r.StartedAt.UTC(), ReportedAt: instant(r.ReportedAt), EndedAt: instant(r.EndedAt), DueAt: r.DueAt.UTC(),
		LowTold: r.LowTold, Records: r.Records, Refunded: r.Refunded,
	}, nil
}

func sessionsOf(rows []sessionRow) ([]ocs.Session, error) {
	sessions := make([]ocs.Session, len(rows))
	for i := range rows {
		var err error
		if sessions[i], err = rows[i].session(); err != nil {
			return nil, fmt.Errorf("session of subscriber %s: %w", rows[i].Subscriber, err)
		}
	}
	return sessions, nil
}

// loadSessions may find sessions of other subscribers that have the same id, which are left out by the caller.
const loadSessions = `SELECT ` + sessionColumns + ` FROM session WHERE session_id = ANY($1::text[])`

const loadSessionsOfSlot = loadSessions + ` AND part = $2::smallint`

// LoadSessions returns those sessions that exist, in no order. A session changes only under the lock of its subscriber.
func (tx *Tx) LoadSessions(ctx context.Context, refs []SessionRef) ([]ocs.Session, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	var subscribers []ocs.SubscriberID
	var keys array
	wanted := make(map[SessionRef]bool, len(refs))
	for _, ref := range refs {
		if !wanted[ref] {
			wanted[ref] = true
			subscribers = append(subscribers, ref.Subscriber)
			keys.string(ref.Key.ID)
		}
	}
	statement, arguments := tx.slotted(loadSessions, loadSessionsOfSlot, subscribers, keys.value())
	var rows []sessionRow
	if err := tx.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("load sessions: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(r sessionRow) bool {
		return !wanted[SessionRef{ocs.SubscriberID(r.Subscriber), ocs.SessionKey{ID: r.ID, Sub: r.Sub}}]
	})
	return sessionsOf(rows)
}

// saveSessions inserts and updates in one: which of both, only the row can tell, because the sweep may have deleted one
// that was loaded. It is planned in one way only. sweep_at and resting stay as they are in nearly every case, and with
// them the index (spec/store S15).
const saveSessions = `
	INSERT INTO session AS t (part, subscriber_id, session_id, sub_session, state, cause, service, origin_host, origin_realm,
		origin_state_id, origin_peer, started_at, reported_at, ended_at, due_at, low_told, refunded, records, conditions, quotas,
		segments, memory, sweep_at, resting)
	SELECT u.*, u.due_at, false
	FROM unnest($1::smallint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::bigint[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
		$16::boolean[], $17::boolean[], $18::integer[], $19::json[], $20::json[], $21::json[], $22::json[])
		AS u (part, subscriber_id, session_id, sub_session, state, cause, service, origin_host, origin_realm, origin_state_id,
			origin_peer, started_at, reported_at, ended_at, due_at, low_told, refunded, records, conditions, quotas, segments, memory)
	ON CONFLICT (part, subscriber_id, session_id, sub_session) DO UPDATE SET
		state = excluded.state, cause = excluded.cause, service = excluded.service, origin_host = excluded.origin_host,
		origin_realm = excluded.origin_realm, origin_state_id = excluded.origin_state_id, origin_peer = excluded.origin_peer,
		started_at = excluded.started_at, reported_at = excluded.reported_at, ended_at = excluded.ended_at,
		due_at = excluded.due_at, low_told = excluded.low_told, refunded = excluded.refunded, records = excluded.records,
		conditions = excluded.conditions, quotas = excluded.quotas, segments = excluded.segments, memory = excluded.memory,
		sweep_at = LEAST(t.sweep_at, excluded.due_at), resting = t.resting AND excluded.state <> 'open'`

func (tx *Tx) saveSessions(ctx context.Context, sessions []ocs.Session) error {
	var parts, subscribers, ids, subs, states, causes, services, hosts, realms, stateIDs, peers array
	var started, reported, ended, due, lowTold, refunded, records, conditions, quotas, segments, memories array
	for i := range sessions {
		s := &sessions[i]
		parts.integer(int64(s.Subscriber.Slot()))
		subscribers.string(string(s.Subscriber))
		ids.string(s.Key.ID)
		subs.string(s.Key.Sub)
		states.string(string(s.State))
		causes.string(string(s.Cause))
		services.string(s.Service)
		hosts.string(s.Origin.Host)
		realms.string(s.Origin.Realm)
		stateIDs.integer(int64(s.Origin.StateID))
		peers.string(s.Origin.Peer)
		started.time(s.StartedAt)
		reported.time(s.ReportedAt)
		ended.time(s.EndedAt)
		due.time(s.DueAt)
		lowTold.boolean(s.LowTold)
		refunded.boolean(s.Refunded)
		records.integer(int64(s.Records))
		conditions.document(conditionsToDocument(s.Conditions))
		quotas.document(each(s.Quotas, quotaToDocument))
		segments.document(each(s.Segments, lineToDocument))
		memories.document(memoryToDocument(s.Memory))
	}
	_, err := tx.exec(ctx, saveSessions, parts.value(), subscribers.value(), ids.value(), subs.value(), states.value(),
		causes.value(), services.value(), hosts.value(), realms.value(), stateIDs.value(), peers.value(), started.value(),
		reported.value(), ended.value(), due.value(), lowTold.value(), refunded.value(), records.value(), conditions.value(),
		quotas.value(), segments.value(), memories.value())
	return err
}

const locate = `
	SELECT session_id, sub_session, subscriber_id FROM session
	WHERE session_id = ANY($1::text[])
	ORDER BY state = 'open', started_at`

// Locate finds the subscribers of sessions by their keys alone, in the order of keys; empty: no such session. Should two
// subscribers have a session of one key, it is the one that is open, or began last.
func (s *Store) Locate(ctx context.Context, keys []ocs.SessionKey) ([]ocs.SubscriberID, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var ids array
	for _, key := range keys {
		ids.string(key.ID)
	}
	var rows []struct {
		ID         string `db:"session_id"`
		Sub        string `db:"sub_session"`
		Subscriber string `db:"subscriber_id"`
	}
	if err := s.selectHot(ctx, &rows, locate, ids.value()); err != nil {
		return nil, fmt.Errorf("locate sessions: %w", err)
	}
	owners := make(map[ocs.SessionKey]ocs.SubscriberID, len(rows))
	for _, r := range rows {
		owners[ocs.SessionKey{ID: r.ID, Sub: r.Sub}] = ocs.SubscriberID(r.Subscriber)
	}
	return each(keys, func(key ocs.SessionKey) ocs.SubscriberID { return owners[key] }), nil
}

// Session returns a session by its key alone, or ErrNotFound.
func (s *Store) Session(ctx context.Context, key ocs.SessionKey) (ocs.Session, error) {
	owners, err := s.Locate(ctx, []ocs.SessionKey{key})
	if err != nil {
		return ocs.Session{}, err
	}
	const selectSession = `
		SELECT ` + sessionColumns + ` FROM session
		WHERE part = $1 AND subscriber_id = $2 AND session_id = $3 AND sub_session = $4`
	var rows []sessionRow
	if owners[0] != "" {
		if err := s.selectInto(ctx, &rows, selectSession, owners[0].Slot(), string(owners[0]), key.ID, key.Sub); err != nil {
			return ocs.Session{}, fmt.Errorf("session: %w", err)
		}
	}
	if len(rows) == 0 {
		return ocs.Session{}, fmt.Errorf("session: %w", ErrNotFound)
	}
	return rows[0].session()
}

// A SessionFilter selects sessions. They are listed in the order of their key, which says nothing about time.
type SessionFilter struct {
	Subscriber ocs.SubscriberID // empty: all
	State      ocs.SessionState // empty: any
	After      SessionRef       // the last one of the page before; zero: from the start
	Limit      int
}

const listSessions = `
	SELECT ` + sessionColumns + ` FROM session
	WHERE ($1::text = '' OR state = $1)
	AND ($2::smallint IS NULL OR (part, subscriber_id, session_id, sub_session) > ($2, $3::uuid, $4::text, $5::text))
	ORDER BY part, subscriber_id, session_id, sub_session LIMIT $6`

const listSessionsOfSubscriber = `
	SELECT ` + sessionColumns + ` FROM session
	WHERE ($1::text = '' OR state = $1)
	AND part = $2 AND subscriber_id = $3 AND (session_id, sub_session) > ($4, $5)
	ORDER BY session_id, sub_session LIMIT $6`

// Sessions lists sessions, one page.
func (s *Store) Sessions(ctx context.Context, f SessionFilter) ([]ocs.Session, error) {
	statement := listSessions
	arguments := []any{string(f.State), nil, nil, f.After.Key.ID, f.After.Key.Sub, f.Limit}
	switch {
	case f.Subscriber != "":
		statement = listSessionsOfSubscriber
		arguments[1], arguments[2] = f.Subscriber.Slot(), string(f.Subscriber)
	case f.After.Subscriber != "":
		arguments[1], arguments[2] = f.After.Subscriber.Slot(), string(f.After.Subscriber)
	}
	var rows []sessionRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	return sessionsOf(rows)
}
