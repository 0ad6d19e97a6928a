package postgres

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// An ExportMonth is a month whose records have numbers for good, or are being given them.
type ExportMonth struct {
	Month        string // 2026-10
	From, To     time.Time
	Zone         string // IANA name
	PerFile      int    // records of a file, about
	BegunAt      time.Time
	SealedAt     time.Time // zero: not all of it has numbers
	AnonymisedAt time.Time // zero: it can be told again as it was
	DroppedAt    time.Time
}

// ExportSource is the table that records come from.
type ExportSource string

// The sources.
const (
	FromCDRs     ExportSource = "cdr"
	FromPostings ExportSource = "posting"
)

// An ExportKey names a record among all of its source, and its place: they are in the order of the fields.
type ExportKey struct {
	At         time.Time        `json:"t"`
	Subscriber ocs.SubscriberID `json:"o"`
	ID         string           `json:"i"` // Session-Id, or the movement
	Sub        string           `json:"s,omitempty"`
	Number     int              `json:"n"` // of the CDR; the first leg of a posted record
}

// An ExportRun is a run of numbered records that follow each other.
type ExportRun struct {
	Month    string
	Run      int
	File     int64
	Source   ExportSource
	From, To time.Time // period of its rows; before the month for corrections
	First    int64     // number of its first record
	Records  int
	Rows     int // that the records are made of
	FirstKey ExportKey
	LastKey  ExportKey
	Late     bool
	Prints   []byte          // eight octets for each record; only where a single run is asked for
	Told     json.RawMessage // likewise; empty: nothing
}

// ErrExportMoved says that somebody else numbers the same month: look again how far it is.
var ErrExportMoved = errors.New("somebody else closes the month")

const exportMonthColumns = `month, starts_at, ends_at, zone, per_file, begun_at, sealed_at, anonymised_at, dropped_at`

type exportMonthRow struct {
	Month        string       `db:"month"`
	StartsAt     time.Time    `db:"starts_at"`
	EndsAt       time.Time    `db:"ends_at"`
	Zone         string       `db:"zone"`
	PerFile      int          `db:"per_file"`
	BegunAt      time.Time    `db:"begun_at"`
	SealedAt     sql.NullTime `db:"sealed_at"`
	AnonymisedAt sql.NullTime `db:"anonymised_at"`
	DroppedAt    sql.NullTime `db:"dropped_at"`
}

func (r exportMonthRow) month() ExportMonth {
	return ExportMonth{
		Month: r.Month, From: r.StartsAt.UTC(), To: r.EndsAt.UTC(), Zone: r.Zone, PerFile: r.PerFile, BegunAt: r.BegunAt.UTC(),
		SealedAt: instant(r.SealedAt), AnonymisedAt: instant(r.AnonymisedAt), DroppedAt: instant(r.DroppedAt),
	}
}

// ExportMonths returns all months that were closed or are being closed, the earliest first.
func (s *Store) ExportMonths(ctx context.Context) ([]ExportMonth, error) {
	var rows []exportMonthRow
	if err := s.selectInto(ctx, &rows, `SELECT `+exportMonthColumns+` FROM export_month ORDER BY starts_at`); err != nil {
		return nil, fmt.Errorf("list months of export: %w", err)
	}
	return each(rows, exportMonthRow.month), nil
}

const insertExportMonth = `
	INSERT INTO export_month (month, starts_at, ends_at, zone, per_file, begun_at) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (month) DO NOTHING`

// BeginExportMonth begins to close m. It changes nothing when that was begun before.
func (s *Store) BeginExportMonth(ctx context.Context, m ExportMonth) error {
	return s.exportTx(ctx, "begin to close "+m.Month, func(tx *Tx) error {
		_, err := tx.run(ctx, insertExportMonth, m.Month, stored(m.From), stored(m.To), m.Zone, m.PerFile, stored(m.BegunAt))
		return err
	})
}

