package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// tableLimit is how many rows a table has when nothing else is asked for; --json has all.
const tableLimit = 100

// pageSize is how many rows are asked for at once.
const pageSize = 1000

// listing is a list that the server hands out page by page.
type listing[T any] struct {
	what  string // plural, for "no subscribers"
	fetch func(ctx context.Context, query url.Values) (page []T, next string, err error)
	head  []string
	row   func(T) []string

	limit int // --limit
	after string
	csv   bool // --csv
}

func (l *listing[T]) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&l.limit, "limit", 0, fmt.Sprintf("list this many at most (default %d in a table, all with --json and --csv)", tableLimit))
	cmd.Flags().BoolVar(&l.csv, "csv", false, "print CSV for spreadsheets, with the names that --json has; lists within a row are left out")
	cmd.Flags().StringVar(&l.after, "after", "", "continue where a list ended that told to")
}

// print lists what query selects.
func (l *listing[T]) print(ctx context.Context, env *environment, query url.Values) error {
	if l.limit < 0 {
		return usagef("--limit %d is less than 1", l.limit)
	}
	var out sink[T]
	switch {
	case env.json && l.csv:
		return usagef("--json and --csv are two forms: choose one")
	case env.json:
		out = &jsonSink[T]{w: env.stdout}
	case l.csv:
		out = newCSVSink[T](env.stdout)
	default:
		if l.limit == 0 {
			l.limit = tableLimit
		}
		out = &tableSink[T]{table: newTable(env.stdout), head: l.head, row: l.row}
	}
	next, listed, err := l.pages(ctx, query, out)
	if err != nil {
		return err
	}
	if err := out.end(); err != nil {
		return err
	}
	switch {
	case listed == 0 && !env.json && !l.csv:
		env.note("no %s", l.what)
	case next != "":
		env.note("there are more %s: raise --limit, or continue with --after %s", l.what, next)
	}
	return nil
}

func (l *listing[T]) pages(ctx context.Context, query url.Values, out sink[T]) (next string, listed int, err error) {
	next = l.after
	for {
		ask := pageSize
		if l.limit > 0 {
			ask = min(ask, l.limit-listed)
		}
		if query == nil {
			query = url.Values{}
		}
		query.Set("limit", strconv.Itoa(ask))
		if next != "" {
			query.Set("after", next)
		}
		var page []T
		if page, next, err = l.fetch(ctx, query); err != nil {
			return next, listed, err
		}
		for _, item := range page {
			if err := out.add(item); err != nil {
				return next, listed, err
			}
		}
		listed += len(page)
		if next == "" || len(page) == 0 || (l.limit > 0 && listed >= l.limit) {
			return next, listed, nil
		}
	}
}

// sink is where a list goes.
type sink[T any] interface {
	add(item T) error
	end() error
}

// jsonSink writes a JSON array while it comes in, so that a million rows need no memory.
type jsonSink[T any] struct {
	w     io.Writer
	begun bool
}

func (s *jsonSink[T]) add(item T) error {
	text, err := json.MarshalIndent(item, "  ", "  ")
	if err != nil {
		return err
	}
	separator := "[\n  "
	if s.begun {
		separator = ",\n  "
	}
	s.begun = true
	_, err = fmt.Fprintf(s.w, "%s%s", separator, text)
	return err
}

func (s *jsonSink[T]) end() error {
	text := "\n]\n"
	if !s.begun {
		text = "[]\n"
	}
	_, err := io.WriteString(s.w, text)
	return err
}

// tableSink writes a table, with a head when there is any row.
type tableSink[T any] struct {
	table table
	head  []string
	row   func(T) []string
	begun bool
}

func (s *tableSink[T]) add(item T) error {
	if !s.begun {
		s.table.row(s.head...)
		s.begun = true
	}
	s.table.row(s.row(item)...)
	return nil
}

func (s *tableSink[T]) end() error { return s.table.flush() }

// setTime puts t into query unless it is zero.
func setTime(query url.Values, name string, t time.Time) {
	if !t.IsZero() {
		query.Set(name, t.UTC().Format(time.RFC3339Nano))
	}
}
