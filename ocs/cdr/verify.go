package cdr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// A Verdict is what a verification of one month found.
type Verdict struct {
	Month   string   `json:"month"`
	Format  Format   `json:"format"`
	Files   int      `json:"files"`
	Records int64    `json:"records"`
	Faults  []string `json:"faults"`
}

// Verify compares the files that a manifest names with their sums, and with what the database tells now.
func Verify(ctx context.Context, src Source, dst Destination, manifest string, report Reporter) (Verdict, error) {
	file, err := dst.Open(ctx, manifest)
	if err != nil {
		return Verdict{}, fmt.Errorf("open the manifest: %w", err)
	}
	m, err := readManifest(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return Verdict{}, fmt.Errorf("%s: %w", manifest, err)
	}
	v := Verdict{Month: m.Month, Format: m.Format, Files: len(m.Files), Records: m.Records, Faults: []string{}}
	fault := func(format string, args ...any) { v.Faults = append(v.Faults, fmt.Sprintf(format, args...)) }
	plan, err := src.CloseMonth(ctx, m.Month, DefaultPerFile, report.Closing)
	if err != nil {
		return v, err
	}
	if plan.Records != m.Records || plan.First != m.First || plan.Last != m.Last || len(plan.Files) != len(m.Files) {
		fault("the manifest tells of records %d to %d in %d files, the database of %d to %d in %d",
			m.First, m.Last, len(m.Files), plan.First, plan.Last, len(plan.Files))
	}
	next, sums := m.First, newSums()
	for _, f := range m.Files {
		if f.First != next || f.Last != f.First+f.Records-1 {
			fault("%s has records %d to %d, %d should come", f.Name, f.First, f.Last, next)
		}
		next = f.Last + 1
		sums = sums.plus(f.Sums)
		switch hash, bytes, err := hashOf(ctx, dst, f.Name); {
		case errors.Is(err, fs.ErrNotExist):
			fault("%s is not there", f.Name)
		case err != nil:
			return v, err
		case hash != f.SHA256 || bytes != f.Bytes:
			fault("%s is not the file that was exported", f.Name)
		}
		told, err := src.WriteFile(ctx, m.Month, f.File, m.form(), io.Discard, func(n int64) {
			report.Writing(Progress{Done: f.First - m.First + n, Total: m.Records})
		})
		switch {
		case errors.Is(err, ErrNotThere):
			fault("%s: the database has no such file", f.Name)
		case errors.Is(err, ErrChanged):
			fault("%s: %v", f.Name, err)
		case err != nil:
			return v, err
		case told.SHA256 != f.SHA256:
			fault("%s is not what the database tells", f.Name)
		}
	}
	if next != m.Last+1 && m.Records > 0 {
		fault("the records of the files end at %d, the manifest says %d", next-1, m.Last)
	}
	if fmt.Sprint(sums) != fmt.Sprint(m.Sums) {
		fault("the sums of the files are not those of the manifest")
	}
	return v, nil
}
