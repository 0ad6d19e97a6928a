package cdr

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// A Source closes months and writes their files: a [Book], or a server that has one.
type Source interface {
	CloseMonth(ctx context.Context, month string, perFile int, tell func(Progress)) (Plan, error)
	WriteFile(ctx context.Context, month string, file int64, form Form, w io.Writer, tell func(int64)) (FileSum, error)
}

// CloseMonth closes a month of the book's zone, if that was not done, and returns what it consists of.
func (b *Book) CloseMonth(ctx context.Context, month string, perFile int, tell func(Progress)) (Plan, error) {
	m, err := ParseMonth(month, b.Zone)
	if err != nil {
		return Plan{}, err
	}
	if _, err := b.Close(ctx, m, perFile, tell); err != nil {
		return Plan{}, err
	}
	return b.Plan(ctx, month)
}

// A Reporter is told how far an export is.
type Reporter interface {
	Closing(Progress)
	Writing(Progress)
}

// An Exported is what an export came to.
type Exported struct {
	Manifest Manifest
	Name     string // of the manifest
	Written  int    // files that were written now
	Kept     int    // files that an earlier run had written
}

// ErrOtherForm is a destination that has the month in another form under the same names.
var ErrOtherForm = errors.New("the month is there in another form")

// Export brings a month to dst. Called again it writes what is missing; when nothing is, it changes nothing.
func Export(ctx context.Context, src Source, dst Destination, month string, perFile int, form Form, report Reporter) (Exported, error) {
	if err := form.Check(); err != nil {
		return Exported{}, err
	}
	plan, err := src.CloseMonth(ctx, month, perFile, report.Closing)
	if err != nil {
		return Exported{}, err
	}
	e := exporter{ctx: ctx, src: src, dst: dst, form: form, plan: plan, report: report, done: Progress{Total: plan.Records}}
	return e.run()
}

type exporter struct {
	ctx    context.Context
	src    Source
	dst    Destination
	form   Form
	plan   Plan
	report Reporter
	done   Progress
}

func (e *exporter) run() (Exported, error) {
	name := e.form.ManifestName(e.plan.Month)
	result := Exported{Name: name}
	before, err := e.earlier(name)
	if err != nil {
		return result, err
	}
	files := make([]FileSum, 0, len(e.plan.Files))
	for _, part := range e.plan.Files {
		sum, there, err := e.kept(part, before)
		if err != nil {
			return result, err
		}
		if there {
			result.Kept++
		} else {
			if sum, err = e.write(part); err != nil {
				return result, err
			}
			result.Written++
		}
		files = append(files, sum)
		e.done.Done = sum.Last - e.plan.First + 1
		e.report.Writing(e.done)
	}
	result.Manifest = newManifest(e.form, e.plan, files)
	text, err := result.Manifest.text()
	if err != nil {
		return result, err
	}
	if before == nil || result.Written > 0 {
		if err := e.put(name, text); err != nil {
			return result, err
		}
	}
	for _, part := range e.plan.Files {
		if err := e.dst.Remove(e.ctx, e.noteName(part)); err != nil {
			return result, err
		}
	}
	return result, nil
}

// earlier returns the sums of the files of a manifest that is there already, nil when there is none.
func (e *exporter) earlier(name string) (map[int64]FileSum, error) {
	file, err := e.dst.Open(e.ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := readManifest(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if m.Gzip != e.form.Gzip || m.Template != string(e.form.Template) || !m.SealedAt.Equal(e.plan.SealedAt) {
		return nil, fmt.Errorf("%s: %w; use another place", name, ErrOtherForm)
	}
	sums := make(map[int64]FileSum, len(m.Files))
	for _, f := range m.Files {
		sums[f.File] = f
	}
	return sums, nil
}

// A note beside a file says what it came to, until the manifest does. It is written after the file.
func (e *exporter) noteName(part Part) string {
	return e.form.FileName(e.plan.Month, part.File) + ".done"
}

// A note also says in which form the file was written.
type note struct {
	FileSum
	Template string `json:"template"`
}

// kept returns what an earlier run wrote of a file, if that is still there as it was.
func (e *exporter) kept(part Part, before map[int64]FileSum) (FileSum, bool, error) {
	sum, there := before[part.File]
	if !there {
		file, err := e.dst.Open(e.ctx, e.noteName(part))
		if errors.Is(err, fs.ErrNotExist) {
			return sum, false, nil
		}
		if err != nil {
			return sum, false, err
		}
		var n note
		err = errors.Join(json.NewDecoder(io.LimitReader(file, maxManifest)).Decode(&n), file.Close())
		if err != nil || n.Template != templatePrint(e.form.Template) {
			return sum, false, nil //nolint:nilerr // half a note is none: the file is written again
		}
		sum = n.FileSum
	}
	if sum.First != part.First || sum.Records != part.Records {
		return sum, false, nil
	}
	size, err := e.dst.Size(e.ctx, sum.Name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && size != sum.Bytes {
		return sum, false, nil
	}
	if err != nil || !e.dst.Near() {
		return sum, err == nil, err
	}
	hash, _, err := hashOf(e.ctx, e.dst, sum.Name)
	return sum, err == nil && hash == sum.SHA256, err
}

func templatePrint(template []byte) string {
	sum := sha256.Sum256(template)
	return hex.EncodeToString(sum[:])
}

// write brings one file over, and its note after it.
func (e *exporter) write(part Part) (FileSum, error) {
	name := e.form.FileName(e.plan.Month, part.File)
	upload, err := e.dst.Create(e.ctx, name)
	if err != nil {
		return FileSum{}, fmt.Errorf("begin %s: %w", name, err)
	}
	hashed := &hashWriter{w: upload, hash: sha256.New()}
	start := part.First - e.plan.First
	sum, err := e.src.WriteFile(e.ctx, e.plan.Month, part.File, e.form, hashed, func(records int64) {
		e.report.Writing(Progress{Done: start + records, Total: e.done.Total})
	})
	if err == nil && (sum.SHA256 != hex.EncodeToString(hashed.hash.Sum(nil)) || sum.Bytes != hashed.bytes) {
		err = errors.New("what came is not what was sent")
	}
	if err != nil {
		return sum, errors.Join(fmt.Errorf("write %s: %w", name, err), upload.Abort())
	}
	if err := upload.Commit(); err != nil {
		return sum, fmt.Errorf("finish %s: %w", name, err)
	}
	text, err := json.Marshal(note{sum, templatePrint(e.form.Template)})
	if err != nil {
		return sum, err
	}
	return sum, e.put(e.noteName(part), text)
}

func (e *exporter) put(name string, text []byte) error {
	upload, err := e.dst.Create(e.ctx, name)
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	if _, err := upload.Write(text); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), upload.Abort())
	}
	if err := upload.Commit(); err != nil {
		return fmt.Errorf("finish %s: %w", name, err)
	}
	return nil
}

// hashOf reads a file for its SHA-256 and length.
func hashOf(ctx context.Context, dst Destination, name string) (string, int64, error) {
	file, err := dst.Open(ctx, name)
	if err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	n, err := io.Copy(hash, &cancelReader{ctx, file})
	return hex.EncodeToString(hash.Sum(nil)), n, errors.Join(err, file.Close())
}

// A cancelReader ends with its context.
type cancelReader struct {
	ctx context.Context
	io.Reader
}

func (r *cancelReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
