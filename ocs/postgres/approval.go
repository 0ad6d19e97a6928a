package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// ApprovalState is how far an act has come that needs a second person.
type ApprovalState string

// The states of an approval. One that is confirmed is being done, or was lost while it was: confirming it again does it.
const (
	ApprovalPending   ApprovalState = "pending"
	ApprovalConfirmed ApprovalState = "confirmed"
	ApprovalDone      ApprovalState = "done"
	ApprovalFailed    ApprovalState = "failed"   // confirmed, and it could not be done any more
	ApprovalRejected  ApprovalState = "rejected" // by the second person, or taken back by the first
)

// A Person is who asks or decides: the holder of a key.
type Person struct {
	Key  string // id of it
	Name string
	Role string
}

// An Approval is an act that one person asked for and another one decides.
type Approval struct {
	ID        string // a UUID; the act is done under it
	Action    string
	Subject   ocs.SubscriberID // empty: none
	Unit      rating.Unit
	Units     rating.Units // that the act moves, without its sign
	Reason    string
	Request   json.RawMessage // all that the act needs; never a number
	AskedBy   Person
	AskedAt   time.Time
	ExpiresAt time.Time
	State     ApprovalState
	DecidedBy Person
	DecidedAt time.Time // zero: nobody has
	Note      string
	Result    json.RawMessage
}

const approvalColumns = `id, action, subject, unit, units, reason, request, asked_key, asked_by, asked_role, asked_at, expires_at,
	state, decided_key, decided_by, decided_role, decided_at, note, result`

type approvalRow struct {
	ID          string       `db:"id"`
	Action      string       `db:"action"`
	Subject     string       `db:"subject"`
	Unit        string       `db:"unit"`
	Units       int64        `db:"units"`
	Reason      string       `db:"reason"`
	Request     []byte       `db:"request"`
	Fingerprint []byte       `db:"fingerprint"`
	AskedKey    string       `db:"asked_key"`
	AskedBy     string       `db:"asked_by"`
	AskedRole   string       `db:"asked_role"`
	AskedAt     time.Time    `db:"asked_at"`
	ExpiresAt   time.Time    `db:"expires_at"`
	State       string       `db:"state"`
	DecidedKey  string       `db:"decided_key"`
	DecidedBy   string       `db:"decided_by"`
	DecidedRole string       `db:"decided_role"`
	DecidedAt   sql.NullTime `db:"decided_at"`
	Note        string       `db:"note"`
	Result      []byte       `db:"result"`
}

func (r approvalRow) approval() Approval {
	return Approval{
		ID: r.ID, Action: r.Action, Subject: ocs.SubscriberID(r.Subject), Unit: rating.Unit(r.Unit), Units: rating.Units(r.Units),
		Reason: r.Reason, Request: r.Request, AskedBy: Person{r.AskedKey, r.AskedBy, r.AskedRole}, AskedAt: r.AskedAt.UTC(),
		ExpiresAt: r.ExpiresAt.UTC(), State: ApprovalState(r.State), DecidedBy: Person{r.DecidedKey, r.DecidedBy, r.DecidedRole},
		DecidedAt: instant(r.DecidedAt), Note: r.Note, Result: r.Result,
	}
}

const (
	insertApproval = `
		INSERT INTO approval (id, action, subject, unit, units, reason, request, fingerprint, asked_key, asked_by, asked_role,
			asked_at, expires_at, state, decided_key, decided_by, decided_role, note, result)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'pending', '', '', '', '', 'null')
		ON CONFLICT (id) DO NOTHING`
	selectApproval = `SELECT fingerprint, ` + approvalColumns + ` FROM approval WHERE id = $1`
	lockApproval   = selectApproval + ` FOR UPDATE`
	updateApproval = `
		UPDATE approval SET state = $2, decided_key = $3, decided_by = $4, decided_role = $5, decided_at = $6, note = $7, result = $8
		WHERE id = $1`
	listApprovals = `SELECT ` + approvalColumns + ` FROM approval WHERE `
)

// AskApproval stores an act that waits for a second person, with the audit entry of it, and returns it as it is stored.
// Asked for again under the same id, nothing changes and repeated is true; with other content, the error is
// ErrMovementDiffers.
func (s *Store) AskApproval(ctx context.Context, a Approval, entry AuditEntry) (kept Approval, repeated bool, err error) {
	asked := sha256.Sum256(encode([]any{a.Action, a.Subject, a.Unit, a.Units, a.Reason, a.Request}))
	err = s.InTx(ctx, func(tx *Tx) error {
		count, err := tx.run(ctx, insertApproval, a.ID, a.Action, string(a.Subject), string(a.Unit), int64(a.Units), a.Reason,
			string(a.Request), asked[:], a.AskedBy.Key, a.AskedBy.Name, a.AskedBy.Role, stored(a.AskedAt), stored(a.ExpiresAt))
		if err != nil {
			return err
		}
		if repeated = count == 0; !repeated {
			if err := tx.AppendAudit(ctx, []AuditEntry{entry}); err != nil {
				return err
			}
		}
		row, err := tx.approval(ctx, selectApproval, a.ID)
		if err == nil && string(row.Fingerprint) != string(asked[:]) {
			return ErrMovementDiffers
		}
		kept = row.approval()
		return err
	})
	if err != nil {
		return Approval{}, false, fmt.Errorf("ask for approval %s: %w", a.ID, err)
	}
	return kept, repeated, nil
}

