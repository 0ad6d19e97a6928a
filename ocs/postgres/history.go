package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/transfer"
)

// A TransferFilter limits a list of transfers. Zero values limit nothing.
type TransferFilter struct {
	Sender   ocs.SubscriberID
	Receiver ocs.SubscriberID // who got it, or was to
	From, To time.Time        // of CreatedAt, To excluded
}

func (f TransferFilter) clauses(c *clauses) *clauses {
	if f.Sender != "" {
		c.add("t.sender_id = ?", string(f.Sender))
	}
	if f.Receiver != "" {
		c.add("t.receiver_id = ?", string(f.Receiver))
	}
	c.period("t.created_at", f.From, f.To)
	return c
}

// TransferPage returns up to limit transfers from the one at offset on, refused ones too, in the order in which they were
// asked for, without their checks.
func (s *Store) TransferPage(ctx context.Context, f TransferFilter, offset, limit int) ([]transfer.Transfer, error) {
	statement, arguments := f.clauses(&clauses{}).page(`SELECT `+transferColumns+` FROM transfer t WHERE `, "t.created_at, t.reference", offset, limit)
	var rows []transferRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list transfers: %w", err)
	}
	return transfers(rows)
}

// CountTransfers returns how many transfers there are.
func (s *Store) CountTransfers(ctx context.Context, f TransferFilter) (int64, error) {
	n, err := s.count(ctx, `SELECT count(*) FROM transfer t WHERE `, f.clauses(&clauses{}))
	if err != nil {
		return 0, fmt.Errorf("count transfers: %w", err)
	}
	return n, nil
}

// A HistoryPlace names an action or a transfer in the list of both.
type HistoryPlace struct {
	ID       string `db:"id"`
	Transfer bool   `db:"is_transfer"`
}

// History returns up to limit places from the one at offset on, in the order in which they were asked for.
func (s *Store) History(ctx context.Context, a ActionFilter, t TransferFilter, offset, limit int) ([]HistoryPlace, error) {
	c := a.clauses()
	actions := whereOf(c)
	c.text = nil
	transfers := whereOf(t.clauses(c))
	n := len(c.arguments)
	statement := `SELECT id, is_transfer FROM (
		SELECT id::text AS id, false AS is_transfer, requested_at AS at FROM action WHERE ` + actions + `
		UNION ALL
		SELECT t.reference, true, t.created_at FROM transfer t WHERE ` + transfers + `
	) both_of_them ORDER BY at, id LIMIT $` + strconv.Itoa(n+1) + ` OFFSET $` + strconv.Itoa(n+2)
	var places []HistoryPlace
	if err := s.selectInto(ctx, &places, statement, append(c.arguments, limit, offset)...); err != nil {
		return nil, fmt.Errorf("list history: %w", err)
	}
	return places, nil
}

func whereOf(c *clauses) string {
	if len(c.text) == 0 {
		return "true"
	}
	return strings.Join(c.text, " AND ")
}

const actionsByID = `SELECT ` + actionColumns + ` FROM action WHERE id = ANY($1::uuid[])`

// ActionsByID returns those of the actions that exist, in any order.
func (s *Store) ActionsByID(ctx context.Context, ids []string) ([]Action, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []actionRow
	if err := s.selectInto(ctx, &rows, actionsByID, textArray(ids)); err != nil {
		return nil, fmt.Errorf("actions: %w", err)
	}
	return actions(rows)
}
