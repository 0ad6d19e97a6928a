package cdr

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// A Manifest tells what belongs to a month in one form. Nothing in it depends on when or where it was exported.
type Manifest struct {
	Version  int    `json:"version"`
	Format   Format `json:"format"`
	Gzip     bool   `json:"gzip"`
	Template string `json:"template,omitzero"`
	Plan
	Sums  Sums      `json:"sums"`
	Files []FileSum `json:"files"` // takes the place of that of Plan
}

// manifestVersion rises when a reader of the one before could misunderstand it.
const manifestVersion = 1

func newManifest(form Form, plan Plan, files []FileSum) Manifest {
	m := Manifest{
		Version: manifestVersion, Format: form.Format, Gzip: form.Gzip, Template: string(form.Template), Plan: plan,
		Sums: newSums(), Files: slices.Clone(files),
	}
	for _, f := range files {
		m.Sums = m.Sums.plus(f.Sums)
	}
	return m
}

// form returns how the files were written.
func (m Manifest) form() Form {
	return Form{Format: m.Format, Gzip: m.Gzip, Template: []byte(m.Template)}
}

func (m Manifest) text() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	return append(text, '\n'), err
}

// maxManifest bounds what is read: a month of a billion records has some four thousand files.
const maxManifest = 64 << 20

func readManifest(r io.Reader) (Manifest, error) {
	var m Manifest
	if err := json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&m); err != nil {
		return m, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	if m.Version != manifestVersion {
		return m, fmt.Errorf("the manifest has version %d, this program reads %d", m.Version, manifestVersion)
	}
	return m, m.form().Check()
}
