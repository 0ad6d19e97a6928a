package cdr

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// read is what an independent reader finds in a directory: every record of every file that the manifest names.
func read(t *testing.T, dir, month string) (records []map[string]string, manifest map[string]any) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "cdr-"+month+".csv.manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest["files"].([]any) {
		file := f.(map[string]any)
		content, err := os.ReadFile(filepath.Join(dir, file["name"].(string)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if hex.EncodeToString(sum[:]) != file["sha256"] || float64(len(content)) != file["bytes"] {
			t.Errorf("%s is not what the manifest tells", file["name"])
		}
		lines, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if float64(len(lines)-1) != file["records"] {
			t.Errorf("%s has %d records, the manifest says %v", file["name"], len(lines)-1, file["records"])
		}
		for _, line := range lines[1:] {
			record := map[string]string{}
			for i, name := range lines[0] {
				record[name] = line[i]
			}
			records = append(records, record)
		}
	}
	return records, manifest
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sameFiles fails unless two directories hold the same files with the same content, and nothing else.
func sameFiles(t *testing.T, a, b string) {
	t.Helper()
	names := func(dir string) (all []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	if got, want := names(b), names(a); !slices.Equal(got, want) {
		t.Errorf("files are %v, want %v", got, want)
		return
	}
	for _, name := range names(a) {
		x, y := hashFile(t, filepath.Join(a, name)), hashFile(t, filepath.Join(b, name))
		if x != y {
			t.Errorf("%s differs", name)
		}
	}
}

func hashFile(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	_, err = io.Copy(hash, file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// checkMonth compares what was exported of calls with what was written, and the sequence with what it must be.
func checkMonth(t *testing.T, records []map[string]string, first int64, want []ocs.Record) {
	t.Helper()
	var used rating.Units
	sessions := map[string]int{}
	for i, r := range records {
		if got := number(t, r["sequence"]); got != first+int64(i) {
			t.Fatalf("record %d has sequence %d, want %d", i, got, first+int64(i))
		}
		if r["kind"] == "call" {
			used += rating.Units(number(t, r["used_seconds"]))
			sessions[r["session"]+"#"+r["part"]]++
		}
	}
	for _, r := range want {
		key := r.Session.ID + "#" + strconv.Itoa(r.Number)
		if sessions[key] != 1 {
			t.Errorf("%s is told %d times", key, sessions[key])
		}
		delete(sessions, key)
		for _, l := range r.Lines {
			used -= l.Used
		}
	}
	if used != 0 || len(sessions) != 0 {
		t.Errorf("%d seconds too many, not written: %v", used, sessions)
	}
}

// A month comes out whole, in unbroken sequence, and the same however often. What comes later is told in the next one.
func TestExportMonths(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		w := newWorld(t, seed)
		for range 40 + w.rnd.IntN(60) {
			w.call(w.within(september))
		}
		for range 10 {
			w.post(w.within(september))
		}
		inSeptember := slices.Clone(w.records)
		form := Form{Format: CSV}
		one, two := t.TempDir(), t.TempDir()
		e := w.export(t.Context(), "2026-09", form, one)
		records, _ := read(t, one, "2026-09")
		checkMonth(t, records, 1, inSeptember)
		if got := len(records) - len(inSeptember); got != 3+10*3 { // grants; transfers at both sides, and fees
			t.Errorf("%d records of what was posted, want 33", got)
		}
		posted := int64(0)
		for _, r := range records {
			if r["kind"] == "transfer" || r["kind"] == "fee" {
				posted += number(t, r["units"])
			}
		}
		if posted != -120 || e.Manifest.Sums.Posted["seconds"] != 3_000_000-120 {
			t.Errorf("transfers came to %d, posted is %v", posted, e.Manifest.Sums.Posted)
		}

		// Late rows do not change the month, whenever it is asked for.
		w.records = nil
		for range 5 + w.rnd.IntN(30) {
			w.call(w.within(september))
		}
		w.post(w.within(september))
		late := len(w.records)
		w.export(t.Context(), "2026-09", form, two)
		sameFiles(t, one, two)

		for range 30 {
			w.call(w.within(october))
		}
		dir := t.TempDir()
		e = w.export(t.Context(), "2026-10", form, dir)
		second, manifest := read(t, dir, "2026-10")
		checkMonth(t, second, int64(len(records))+1, w.records)
		corrections := 0
		for _, r := range second {
			if (r["correction"] == "yes") != (r["ended_at"] < "2026-10") {
				t.Errorf("record of %s is told as correction %q", r["ended_at"], r["correction"])
			}
			if r["correction"] == "yes" {
				corrections++
			}
		}
		told := int64(0)
		for _, c := range e.Manifest.Corrections {
			if !c.From.Equal(september.From) {
				t.Errorf("correction of %v", c.From)
			}
			told += c.Records
		}
		if corrections != late+3 || told != int64(corrections) {
			t.Errorf("%d corrections, the manifest says %d, want %d: %v", corrections, told, late+3, manifest["corrections"])
		}
		if first, last := e.Manifest.Plan.Files[0].File, len(e.Manifest.Files); first < 2 || last == 0 {
			t.Errorf("files of October begin with %d", first)
		}
		v, err := w.verify(dir, "cdr-2026-10.csv.manifest.json")
		if err != nil || len(v.Faults) > 0 {
			t.Errorf("verify: %v %v", v, err)
		}
	}
}

func (w *world) verify(dir, manifest string) (Verdict, error) {
	dst, err := OpenDestination(w.t.Context(), dir, Access{})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = dst.Close() }()
	return Verify(w.t.Context(), w.book, dst, manifest, silent{})
}

// failing is a source whose files break off after some octets.
type failing struct {
	Source
	after int
}

var errBroken = errors.New("broken off")

type brokenWriter struct {
	w    io.Writer
	left *int
}

func (b brokenWriter) Write(p []byte) (int, error) {
	if *b.left -= len(p); *b.left < 0 {
		_, _ = b.w.Write(p[:len(p)/2])
		return 0, errBroken
	}
	return b.w.Write(p)
}

func (f *failing) WriteFile(ctx context.Context, month string, file int64, form Form, w io.Writer, tell func(int64)) (FileSum, error) {
	return f.Source.WriteFile(ctx, month, file, form, brokenWriter{w, &f.after}, tell)
}

// An export that is killed at any place goes on where it was, and comes to the same.
func TestResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	for range 90 {
		w.call(w.within(september))
	}
	form := Form{Format: CSV}
	want, dir := t.TempDir(), t.TempDir()
	w.export(t.Context(), "2026-09", form, want)
	dst, err := OpenDestination(t.Context(), dir, Access{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dst.Close() }()
	var kept int
	for after := 3000; ; after += 5000 {
		e, err := Export(t.Context(), &failing{w.book, after}, dst, "2026-09", 20, form, silent{})
		if err == nil {
			kept = e.Kept
			break
		}
		if !errors.Is(err, errBroken) {
			t.Fatal(err)
		}
	}
	if kept == 0 {
		t.Error("nothing was kept of the runs that broke off")
	}
	sameFiles(t, want, dir)
	e, err := Export(t.Context(), w.book, dst, "2026-09", 20, form, silent{})
	if err != nil || e.Written != 0 || e.Kept != len(e.Manifest.Files) {
		t.Errorf("again: %d written, %d kept, %v", e.Written, e.Kept, err)
	}
	name := e.Manifest.Files[1].Name
	if err := os.WriteFile(filepath.Join(dir, name), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := w.verify(dir, e.Name); err != nil || len(v.Faults) != 1 || !strings.Contains(v.Faults[0], name) {
		t.Errorf("a file that was changed: %v, %v", v.Faults, err)
	}
	if e, err := Export(t.Context(), w.book, dst, "2026-09", 20, form, silent{}); err != nil || e.Written != 1 {
		t.Errorf("the file that was changed is mended: %d written, %v", e.Written, err)
	}
	sameFiles(t, want, dir)
	if _, err := Export(t.Context(), w.book, dst, "2026-09", 20, Form{Format: CSV, Template: []byte("columns: [msisdn]")}, silent{}); !errors.Is(err, ErrOtherForm) {
		t.Errorf("another template into the same place: %v", err)
	}
}

// Two who close and export the same month at once both succeed, with the same files.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	for range 120 {
		w.call(w.within(september))
	}
	one, same := t.TempDir(), t.TempDir()
	var all sync.WaitGroup
	for _, dir := range []string{one, same, same} {
		all.Go(func() { w.export(t.Context(), "2026-09", Form{Format: CSV}, dir) })
	}
	all.Wait()
	sameFiles(t, one, same)
	records, _ := read(t, one, "2026-09")
	checkMonth(t, records, 1, w.records)
}

// Closing stops anywhere and goes on.
func TestCloseResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	for range 100 {
		w.call(w.within(september))
	}
	stops := 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		_, err := w.book.Close(ctx, september, 20, func(Progress) {
			if runs++; runs == 2 {
				cancel()
			}
		})
		cancel()
		if err == nil {
			break
		}
		if stops++; stops > 50 {
			t.Fatal(err)
		}
		w.call(september.From.Add(time.Minute)) // earlier than what has numbers: a correction
	}
	if stops < 3 {
		t.Errorf("stopped %d times", stops)
	}
	dir := t.TempDir()
	w.export(t.Context(), "2026-09", Form{Format: CSV}, dir)
	records, _ := read(t, dir, "2026-09")
	checkMonth(t, records, 1, w.records[:100])
	w.export(t.Context(), "2026-10", Form{Format: CSV}, dir)
	second, _ := read(t, dir, "2026-10")
	checkMonth(t, second, int64(len(records))+1, w.records[100:])
}

func TestMonthsAreClosedInTheirTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	w.call(w.within(september))
	at := func(now time.Time) *Book {
		return &Book{Store: w.store, Now: func() time.Time { return now }, Zone: time.UTC}
	}
	for _, test := range []struct {
		now   time.Time
		month string
		want  error
	}{
		{day(9, 30), "2026-09", ErrNotOver},
		{day(10, 1).Add(Grace - 1), "2026-09", ErrNotOver},
		{day(12, 1), "2026-10", ErrSkipped}, // September has records
		{day(12, 1), "2026-9", ErrNoMonth},
		{day(10, 1).Add(Grace), "2026-09", nil},
		{day(12, 2), "2026-11", ErrSkipped},
		{day(12, 1), "2026-08", ErrPassed},
		{day(12, 1), "2026-10", nil}, // an empty month
		{day(12, 1), "2026-09", nil}, // again
	} {
		_, err := at(test.now).CloseMonth(t.Context(), test.month, 10, func(Progress) {})
		if !errors.Is(err, test.want) {
			t.Errorf("close %s on %s: %v, want %v", test.month, test.now, err, test.want)
		}
	}
	if _, err := w.book.Plan(t.Context(), "2026-11"); !errors.Is(err, ErrNotThere) {
		t.Errorf("a month that was not closed: %v", err)
	}
}
