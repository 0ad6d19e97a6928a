package cdr

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// rows returns the records of a run in the order of their numbers. Rows that have come since are passed over.
func (b *Book) rows(ctx context.Context, month string, run int) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		full, err := b.Store.ExportRun(ctx, month, run)
		if err != nil {
			yield(nil, err)
			return
		}
		r := runReader{run: full, prints: full.Prints}
		if len(full.Told) > 0 {
			if err := json.Unmarshal(full.Told, &r.told); err != nil {
				yield(nil, fmt.Errorf("what run %d of %s tells: %w", run, month, err))
				return
			}
		}
		var more bool
		if full.Source == postgres.FromCDRs {
			more, err = r.cdrs(ctx, b.Store, yield)
		} else {
			more, err = r.postings(ctx, b.Store, yield)
		}
		if err == nil && more && r.at < r.prints.len() {
			err = fmt.Errorf("%w: record %d of %s is not there", ErrChanged, full.First+int64(r.at), month)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// A runReader goes through the rows of a run.
type runReader struct {
	run    postgres.ExportRun
	prints prints
	told   toldRun
	print  printer
	at     int
}

// next reports whether the record with this print is the next one of the run.
func (r *runReader) next(one print) bool { return r.at < r.prints.len() && r.prints.at(r.at) == one }

func (r *runReader) span() postgres.ExportSpan {
	return postgres.ExportSpan{From: r.run.From, To: r.run.To, First: &r.run.FirstKey, Last: &r.run.LastKey}
}

func (r *runReader) cdrs(ctx context.Context, store *postgres.Store, yield func(*Row, error) bool) (more bool, err error) {
	source := store.ScanRecords(ctx, r.span())
	if r.run.Late {
		source = store.RecordsAt(ctx, r.told.Keys)
	}
	for record, err := range source {
		if err != nil {
			return true, err
		}
		key := postgres.ExportKey{
			At: record.EndedAt, Subscriber: record.Subscriber, ID: record.Session.ID, Sub: record.Session.Sub, Number: record.Number,
		}
		if !r.next(r.print.of(key, "")) {
			continue
		}
		row := rowOf(&record, r.run.First+int64(r.at), r.run.Late)
		r.at++
		if !yield(&row, nil) {
			return false, nil
		}
	}
	return true, nil
}

func (r *runReader) postings(ctx context.Context, store *postgres.Store, yield func(*Row, error) bool) (more bool, err error) {
	source := store.ScanPostings(ctx, r.span())
	if r.run.Late {
		source = store.PostingsAt(ctx, r.told.Keys)
	}
	for group, err := range groups(source) {
		if err != nil {
			return true, err
		}
		for i := range group {
			p := &group[i]
			if !r.next(r.print.of(p.key, p.kind)) {
				continue
			}
			var who told
			if r.at < len(r.told.Posted) {
				who = r.told.Posted[r.at]
			}
			row := rowOfPosted(p, who, r.run.First+int64(r.at), r.run.Late)
			r.at++
			if !yield(&row, nil) {
				return false, nil
			}
		}
	}
	return true, nil
}
