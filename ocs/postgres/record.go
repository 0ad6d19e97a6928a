package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

const recordColumns = `subscriber_id, ended_at, session_id, sub_session, number, msisdn, cause, service, origin_host,
	origin_realm, origin_state_id, origin_peer, other_party, started_at, termination_cause, conditions, lines, missing_numbers`

type recordRow struct {
	Subscriber       string    `db:"subscriber_id"`
	EndedAt          time.Time `db:"ended_at"`
	ID               string    `db:"session_id"`
	Sub              string    `db:"sub_session"`
	Number           int       `db:"number"`
	MSISDN           string    `db:"msisdn"`
	Cause            string    `db:"cause"`
	Service          string    `db:"service"`
	OriginHost       string    `db:"origin_host"`
	OriginRealm      string    `db:"origin_realm"`
	OriginStateID    uint32    `db:"origin_state_id"`
	OriginPeer       string    `db:"origin_peer"`
	OtherParty       string    `db:"other_party"`
	StartedAt        time.Time `db:"started_at"`
	TerminationCause *uint32   `db:"termination_cause"`
	Conditions       []byte    `db:"conditions"`
	Lines            []byte    `db:"lines"`
	MissingNumbers   []byte    `db:"missing_numbers"`
}

// fields are where a row of recordColumns goes.
func (r *recordRow) fields() []any {
	return []any{
		&r.Subscriber, &r.EndedAt, &r.ID, &r.Sub, &r.Number, &r.MSISDN, &r.Cause, &r.Service, &r.OriginHost, &r.OriginRealm,
		&r.OriginStateID, &r.OriginPeer, &r.OtherParty, &r.StartedAt, &r.TerminationCause, &r.Conditions, &r.Lines, &r.MissingNumbers,
	}
}

func (r *recordRow) record() (record ocs.Record, err error) {
	conditions, err := decode[conditionsDocument]("conditions", r.Conditions)
	if err != nil {
		return record, err
	}
	lines, err := decode[lineDocuments]("lines", r.Lines)
	if err != nil {
		return record, err
	}
	missing, err := decode[numberDocuments]("missing_numbers", r.MissingNumbers)
	if err != nil {
		return record, err
	}
	return ocs.Record{
		Subscriber: ocs.SubscriberID(r.Subscriber), MSISDN: r.MSISDN, Session: ocs.SessionKey{ID: r.ID, Sub: r.Sub},
		Number: r.Number, Cause: ocs.EndCause(r.Cause), Service: r.Service,
		Origin:     ocs.Origin{Host: r.OriginHost, Realm: r.OriginRealm, StateID: r.OriginStateID, Peer: r.OriginPeer},
		Conditions: conditionsFromDocument(conditions), OtherParty: r.OtherParty, StartedAt: r.StartedAt.UTC(),
		EndedAt: r.EndedAt.UTC(), TerminationCause: r.TerminationCause, Lines: each(lines, lineFromDocument),
		MissingNumbers: missing, IMSI: conditions.IMSI, Verdict: conditions.Verdict,
	}, nil
}

const insertRecords = `
	INSERT INTO cdr (part, subscriber_id, ended_at, session_id, sub_session, number, msisdn, cause, service, origin_host,
		origin_realm, origin_state_id, origin_peer, other_party, started_at, termination_cause, conditions, lines,
		missing_numbers)
	SELECT
		unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::timestamptz[]), unnest($4::text[]),
		unnest($5::text[]), unnest($6::integer[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]),
		unnest($10::text[]), unnest($11::text[]), unnest($12::bigint[]), unnest($13::text[]), unnest($14::text[]),
		unnest($15::timestamptz[]), unnest($16::bigint[]), unnest(string_to_array($17, chr(30))::json[]),
		unnest(string_to_array($18, chr(30))::json[]), unnest(string_to_array($19, chr(30))::json[])`

func (tx *Tx) insertRecords(ctx context.Context, records []ocs.Record) error {
	var parts, subscribers, ended, ids, subs, numbers, msisdns, causes, services, hosts, realms, stateIDs, peers array
	var others, started, terminations array
	var conditions, lines, missing documents
	for i := range records {
		r := &records[i]
		parts.integer(int64(r.Subscriber.Slot()))
		subscribers.string(string(r.Subscriber))
		ended.time(r.EndedAt)
		ids.string(r.Session.ID)
		subs.string(r.Session.Sub)
		numbers.integer(int64(r.Number))
		msisdns.string(r.MSISDN)
		causes.string(string(r.Cause))
		services.string(r.Service)
		hosts.string(r.Origin.Host)
		realms.string(r.Origin.Realm)
		stateIDs.integer(int64(r.Origin.StateID))
		peers.string(r.Origin.Peer)
		others.string(r.OtherParty)
		started.time(r.StartedAt)
		terminations.integerOrNull(r.TerminationCause)
		told := conditionsToDocument(r.Conditions)
		told.IMSI, told.Verdict = r.IMSI, r.Verdict
		conditions.add(told)
		lines.add(lineDocuments(each(r.Lines, lineToDocument)))
		missing.add(numberDocuments(r.MissingNumbers))
	}
	_, err := tx.exec(ctx, insertRecords, parts.value(), subscribers.value(), ended.value(), ids.value(), subs.value(),
		numbers.value(), msisdns.value(), causes.value(), services.value(), hosts.value(), realms.value(), stateIDs.value(),
		peers.value(), others.value(), started.value(), terminations.value(), conditions.value(), lines.value(), missing.value())
	return err
}

// A RecordFilter selects CDRs.
type RecordFilter struct {
	Subscriber ocs.SubscriberID // empty: all
	Session    ocs.SessionKey   // zero: all; with Subscriber, or every record is looked at
	From, To   time.Time        // From <= EndedAt < To; zero: open
	After      Cursor           // of the last one of the page before; empty: from the start
	Limit      int
}

// recordPlace is the key of a record, by which they are listed.
type recordPlace struct {
	EndedAt    time.Time        `json:"t"`
	Subscriber ocs.SubscriberID `json:"o"`
	ID         string           `json:"i"`
	Sub        string           `json:"s"`
	Number     int              `json:"n"`
}

// RecordCursor returns the place of a record in the list of all.
func RecordCursor(r ocs.Record) Cursor {
	return makeCursor(recordPlace{stored(r.EndedAt), r.Subscriber, r.Session.ID, r.Session.Sub, r.Number})
}

// Records lists CDRs in the order of the ends of their calls, one page.
func (s *Store) Records(ctx context.Context, f RecordFilter) ([]ocs.Record, error) {
	var where clauses
	where.subscriber(f.Subscriber)
	where.period("ended_at", f.From, f.To)
	if f.Session != (ocs.SessionKey{}) {
		where.add("session_id = ? AND sub_session = ?", f.Session.ID, f.Session.Sub)
	}
	if f.After != "" {
		after, err := readCursor[recordPlace](f.After)
		if err != nil {
			return nil, err
		}
		where.add("(ended_at, part, subscriber_id, session_id, sub_session, number) > (?, ?, ?::uuid, ?, ?, ?)",
			after.EndedAt, after.Subscriber.Slot(), string(after.Subscriber), after.ID, after.Sub, after.Number)
	}
	statement, arguments := where.finish(`SELECT `+recordColumns+` FROM cdr WHERE `,
		"ended_at, part, subscriber_id, session_id, sub_session, number", f.Limit)
	var rows []recordRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	records := make([]ocs.Record, len(rows))
	for i := range rows {
		var err error
		if records[i], err = rows[i].record(); err != nil {
			return nil, fmt.Errorf("list records: %w", err)
		}
	}
	return records, nil
}