const (
	lockExportMonth = `SELECT ` + exportMonthColumns + ` FROM export_month WHERE month = $1 FOR UPDATE`
	countExportRuns = `SELECT count(*) FROM export_run WHERE month = $1`
	insertExportRun = `
		INSERT INTO export_run (month, run, file, source, starts_at, ends_at, first, records, source_rows, first_key, last_key, late,
			prints, told)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
)

// lockOpenMonth locks a month that is being closed, as long as it has runs so far.
func (tx *Tx) lockOpenMonth(ctx context.Context, month string, runs int) error {
	var rows []exportMonthRow
	if err := tx.tx.SelectContext(ctx, &rows, lockExportMonth, month); err != nil {
		return err
	}
	var there int
	if err := tx.tx.GetContext(ctx, &there, countExportRuns, month); err != nil {
		return err
	}
	if len(rows) == 0 || rows[0].SealedAt.Valid || there != runs {
		return ErrExportMoved
	}
	return nil
}

// AddExportRun numbers one more run. Two who close the same month cannot both: the second gets ErrExportMoved.
func (s *Store) AddExportRun(ctx context.Context, r ExportRun) error {
	return s.exportTx(ctx, "number records of "+r.Month, func(tx *Tx) error {
		if err := tx.lockOpenMonth(ctx, r.Month, r.Run); err != nil {
			return err
		}
		var told any
		if len(r.Told) > 0 {
			told = []byte(r.Told)
		}
		_, err := tx.run(ctx, insertExportRun, r.Month, r.Run, r.File, string(r.Source), stored(r.From), stored(r.To), r.First,
			r.Records, r.Rows, encode(r.FirstKey), encode(r.LastKey), r.Late, r.Prints, told)
		return err
	})
}

// SealExportMonth closes a month that has all its runs.
func (s *Store) SealExportMonth(ctx context.Context, month string, runs int, at time.Time) error {
	return s.exportTx(ctx, "close "+month, func(tx *Tx) error {
		if err := tx.lockOpenMonth(ctx, month, runs); err != nil {
			return err
		}
		_, err := tx.run(ctx, `UPDATE export_month SET sealed_at = $2 WHERE month = $1`, month, stored(at))
		return err
	})
}

func (s *Store) exportTx(ctx context.Context, doing string, fn func(*Tx) error) error {
	if err := s.inTx(ctx, s.bulk, fn); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

type exportRunRow struct {
	Month    string    `db:"month"`
	Run      int       `db:"run"`
	File     int64     `db:"file"`
	Source   string    `db:"source"`
	StartsAt time.Time `db:"starts_at"`
	EndsAt   time.Time `db:"ends_at"`
	First    int64     `db:"first"`
	Records  int       `db:"records"`
	Rows     int       `db:"source_rows"`
	FirstKey []byte    `db:"first_key"`
	LastKey  []byte    `db:"last_key"`
	Late     bool      `db:"late"`
	Prints   []byte    `db:"prints"`
	Told     []byte    `db:"told"`
}

func (r exportRunRow) exportRun() (ExportRun, error) {
	run := ExportRun{
		Month: r.Month, Run: r.Run, File: r.File, Source: ExportSource(r.Source), From: r.StartsAt.UTC(), To: r.EndsAt.UTC(),
		First: r.First, Records: r.Records, Rows: r.Rows, Late: r.Late, Prints: r.Prints, Told: r.Told,
	}
	if err := errors.Join(json.Unmarshal(r.FirstKey, &run.FirstKey), json.Unmarshal(r.LastKey, &run.LastKey)); err != nil {
		return run, fmt.Errorf("%w: key of run %d of %s: %w", errMalformed, r.Run, r.Month, err)
	}
	return run, nil
}

const exportRunColumns = `month, run, file, source, starts_at, ends_at, first, records, source_rows, first_key, last_key, late`

// ExportRuns returns the runs of a month in their order, without their prints.
func (s *Store) ExportRuns(ctx context.Context, month string) ([]ExportRun, error) {
	return s.exportRuns(ctx, `SELECT `+exportRunColumns+` FROM export_run WHERE month = $1 ORDER BY run`, month)
}

// ExportRunsOf returns the runs that number rows of a period, whatever month they were numbered in, without their prints.
func (s *Store) ExportRunsOf(ctx context.Context, source ExportSource, from, to time.Time) ([]ExportRun, error) {
	return s.exportRuns(ctx, `SELECT `+exportRunColumns+` FROM export_run WHERE source = $1 AND starts_at = $2 AND ends_at = $3
		ORDER BY first`, string(source), stored(from), stored(to))
}

// LastExportRun returns the run with the highest numbers of all; false when there is none.
func (s *Store) LastExportRun(ctx context.Context) (ExportRun, bool, error) {
	runs, err := s.exportRuns(ctx, `SELECT `+exportRunColumns+` FROM export_run ORDER BY first DESC LIMIT 1`)
	if err != nil || len(runs) == 0 {
		return ExportRun{}, false, err
	}
	return runs[0], true, nil
}

// ExportRun returns one run with its prints.
func (s *Store) ExportRun(ctx context.Context, month string, run int) (ExportRun, error) {
	runs, err := s.exportRuns(ctx, `SELECT `+exportRunColumns+`, prints, told FROM export_run WHERE month = $1 AND run = $2`, month, run)
	if err != nil {
		return ExportRun{}, err
	}
	if len(runs) == 0 {
		return ExportRun{}, fmt.Errorf("run %d of %s: %w", run, month, ErrNotFound)
	}
	return runs[0], nil
}

func (s *Store) exportRuns(ctx context.Context, statement string, arguments ...any) ([]ExportRun, error) {
	var rows []exportRunRow
	if err := s.selectInto(ctx, &rows, statement, arguments...); err != nil {
		return nil, fmt.Errorf("list runs of an export: %w", err)
	}
	runs := make([]ExportRun, len(rows))
	for i := range rows {
		var err error
		if runs[i], err = rows[i].exportRun(); err != nil {
			return nil, err
		}
	}
	return runs, nil
}
