package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

type ratedEventRow struct {
	Subscriber  string    `db:"subscriber_id"`
	RatedAt     time.Time `db:"rated_at"`
	ID          string    `db:"session_id"`
	Sub         string    `db:"sub_session"`
	Type        uint8     `db:"request_type"`
	Number      uint32    `db:"request_number"`
	Line        int       `db:"line"`
	Service     string    `db:"service"`
	RatingGroup *uint32   `db:"rating_group"`
	Tariff      string    `db:"tariff"`
	Plan        string    `db:"plan"`
	Catalog     string    `db:"catalog"`
	Measure     string    `db:"measure"`
	Used        int64     `db:"used"`
	Unit        string    `db:"unit"`
	Charged     int64     `db:"charged"`
	Overrun     int64     `db:"overrun"`
	Taken       []byte    `db:"taken"`
	Late        bool      `db:"late"`
}

func (r *ratedEventRow) ratedEvent() (ocs.RatedEvent, error) {
	taken, err := decode[holdDocuments]("taken", r.Taken)
	if err != nil {
		return ocs.RatedEvent{}, err
	}
	return ocs.RatedEvent{
		Subscriber: ocs.SubscriberID(r.Subscriber), Session: ocs.SessionKey{ID: r.ID, Sub: r.Sub},
		Type: ocs.RequestType(r.Type), Number: r.Number, Line: r.Line, At: r.RatedAt.UTC(), Service: r.Service,
		RatingGroup: r.RatingGroup, Tariff: r.Tariff, Plan: r.Plan, Catalog: r.Catalog,
		Measure: rating.Unit(r.Measure), Used: rating.Units(r.Used), Unit: rating.Unit(r.Unit),
		Charged: rating.Units(r.Charged), Overrun: rating.Units(r.Overrun), Taken: each(taken, holdFromDocument), Late: r.Late,
	}, nil
}

const insertRatedEvents = `
	INSERT INTO rated_event (part, subscriber_id, rated_at, session_id, sub_session, request_type, request_number, line,
		service, rating_group, tariff, plan, catalog, measure, used, unit, charged, overrun, taken, late)
	SELECT
		unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::timestamptz[]), unnest($4::text[]),
		unnest($5::text[]), unnest($6::smallint[]), unnest($7::bigint[]), unnest($8::integer[]), unnest($9::text[]),
		unnest($10::bigint[]), unnest($11::text[]), unnest($12::text[]), unnest($13::text[]), unnest($14::text[]),
		unnest($15::bigint[]), unnest($16::text[]), unnest($17::bigint[]), unnest($18::bigint[]),
		unnest(string_to_array($19, chr(30))), unnest($20::boolean[])`

func (tx *Tx) insertRatedEvents(ctx context.Context, events []ocs.RatedEvent) error {
	var parts, subscribers, times, ids, subs, types, numbers, lines, services, groups array
	var tariffs, plans, catalogs, measures, used, units, charged, overruns, late array
	var taken documents
	for i := range events {
		e := &events[i]
		parts.integer(int64(e.Subscriber.Slot()))
		subscribers.string(string(e.Subscriber))
		times.time(e.At)
		ids.string(e.Session.ID)
		subs.string(e.Session.Sub)
		types.integer(int64(e.Type))
		numbers.integer(int64(e.Number))
		lines.integer(int64(e.Line))
		services.string(e.Service)
		groups.integerOrNull(e.RatingGroup)
		tariffs.string(e.Tariff)
		plans.string(e.Plan)
		catalogs.string(e.Catalog)
		measures.string(string(e.Measure))
		used.integer(int64(e.Used))
		units.string(string(e.Unit))
		charged.integer(int64(e.Charged))
		overruns.integer(int64(e.Overrun))
		taken.add(holdDocuments(each(e.Taken, holdToDocument)))
		late.boolean(e.Late)
	}
	_, err := tx.exec(ctx, insertRatedEvents, parts.value(), subscribers.value(), times.value(), ids.value(), subs.value(),
		types.value(), numbers.value(), lines.value(), services.value(), groups.value(), tariffs.value(), plans.value(),
		catalogs.value(), measures.value(), used.value(), units.value(), charged.value(), overruns.value(), taken.value(),
		late.value())
	return err
}

// A RatedEventFilter selects rated events.
type RatedEventFilter struct {
	Subscriber ocs.SubscriberID // empty: all
	Session    ocs.SessionKey   // zero: all
	From, To   time.Time        // From <= At < To; zero: open
	After      Cursor           // of the last one of the page before; empty: from the start
	Limit      int
}

// ratedEventPlace is the key of a rated event, by which they are listed.
type ratedEventPlace struct {
	At         time.Time        `json:"t"`
	Subscriber ocs.SubscriberID `json:"o"`
	ID         string           `json:"i"`
	Sub        string           `json:"s"`
	Type       ocs.RequestType  `json:"k"`
	Number     uint32           `json:"n"`
	Line       int              `json:"l"`
}

// RatedEventCursor returns the place of an event in the list of all.
func RatedEventCursor(e ocs.RatedEvent) Cursor {
	return makeCursor(ratedEventPlace{stored(e.At), e.Subscriber, e.Session.ID, e.Session.Sub, e.Type, e.Number, e.Line})
}

const listRatedEvents = `
	SELECT subscriber_id, rated_at, session_id, sub_session, request_type, request_number, line, service, rating_group, tariff,
		plan, catalog, measure, used, unit, charged, overrun, taken, late
	FROM rated_event
	WHERE `

// RatedEvents lists rated events in the order of time, one page.
func (s *Store) RatedEvents(ctx context.Context, f RatedEventFilter) ([]ocs.RatedEvent, error) {
	if f.Subscriber == "" && f.Session != (ocs.SessionKey{}) { // its key begins with the subscriber
		owners, err := s.Locate(ctx, []ocs.SessionKey{f.Session})
		if err != nil {
			return nil, err
		}
		f.Subscriber = owners[0]
	}
	var where clauses
	where.subscriber(f.Subscriber)
	where.period("rated_at", f.From, f.To)
	if f.Session != (ocs.SessionKey{}) {
		where.add("session_id = ? AND sub_session = ?", f.Session.ID, f.Session.Sub)
	}
	if f.After != "" {
		after, err := readCursor[ratedEventPlace](f.After)
		if err != nil {
			return nil, err
		}
		where.add("(rated_at, part, subscriber_id, session_id, sub_session, request_type, request_number, line) > "+
			"(?, ?, ?::uuid, ?, ?, ?, ?, ?)", after.At, after.Subscriber.Slot(), string(after.Subscriber), after.ID, after.Sub,
			int64(after.Type), int64(after.Number), after.Line)
	}
	statement, arguments := where.finish(listRatedEvents,
		"rated_at, part, subscriber_id, session_id, sub_session, request_type, request_number, line", f.Limit)
	var rows []ratedEventRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list rated events: %w", err)
	}
	events := make([]ocs.RatedEvent, len(rows))
	for i := range rows {
		var err error
		if events[i], err = rows[i].ratedEvent(); err != nil {
			return nil, fmt.Errorf("list rated events: %w", err)
		}
	}
	return events, nil
}
