package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// ActionKind is what an [Action] does.
type ActionKind string

// The kinds of action.
const (
	TopupAction   ActionKind = "topup"
	AdjustAction  ActionKind = "adjust"
	ReserveAction ActionKind = "reserve"
)

// ActionStatus is where in its life an [Action] is: the words of TMF654.
type ActionStatus string

// The statuses of an action.
const (
	ActionCreated   ActionStatus = "created" // waits: to be done later, or to be settled
	ActionFailed    ActionStatus = "failed"
	ActionCancelled ActionStatus = "cancelled"
	ActionCompleted ActionStatus = "completed"
)

// An Action is something that a client does to the balance of one subscriber, kept for good.
type Action struct {
	ID         string // a UUID
	Subscriber ocs.SubscriberID
	Kind       ActionKind
	Status     ActionStatus
	Caller     string
	Unit       rating.Unit
	Units      rating.Units // signed: what the balance gains. Of a reservation, what it holds
	Bucket     ocs.BucketID // empty: the server chooses
	Holds      []ocs.Hold   // of a reservation that waits
	Requested  time.Time
	Ended      time.Time // done, or come to nothing
	Starts     time.Time // not to be done before; zero: at once
	Expires    time.Time // the units that it brings, or its hold; zero: never
	Due        time.Time // while it waits: when the sweep has something to do about it; zero: never
	Done       int       // how often it was done
	Document   json.RawMessage
}

const actionColumns = `id, subscriber_id, kind, status, caller, unit, units, bucket_id, holds, requested_at, ended_at, starts_at,
	expires_at, due_at, done, document`

type actionRow struct {
	ID         string         `db:"id"`
	Subscriber string         `db:"subscriber_id"`
	Kind       string         `db:"kind"`
	Status     string         `db:"status"`
	Caller     string         `db:"caller"`
	Unit       string         `db:"unit"`
	Units      int64          `db:"units"`
	Bucket     sql.NullString `db:"bucket_id"`
	Holds      []byte         `db:"holds"`
	Requested  time.Time      `db:"requested_at"`
	Ended      sql.NullTime   `db:"ended_at"`
	Starts     sql.NullTime   `db:"starts_at"`
	Expires    sql.NullTime   `db:"expires_at"`
	Due        sql.NullTime   `db:"due_at"`
	Done       int            `db:"done"`
	Document   []byte         `db:"document"`
}

func (r actionRow) action() (Action, error) {
	a := Action{
		ID: r.ID, Subscriber: ocs.SubscriberID(r.Subscriber), Kind: ActionKind(r.Kind), Status: ActionStatus(r.Status), Caller: r.Caller,
		Unit: rating.Unit(r.Unit), Units: rating.Units(r.Units), Bucket: ocs.BucketID(r.Bucket.String),
		Requested: r.Requested.UTC(), Ended: instant(r.Ended), Starts: instant(r.Starts), Expires: instant(r.Expires),
		Due: instant(r.Due), Done: r.Done, Document: r.Document,
	}
	var holds []actionHold
	if err := json.Unmarshal(r.Holds, &holds); err != nil {
		return Action{}, fmt.Errorf("holds of action %s: %w", r.ID, err)
	}
	for _, h := range holds {
		a.Holds = append(a.Holds, ocs.Hold(h))
	}
	return a, nil
}

// actionHold is a hold as the column holds has it.
type actionHold struct {
	Bucket ocs.BucketID `json:"bucket"`
	Units  rating.Units `json:"units"`
}

func actions(rows []actionRow) ([]Action, error) {
	all := make([]Action, len(rows))
	for i, r := range rows {
		a, err := r.action()
		if err != nil {
			return nil, err
		}
		all[i] = a
	}
	return all, nil
}

// A new action is inserted; of a known one changes what can change.
const saveAction = `
	INSERT INTO action (part, subscriber_id, id, kind, status, caller, unit, units, bucket_id, holds, requested_at, ended_at,
		starts_at, expires_at, due_at, done, document)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
	ON CONFLICT (part, subscriber_id, id) DO UPDATE SET
		status = excluded.status, units = excluded.units, holds = excluded.holds, ended_at = excluded.ended_at, due_at = excluded.due_at,
		done = excluded.done, document = excluded.document`

