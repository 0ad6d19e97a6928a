package cdr

import (
	"bufio"
	"encoding/json"
	"io"
)

// A jsonWriter writes one JSON object a line.
type jsonWriter struct {
	buffer  *bufio.Writer
	encoder *json.Encoder
}

func newJSONWriter(w io.Writer) *jsonWriter {
	buffer := bufio.NewWriterSize(w, flushAt)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	return &jsonWriter{buffer, encoder}
}

func (j *jsonWriter) add(r *Row) error { return j.encoder.Encode(r) }

func (j *jsonWriter) end() error { return j.buffer.Flush() }

func (*jsonWriter) drop() {}
