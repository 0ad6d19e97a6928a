package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

// printJSON prints v for machines.
func (env *environment) printJSON(v any) error {
	encoder := json.NewEncoder(env.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// note tells a person what is no result. Where stderr is gone there is nobody to tell.
func (env *environment) note(format string, args ...any) {
	_, _ = fmt.Fprintf(env.stderr, format+"\n", args...)
}

// table lines up cells for people. Flush prints it.
type table struct{ w *tabwriter.Writer }

func newTable(w io.Writer) table { return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

// row adds a line. What the network sent is made harmless for a terminal.
func (t table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	_, _ = fmt.Fprintln(t.w, strings.Join(cells, "\t")) // flush tells what went wrong
}

// gap adds an empty line. The columns below it are lined up anew.
func (t table) gap() { _, _ = fmt.Fprintln(t.w) }

func (t table) flush() error { return t.w.Flush() }

func printable(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) || r == '\u2028' || r == '\u202e' {
			return '?'
		}
		return r
	}, s)
}

// minutes writes seconds as people count them, 200:00 for 12000.
func minutes(seconds rating.Units) string {
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	return fmt.Sprintf("%s%d:%02d", sign, seconds/60, seconds%60)
}

// quantity writes n of unit; seconds also as minutes.
func quantity(n rating.Units, unit string) string {
	if unit == string(rating.Seconds) {
		return fmt.Sprintf("%s min (%d s)", minutes(n), n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// instant writes t in the time zone of whoever reads it.
func instant(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }

func optionalInstant(t *time.Time, absent string) string {
	if t == nil {
		return absent
	}
	return instant(*t)
}
