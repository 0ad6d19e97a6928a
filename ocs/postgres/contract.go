package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/lifecycle"
	"github.com/gyro-ocs/gyro/rating"
)

// contractDocument is what no statement asks for. A key keeps its meaning for ever.
type contractDocument struct {
	Next       string         `json:"next,omitzero"`
	Cancelled  bool           `json:"cancelled,omitzero"`
	Months     int            `json:"months,omitzero"`
	Days       int            `json:"days,omitzero"`
	Anchor     time.Time      `json:"anchor,omitzero"`
	Boundary   int            `json:"boundary,omitzero"`
	StartsAt   time.Time      `json:"starts,omitzero"`
	GraceUntil time.Time      `json:"grace,omitzero"`
	Lots       []termDocument `json:"lots,omitempty"`
	Paid       rating.Units   `json:"paid,omitzero"`
	PaidUnit   rating.Unit    `json:"paid_unit,omitzero"`
	EndTold    bool           `json:"end_told,omitzero"`
	CreatedAt  time.Time      `json:"created"`
}

// termDocument is a lot of a running period.
type termDocument struct {
	Bucket ocs.BucketID `json:"b"`
	Unit   rating.Unit  `json:"unit"`
	Class  string       `json:"class"`
	Units  rating.Units `json:"n"`
	Rolled bool         `json:"rolled,omitzero"`
	Told   rating.Units `json:"told,omitzero"`
}

type contractRow struct {
	Subscriber string       `db:"subscriber_id"`
	ID         string       `db:"id"`
	Plan       string       `db:"plan"`
	State      string       `db:"state"`
	Period     int          `db:"period"`
	EndsAt     sql.NullTime `db:"ends_at"`
	DueAt      sql.NullTime `db:"due_at"`
	Document   []byte       `db:"document"`
}

func (r contractRow) contract() (lifecycle.Contract, error) {
	d, err := readJSON[contractDocument]("contract.document", r.Document)
	return lifecycle.Contract{
		ID: r.ID, Subscriber: ocs.SubscriberID(r.Subscriber), Plan: r.Plan, State: lifecycle.State(r.State), Period: r.Period,
		EndsAt: instant(r.EndsAt), DueAt: instant(r.DueAt),
		Next: d.Next, Cancelled: d.Cancelled, Length: lifecycle.Period{Months: d.Months, Days: d.Days}, Anchor: d.Anchor,
		Boundary: d.Boundary, StartsAt: d.StartsAt, GraceUntil: d.GraceUntil, Paid: d.Paid, PaidUnit: d.PaidUnit, EndTold: d.EndTold,
		CreatedAt: d.CreatedAt, Lots: each(d.Lots, func(l termDocument) lifecycle.Lot { return lifecycle.Lot(l) }),
	}, err
}

func contractToDocument(c *lifecycle.Contract) contractDocument {
	return contractDocument{
		Next: c.Next, Cancelled: c.Cancelled, Months: c.Length.Months, Days: c.Length.Days, Anchor: c.Anchor, Boundary: c.Boundary,
		StartsAt: c.StartsAt, GraceUntil: c.GraceUntil, Paid: c.Paid, PaidUnit: c.PaidUnit, EndTold: c.EndTold, CreatedAt: c.CreatedAt,
		Lots: each(c.Lots, func(l lifecycle.Lot) termDocument { return termDocument(l) }),
	}
}

const (
	contractColumns = `subscriber_id, id, plan, state, period, ends_at, due_at, document`

	loadContracts = `SELECT ` + contractColumns + ` FROM contract WHERE subscriber_id = ANY($1::uuid[])`

	saveContracts = `
		INSERT INTO contract (part, subscriber_id, id, plan, state, period, ends_at, due_at, document)
		SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::uuid[]), unnest($4::text[]), unnest($5::text[]),
			unnest($6::integer[]), unnest($7::timestamptz[]), unnest($8::timestamptz[]), unnest($9::json[])
		ON CONFLICT (part, subscriber_id) DO UPDATE SET id = excluded.id, plan = excluded.plan, state = excluded.state,
			period = excluded.period, ends_at = excluded.ends_at, due_at = excluded.due_at, document = excluded.document`

	wakeContracts = `
		UPDATE contract SET due_at = $2
		WHERE subscriber_id = ANY($1::uuid[]) AND state <> 'ended' AND (due_at IS NULL OR due_at > $2)`
)

func (tx *Tx) saveContracts(ctx context.Context, contracts []*lifecycle.Contract) error {
	var parts, subscribers, ids, plans, states, periods, ends, due, documents array
	for _, c := range contracts {
		parts.integer(int64(c.Subscriber.Slot()))
		subscribers.string(string(c.Subscriber))
		ids.string(c.ID)
		plans.string(c.Plan)
		states.string(string(c.State))
		periods.integer(int64(c.Period))
		ends.time(c.EndsAt)
		due.time(c.DueAt)
		documents.string(string(encode(contractToDocument(c))))
	}
	_, err := tx.exec(ctx, saveContracts, parts.value(), subscribers.value(), ids.value(), plans.value(), states.value(), periods.value(),
		ends.value(), due.value(), documents.value())
	return err
}

// lowBuckets returns the subscribers of those buckets that charging leaves less in than their contracts want to be told of.
func lowBuckets(buckets []ocs.Bucket) (subscribers []ocs.SubscriberID) {
	for i := range buckets {
		if buckets[i].IsLow() {
			subscribers = append(subscribers, buckets[i].Subscriber)
		}
	}
	return subscribers
}

// wakeContracts makes contracts due at the instant of what c debits: what becomes of them is found by the jobs, so that no
// call waits for it. A balance moves by rated events and postings only; where there are none, it was low before.
func (tx *Tx) wakeContracts(ctx context.Context, subscribers []ocs.SubscriberID, c Changes) error {
	var at time.Time
	switch {
	case len(c.Events) > 0:
		at = c.Events[0].At
	case len(c.Postings) > 0:
		at = c.Postings[0].At
	default:
		return nil
	}
	_, err := tx.run(ctx, wakeContracts, subscriberArray(subscribers), stored(at))
	return err
}

const selectContract = `SELECT ` + contractColumns + ` FROM contract WHERE part = $1 AND subscriber_id = $2`

// Contract returns the contract of a subscriber; nil when there is none.
func (s *Store) Contract(ctx context.Context, id ocs.SubscriberID) (*lifecycle.Contract, error) {
	var rows []contractRow
	err := s.selectInto(ctx, &rows, selectContract, id.Slot(), string(id))
	if err == nil && len(rows) > 0 {
		var c lifecycle.Contract
		if c, err = rows[0].contract(); err == nil {
			return &c, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("contract of subscriber %s: %w", id, err)
	}
	return nil, nil
}
