package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

const (
	loadQuotes = `
		SELECT t.id, t.expires_at, t.document FROM unnest($1::smallint[], $2::text[]) AS u (part, id)
		JOIN transfer_quote t ON t.part = ANY(ARRAY[u.part]) AND t.id = ANY(ARRAY[u.id])`

	// A quote is made once and used once. One that another quote's number was drawn for again is not overwritten.
	saveQuotes = `
		INSERT INTO transfer_quote (part, id, expires_at, document)
		SELECT unnest($1::smallint[]), unnest($2::text[]), unnest($3::timestamptz[]), unnest(string_to_array($4, chr(30))::json[])
		ON CONFLICT (part, id) DO UPDATE SET document = excluded.document
		WHERE excluded.document->>'used_by' IS NOT NULL`

	forgetQuotes = `DELETE FROM transfer_quote WHERE expires_at < $1`
)

// LoadQuotes returns quotes of locked senders; those that do not exist are left out. Their ids have the form of references.
func (tx *Tx) LoadQuotes(ctx context.Context, ids []string) ([]transfer.Quote, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []struct {
		ID        string    `db:"id"`
		ExpiresAt time.Time `db:"expires_at"`
		Document  []byte    `db:"document"`
	}
	parts, names := referenceArrays(each(ids, func(id string) transfer.Reference { return transfer.Reference(id) }))
	if err := tx.selectInto(ctx, &rows, loadQuotes, parts, names); err != nil {
		return nil, fmt.Errorf("load quotes: %w", err)
	}
	quotes := make([]transfer.Quote, len(rows))
	for i, r := range rows {
		d, err := readJSON[quoteDocument]("transfer_quote.document", r.Document)
		if err != nil {
			return nil, err
		}
		quotes[i] = transfer.Quote{
			ID: r.ID, Sender: d.Sender, Receiver: d.Receiver, Kind: d.Kind, Channel: d.Channel, Seconds: d.Seconds, Fee: d.Fee,
			Bearer: d.Bearer, ExpiresAt: r.ExpiresAt.UTC(), UsedBy: d.UsedBy, Counted: each(d.Counted, counterFromDocument), Policy: d.Policy,
		}
	}
	return quotes, nil
}

func (tx *Tx) saveQuotes(ctx context.Context, quotes []*transfer.Quote) error {
	var parts, ids, expiries array
	var texts documents
	for _, q := range quotes {
		parts.integer(int64(transfer.Reference(q.ID).Slot()))
		ids.string(q.ID)
		expiries.time(q.ExpiresAt)
		texts.addJSON(quoteDocument{
			Sender: q.Sender, Receiver: q.Receiver, Kind: q.Kind, Channel: q.Channel, Seconds: q.Seconds, Fee: q.Fee, Bearer: q.Bearer,
			UsedBy: q.UsedBy, Counted: each(q.Counted, counterToDocument), Policy: q.Policy,
		})
	}
	count, err := tx.exec(ctx, saveQuotes, parts.value(), ids.value(), expiries.value(), texts.value())
	if err == nil && count != int64(len(quotes)) {
		err = ErrReferenceTaken
	}
	return err
}

// ForgetQuotes deletes quotes that expired before a time.
func (s *Store) ForgetQuotes(ctx context.Context, before time.Time) error {
	err := s.inTx(ctx, s.bulk, func(tx *Tx) error {
		_, err := tx.run(ctx, forgetQuotes, stored(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget quotes: %w", err)
	}
	return nil
}
