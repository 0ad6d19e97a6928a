package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/lib/pq"
)

// monthsAhead is how many months have their partitions before they begin.
const monthsAhead = 3

// partitioned are the tables that are kept by month, and the column that tells the month.
var partitioned = []struct{ table, column string }{
	{"rated_event", "rated_at"},
	{"cdr", "ended_at"},
	{"posting", "posted_at"},
}

// MakePartitions makes the partitions of this month and the next three, those that are missing. It is called at the start
// and once a day, never for a request (spec/store S13): a row that has no partition goes to the default one, and is moved
// out of it here. Several servers may call it at once.
func (s *Store) MakePartitions(ctx context.Context, now time.Time) error {
	now = now.UTC()
	for _, p := range partitioned {
		for i := range monthsAhead + 1 {
			month := time.Date(now.Year(), now.Month()+time.Month(i), 1, 0, 0, 0, 0, time.UTC)
			err := s.inTx(ctx, s.bulk, func(tx *Tx) error { return tx.makePartition(ctx, p.table, p.column, month) })
			if err != nil {
				return fmt.Errorf("make partition of %s for %s: %w", p.table, month.Format("2006-01"), err)
			}
		}
	}
	return nil
}

// makePartition makes a table apart and attaches it, which does not stop who writes to the other partitions. The lock on
// the parent is the one that attaching takes anyway: it keeps out whoever else makes partitions, and nobody else.
func (tx *Tx) makePartition(ctx context.Context, table, column string, month time.Time) error {
	partition := table + month.Format("_200601")
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	if _, err := tx.tx.ExecContext(ctx, `LOCK TABLE ONLY `+pq.QuoteIdentifier(table)+` IN SHARE UPDATE EXCLUSIVE MODE`); err != nil {
		return err
	}
	var exists bool
	if err := tx.tx.GetContext(ctx, &exists, `SELECT to_regclass($1) IS NOT NULL`, pq.QuoteIdentifier(partition)); err != nil {
		return err
	}
	if exists {
		return nil
	}
	from, to := pq.QuoteLiteral(month.Format(time.RFC3339)), pq.QuoteLiteral(month.AddDate(0, 1, 0).Format(time.RFC3339))
	parent, child, other := pq.QuoteIdentifier(table), pq.QuoteIdentifier(partition), pq.QuoteIdentifier(table+"_other")
	inMonth := ` WHERE ` + pq.QuoteIdentifier(column) + ` >= ` + from + ` AND ` + pq.QuoteIdentifier(column) + ` < ` + to
	for _, statement := range []string{
		`CREATE TABLE ` + child + ` (LIKE ` + parent + ` INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`,
		`LOCK TABLE ` + other + ` IN ACCESS EXCLUSIVE MODE`,
		`INSERT INTO ` + child + ` SELECT * FROM ` + other + inMonth, // the columns are those of LIKE, in its order
		`DELETE FROM ` + other + inMonth,
		`ALTER TABLE ` + parent + ` ATTACH PARTITION ` + child + ` FOR VALUES FROM (` + from + `) TO (` + to + `)`,
	} {
		if _, err := tx.tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