// SaveAction stores a as it is. The caller has locked its subscriber.
func (tx *Tx) SaveAction(ctx context.Context, a Action) error {
	holds := make([]actionHold, len(a.Holds))
	for i, h := range a.Holds {
		holds[i] = actionHold(h)
	}
	document, err := json.Marshal(holds)
	if err != nil {
		return fmt.Errorf("save action %s: %w", a.ID, err)
	}
	bucket := sql.NullString{String: string(a.Bucket), Valid: a.Bucket != ""}
	_, err = tx.run(ctx, saveAction, a.Subscriber.Slot(), string(a.Subscriber), a.ID, string(a.Kind), string(a.Status), a.Caller,
		string(a.Unit), int64(a.Units), bucket, document, stored(a.Requested), optional(a.Ended), optional(a.Starts),
		optional(a.Expires), optional(a.Due), a.Done, []byte(a.Document))
	if err != nil {
		return fmt.Errorf("save action %s: %w", a.ID, err)
	}
	return nil
}

// optional writes a time that may be absent.
func optional(t time.Time) sql.NullTime {
	return sql.NullTime{Time: stored(t), Valid: !t.IsZero()}
}

const selectAction = `SELECT ` + actionColumns + ` FROM action WHERE id = $1`

// Action returns one action, or ErrNotFound. id is a UUID.
func (s *Store) Action(ctx context.Context, id string) (Action, error) {
	var rows []actionRow
	if err := s.selectInto(ctx, &rows, selectAction, id); err != nil {
		return Action{}, fmt.Errorf("action %s: %w", id, err)
	}
	return oneAction(rows, id)
}

func oneAction(rows []actionRow, id string) (Action, error) {
	all, err := actions(rows)
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Action{}, fmt.Errorf("action %s: %w", id, err)
	}
	return all[0], nil
}

const loadAction = `SELECT ` + actionColumns + ` FROM action WHERE part = $1 AND subscriber_id = $2 AND id = $3`

// LoadAction returns one action of a subscriber that the transaction has locked, or ErrNotFound.
func (tx *Tx) LoadAction(ctx context.Context, subscriber ocs.SubscriberID, id string) (Action, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows []actionRow
	if err := tx.tx.SelectContext(ctx, &rows, loadAction, subscriber.Slot(), string(subscriber), id); err != nil {
		return Action{}, fmt.Errorf("action %s: %w", id, err)
	}
	return oneAction(rows, id)
}

const dueActions = `SELECT ` + actionColumns + ` FROM action WHERE due_at <= $1 ORDER BY due_at LIMIT $2`

// DueActions returns up to limit actions that something is to be done about, the longest due first.
func (s *Store) DueActions(ctx context.Context, now time.Time, limit int) ([]Action, error) {
	var rows []actionRow
	if err := s.selectInto(ctx, &rows, dueActions, stored(now), limit); err != nil {
		return nil, fmt.Errorf("due actions: %w", err)
	}
	return actions(rows)
}

// An ActionFilter limits a list of actions. Zero values limit nothing.
type ActionFilter struct {
	Kind       ActionKind
	Subscriber ocs.SubscriberID
	From, To   time.Time // of Requested, To excluded
}

func (f ActionFilter) clauses() *clauses {
	c := &clauses{}
	if f.Kind != "" {
		c.add("kind = ?", string(f.Kind))
	}
	c.subscriber(f.Subscriber)
	c.period("requested_at", f.From, f.To)
	return c
}

// Actions returns up to limit actions from the one at offset on, in the order in which they were asked for.
func (s *Store) Actions(ctx context.Context, f ActionFilter, offset, limit int) ([]Action, error) {
	var rows []actionRow
	statement, arguments := f.clauses().page(`SELECT `+actionColumns+` FROM action WHERE `, "requested_at, id", offset, limit)
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list actions: %w", err)
	}
	return actions(rows)
}

// CountActions returns how many actions there are.
func (s *Store) CountActions(ctx context.Context, f ActionFilter) (int64, error) {
	n, err := s.count(ctx, `SELECT count(*) FROM action WHERE `, f.clauses())
	if err != nil {
		return 0, fmt.Errorf("count actions: %w", err)
	}
	return n, nil
}

const setRecharged = `
	UPDATE party SET document = (document::jsonb || jsonb_build_object('recharged_at', $3::text))::json
	WHERE part = $1 AND subscriber_id = $2`

// Recharged notes in the profile of a locked subscriber when it last paid for something.
func (tx *Tx) Recharged(ctx context.Context, id ocs.SubscriberID, at time.Time) error {
	_, err := tx.run(ctx, newParty, id.Slot(), string(id))
	if err == nil {
		_, err = tx.run(ctx, setRecharged, id.Slot(), string(id), stored(at).Format(time.RFC3339Nano))
	}
	if err != nil {
		return fmt.Errorf("note a recharge of subscriber %s: %w", id, err)
	}
	return nil
}
