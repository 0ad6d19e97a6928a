package postgres

import (
	"context"
	"fmt"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/transfer"
)

// TransferChanges are what a batch of decisions about transfers came to, beside the buckets and postings. Every row is
// named once, as it is to be; counters are what is added, and may be named often.
type TransferChanges struct {
	New      []*transfer.Transfer
	Changed  []*transfer.Transfer
	Answers  []transfer.Remembered
	Quotes   []*transfer.Quote
	Counters []transfer.Counter
	Cards    []Card
	Outbox   []outbox.Message
	Audit    []AuditEntry
}

// SaveTransfers writes c, in one statement for every table that it names. When a new transfer or quote has a reference
// that is taken, the error is ErrReferenceTaken.
func (tx *Tx) SaveTransfers(ctx context.Context, c TransferChanges) error {
	steps := []struct {
		what  string
		count int
		save  func() error
	}{
		{"answers", len(c.Answers), func() error { return tx.insertAnswers(ctx, c.Answers) }},
		{"new transfers", len(c.New), func() error { return tx.insertTransfers(ctx, c.New) }},
		{"transfers", len(c.Changed), func() error { return tx.updateTransfers(ctx, c.Changed) }},
		{"quotes", len(c.Quotes), func() error { return tx.saveQuotes(ctx, c.Quotes) }},
		{"counters", len(c.Counters), func() error { return tx.addCounters(ctx, c.Counters) }},
		{"cards", len(c.Cards), func() error { return tx.seeCards(ctx, c.Cards) }},
		{"texts and events", len(c.Outbox), func() error { return tx.AppendOutbox(ctx, c.Outbox) }},
		{"audit entries", len(c.Audit), func() error { return tx.AppendAudit(ctx, c.Audit) }},
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
