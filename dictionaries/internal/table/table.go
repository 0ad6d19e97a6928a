// Package table reads dictionary.txt and writes it in the formats of other programs.
package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// A Table is the whole dictionary. What [Read] returns is consistent: names and codes are unique, members exist, and
// a value belongs to an Enumerated only.
type Table struct {
	Vendors      []Vendor
	Applications []Application
}

// A Vendor is an owner of AVPs with its private enterprise number.
type Vendor struct {
	Name string
	ID   uint32
}

// An Application holds the AVPs and commands that it defines.
type Application struct {
	ID       uint32
	Name     string
	AVPs     []AVP
	Commands []Command
}

// An AVP is one line of the dictionary.
type AVP struct {
	Name    string
	Code    uint32
	Vendor  Vendor // the zero value for the IETF
	Flag    Flag
	Type    string   // as RFC 6733 §4.2 and §4.3 name it
	Members []Member // of a Grouped
	Values  []Value  // of an Enumerated
}

// A Flag tells how a sender sets the M bit.
type Flag byte

// The rules for the M bit.
const (
	Must    Flag = 'M'
	May     Flag = 'm'
	MustNot Flag = '-'
)

// A Member is an AVP inside a group or a command: at least Min times, at most Max, where 0 is any number.
type Member struct {
	Name     string
	First    bool // at a fixed place: <Session-Id>
	Min, Max int
}

// A Value is a named value of an Enumerated.
type Value struct {
	Name   string
	Number int32
}

// A Command is a request or an answer.
type Command struct {
	Short, Name string
	Code        uint32
	Members     []Member
}

// Request reports whether c is one and not an answer.
func (c Command) Request() bool { return strings.HasSuffix(c.Short, "R") }

var types = []string{
	"Address", "DiameterIdentity", "DiameterURI", "Enumerated", "Float32", "Float64", "Grouped", "IPFilterRule",
	"Integer32", "Integer64", "OctetString", "QoSFilterRule", "Time", "UTF8String", "Unsigned32", "Unsigned64",
}

// Read reads a dictionary. Its error names every faulty line.
func Read(r io.Reader) (Table, error) {
	var t Table
	var faults []error
	lines := bufio.NewScanner(r)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := t.readLine(strings.Fields(line)); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", number, err))
		}
	}
	if err := lines.Err(); err != nil {
		return Table{}, fmt.Errorf("read dictionary: %w", err)
	}
	faults = append(faults, t.faults()...)
	if len(faults) > 0 {
		return Table{}, errors.Join(faults...)
	}
	return t, nil
}

func (t *Table) readLine(fields []string) error {
	if len(fields) < 2 {
		return fmt.Errorf("%q alone says nothing", fields[0])
	}
	switch fields[0] {
	case "vendor":
		return t.readVendor(fields[1:])
	case "application":
		return t.readApplication(fields[1:])
	}
	if len(t.Applications) == 0 {
		return fmt.Errorf("%s stands before any application", fields[0])
	}
	app := &t.Applications[len(t.Applications)-1]
	if fields[0] == "command" {
		command, err := readCommand(fields[1:])
		app.Commands = append(app.Commands, command)
		return err
	}
	avp, err := t.readAVP(fields)
	app.AVPs = append(app.AVPs, avp)
	return err
}

func (t *Table) readVendor(fields []string) error {
	if len(fields) != 2 {
		return errors.New("a vendor has a name and a number")
	}
	id, err := number(fields[1])
	t.Vendors = append(t.Vendors, Vendor{Name: fields[0], ID: id})
	return err
}

// readApplication begins an application, or goes on with one that is there: it is the last from now on.
func (t *Table) readApplication(fields []string) error {
	id, err := number(fields[0])
	if err != nil {
		return err
	}
	app := Application{ID: id}
	if at := slices.IndexFunc(t.Applications, func(a Application) bool { return a.ID == id }); at >= 0 {
		app = t.Applications[at]
		t.Applications = slices.Delete(t.Applications, at, at+1)
	}
	if len(fields) > 1 {
		app.Name = fields[1]
	}
	t.Applications = append(t.Applications, app)
	return nil
}

