package yamltext

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Value is a node of the YAML, where it stands and by which keys it is reached.
// Its methods read it as one thing or another. What is not that thing becomes a fault and reads as nothing.
type Value struct {
	File string
	Line int        // from 1
	Key  string     // path of keys
	Node *yaml.Node // never an alias

	reader *Reader
}

// at returns the value of a node, behind aliases. An alias that stands for another one is no YAML and cannot occur, nor
// can the depth grow without bound: it is that of the format.
func (r *Reader) at(file, key string, node *yaml.Node) Value {
	r.budget--
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return Value{File: file, Line: node.Line, Key: key, Node: node, reader: r}
}

// Reader returns who reads the text that v is in.
func (v Value) Reader() *Reader { return v.reader }

// Faultf tells what is wrong with v, and what would be right.
func (v Value) Faultf(format string, args ...any) {
	v.faultAt(v.Line, v.Key, format, args...)
}

func (v Value) faultAt(line int, key, format string, args ...any) {
	if v.reader.faults.full() {
		v.reader.faults.more++ // without the work of making its text
		return
	}
	v.reader.faults.add(Fault{File: v.File, Line: line, Key: Clip(key), Reason: fmt.Sprintf(format, args...)})
}

// Fields reads a mapping with fixed keys. ok is false when it is none; a wrong or repeated key is a fault only.
func (v Value) Fields(known ...string) (fields map[string]Value, ok bool) {
	if v.Node.Kind != yaml.MappingNode {
		v.Faultf("%s where keys are needed; those known here are %s", kindOf(v.Node), strings.Join(known, ", "))
		return nil, false
	}
	fields = map[string]Value{}
	for name, field := range v.Entries("keys") {
		if !slices.Contains(known, name) {
			field.Faultf("unknown key; those known here are %s", strings.Join(known, ", "))
			continue
		}
		fields[name] = field
	}
	return fields, true
}

// Entries reads a mapping with free keys, in order. Each key comes once, a repetition is a fault. An entry stands at the
// line of its key, where a reader looks for it: YAML has a mapping begin at its own first key.
func (v Value) Entries(what string) iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Node.Kind != yaml.MappingNode {
			v.Faultf("%s where %s are needed", kindOf(v.Node), what)
			return
		}
		seen := map[string]int{} // lines
		for i := 0; i+1 < len(v.Node.Content) && v.reader.budget > 0; i += 2 {
			name := v.Node.Content[i]
			if name.Kind != yaml.ScalarNode || name.Tag == "!!merge" {
				v.faultAt(name.Line, v.Key, "a key must be plain text; merge keys are not used")
				continue
			}
			key := join(v.Key, name.Value)
			if line, ok := seen[name.Value]; ok {
				v.faultAt(name.Line, key, "the key is also in line %d; leave one", line)
				continue
			}
			seen[name.Value] = name.Line
			entry := v.reader.at(v.File, key, v.Node.Content[i+1])
			entry.Line = name.Line
			if !yield(name.Value, entry) {
				return
			}
		}
	}
}

// Lookup returns what stands behind a key of a mapping, without telling of faults: the keys are read elsewhere.
func (v Value) Lookup(key string) (field Value, ok bool) {
	if v.Node.Kind != yaml.MappingNode {
		return Value{}, false
	}
	for i := 0; i+1 < len(v.Node.Content); i += 2 {
		if name := v.Node.Content[i]; name.Kind == yaml.ScalarNode && name.Value == key {
			field = v.reader.at(v.File, join(v.Key, key), v.Node.Content[i+1])
			field.Line = name.Line
			return field, true
		}
	}
	return Value{}, false
}

// Items reads a list of at least one element.
func (v Value) Items() []Value {
	if v.Node.Kind != yaml.SequenceNode {
		v.Faultf("%s where a list is needed: [a, b]", kindOf(v.Node))
		return nil
	}
	if len(v.Node.Content) == 0 {
		v.Faultf("an empty list; fill it or leave the key out")
	}
	var items []Value
	for i, node := range v.Node.Content {
		if v.reader.budget <= 0 {
			break
		}
		items = append(items, v.reader.at(v.File, v.Key+"["+strconv.Itoa(i)+"]", node))
	}
	return items
}

// Text reads a scalar as it is written: 0800 keeps its zero and +61 its plus, with quotes or without.
func (v Value) Text() (text string, ok bool) {
	if v.Node.Kind != yaml.ScalarNode || v.Node.Tag == "!!null" {
		v.Faultf("%s where text is needed", kindOf(v.Node))
		return "", false
	}
	return v.Node.Value, true
}

// Truth reads true or false.
func (v Value) Truth() bool {
	if v.Node.Kind != yaml.ScalarNode || v.Node.Value != "true" && v.Node.Value != "false" {
		v.Faultf("%s where true or false is needed", kindOf(v.Node))
		return false
	}
	return v.Node.Value == "true"
}

// Whole reads a whole number from least to most.
func (v Value) Whole(least, most int64) int64 {
	text, ok := v.Text()
	if !ok {
		return least
	}
	n, ok := ParseWhole(text)
	if !ok || n < least || n > most {
		v.Faultf("%q is no whole number from %d to %d", Clip(text), least, most)
		return least
	}
	return n
}

// ParseWhole reads decimal digits: no sign, and no underscores, exponents or octal as YAML would take them.
func ParseWhole(text string) (int64, bool) {
	if !IsDigits(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// IsDigits reports whether text is digits of ASCII, one at least.
func IsDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

func kindOf(node *yaml.Node) string {
	switch {
	case node.Kind == yaml.MappingNode:
		return "a mapping"
	case node.Kind == yaml.SequenceNode:
		return "a list"
	case node.Tag == "!!null":
		return "nothing"
	}
	return strconv.Quote(Clip(node.Value))
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// Clip keeps fault texts short, whatever stands in the file.
func Clip(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
