package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

// The bounds of a catalogue. The 300,000 prefixes of a wholesale price list fit well.
const (
	maxSize  = 16 << 20 // octets, of all files together
	maxFiles = 1000
)

// Load reads the catalogue at path: a file, or all *.yaml and *.yml of a directory in the order of their names.
// Plans may be spread over the files; a plan is whole in one of them.
func Load(path string) (*Catalog, error) {
	names, err := filesAt(path)
	if err != nil {
		return nil, fmt.Errorf("load catalogue: %w", err)
	}
	size := 0
	read := func(name string) ([]byte, error) {
		data, err := readFile(name, maxSize-size)
		size += len(data)
		return data, err
	}
	dir := path
	if len(names) == 1 && names[0] == path {
		dir = filepath.Dir(path)
	}
	p := newParser(func(name string) ([]byte, error) { return read(filepath.Join(dir, name)) })
	var source []byte
	for _, name := range names {
		data, err := read(name)
		if err != nil {
			return nil, fmt.Errorf("load catalogue: %w", err)
		}
		p.file(name, data)
		source = appendDocument(source, data)
	}
	return p.catalog(path, source)
}

// Parse reads a catalogue of one text: a YAML file, or what [Catalog.Source] returns. name stands in the faults.
func Parse(name string, data []byte) (*Catalog, error) {
	if len(data) > maxSize {
		return nil, Fault{File: name, Reason: fmt.Sprintf("%d octets are more than the %d that are read", len(data), maxSize)}
	}
	documents, files := takeApart(data)
	p := newParser(func(name string) ([]byte, error) {
		if file, ok := files[name]; ok {
			return file, nil
		}
		return nil, fmt.Errorf("the file %s is not part of this text; load the directory that it is in", name)
	})
	p.file(name, documents)
	return p.catalog(name, appendDocument(nil, documents))
}

// appendDocument adds a file to the text of a catalogue, so that the whole is still a stream of YAML documents.
func appendDocument(source, data []byte) []byte {
	data = yamltext.TrimMark(data)
	if len(source) == 0 {
		return slices.Clone(data)
	}
	if !bytes.HasSuffix(source, []byte("\n")) {
		source = append(source, '\n')
	}
	return append(append(source, "---\n"...), data...)
}

func filesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if extension := filepath.Ext(name); name[0] != '.' && (extension == ".yaml" || extension == ".yml") {
			names = append(names, filepath.Join(path, name))
		}
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("%s: no *.yaml file in this directory", path)
	case len(names) > maxFiles:
		return nil, fmt.Errorf("%s: %d files are more than the %d that are read", path, len(names), maxFiles)
	}
	return names, nil
}

// readFile reads at most limit octets of a regular file. A pipe could keep us waiting for ever.
func readFile(name string, limit int) (data []byte, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err = io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%s: the catalogue is larger than the %d octets that are read", name, maxSize)
	}
	return data, nil
}
