package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A setting is one key of the configuration. It is at the same time a flag and a variable of the environment, so that
// nothing has three names.
type setting struct {
	key   string // path in the file, joined by dots: diameter.listen
	usage string
	value value
}

// flag returns the flag without dashes: diameter-listen.
func (s setting) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.key) }

// variable returns the variable of the environment: GYRO_DIAMETER_LISTEN.
func (s setting) variable() string {
	return "GYRO_" + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// A place is where something was written.
type place struct {
	source string // a file, --flag or GYRO_VARIABLE
	line   int    // in a file
}

func (p place) String() string {
	if p.line > 0 {
		return fmt.Sprintf("%s:%d", p.source, p.line)
	}
	return p.source
}

// faults collects everything that is wrong with a configuration.
type faults struct{ all []error }

// maxFaults bounds what a file of nonsense can make us tell.
const maxFaults = 100

func (f *faults) add(at place, key, format string, args ...any) {
	if len(f.all) == maxFaults {
		f.all = append(f.all, errors.New("and more"))
	}
	if len(f.all) > maxFaults {
		return
	}
	text := fmt.Errorf(format, args...)
	switch {
	case at == place{}:
		f.all = append(f.all, fmt.Errorf("%s: %w", key, text))
	case key == "":
		f.all = append(f.all, fmt.Errorf("%v: %w", at, text))
	default:
		f.all = append(f.all, fmt.Errorf("%v: %s: %w", at, key, text))
	}
}

func (f *faults) err() error { return errors.Join(f.all...) }

// maxConfigFile is far more than anyone writes by hand.
const maxConfigFile = 1 << 20

// readFile takes in the settings that the file at path has.
func (c *config) readFile(path string, settings []setting, found *faults) {
	data, err := readBounded(path, maxConfigFile)
	if err != nil {
		found.add(place{source: path}, "", "%w", err)
		return
	}
	c.readYAML(path, data, settings, found)
}

func (c *config) readYAML(path string, data []byte, settings []setting, found *faults) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return // nothing but comments
	case err != nil:
		found.add(place{source: path}, "", "%w", err)
		return
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		found.add(place{source: path}, "", "has more than one YAML document")
		return
	}
	r := nodeReader{source: path, found: found, places: c.places}
	r.settings("", document.Content[0], settings)
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if pathError, ok := errors.AsType[*os.PathError](err); ok {
			return nil, pathError.Err // the place says which file
		}
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("is longer than %d octets", limit)
	}
	return data, err
}

// readText takes in a setting that is a flag or a variable. A setting with keys of its own is YAML there.
func (c *config) readText(s setting, at place, value string, found *faults) {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if _, structured := s.value.(structuredValue); structured {
		var document yaml.Node
		if err := yaml.Unmarshal([]byte(value), &document); err != nil || len(document.Content) == 0 {
			found.add(at, "", "is not YAML in one line, such as {key: value}")
			return
		}
		node = document.Content[0]
		withoutLines(node)
	}
	c.places[s.key] = at
	r := nodeReader{source: at.source, found: found, places: c.places}
	s.value.set(r, s.key, node)
}

// withoutLines takes away the line numbers of a text that has one line only.
func withoutLines(n *yaml.Node) {
	n.Line = 0
	for _, child := range n.Content {
		withoutLines(child)
	}
}

// A nodeReader reads YAML nodes of one source and collects what is wrong with them. Unlike yaml.Decoder with
// KnownFields it names the key of every fault and knows where a value came from.
type nodeReader struct {
	source string
	found  *faults
	places map[string]place
}

func (r nodeReader) at(n *yaml.Node) place { return place{source: r.source, line: n.Line} }

func (r nodeReader) fault(n *yaml.Node, key, format string, args ...any) {
	r.found.add(r.at(n), key, format, args...)
}

// settings reads a mapping whose keys, below prefix, are settings or lead to some.
func (r nodeReader) settings(prefix string, n *yaml.Node, settings []setting) {
	r.mapping(prefix, n, func(name string, key, value *yaml.Node) {
		path := name
		if prefix != "" {
			path = prefix + "." + name
		}
		for _, s := range settings {
			if s.key == path {
				r.places[path] = r.at(key)
				s.value.set(r, path, value)
				return
			}
		}
		if slices.ContainsFunc(settings, func(s setting) bool { return strings.HasPrefix(s.key, path+".") }) {
			r.settings(path, value, settings)
			return
		}
		r.fault(key, path, "is not a key%s", suggestion(path, settings))
	})
}

// mapping calls each for every key of n.
func (r nodeReader) mapping(path string, n *yaml.Node, each func(name string, key, value *yaml.Node)) {
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // a key whose lines below are all comments
	}
	if n.Kind != yaml.MappingNode {
		r.fault(n, path, "must be keys with values")
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if first, twice := seen[key.Value]; twice {
			r.fault(key, join(path, key.Value), "is there twice, first in line %d", first)
			continue
		}
		seen[key.Value] = key.Line
		each(key.Value, key, value)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// suggestion names the key that was probably meant.
func suggestion(path string, settings []setting) string {
	best, least := "", 4 // more letters wrong is another word
	for _, s := range settings {
		if d := distance(path, s.key); d < least {
			best, least = s.key, d
		}
	}
	if best == "" {
		return ""
	}
	return "; is " + best + " meant?"
}

// distance counts the letters to add, drop or change to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
