package cdr

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // so that a zone means the same wherever it is written
	"unicode/utf8"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

// A Template says how a CSV is to look.
type Template struct {
	Delimiter rune
	QuoteAll  bool
	Header    bool
	LineEnd   string
	Point     string // of decimals
	Zone      *time.Location
	Formulas  bool // text that a spreadsheet would take for a formula is left as it is
	Columns   []TemplateColumn
	time      timeFormat
	source    []byte
}

// A TemplateColumn is one column of a CSV.
type TemplateColumn struct {
	Name  string // in the header
	from  column
	as    string
	fixed string // instead of from
}

// DefaultTemplate has all columns.
func DefaultTemplate() *Template {
	t := &Template{Delimiter: ',', Header: true, LineEnd: "\n", Point: ".", Zone: time.UTC, time: timeFormat{layout: time.RFC3339Nano}}
	for _, c := range columns {
		t.Columns = append(t.Columns, TemplateColumn{Name: c.name, from: c})
	}
	return t
}

// maxTemplate bounds what is read of a template.
const (
	maxTemplate      = 64 << 10
	maxTemplateParts = 5000
)

// ParseTemplate reads a template as YAML, or tells everything that is wrong with it. No text is the template of all columns.
func ParseTemplate(name string, data []byte) (*Template, error) {
	if len(data) == 0 {
		return DefaultTemplate(), nil
	}
	if len(data) > maxTemplate {
		return nil, yamltext.Fault{File: name, Reason: fmt.Sprintf("more than the %d octets that are read", maxTemplate)}
	}
	r := yamltext.NewReader("a template", maxTemplateParts)
	var t *Template
	for top := range r.Documents(name, data) {
		if t != nil {
			top.Faultf("a template is one document")
			break
		}
		t = readTemplate(top)
	}
	if t == nil && r.Faults() == 0 {
		r.Add(yamltext.Fault{File: name, Reason: "no template: at least columns are needed"})
	}
	if err := r.Err(name); err != nil {
		return nil, err
	}
	t.source = data
	return t, nil
}

func readTemplate(top yamltext.Value) *Template {
	t := DefaultTemplate()
	fields, ok := top.Fields("delimiter", "quote", "header", "line_end", "decimal", "time_zone", "time", "formulas", "columns")
	if !ok {
		return t
	}
	if v, ok := fields["delimiter"]; ok {
		t.Delimiter = readDelimiter(v)
	}
	if v, ok := fields["header"]; ok {
		t.Header = v.Truth()
	}
	choose := func(key string, meanings map[string]string, to *string, words string) {
		if v, ok := fields[key]; ok {
			text, _ := v.Text()
			meaning, known := meanings[text]
			if !known {
				v.Faultf("%q is none of %s", yamltext.Clip(text), words)
			}
			*to = meaning
		}
	}
	quote, formulas := "", ""
	choose("quote", map[string]string{"needed": "", "always": "always"}, &quote, "needed, always")
	choose("formulas", map[string]string{"escape": "", "keep": "keep"}, &formulas, "escape, keep")
	choose("line_end", map[string]string{"lf": "\n", "crlf": "\r\n"}, &t.LineEnd, "lf, crlf")
	choose("decimal", map[string]string{".": ".", ",": ","}, &t.Point, "., ,")
	t.QuoteAll, t.Formulas = quote != "", formulas != ""
	if v, ok := fields["time_zone"]; ok {
		t.Zone = readZone(v)
	}
	if v, ok := fields["time"]; ok {
		t.time = readTimeFormat(v)
	}
	if v, ok := fields["columns"]; ok {
		t.Columns = nil
		for _, item := range v.Items() {
			t.Columns = append(t.Columns, readColumn(item))
		}
	}
	return t
}

func readDelimiter(v yamltext.Value) rune {
	text, ok := v.Text()
	if !ok {
		return ','
	}
	if text == `\t` || text == "tab" {
		return '\t'
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || strings.ContainsRune("\"\r\n", r) || r < ' ' {
		v.Faultf("%q is no delimiter: use one character that is no quote, or tab", yamltext.Clip(text))
		return ','
	}
	return r
}

func readZone(v yamltext.Value) *time.Location {
	text, _ := v.Text()
	zone, err := time.LoadLocation(text)
	if err != nil || text == "" || text == "Local" {
		v.Faultf("%q is no time zone: write a name of the tz database, such as Europe/Berlin", yamltext.Clip(text))
		return time.UTC
	}
	return zone
}

func readColumn(v yamltext.Value) (c TemplateColumn) {
	var name string
	if text, plain := plainText(v); plain {
		name, c.Name = text, text
	} else {
		fields, ok := v.Fields("name", "from", "as", "value")
		if !ok {
			return c
		}
		text := func(key string) string {
			if field, ok := fields[key]; ok {
				text, _ := field.Text()
				return text
			}
			return ""
		}
		name, c.Name, c.as, c.fixed = text("from"), text("name"), text("as"), text("value")
		_, fixed := fields["value"]
		switch _, from := fields["from"]; {
		case fixed && from:
			v.Faultf("a column has either from or value")
		case fixed:
			if c.Name == "" {
				v.Faultf("a column with a value needs a name")
			}
			c.from = textColumn("", "", func(*Row) string { return c.fixed })
			fixedText := c.fixed
			c.from.value = func(*Row) cell { return cell{kind: textCell, text: fixedText} }
			return c
		case !from:
			v.Faultf("a column needs from, or a value")
			return c
		}
	}
	found, ok := columnNamed(name)
	if !ok {
		v.Faultf("%q is no column; gyro cdr columns lists all", yamltext.Clip(name))
		return c
	}
	c.from = found
	if c.Name == "" {
		c.Name = name
	}
	if c.as != "" && !mayBe(found.kind, c.as) {
		v.Faultf("%s cannot be written as %q; it may be %s", name, yamltext.Clip(c.as), strings.Join(forms[found.kind], ", "))
	}
	return c
}

// plainText reads v as text where it is that, without complaint where it is not.
func plainText(v yamltext.Value) (string, bool) {
	if v.Node.Value == "" || len(v.Node.Content) > 0 {
		return "", false
	}
	return v.Text()
}

// forms are what "as" can make of the kinds of columns.
var forms = map[string][]string{
	"seconds": {"seconds", "minutes", "hms"},
	"octets":  {"octets", "kilobytes", "megabytes"},
	"money":   {"minor", "major"},
	"text":    {"text"}, "number": {"number"}, "time": {"time", "date", "unix"},
}

func mayBe(kind, as string) bool {
	return slices.Contains(forms[kind], as)
}
