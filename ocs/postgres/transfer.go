package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// ErrReferenceTaken is a reference, of a transfer or a quote, that another one has: draw another number.
var ErrReferenceTaken = errors.New("reference of a transfer is taken")

const transferColumns = `t.reference, t.sender_id, t.receiver_id, t.kind, t.status, t.seconds, t.created_at, t.due_at, t.document`

type transferRow struct {
	Reference string         `db:"reference"`
	Sender    string         `db:"sender_id"`
	Receiver  sql.NullString `db:"receiver_id"`
	Kind      string         `db:"kind"`
	Status    string         `db:"status"`
	Seconds   int64          `db:"seconds"`
	CreatedAt time.Time      `db:"created_at"`
	DueAt     sql.NullTime   `db:"due_at"`
	Document  []byte         `db:"document"`
}

// transfer returns the record without its checks, which are long and rarely looked at.
func (r transferRow) transfer() (transfer.Transfer, error) {
	d, err := readJSON[transferDocument]("transfer.document", r.Document)
	if err != nil {
		return transfer.Transfer{}, err
	}
	refusal, err := refusalOf(d.Refusal)
	return transfer.Transfer{
		Reference: transfer.Reference(r.Reference), Operation: d.Operation, Kind: transfer.Kind(r.Kind), Channel: d.Channel,
		Caller: d.Caller, ClientRef: d.ClientRef, Counterparty: d.Counterparty,
		Sender: ocs.SubscriberID(r.Sender), Receiver: ocs.SubscriberID(r.Receiver.String),
		Seconds: rating.Units(r.Seconds), Fee: d.Fee, Bearer: d.Bearer, Note: d.Note,
		Moves:   each(d.Moves, func(m moveDocument) transfer.Move { return transfer.Move(m) }),
		Shares:  each(d.Shares, func(s shareDocument) transfer.Share { return transfer.Share(s) }),
		Counted: each(d.Counted, counterFromDocument),
		Status:  transfer.Status(r.Status), Awaits: d.Awaits, Refusal: refusal, Policy: d.Policy,
		PayoutHash: d.PayoutHash, WrongCodes: d.WrongCodes, Reverses: d.Reverses, ReversedBy: d.ReversedBy, Returned: d.Returned,
		Claims: d.Claims, HeldBy: d.HeldBy, Maker: d.Maker, Persons: d.Persons, Needed: d.Needed,
		CreatedAt: r.CreatedAt.UTC(), DueAt: instant(r.DueAt), EndedAt: d.EndedAt,
	}, err
}