func (t *Table) readAVP(fields []string) (AVP, error) {
	if len(fields) < 5 {
		return AVP{}, fmt.Errorf("%s needs code, vendor, flags and type", fields[0])
	}
	a := AVP{Name: fields[0], Type: fields[4]}
	var err error
	if a.Code, err = number(fields[1]); err != nil {
		return a, err
	}
	if fields[2] != "-" {
		at := slices.IndexFunc(t.Vendors, func(v Vendor) bool { return v.Name == fields[2] })
		if at < 0 {
			return a, fmt.Errorf("%s has an unknown vendor %q", a.Name, fields[2])
		}
		a.Vendor = t.Vendors[at]
	}
	if !slices.Contains([]string{"M", "m", "-"}, fields[3]) {
		return a, fmt.Errorf("%s has unknown flags %q", a.Name, fields[3])
	}
	a.Flag = Flag(fields[3][0])
	if !slices.Contains(types, a.Type) {
		return a, fmt.Errorf("%s has an unknown type %q", a.Name, a.Type)
	}
	switch more := fields[5:]; a.Type {
	case "Grouped":
		a.Members, err = readMembers(more)
	case "Enumerated":
		a.Values, err = readValues(more)
	default:
		if len(more) > 0 {
			err = fmt.Errorf("neither members nor values belong to a %s", a.Type)
		}
	}
	if err != nil {
		return a, fmt.Errorf("%s: %w", a.Name, err)
	}
	return a, nil
}

func readCommand(fields []string) (Command, error) {
	if len(fields) < 4 {
		return Command{}, errors.New("a command has a short name, a code, a name and members")
	}
	code, err := number(fields[1])
	if err != nil {
		return Command{}, err
	}
	members, err := readMembers(fields[3:])
	return Command{Short: fields[0], Code: code, Name: fields[2], Members: members}, err
}

func readMembers(fields []string) ([]Member, error) {
	var members []Member
	for _, f := range fields {
		repeated, name := false, f
		if strings.HasPrefix(f, "*") {
			repeated, name = true, f[1:]
		}
		if len(name) < 3 {
			return nil, fmt.Errorf("%q is no member", f)
		}
		m := Member{Name: name[1 : len(name)-1], Max: 1}
		if repeated {
			m.Max = 0
		}
		switch name[:1] + name[len(name)-1:] {
		case "<>":
			m.First, m.Min = true, 1
		case "{}":
			m.Min = 1
		case "[]":
		default:
			return nil, fmt.Errorf("%q is no member", f)
		}
		members = append(members, m)
	}
	return members, nil
}

func readValues(fields []string) ([]Value, error) {
	var values []Value
	for _, f := range fields {
		name, text, _ := strings.Cut(f, "=")
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no NAME=value", f)
		}
		value := Value{Name: name, Number: int32(n)}
		if slices.ContainsFunc(values, func(v Value) bool { return v.Name == value.Name || v.Number == value.Number }) {
			return nil, fmt.Errorf("name or number of %q is there twice", f)
		}
		values = append(values, value)
	}
	return values, nil
}

func number(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}

// faults returns what is wrong with t as a whole.
func (t Table) faults() (faults []error) {
	type key struct{ vendor, code uint32 }
	names, codes := map[string]bool{}, map[key]string{}
	for _, a := range t.avps() {
		if names[a.Name] {
			faults = append(faults, fmt.Errorf("%s is there twice", a.Name))
		}
		names[a.Name] = true
		k := key{a.Vendor.ID, a.Code}
		if other, taken := codes[k]; taken {
			faults = append(faults, fmt.Errorf("%s has the code %d of %s", a.Name, a.Code, other))
		}
		codes[k] = a.Name
	}
	check := func(where string, members []Member) {
		for _, m := range members {
			if !names[m.Name] {
				faults = append(faults, fmt.Errorf("%s has an unknown member %s", where, m.Name))
			}
		}
	}
	for _, app := range t.Applications {
		for _, a := range app.AVPs {
			check(a.Name, a.Members)
		}
		for _, c := range app.Commands {
			check(c.Short, c.Members)
		}
	}
	return faults
}

func (t Table) avps() (all []AVP) {
	for _, app := range t.Applications {
		all = append(all, app.AVPs...)
	}
	return all
}
