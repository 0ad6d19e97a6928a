package cdr

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Format is a format of files.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSONL   Format = "jsonl"
	Parquet Format = "parquet"
	ASN1    Format = "asn1"
)

// Formats are all of them.
var Formats = []Format{CSV, Parquet, JSONL, ASN1}

// A Form is how files are to look. The same form of the same month gives the same files.
type Form struct {
	Format   Format
	Gzip     bool
	Template []byte // of CSV, as YAML; empty: all columns
}

// Check returns what is wrong with f.
func (f Form) Check() error {
	if !slices.Contains(Formats, f.Format) {
		return fmt.Errorf("%q is no format: use one of %v", f.Format, Formats)
	}
	if len(f.Template) > 0 && f.Format != CSV {
		return errors.New("only csv has a template")
	}
	if f.Gzip && f.Format == Parquet {
		return errors.New("parquet is compressed by itself")
	}
	_, err := ParseTemplate("template", f.Template)
	return err
}

// extension of the names of files.
func (f Form) extension() string {
	name := map[Format]string{CSV: "csv", JSONL: "jsonl", Parquet: "parquet", ASN1: "ber"}[f.Format]
	if f.Gzip {
		name += ".gz"
	}
	return name
}

// FileName is the name of a file of a month. Numbers of files go on over the months.
func (f Form) FileName(month string, file int64) string {
	return fmt.Sprintf("cdr-%s-%08d.%s", month, file, f.extension())
}

// ManifestName is the name of the manifest of a month.
func (f Form) ManifestName(month string) string {
	return fmt.Sprintf("cdr-%s.%s.manifest.json", month, strings.TrimSuffix(f.extension(), ".gz"))
}

// Estimate guesses how many records there are in the first octets of a file that has records, for showing how far it is.
func (f Form) Estimate(octets, records int64) int64 {
	size := map[Format]int64{CSV: 450, JSONL: 700, Parquet: 60, ASN1: 250}[f.Format]
	if f.Gzip {
		size /= 4
	}
	if len(f.Template) > 0 {
		size = 150
	}
	return min(octets/max(1, size), records)
}

// A rowWriter writes the rows of one file.
type rowWriter interface {
	add(*Row) error
	end() error
	drop() // of a file that is not to be ended; after end it does nothing
}

// A fileHead is what a file says of itself before its records.
type fileHead struct {
	file   int64
	zone   *time.Location
	sealed time.Time
}

// writer returns who writes a file in this form. The closer ends what was written around the rows.
func (f Form) writer(w io.Writer, head fileHead) (rowWriter, io.Closer, error) {
	var closer io.Closer = nothingToClose{}
	if f.Gzip {
		zipped, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return nil, nil, err
		}
		w, closer = zipped, zipped
	}
	switch f.Format {
	case CSV:
		t, err := ParseTemplate("template", f.Template)
		if err != nil {
			return nil, nil, err
		}
		return newCSVWriter(w, t), closer, nil
	case JSONL:
		return newJSONWriter(w), closer, nil
	case Parquet:
		rows, err := newParquetWriter(w)
		return rows, closer, err
	case ASN1:
		rows, err := newASN1Writer(w, head)
		return rows, closer, err
	}
	return nil, nil, fmt.Errorf("%q is no format", f.Format)
}

type nothingToClose struct{}

func (nothingToClose) Close() error { return nil }
