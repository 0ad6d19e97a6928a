package cdr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Plan is what a closed month consists of.
type Plan struct {
	Month    string    `json:"month"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Zone     string    `json:"time_zone"`
	SealedAt time.Time `json:"sealed_at"`
	Records  int64     `json:"records"`
	First    int64     `json:"first"` // number of the first record; 0: there is none
	Last     int64     `json:"last"`
	Files    []Part    `json:"files"`
	// Records of months that had been closed before, which this month brings.
	Corrections []Correction `json:"corrections"`
}

// A Part is one file of a month.
type Part struct {
	File    int64 `json:"file"`
	First   int64 `json:"first"`
	Records int64 `json:"records"`
}

// A Correction is a run of records that came after their month had been closed.
type Correction struct {
	From    time.Time `json:"from"` // of the month that they belong to
	To      time.Time `json:"to"`
	First   int64     `json:"first"`
	Records int64     `json:"records"`
}

// Plan returns what a closed month consists of.
func (b *Book) Plan(ctx context.Context, month string) (Plan, error) {
	sealed, err := b.sealed(ctx, month)
	if err != nil {
		return Plan{}, err
	}
	runs, err := b.Store.ExportRuns(ctx, month)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{
		Month: month, From: sealed.From, To: sealed.To, Zone: sealed.Zone, SealedAt: sealed.SealedAt, Files: []Part{},
		Corrections: []Correction{},
	}
	for _, r := range runs {
		n := int64(r.Records)
		if p.Records == 0 {
			p.First = r.First
		}
		p.Records += n
		p.Last = r.First + n - 1
		if last := len(p.Files) - 1; last >= 0 && p.Files[last].File == r.File {
			p.Files[last].Records += n
		} else {
			p.Files = append(p.Files, Part{File: r.File, First: r.First, Records: n})
		}
		if r.Late {
			p.correct(r)
		}
	}
	return p, nil
}

func (p *Plan) correct(r postgres.ExportRun) {
	n := int64(r.Records)
	if last := len(p.Corrections) - 1; last >= 0 {
		if c := &p.Corrections[last]; c.From.Equal(r.From) && c.First+c.Records == r.First {
			c.Records += n
			return
		}
	}
	p.Corrections = append(p.Corrections, Correction{From: r.From, To: r.To, First: r.First, Records: n})
}

// sealed returns a month that was closed and can still be told.
func (b *Book) sealed(ctx context.Context, month string) (postgres.ExportMonth, error) {
	months, err := b.Store.ExportMonths(ctx)
	if err != nil {
		return postgres.ExportMonth{}, err
	}
	m, there := find(months, month)
	switch {
	case !there || m.SealedAt.IsZero():
		return m, fmt.Errorf("%s: %w", month, ErrNotThere)
	case !m.DroppedAt.IsZero():
		return m, fmt.Errorf("%s: %w: they were dropped on %s", month, ErrGone, m.DroppedAt.Format(time.DateOnly))
	case !m.AnonymisedAt.IsZero():
		return m, fmt.Errorf("%s: %w: they were made anonymous on %s", month, ErrGone, m.AnonymisedAt.Format(time.DateOnly))
	}
	return m, nil
}

// Part returns what is known of a file of a closed month.
func (b *Book) Part(ctx context.Context, month string, file int64) (Part, error) {
	plan, err := b.Plan(ctx, month)
	if err != nil {
		return Part{}, err
	}
	for _, part := range plan.Files {
		if part.File == file {
			return part, nil
		}
	}
	return Part{}, fmt.Errorf("file %d of %s: %w", file, month, ErrNotThere)
}

// A FileSum is what a file came to.
type FileSum struct {
	Name   string `json:"name"`
	File   int64  `json:"file"`
	First  int64  `json:"first"`
	Last   int64  `json:"last"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Sums
}

// WriteFile writes a file of a closed month to w. tell is called now and then with the records written so far.
func (b *Book) WriteFile(ctx context.Context, month string, file int64, form Form, w io.Writer, tell func(int64)) (FileSum, error) {
	sealed, err := b.sealed(ctx, month)
	if err != nil {
		return FileSum{}, err
	}
	zone, err := time.LoadLocation(sealed.Zone)
	if err != nil {
		return FileSum{}, fmt.Errorf("time zone of %s: %w", month, err)
	}
	runs, err := b.Store.ExportRuns(ctx, month)
	if err != nil {
		return FileSum{}, err
	}
	sum := FileSum{Name: form.FileName(month, file), File: file, Sums: newSums()}
	numbered := int64(0)
	var mine []postgres.ExportRun
	for _, r := range runs {
		if r.File == file {
			mine = append(mine, r)
			numbered += int64(r.Records)
		}
	}
	if len(mine) == 0 {
		return sum, fmt.Errorf("file %d of %s: %w", file, month, ErrNotThere)
	}
	hashed := &hashWriter{w: w, hash: sha256.New()}
	rows, closer, err := form.writer(hashed, fileHead{file, zone, sealed.SealedAt})
	if err != nil {
		return sum, err
	}
	defer rows.drop()
	sum.First = mine[0].First
	for _, r := range mine {
		for row, err := range ahead(ctx, func(ctx context.Context) rowSequence { return b.rows(ctx, month, r.Run) }) {
			if err != nil {
				return sum, err
			}
			if err := rows.add(row); err != nil {
				return sum, err
			}
			sum.add(row)
		}
		tell(sum.Records)
	}
	if sum.Records != numbered {
		return sum, fmt.Errorf("%w: file %d of %s has %d records, %d were numbered", ErrChanged, file, month, sum.Records, numbered)
	}
	if err := rows.end(); err != nil {
		return sum, err
	}
	if err := closer.Close(); err != nil {
		return sum, err
	}
	sum.Last = sum.First + sum.Records - 1
	sum.Bytes, sum.SHA256 = hashed.bytes, hex.EncodeToString(hashed.hash.Sum(nil))
	return sum, nil
}
