package api

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gyro-ocs/gyro/rating"
)

// maxUnits bounds one bucket at its creation: thirty thousand years of talk, and still exact in every JSON reader.
const maxUnits rating.Units = 1_000_000_000_000

// maxFaults is how many faults of a file are told; the rest are counted.
const maxFaults = 20

// rosterHeader is the first line of an import file.
var rosterHeader = []string{"msisdn", "imsi", "plan", "seconds"}

// A roster is a CSV file of subscribers to create.
type roster struct {
	rows   []rosterRow
	faults rosterFaults
}

// rosterRow is one subscriber. Every value was found right.
type rosterRow struct {
	line    int // in the file, from 1
	msisdn  string
	imsi    string // empty: not known
	plan    string
	seconds rating.Units // 0: no bucket
}

// rosterFaults are the reasons why a file is not imported: the first maxFaults in words, all of them counted.
type rosterFaults struct {
	first []rosterFault
	count int
}

type rosterFault struct {
	line int
	why  string // names no MSISDN and no IMSI: the line does
}

func (f *rosterFaults) add(line int, format string, args ...any) {
	f.count++
	if len(f.first) < maxFaults {
		f.first = append(f.first, rosterFault{line, fmt.Sprintf(format, args...)})
	}
}

// readRoster reads the whole file and finds every fault in it. The error is of reading, not of the content.
func readRoster(file io.Reader, plans map[string]rating.Plan) (roster, error) {
	reader := csv.NewReader(withoutMark(file))
	reader.ReuseRecord = true
	var r roster
	header, err := reader.Read()
	if why := headerFault(header, err); why != "" {
		r.faults.add(1, "%s", why)
		return r, readFault(err)
	}
	check := rosterCheck{plans: plans, planNames: slices.Sorted(maps.Keys(plans)), lines: map[string]int{}}
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil && readFault(err) != nil {
			return r, err
		}
		if err != nil {
			syntax, _ := errors.AsType[*csv.ParseError](err)
			r.faults.add(syntax.StartLine, "%s", syntaxFault(syntax, len(fields)))
			continue
		}
		line, _ := reader.FieldPos(0)
		if row, ok := check.row(line, fields, &r.faults); ok {
			r.rows = append(r.rows, row)
		}
	}
}

// readFault returns err unless it only says that the file is wrong.
func readFault(err error) error {
	if _, wrong := errors.AsType[*csv.ParseError](err); wrong || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func syntaxFault(err *csv.ParseError, fields int) string {
	switch {
	case errors.Is(err.Err, csv.ErrFieldCount):
		return fmt.Sprintf("%d fields instead of %d", fields, len(rosterHeader))
	case errors.Is(err.Err, csv.ErrBareQuote):
		return "a quotation mark inside a field; no field needs one"
	case errors.Is(err.Err, csv.ErrQuote):
		return "a quotation mark that is not closed where the field ends; no field needs one"
	}
	return err.Err.Error()
}

func headerFault(header []string, err error) string {
	want := strings.Join(rosterHeader, ",")
	switch {
	case errors.Is(err, io.EOF):
		return "the file is empty; its first line must be " + want
	case err != nil:
		return "the first line must be " + want
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
	}
	switch {
	case slices.Equal(header, rosterHeader):
		return ""
	case len(header) == 1 && strings.ContainsAny(header[0], ";\t"):
		return "the fields must be parted by commas; the first line must be " + want
	}
	return "the first line must be " + want
}

// withoutMark skips the byte order mark that spreadsheets write.
func withoutMark(file io.Reader) io.Reader {
	buffered := bufio.NewReader(file)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = buffered.Discard(3) // it was just peeked
	}
	return buffered
}

// rosterCheck judges one row after the other.
type rosterCheck struct {
	plans     map[string]rating.Plan
	planNames []string
	lines     map[string]int // by identity, where it came first
}

// row returns the row of fields, or adds all that is wrong with it to faults.
func (c *rosterCheck) row(line int, fields []string, faults *rosterFaults) (rosterRow, bool) {
	before := faults.count
	row := rosterRow{line: line}
	msisdn, err := ParseMSISDN(fields[0])
	if err != nil {
		faults.add(line, "%v", err)
	} else {
		row.msisdn = msisdn
		c.unique(line, "msisdn", msisdn, faults)
	}
	if strings.TrimSpace(fields[1]) != "" {
		imsi, err := ParseIMSI(fields[1])
		if err != nil {
			faults.add(line, "%v", err)
		} else {
			row.imsi = imsi
			c.unique(line, "imsi", imsi, faults)
		}
	}
	row.plan = strings.Clone(strings.TrimSpace(fields[2])) // a field shares memory with its whole line
	if err := knownPlan(row.plan, c.plans, c.planNames); err != nil {
		faults.add(line, "%v", err)
	}
	if row.seconds, err = parseUnits(fields[3]); err != nil {
		faults.add(line, "seconds: %v", err)
	}
	return row, faults.count == before
}

func (c *rosterCheck) unique(line int, kind, value string, faults *rosterFaults) {
	key := kind + value
	if first, taken := c.lines[key]; taken {
		faults.add(line, "%s: it is the one of line %d again", kind, first)
		return
	}
	c.lines[key] = line
}

func parseUnits(s string) (rating.Units, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, errors.New("it is empty; write 0 for no bucket")
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errors.New("it is not a whole number")
	}
	return rating.Units(n), checkUnits(rating.Units(n))
}

func checkUnits(n rating.Units) error {
	if n < 0 || n > maxUnits {
		return fmt.Errorf("%d is not between 0 and %d", n, maxUnits)
	}
	return nil
}

// knownPlan returns why name is not a plan to sell. names are the keys of plans, sorted.
func knownPlan(name string, plans map[string]rating.Plan, names []string) error {
	if _, ok := plans[name]; ok {
		return nil
	}
	const most = 10
	known := strings.Join(names[:min(most, len(names))], ", ")
	if len(names) > most {
		known += ", …"
	}
	switch {
	case name == "":
		return fmt.Errorf("plan: it is empty; the catalogue has %s", known)
	case len(name) > 64 || !utf8.ValidString(name) || !letter(name[0]): // a column too far left, it may be an IMSI
		return fmt.Errorf("plan: that is no name; the catalogue has %s", known)
	}
	return fmt.Errorf("plan: the catalogue has no %q; it has %s", name, known)
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
