package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A SessionRef names a session. A session is kept with its subscriber, so that both are in one slot.
type SessionRef struct {
	Subscriber ocs.SubscriberID
	Key        ocs.SessionKey
}

const sessionColumns = `subscriber_id, session_id, sub_session, state, origin_host, origin_state_id, started_at, due_at, document,
	conditions`

type sessionRow struct {
	Subscriber    string    `db:"subscriber_id"`
	ID            string    `db:"session_id"`
	Sub           string    `db:"sub_session"`
	State         string    `db:"state"`
	OriginHost    string    `db:"origin_host"`
	OriginStateID uint32    `db:"origin_state_id"`
	StartedAt     time.Time `db:"started_at"`
	DueAt         time.Time `db:"due_at"`
	Document      []byte    `db:"document"`
	Conditions    []byte    `db:"conditions"`
}

func (r *sessionRow) session() (ocs.Session, error) {
	d, err := decode[sessionDocument]("document", r.Document)
	if err != nil {
		return ocs.Session{}, err
	}
	s := sessionFromDocument(d)
	switch {
	case r.Conditions != nil:
		conditions, err := decode[conditionsDocument]("conditions", r.Conditions)
		if err != nil {
			return ocs.Session{}, err
		}
		s.Conditions = conditionsFromDocument(conditions)
	case d.Conditions != nil:
		s.Conditions = conditionsFromDocument(*d.Conditions)
	}
	s.Key, s.Subscriber = ocs.SessionKey{ID: r.ID, Sub: r.Sub}, ocs.SubscriberID(r.Subscriber)
	s.State, s.Origin.Host, s.Origin.StateID = ocs.SessionState(r.State), r.OriginHost, r.OriginStateID
	s.StartedAt, s.DueAt = r.StartedAt.UTC(), r.DueAt.UTC()
	return s, nil
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
	sessions := make([]ocs.Session, 0, len(refs))
	tx.loaded = make(map[SessionRef]ocs.Conditions, len(refs))
	err := tx.each(ctx, statement, arguments, func(row *sql.Rows) error {
		var r sessionRow
		err := row.Scan(&r.Subscriber, &r.ID, &r.Sub, &r.State, &r.OriginHost, &r.OriginStateID, &r.StartedAt, &r.DueAt,
			&r.Document, &r.Conditions)
		ref := SessionRef{ocs.SubscriberID(r.Subscriber), ocs.SessionKey{ID: r.ID, Sub: r.Sub}}
		if err != nil || !wanted[ref] {
			return err
		}
		session, err := r.session()
		if err != nil {
			return fmt.Errorf("session of subscriber %s: %w", r.Subscriber, err)
		}
		sessions = append(sessions, session)
		tx.loaded[ref] = session.Conditions
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load sessions: %w", err)
	}
	return sessions, nil
}

func refOf(s *ocs.Session) SessionRef { return SessionRef{s.Subscriber, s.Key} }

// insertSessions is for sessions that were not found under the lock of their subscriber, and so are not there.
const insertSessions = `
	INSERT INTO session (part, subscriber_id, session_id, sub_session, state, origin_host, origin_state_id, started_at, due_at,
		document, conditions, sweep_at, resting)
	SELECT
		unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]),
		unnest($6::text[]), unnest($7::bigint[]), unnest($8::timestamptz[]), unnest($9::timestamptz[]),
		unnest(string_to_array($10, chr(30))), unnest(string_to_array($11, chr(30))), unnest($9::timestamptz[]), false`

func (tx *Tx) insertSessions(ctx context.Context, sessions []ocs.Session) error {
	var parts, subscribers, ids, subs, states, hosts, stateIDs, started, due array
	var contents, conditions documents
	for i := range sessions {
		s := &sessions[i]
		parts.integer(int64(s.Subscriber.Slot()))
		subscribers.string(string(s.Subscriber))
		ids.string(s.Key.ID)
		subs.string(s.Key.Sub)
		states.string(string(s.State))
		hosts.string(s.Origin.Host)
		stateIDs.integer(int64(s.Origin.StateID))
		started.time(s.StartedAt)
		due.time(s.DueAt)
		contents.add(sessionToDocument(s))
		conditions.add(conditionsToDocument(s.Conditions))
	}
	_, err := tx.exec(ctx, insertSessions, parts.value(), subscribers.value(), ids.value(), subs.value(), states.value(),
		hosts.value(), stateIDs.value(), started.value(), due.value(), contents.value(), conditions.value())
	return err
}

// updateSessions leaves sweep_at and resting as they are in nearly every case, and with them the index (spec/store S15).
// A session that begins anew under its old key has another start and client. Conditions that stayed as they were are not sent
// again. For the ways in which it says "equal" see
// updateBuckets.
const updateSessions = `
	UPDATE session t SET
		state = u.state, origin_host = u.origin_host, origin_state_id = u.origin_state_id, started_at = u.started_at,
		due_at = u.due_at, document = u.document, conditions = COALESCE(u.conditions, t.conditions),
		sweep_at = LEAST(t.sweep_at, u.due_at), resting = t.resting AND u.state <> 'open'
	FROM (SELECT unnest($1::uuid[]) AS subscriber_id, unnest($2::text[]) AS session_id, unnest($3::text[]) AS sub_session,
		unnest($4::text[]) AS state, unnest($5::text[]) AS origin_host, unnest($6::bigint[]) AS origin_state_id,
		unnest($7::timestamptz[]) AS started_at, unnest($8::timestamptz[]) AS due_at,
		unnest(string_to_array($9, chr(30))) AS document, unnest(string_to_array($10, chr(30), '')) AS conditions) AS u
	WHERE t.session_id = ANY(ARRAY[u.session_id]) AND t.sub_session IS NOT DISTINCT FROM u.sub_session
	AND t.subscriber_id IS NOT DISTINCT FROM u.subscriber_id`

const updateSessionsOfSlot = updateSessions + ` AND t.part = $11::smallint`

// errForgotten is a session that the sweep deleted after it was loaded: the sweep takes no lock of a subscriber.
var errForgotten = errors.New("sessions to be updated were forgotten meanwhile")

func (tx *Tx) updateSessions(ctx context.Context, sessions []ocs.Session) error {
	var ids, subs, states, hosts, stateIDs, started, due array
	var contents, conditions documents
	subscribers := make([]ocs.SubscriberID, len(sessions))
	for i := range sessions {
		s := &sessions[i]
		subscribers[i] = s.Subscriber
		ids.string(s.Key.ID)
		subs.string(s.Key.Sub)
		states.string(string(s.State))
		hosts.string(s.Origin.Host)
		stateIDs.integer(int64(s.Origin.StateID))
		started.time(s.StartedAt)
		due.time(s.DueAt)
		contents.add(sessionToDocument(s))
		if before, known := tx.loaded[refOf(s)]; known && before.Equal(s.Conditions) {
			conditions.addNull()
		} else {
			conditions.add(conditionsToDocument(s.Conditions))
		}
	}
	statement, arguments := tx.slotted(updateSessions, updateSessionsOfSlot, subscribers, subscriberArray(subscribers),
		ids.value(), subs.value(), states.value(), hosts.value(), stateIDs.value(), started.value(), due.value(), contents.value(), conditions.value())
	count, err := tx.exec(ctx, statement, arguments...)
	if err != nil {
		return err
	}
	if count != int64(len(sessions)) {
		return fmt.Errorf("%w: %d of %d", errForgotten, int64(len(sessions))-count, len(sessions))
	}
	return nil
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