func transfers(rows []transferRow) ([]transfer.Transfer, error) {
	found := make([]transfer.Transfer, len(rows))
	for i, r := range rows {
		var err error
		if found[i], err = r.transfer(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

const (
	loadTransfers = `
		SELECT ` + transferColumns + ` FROM unnest($1::smallint[], $2::text[]) AS u (part, reference)
		JOIN transfer t ON t.part = ANY(ARRAY[u.part]) AND t.reference = ANY(ARRAY[u.reference])`

	selectTransfersOf = `
		SELECT ` + transferColumns + ` FROM transfer t
		WHERE t.sender_id = $1 OR t.receiver_id = $1 AND t.status <> 'failed'
		ORDER BY t.created_at DESC, t.reference LIMIT $2`

	selectChecks = `SELECT checks FROM transfer WHERE part = $1 AND reference = $2`

	dueTransfers = `SELECT reference FROM transfer WHERE due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2`

	// undecidedTransfers are few: they are found among what is pending.
	undecidedTransfers = `
		SELECT ` + transferColumns + ` FROM transfer t
		WHERE t.due_at IS NOT NULL AND t.document->>'awaits' = ANY('{review,consent}')
		ORDER BY t.due_at, t.reference LIMIT $1`

	insertTransfers = `
		INSERT INTO transfer (part, reference, sender_id, receiver_id, kind, status, seconds, created_at, due_at, document, checks)
		SELECT unnest($1::smallint[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::uuid[]), unnest($5::text[]),
			unnest($6::text[]), unnest($7::bigint[]), unnest($8::timestamptz[]), unnest($9::timestamptz[]),
			unnest(string_to_array($10, chr(30))::json[]), unnest(string_to_array($11, chr(30)))
		ON CONFLICT (part, reference) DO NOTHING`

	updateTransfers = `
		UPDATE transfer t SET receiver_id = u.receiver_id, status = u.status, seconds = u.seconds, due_at = u.due_at,
			document = u.document, checks = CASE WHEN u.checks = 'null' THEN t.checks ELSE u.checks END
		FROM (SELECT unnest($1::smallint[]) AS part, unnest($2::text[]) AS reference, unnest($3::uuid[]) AS receiver_id,
			unnest($4::text[]) AS status, unnest($5::bigint[]) AS seconds, unnest($6::timestamptz[]) AS due_at,
			unnest(string_to_array($7, chr(30))::json[]) AS document, unnest(string_to_array($8, chr(30))) AS checks) AS u
		WHERE t.part = ANY(ARRAY[u.part]) AND t.reference = ANY(ARRAY[u.reference])`

	loadRepeats = `
		SELECT t.sender_id, t.receiver_id, t.seconds, t.created_at
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS u (sender_id, receiver_id, seconds)
		JOIN transfer t ON t.sender_id = ANY(ARRAY[u.sender_id]) AND t.created_at >= $4
			AND t.receiver_id IS NOT DISTINCT FROM u.receiver_id AND t.seconds IS NOT DISTINCT FROM u.seconds
		WHERE t.status = ANY('{pending,completed}')`
)

// TransferByReference returns a transfer without its checks, or ErrNotFound.
func (s *Store) TransferByReference(ctx context.Context, r transfer.Reference) (transfer.Transfer, error) {
	found, err := s.Transfers(ctx, []transfer.Reference{r})
	if err != nil {
		return transfer.Transfer{}, err
	}
	if len(found) == 0 {
		return transfer.Transfer{}, fmt.Errorf("transfer %s: %w", r, ErrNotFound)
	}
	return found[0], nil
}

// Transfers returns those of the transfers that exist, in any order, without their checks.
func (s *Store) Transfers(ctx context.Context, references []transfer.Reference) (found []transfer.Transfer, err error) {
	if len(references) == 0 {
		return nil, nil
	}
	var rows []transferRow
	parts, texts := referenceArrays(references)
	if err = s.selectHot(ctx, &rows, loadTransfers, parts, texts); err == nil {
		found, err = transfers(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("transfers: %w", err)
	}
	return found, nil
}

// TransfersOf returns the last transfers that a subscriber sent, also refused ones, or received, newest first.
func (s *Store) TransfersOf(ctx context.Context, id ocs.SubscriberID, limit int) (found []transfer.Transfer, err error) {
	var rows []transferRow
	if err = s.selectInto(ctx, &rows, selectTransfersOf, string(id), limit); err == nil {
		found, err = transfers(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("transfers of subscriber %s: %w", id, err)
	}
	return found, nil
}

// TransferChecks returns every rule that the decision made last about a transfer looked at, or ErrNotFound.
func (s *Store) TransferChecks(ctx context.Context, r transfer.Reference) ([]transfer.Check, error) {
	var documents [][]byte
	if err := s.selectInto(ctx, &documents, selectChecks, r.Slot(), string(r)); err != nil {
		return nil, fmt.Errorf("checks of transfer %s: %w", r, err)
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("checks of transfer %s: %w", r, ErrNotFound)
	}
	checks, err := readJSON[[]checkDocument]("transfer.checks", documents[0])
	if err != nil {
		return nil, fmt.Errorf("checks of transfer %s: %w", r, err)
	}
	return each(checks, func(c checkDocument) transfer.Check { return transfer.Check(c) }), nil
}

// DueTransfers returns up to limit pending transfers whose time is over. They lapse by a decision like any other, so that
// several servers may look for them at once.
func (s *Store) DueTransfers(ctx context.Context, now time.Time, limit int) (due []transfer.Reference, err error) {
	if err := s.selectInto(ctx, &due, dueTransfers, stored(now), limit); err != nil {
		return nil, fmt.Errorf("due transfers: %w", err)
	}
	return due, nil
}

// UndecidedTransfers returns the transfers and claims that persons of the operator may decide, those that lapse first before
// the others.
func (s *Store) UndecidedTransfers(ctx context.Context, limit int) (found []transfer.Transfer, err error) {
	var rows []transferRow
	if err = s.selectInto(ctx, &rows, undecidedTransfers, limit); err == nil {
		found, err = transfers(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("undecided transfers: %w", err)
	}
	return found, nil
}

// LoadTransfers returns the transfers of locked parties, without their checks.
func (tx *Tx) LoadTransfers(ctx context.Context, references []transfer.Reference) (found []transfer.Transfer, err error) {
	if len(references) == 0 {
		return nil, nil
	}
	var rows []transferRow
	parts, texts := referenceArrays(references)
	if err = tx.selectInto(ctx, &rows, loadTransfers, parts, texts); err == nil {
		found, err = transfers(rows)
	}
	if err != nil {
		return nil, fmt.Errorf("load transfers: %w", err)
	}
	return found, nil
}

// A Repeat is what a second transfer looks like the first by.
type Repeat struct {
	Sender, Receiver ocs.SubscriberID
	Seconds          rating.Units
}

// LoadRepeats returns when each was last done, since a time; those that were not are left out.
func (tx *Tx) LoadRepeats(ctx context.Context, asked []Repeat, since time.Time) (map[Repeat]time.Time, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	var senders, receivers, amounts array
	for _, r := range asked {
		senders.string(string(r.Sender))
		receivers.stringOrNull(string(r.Receiver))
		amounts.integer(int64(r.Seconds))
	}
	var rows []struct {
		Sender    string         `db:"sender_id"`
		Receiver  sql.NullString `db:"receiver_id"`
		Seconds   int64          `db:"seconds"`
		CreatedAt time.Time      `db:"created_at"`
	}
	if err := tx.selectInto(ctx, &rows, loadRepeats, senders.value(), receivers.value(), amounts.value(), stored(since)); err != nil {
		return nil, fmt.Errorf("load repeated transfers: %w", err)
	}
	last := make(map[Repeat]time.Time, len(rows))
	for _, r := range rows {
		key := Repeat{ocs.SubscriberID(r.Sender), ocs.SubscriberID(r.Receiver.String), rating.Units(r.Seconds)}
		if at := r.CreatedAt.UTC(); at.After(last[key]) {
			last[key] = at
		}
	}
	return last, nil
}

func (tx *Tx) insertTransfers(ctx context.Context, all []*transfer.Transfer) error {
	var parts, references, senders, receivers, kinds, statuses, amounts, created, due array
	var texts, checks documents
	for _, t := range all {
		parts.integer(int64(t.Reference.Slot()))
		references.string(string(t.Reference))
		senders.string(string(t.Sender))
		receivers.stringOrNull(string(t.Receiver))
		kinds.string(string(t.Kind))
		statuses.string(string(t.Status))
		amounts.integer(int64(t.Seconds))
		created.time(t.CreatedAt)
		due.time(t.DueAt)
		texts.addJSON(transferToDocument(t))
		checks.addJSON(checksToDocument(t.Checks))
	}
	count, err := tx.exec(ctx, insertTransfers, parts.value(), references.value(), senders.value(), receivers.value(), kinds.value(),
		statuses.value(), amounts.value(), created.value(), due.value(), texts.value(), checks.value())
	if err == nil && count != int64(len(all)) {
		err = ErrReferenceTaken
	}
	return err
}

func (tx *Tx) updateTransfers(ctx context.Context, all []*transfer.Transfer) error {
	var parts, references, receivers, statuses, amounts, due array
	var texts, checks documents
	for _, t := range all {
		parts.integer(int64(t.Reference.Slot()))
		references.string(string(t.Reference))
		receivers.stringOrNull(string(t.Receiver))
		statuses.string(string(t.Status))
		amounts.integer(int64(t.Seconds))
		due.time(t.DueAt)
		texts.addJSON(transferToDocument(t))
		checks.addJSON(checksToDocument(t.Checks))
	}
	count, err := tx.exec(ctx, updateTransfers, parts.value(), references.value(), receivers.value(), statuses.value(), amounts.value(), due.value(),
		texts.value(), checks.value())
	if err == nil && count != int64(len(all)) {
		err = fmt.Errorf("transfers to be updated: %w", errVanished)
	}
	return err
}

// referenceArrays returns the slots of references and the references, each once.
func referenceArrays(references []transfer.Reference) (slots, texts []byte) {
	var parts, names array
	for _, r := range slices.Compact(slices.Sorted(slices.Values(references))) {
		parts.integer(int64(r.Slot()))
		names.string(string(r))
	}
	return parts.value(), names.value()
}
