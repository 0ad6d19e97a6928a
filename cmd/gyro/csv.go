package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// csvSink writes CSV while it comes in: a column for every key that --json has on top, but for lists and objects.
type csvSink[T any] struct {
	w       *csv.Writer
	columns []csvColumn
	begun   bool
}

type csvColumn struct {
	name  string
	index []int
}

func newCSVSink[T any](w io.Writer) *csvSink[T] {
	return &csvSink[T]{w: csv.NewWriter(w), columns: csvColumns(reflect.TypeFor[T](), nil)}
}

func csvColumns(t reflect.Type, path []int) (columns []csvColumn) {
	for _, field := range reflect.VisibleFields(t) {
		if len(field.Index) != 1 || !field.IsExported() {
			continue // of an embedded struct, which comes by itself
		}
		index := append(append([]int{}, path...), field.Index...)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		switch {
		case field.Anonymous && name == "":
			columns = append(columns, csvColumns(field.Type, index)...)
		case name == "-", kind == reflect.TypeFor[json.RawMessage]():
		case kind == reflect.TypeFor[time.Time](), kind.Kind() != reflect.Slice && kind.Kind() != reflect.Map && kind.Kind() != reflect.Struct:
			columns = append(columns, csvColumn{name, index})
		}
	}
	return columns
}

func (s *csvSink[T]) add(item T) error {
	if !s.begun {
		if err := s.head(); err != nil {
			return err
		}
	}
	row, value := make([]string, 0, len(s.columns)), reflect.ValueOf(item)
	for _, c := range s.columns {
		row = append(row, csvCell(value.FieldByIndex(c.index)))
	}
	return s.w.Write(row)
}

func (s *csvSink[T]) head() error {
	s.begun = true
	names := make([]string, 0, len(s.columns))
	for _, c := range s.columns {
		names = append(names, c.name)
	}
	return s.w.Write(names)
}

// csvCell writes a value as --json does. What a spreadsheet would take for a formula is made text.
func csvCell(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if t, ok := reflect.TypeAssert[time.Time](v); ok {
		return t.Format(time.RFC3339Nano)
	}
	text := fmt.Sprint(v.Interface())
	if v.Kind() == reflect.String && text != "" && strings.ContainsRune("=@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (s *csvSink[T]) end() error {
	if !s.begun {
		if err := s.head(); err != nil {
			return err
		}
	}
	s.w.Flush()
	return s.w.Error()
}
