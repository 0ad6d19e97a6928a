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

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// maxUnits bounds one bucket at its creation: thirty thousand years of talk, and still exact in every JSON reader.
const maxUnits rating.Units = 1_000_000_000_000

// maxFaults is how many faults of a file are told; the rest are counted.
const maxFaults = 20

// rosterHeader is how the first line of an import file begins. Behind it any of rosterOthers may follow, in any order.
var rosterHeader = []string{"msisdn", "imsi", "plan", "seconds"}

// rosterOthers are the columns that a file may have beside; a field may be empty.
var rosterOthers = map[string]struct {
	kind  ocs.IdentityKind
	parse func(string) (string, error)
}{"sip_uri": {ocs.SIPURI, ParseSIPURI}, "nai": {ocs.NAI, ParseNAI}, "private": {ocs.Private, ParsePrivate}}

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
	seconds rating.Units   // 0: no bucket
	others  []ocs.Identity // beside msisdn and imsi, one of a kind
}

// identities returns all that row names the subscriber by, the msisdn first.
func (row *rosterRow) identities() []ocs.Identity {
	all := make([]ocs.Identity, 0, 2+len(row.others))
	all = append(all, ocs.Identity{Kind: ocs.E164, Value: row.msisdn})
	if row.imsi != "" {
		all = append(all, ocs.Identity{Kind: ocs.IMSI, Value: row.imsi})
	}
	return append(all, row.others...)
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
	check := rosterCheck{others: slices.Clone(header[len(rosterHeader):]), plans: plans, planNames: slices.Sorted(maps.Keys(plans)), lines: map[string]int{}}
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
			r.faults.add(syntax.StartLine, "%s", syntaxFault(syntax, len(fields), len(rosterHeader)+len(check.others)))
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

func syntaxFault(err *csv.ParseError, fields, want int) string {
	switch {
	case errors.Is(err.Err, csv.ErrFieldCount):
		return fmt.Sprintf("%d fields instead of %d", fields, want)
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
	switch n := len(rosterHeader); {
	case len(header) >= n && slices.Equal(header[:n], rosterHeader):
		return othersFault(header[n:])
	case len(header) == 1 && strings.ContainsAny(header[0], ";\t"):
		return "the fields must be parted by commas; the first line must be " + want
	}
	return "the first line must be " + want
}

// othersFault returns what is wrong with the columns behind those that every file has.
func othersFault(columns []string) string {
	for i, column := range columns {
		if _, known := rosterOthers[column]; !known {
			return fmt.Sprintf("column %d of the first line is none of %s", len(rosterHeader)+i+1, strings.Join(slices.Sorted(maps.Keys(rosterOthers)), ", "))
		}
		if slices.Contains(columns[:i], column) {
			return fmt.Sprintf("column %d of the first line is %s again", len(rosterHeader)+i+1, column)
		}
	}
	return ""
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
	others    []string // columns behind rosterHeader
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
	for i, column := range c.others {
		c.other(&row, column, fields[len(rosterHeader)+i], faults)
	}
	return row, faults.count == before
}

func (c *rosterCheck) other(row *rosterRow, column, field string, faults *rosterFaults) {
	if strings.TrimSpace(field) == "" {
		return
	}
	how := rosterOthers[column]
	value, err := how.parse(strings.Clone(field)) // a field shares memory with its whole line
	if err != nil {
		faults.add(row.line, "%v", err)
		return
	}
	row.others = append(row.others, ocs.Identity{Kind: how.kind, Value: value})
	c.unique(row.line, column, value, faults)
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
