package cdr

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf8"
)

// A csvWriter writes rows as RFC 4180 has it, by a template.
type csvWriter struct {
	w        io.Writer
	template *Template
	buffer   []byte
	field    []byte
	header   bool // is still to be written
}

// flushAt is how much is gathered before it is written.
const flushAt = 64 << 10

func newCSVWriter(w io.Writer, t *Template) *csvWriter {
	return &csvWriter{w: w, template: t, header: t.Header}
}

func (c *csvWriter) add(r *Row) error {
	if c.header {
		c.writeHeader()
	}
	for i := range c.template.Columns {
		column := &c.template.Columns[i]
		if i > 0 {
			c.buffer = utf8.AppendRune(c.buffer, c.template.Delimiter)
		}
		value := column.from.value(r)
		c.field = c.template.appendCell(c.field[:0], column, value, r)
		c.quote(value.kind == textCell && !c.template.Formulas)
	}
	c.buffer = append(c.buffer, c.template.LineEnd...)
	if len(c.buffer) < flushAt {
		return nil
	}
	return c.flush()
}

func (c *csvWriter) flush() error {
	_, err := c.w.Write(c.buffer)
	c.buffer = c.buffer[:0]
	return err
}

func (c *csvWriter) end() error {
	if c.header {
		c.writeHeader()
	}
	return c.flush()
}

func (c *csvWriter) writeHeader() {
	c.header = false
	for i, column := range c.template.Columns {
		if i > 0 {
			c.buffer = utf8.AppendRune(c.buffer, c.template.Delimiter)
		}
		c.field = append(c.field[:0], column.Name...)
		c.quote(false)
	}
	c.buffer = append(c.buffer, c.template.LineEnd...)
}

// quote writes the field, in quotes where it needs them. guard puts an apostrophe before what a spreadsheet would take for
// a formula: names in a CDR were chosen by whoever placed the call. Numbers with a sign are none.
func (c *csvWriter) quote(guard bool) {
	field := c.field
	guard = guard && len(field) > 0 && bytes.IndexByte([]byte("=+-@\t\r"), field[0]) >= 0 && !isSignedNumber(field)
	needed := c.template.QuoteAll || guard || bytes.ContainsAny(field, "\"\r\n") || bytes.ContainsRune(field, c.template.Delimiter) ||
		len(field) > 0 && (field[0] == ' ' || field[len(field)-1] == ' ')
	if !needed {
		c.buffer = append(c.buffer, field...)
		return
	}
	c.buffer = append(c.buffer, '"')
	if guard {
		c.buffer = append(c.buffer, '\'')
	}
	for _, b := range field {
		if b == '"' {
			c.buffer = append(c.buffer, '"')
		}
		c.buffer = append(c.buffer, b)
	}
	c.buffer = append(c.buffer, '"')
}

func isSignedNumber(field []byte) bool {
	if len(field) < 2 || field[0] != '+' && field[0] != '-' {
		return false
	}
	return len(bytes.Trim(field[1:], "0123456789")) == 0
}

// appendCell writes a value in the form that the template wants.
func (t *Template) appendCell(to []byte, c *TemplateColumn, value cell, r *Row) []byte {
	switch value.kind {
	case nothing:
		return to
	case textCell:
		return append(to, value.text...)
	case timeCell:
		switch c.as {
		case "date":
			return value.at.In(t.Zone).AppendFormat(to, "2006-01-02")
		case "unix":
			return strconv.AppendInt(to, value.at.Unix(), 10)
		}
		return t.time.append(to, value.at, t.Zone)
	case numberCell:
	}
	switch c.as {
	case "minutes":
		return strconv.AppendInt(to, ceil(value.n, 60), 10)
	case "hms":
		return appendHMS(to, value.n)
	case "kilobytes":
		return strconv.AppendInt(to, ceil(value.n, 1000), 10)
	case "megabytes":
		return strconv.AppendInt(to, ceil(value.n, 1_000_000), 10)
	case "major":
		return appendMajor(to, value.n, r.Currency, t.Point)
	}
	return strconv.AppendInt(to, value.n, 10)
}

func (*csvWriter) drop() {}