func (tx *Tx) approval(ctx context.Context, statement, id string) (approvalRow, error) {
	ctx, cancel := tx.deadline(ctx)
	defer cancel()
	var row approvalRow
	err := tx.tx.GetContext(ctx, &row, statement, id)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return row, err
}

// DecideApproval calls decide with an approval that nobody else can decide meanwhile, and stores the state, who decided,
// the note and the result that it sets. An error of decide changes nothing and is returned as it is.
func (s *Store) DecideApproval(ctx context.Context, id string, decide func(*Approval) ([]AuditEntry, error)) (decided Approval, err error) {
	err = s.InTx(ctx, func(tx *Tx) error {
		row, err := tx.approval(ctx, lockApproval, id)
		if err != nil {
			return fmt.Errorf("lock approval %s: %w", id, err)
		}
		decided = row.approval()
		entries, err := decide(&decided)
		if err != nil {
			return err
		}
		by := decided.DecidedBy
		if _, err := tx.run(ctx, updateApproval, id, string(decided.State), by.Key, by.Name, by.Role, optional(decided.DecidedAt),
			decided.Note, jsonOrNothing(decided.Result)); err != nil {
			return fmt.Errorf("decide approval %s: %w", id, err)
		}
		return tx.AppendAudit(ctx, entries)
	})
	return decided, err
}

// Approval returns one approval, or ErrNotFound.
func (s *Store) Approval(ctx context.Context, id string) (Approval, error) {
	var rows []approvalRow
	if err := s.selectInto(ctx, &rows, selectApproval, id); err != nil {
		return Approval{}, fmt.Errorf("approval %s: %w", id, err)
	}
	if len(rows) == 0 {
		return Approval{}, fmt.Errorf("approval %s: %w", id, ErrNotFound)
	}
	return rows[0].approval(), nil
}

// An ApprovalFilter names approvals.
type ApprovalFilter struct {
	Waiting bool   // only those that somebody has to decide or to finish
	After   Cursor // of the last one of the page before; empty: from the start
	Limit   int
}

type approvalPlace struct {
	At time.Time `json:"t"`
	ID string    `json:"i"`
}

// Approvals lists approvals in the order in which they were asked for, one page, and the cursor of the last.
func (s *Store) Approvals(ctx context.Context, f ApprovalFilter) (list []Approval, next Cursor, err error) {
	var c clauses
	if f.Waiting {
		c.add("state IN ('pending', 'confirmed')")
	}
	if f.After != "" {
		place, err := readCursor[approvalPlace](f.After)
		if err == nil {
			err = uuid.Validate(place.ID)
		}
		if err != nil {
			return nil, "", fmt.Errorf("list approvals: %w: %w", ErrBadCursor, err)
		}
		c.add("(asked_at, id) > (?, ?::uuid)", stored(place.At), place.ID)
	}
	statement, arguments := c.finish(listApprovals, "asked_at, id", f.Limit)
	var rows []approvalRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, "", fmt.Errorf("list approvals: %w", err)
	}
	if n := len(rows); n > 0 && n == f.Limit {
		next = makeCursor(approvalPlace{rows[n-1].AskedAt, rows[n-1].ID})
	}
	return each(rows, approvalRow.approval), next, nil
}

const countMoved = `
	INSERT INTO care_count AS c (key, day, unit, units) VALUES ($1, $2, $3, $4)
	ON CONFLICT (key, day, unit) DO UPDATE SET units = c.units + excluded.units
	WHERE c.units + excluded.units <= $5`

// CountMoved adds what a key moves to what it has moved in the day of at. It changes nothing and returns false when that
// would come to more than most.
func (tx *Tx) CountMoved(ctx context.Context, key string, at time.Time, unit rating.Unit, units, most rating.Units) (bool, error) {
	if units > most {
		return false, nil
	}
	count, err := tx.run(ctx, countMoved, key, at.UTC().Format(time.DateOnly), string(unit), int64(units), int64(most))
	if err != nil {
		return false, fmt.Errorf("count what a key has moved: %w", err)
	}
	return count == 1, nil
}
