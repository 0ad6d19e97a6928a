package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/gyro-ocs/gyro/ocs"
)

// A Tx is a transaction of [Store.InTx]. It belongs to one goroutine.
type Tx struct {
	store *Store
	tx    *sqlx.Tx
	hot   bool // of the pool that has the prepared statements

	loaded   map[SessionRef]ocs.Conditions // of sessions, as LoadSessions found them
	fresh    bool                          // its subscribers are made in it, and have no sessions
	summoned bool                          // summonses were added
}

// Changes are what a batch of decisions came to. Every row is named once, as it is to be.
type Changes struct {
	Sessions    []ocs.Session // that exist
	NewSessions []ocs.Session
	Buckets     []ocs.Bucket // that exist: balance and reserved are set
	NewBuckets  []ocs.Bucket
	Events      []ocs.RatedEvent
	Records     []ocs.Record
	Postings    []ocs.Posting
}

// Save writes c, in one statement for every table that it names.
func (tx *Tx) Save(ctx context.Context, c Changes) error {
	low := lowBuckets(c.Buckets)
	steps := []struct {
		what  string
		count int
		save  func() error
	}{
		{"sessions", len(c.Sessions), func() error { return tx.updateSessions(ctx, c.Sessions) }},
		{"new sessions", len(c.NewSessions), func() error { return tx.insertSessions(ctx, c.NewSessions) }},
		{"buckets", len(c.Buckets), func() error { return tx.updateBuckets(ctx, c.Buckets) }},
		{"new buckets", len(c.NewBuckets), func() error { return tx.insertBuckets(ctx, c.NewBuckets) }},
		{"rated events", len(c.Events), func() error { return tx.insertRatedEvents(ctx, c.Events) }},
		{"records", len(c.Records), func() error { return tx.insertRecords(ctx, c.Records) }},
		{"postings", len(c.Postings), func() error { return tx.insertPostings(ctx, c.Postings) }},
		{"postings that calls wait for", len(c.Postings), func() error { return tx.lift(ctx, c.Postings) }},
		{"contracts that are due", len(low), func() error { return tx.wakeContracts(ctx, low, c) }},
	}
	for _, step := range steps {
		if step.count == 0 {
			continue
		}
		if err := step.save(); err != nil {
			return fmt.Errorf("save %d %s: %w", step.count, step.what, err)
		}
	}
	return nil
}

// selectInto runs a hot statement that returns rows.
func (tx *Tx) selectInto(ctx context.Context, rows any, statement string, arguments ...any) error {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	if !tx.hot {
		return tx.tx.SelectContext(ctx, rows, statement, arguments...)
	}
	return tx.bound(ctx, statement).SelectContext(ctx, rows, arguments...) //nolint:sqlclosecheck // see bound
}

// each runs a hot statement and has scan read every row of it. Rows of the charging path are read so: finding out by
// reflection which column belongs to which field takes longer than to decide about them.
func (tx *Tx) each(ctx context.Context, statement string, arguments []any, scan func(row *sql.Rows) error) (err error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var rows *sql.Rows
	if tx.hot {
		rows, err = tx.bound(ctx, statement).QueryContext(ctx, arguments...)
	} else {
		rows, err = tx.tx.QueryContext(ctx, statement, arguments...)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// exec runs a hot statement and returns how many rows it touched.
func (tx *Tx) exec(ctx context.Context, statement string, arguments ...any) (int64, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	if !tx.hot {
		result, err := tx.tx.ExecContext(ctx, statement, arguments...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	result, err := tx.bound(ctx, statement).ExecContext(ctx, arguments...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// bound is a prepared statement on the connection of tx. database/sql prepares it there when it is used for the first
// time, and closes it with the transaction only when it was made for that alone.
func (tx *Tx) bound(ctx context.Context, statement string) *sqlx.Stmt {
	prepared, ok := (*tx.store.prepared.Load())[statement]
	if !ok {
		panic("postgres: statement is not in the list of hot ones: " + statement)
	}
	return tx.tx.StmtxContext(ctx, prepared)
}

func (tx *Tx) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if !tx.hot {
		return context.WithTimeout(ctx, bulkTimeout)
	}
	return context.WithTimeout(ctx, tx.store.statement)
}

// commonSlot returns the slot of all ids when the database is spread by slot and there is one. ids is not empty.
//
// On Citus a batch has one slot, which must stand in a statement as "part = $1", so that it is sent to the one node that has
// it (spec/store S2). On one Postgres a batch has many, and its statements leave the slot out: the primary keys begin with
// it, and for a planner that believes a table to be small they would look as good as the index of the right column. They
// would read whole slots (S14; TestStalePlanCostsAtMostTheBatch fails with them).
func (tx *Tx) commonSlot(ids []ocs.SubscriberID) (slot int16, one bool) {
	if !tx.store.spread {
		return 0, false
	}
	slot = ids[0].Slot()
	for _, id := range ids[1:] {
		if id.Slot() != slot {
			return 0, false
		}
	}
	return slot, true
}

// slotted chooses between the form of a statement for many slots and for one, whose last argument is the slot.
func (tx *Tx) slotted(many, one string, ids []ocs.SubscriberID, arguments ...any) (string, []any) {
	if slot, ok := tx.commonSlot(ids); ok {
		return one, append(arguments, slot)
	}
	return many, arguments
}

func subscriberArray(ids []ocs.SubscriberID) []byte {
	var list array
	for _, id := range ids {
		list.string(string(id))
	}
	return list.value()
}
