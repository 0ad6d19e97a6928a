package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
)

// An AuditEntry is one act. Entries are only ever added.
type AuditEntry struct {
	ID        string // UUID v7; empty: made when it is added
	At        time.Time
	Actor     string // id of a subscriber, name of a person of the operator, or of a client; never a number
	Role      string // sender, receiver, operator, system
	Channel   string
	Action    string
	Subject   string          // id of a subscriber, code of a role, or empty; never a number
	Reference string          // of the transfer; empty: none
	Before    json.RawMessage // empty: nothing
	After     json.RawMessage
	Policy    string // version that it was decided by
}

const (
	insertAudit = `
		INSERT INTO audit (part, id, at, actor, role, channel, action, subject, reference, before, after, policy)
		SELECT unnest($1::smallint[]), unnest($2::uuid[]), unnest($3::timestamptz[]), unnest($4::text[]), unnest($5::text[]),
			unnest($6::text[]), unnest($7::text[]), unnest($8::text[]), unnest($9::text[]),
			unnest(string_to_array($10, chr(30))::json[]), unnest(string_to_array($11, chr(30))::json[]), unnest($12::text[])`
	selectAudit = `SELECT id, at, actor, role, channel, action, subject, reference, before, after, policy FROM audit WHERE `
)

// AuditAppend adds entries by themselves. Those of a transfer are added with it.
func (s *Store) AuditAppend(ctx context.Context, entries ...AuditEntry) error {
	if err := s.InTx(ctx, func(tx *Tx) error { return tx.AppendAudit(ctx, entries) }); err != nil {
		return fmt.Errorf("append to audit: %w", err)
	}
	return nil
}

// AppendAudit adds entries.
func (tx *Tx) AppendAudit(ctx context.Context, entries []AuditEntry) error {
	if len(entries) == 0 {
		return nil
	}
	var parts, ids, times, actors, roles, channels, actions, subjects, references, policies array
	var befores, afters documents
	for i := range entries {
		e := &entries[i]
		id := e.ID
		if id == "" {
			made, err := uuid.NewV7()
			if err != nil {
				return err
			}
			id = made.String()
		}
		parts.integer(int64(ocs.SubscriberID(e.Subject).Slot()))
		ids.string(id)
		times.time(e.At)
		actors.string(e.Actor)
		roles.string(e.Role)
		channels.string(e.Channel)
		actions.string(e.Action)
		subjects.string(e.Subject)
		references.string(e.Reference)
		befores.addText(jsonOrNothing(e.Before))
		afters.addText(jsonOrNothing(e.After))
		policies.string(e.Policy)
	}
	_, err := tx.exec(ctx, insertAudit, parts.value(), ids.value(), times.value(), actors.value(), roles.value(), channels.value(),
		actions.value(), subjects.value(), references.value(), befores.value(), afters.value(), policies.value())
	return err
}

func jsonOrNothing(text json.RawMessage) json.RawMessage {
	if len(text) == 0 {
		return json.RawMessage("null")
	}
	return text
}

// An AuditFilter names entries. Its zero value names all.
type AuditFilter struct {
	Subject   string
	Reference string
	Action    string
	From, To  time.Time // including, excluding
	After     Cursor    // of the last entry of the list before
	Limit     int
}

type auditPlace struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// AuditList returns entries in the order of time, and the cursor of the last.
func (s *Store) AuditList(ctx context.Context, f AuditFilter) (entries []AuditEntry, next Cursor, err error) {
	var c clauses
	if f.Subject != "" {
		c.add("subject = ?", f.Subject)
	}
	if f.Reference != "" {
		c.add("reference = ?", f.Reference)
	}
	if f.Action != "" {
		c.add("action = ?", f.Action)
	}
	c.period("at", f.From, f.To)
	if f.After != "" {
		place, err := readCursor[auditPlace](f.After)
		if err == nil {
			_, err = uuid.Parse(place.ID)
		}
		if err != nil {
			return nil, "", fmt.Errorf("list audit: %w: %w", ErrBadCursor, err)
		}
		c.add("(at, id) > (?, ?::uuid)", stored(place.At), place.ID)
	}
	statement, arguments := c.finish(selectAudit, "at, id", f.Limit)
	var rows []struct {
		ID        string    `db:"id"`
		At        time.Time `db:"at"`
		Actor     string    `db:"actor"`
		Role      string    `db:"role"`
		Channel   string    `db:"channel"`
		Action    string    `db:"action"`
		Subject   string    `db:"subject"`
		Reference string    `db:"reference"`
		Before    []byte    `db:"before"`
		After     []byte    `db:"after"`
		Policy    string    `db:"policy"`
	}
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, "", fmt.Errorf("list audit: %w", err)
	}
	for _, r := range rows {
		entries = append(entries, AuditEntry{
			ID: r.ID, At: r.At.UTC(), Actor: r.Actor, Role: r.Role, Channel: r.Channel, Action: r.Action, Subject: r.Subject,
			Reference: r.Reference, Before: r.Before, After: r.After, Policy: r.Policy,
		})
	}
	if n := len(entries); n > 0 && n == f.Limit {
		next = makeCursor(auditPlace{entries[n-1].At, entries[n-1].ID})
	}
	return entries, next, nil
}
