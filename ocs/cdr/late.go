package cdr

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A since tells the records of a period that have come since it was closed from those that were numbered. It is asked for
// the records in their order.
type since struct {
	ctx   context.Context
	store *postgres.Store
	runs  []postgres.ExportRun // those that were numbered when the period was closed
	late  map[print]bool       // those that were numbered after, as corrections
	run   prints
	at    int // in run
}

// since returns nil when nothing has come.
func (c *closing) since(ctx context.Context, p pass) (*since, error) {
	runs, err := c.book.Store.ExportRunsOf(ctx, p.source, p.from, p.to)
	if err != nil {
		return nil, err
	}
	s := &since{ctx: ctx, store: c.book.Store, late: map[print]bool{}}
	rows := int64(0)
	for _, r := range runs {
		rows += int64(r.Rows)
		if !r.Late {
			s.runs = append(s.runs, r)
			continue
		}
		full, err := c.book.Store.ExportRun(ctx, r.Month, r.Run)
		if err != nil {
			return nil, err
		}
		for i := range prints(full.Prints).len() {
			s.late[prints(full.Prints).at(i)] = true
		}
	}
	there, err := c.book.Store.CountExport(ctx, p.source, p.from, p.to)
	switch {
	case err != nil:
		return nil, err
	case there < rows:
		return nil, fmt.Errorf("%w: of %s to %s there are %d rows in %s and %d were numbered", ErrChanged,
			p.from.Format("2006-01-02"), p.to.Format("2006-01-02"), there, p.source, rows)
	case there == rows:
		return nil, nil
	}
	return s, nil
}

func (s *since) isNew(key postgres.ExportKey, one print) (bool, error) {
	if err := s.load(); err != nil {
		return false, err
	}
	if s.at < s.run.len() && s.run.at(s.at) == one {
		s.at++
		return false, nil
	}
	return !s.late[one], nil
}

// load reads the next run when the last one was gone through.
func (s *since) load() error {
	for s.at == s.run.len() && len(s.runs) > 0 {
		full, err := s.store.ExportRun(s.ctx, s.runs[0].Month, s.runs[0].Run)
		if err != nil {
			return err
		}
		s.runs, s.run, s.at = s.runs[1:], full.Prints, 0
	}
	return nil
}

// complete reports numbered records that did not come.
func (s *since) complete() error {
	if s.at < s.run.len() || len(s.runs) > 0 {
		return fmt.Errorf("%w: a record that was numbered is not there", ErrChanged)
	}
	return nil
}

// distinct returns the values that are not empty, each once.
func distinct[T ~string](values []T) []T {
	values = slices.Clone(values)
	slices.Sort(values)
	values = slices.Compact(values)
	return slices.DeleteFunc(values, func(v T) bool { return v == "" })
}

// reference returns the transfer that a movement belongs to; empty: none.
func reference(movement string) string {
	r, ok := strings.CutPrefix(movement, "transfer:")
	if !ok {
		return ""
	}
	return r
}
