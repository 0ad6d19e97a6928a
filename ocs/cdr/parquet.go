package cdr

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// rowsOfGroup bounds what a Parquet writer holds in memory.
const rowsOfGroup = 50_000

// A parquetWriter writes columns. The file is read back before it is passed on: a copy that cannot be read is worth less than
// none, and only shows when the rows are gone.
type parquetWriter struct {
	w       io.Writer
	spool   *spool
	writer  *parquet.GenericWriter[Row]
	batch   []Row
	written int64
	first   int64
}

func newParquetWriter(w io.Writer) (*parquetWriter, error) {
	s, err := newSpool()
	if err != nil {
		return nil, err
	}
	return &parquetWriter{w: w, spool: s, writer: parquet.NewGenericWriter[Row](s,
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}), parquet.MaxRowsPerRowGroup(rowsOfGroup),
		parquet.CreatedBy("gyro", "1", "cdr"),
	)}, nil
}

func (p *parquetWriter) add(r *Row) error {
	if p.written == 0 && len(p.batch) == 0 {
		p.first = r.Sequence
	}
	if p.batch = append(p.batch, *r); len(p.batch) < batchSize {
		return nil
	}
	return p.flush()
}

func (p *parquetWriter) flush() error {
	n, err := p.writer.Write(p.batch)
	p.written += int64(n)
	p.batch = p.batch[:0]
	return err
}

func (p *parquetWriter) drop() { _ = p.spool.Close() } // nothing of it is wanted

func (p *parquetWriter) end() error {
	if err := p.flush(); err != nil {
		return err
	}
	if err := p.writer.Close(); err != nil {
		return err
	}
	if err := p.readBack(); err != nil {
		return fmt.Errorf("the Parquet file reads otherwise than it was written: %w", err)
	}
	return p.spool.pass(p.w)
}

// readBack reads the sequence numbers again.
func (p *parquetWriter) readBack() error {
	size, err := p.spool.size()
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(p.spool, size)
	if err != nil {
		return err
	}
	type numbered struct {
		Sequence int64     `parquet:"sequence"`
		EndedAt  time.Time `parquet:"ended_at,timestamp(microsecond)"`
	}
	reader := parquet.NewGenericReader[numbered](file)
	defer reader.Close() //nolint:errcheck // only read
	rows, next := make([]numbered, batchSize), p.first
	for {
		n, err := reader.Read(rows)
		for _, row := range rows[:n] {
			if row.Sequence != next || row.EndedAt.IsZero() {
				return fmt.Errorf("record %d is there where %d was written", row.Sequence, next)
			}
			next++
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if next != p.first+p.written {
		return fmt.Errorf("%d records are there, %d were written", next-p.first, p.written)
	}
	return nil
}
