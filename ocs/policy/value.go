package policy

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A value is a node of the YAML, where it stands and by which keys it is reached.
// Its methods read it as one thing or another. What is not that thing becomes a fault and reads as nothing.
type value struct {
	p    *parser
	file string
	key  string
	line int
	node *yaml.Node // never an alias
}

// at returns the value of a node, behind aliases. An alias that stands for another one is no YAML and cannot occur, nor
// can the depth grow without bound: it is that of the format.
func (p *parser) at(file, key string, node *yaml.Node) value {
	p.budget--
	if node.Kind == yaml.AliasNode && node.Alias != nil {
		node = node.Alias
	}
	return value{p: p, file: file, key: key, line: node.Line, node: node}
}

func (v value) fault(format string, args ...any) {
	v.faultAt(v.line, v.key, format, args...)
}

func (v value) faultAt(line int, key, format string, args ...any) {
	if v.p.faults.full() {
		v.p.faults.more++
		return
	}
	v.p.faults.add(Fault{File: v.file, Line: line, Key: clip(key), Reason: fmt.Sprintf(format, args...)})
}

// fields reads a mapping with fixed keys. ok is false when it is none; a wrong or repeated key is a fault only.
func (v value) fields(known ...string) (fields map[string]value, ok bool) {
	if v.node.Kind != yaml.MappingNode {
		v.fault("%s where keys are needed; those known here are %s", kindOf(v.node), strings.Join(known, ", "))
		return nil, false
	}
	fields = map[string]value{}
	for name, field := range v.entries("keys") {
		if !slices.Contains(known, name) {
			field.fault("unknown key; those known here are %s", strings.Join(known, ", "))
			continue
		}
		fields[name] = field
	}
	return fields, true
}

// entries reads a mapping with free keys, in order. Each key comes once, a repetition is a fault. An entry stands at the
// line of its key, where a reader looks for it: YAML has a mapping begin at its own first key.
func (v value) entries(what string) iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		if v.node.Kind != yaml.MappingNode {
			v.fault("%s where %s are needed", kindOf(v.node), what)
			return
		}
		seen := map[string]int{} // lines
		for i := 0; i+1 < len(v.node.Content) && v.p.budget > 0; i += 2 {
			name := v.node.Content[i]
			if name.Kind != yaml.ScalarNode || name.Tag == "!!merge" {
				v.faultAt(name.Line, v.key, "a key must be plain text; merge keys are not used")
				continue
			}
			key := join(v.key, name.Value)
			if line, ok := seen[name.Value]; ok {
				v.faultAt(name.Line, key, "the key is also in line %d; leave one", line)
				continue
			}
			seen[name.Value] = name.Line
			entry := v.p.at(v.file, key, v.node.Content[i+1])
			entry.line = name.Line
			if !yield(name.Value, entry) {
				return
			}
		}
	}
}

// items reads a list of at least one element.
func (v value) items() []value {
	if v.node.Kind != yaml.SequenceNode {
		v.fault("%s where a list is needed: [a, b]", kindOf(v.node))
		return nil
	}
	if len(v.node.Content) == 0 {
		v.fault("an empty list; fill it or leave the key out")
	}
	var items []value
	for i, node := range v.node.Content {
		if v.p.budget <= 0 {
			break
		}
		items = append(items, v.p.at(v.file, v.key+"["+strconv.Itoa(i)+"]", node))
	}
	return items
}

// text reads a scalar as it is written: 0800 keeps its zero and +61 its plus, with quotes or without.
func (v value) text() (text string, ok bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Tag == "!!null" {
		v.fault("%s where text is needed", kindOf(v.node))
		return "", false
	}
	return v.node.Value, true
}

// truth reads true or false.
func (v value) truth() bool {
	if v.node.Kind != yaml.ScalarNode || v.node.Value != "true" && v.node.Value != "false" {
		v.fault("%s where true or false is needed", kindOf(v.node))
		return false
	}
	return v.node.Value == "true"
}

// whole reads a whole number from least to most.
func (v value) whole(least, most int64) int64 {
	text, ok := v.text()
	if !ok {
		return least
	}
	n, ok := parseWhole(text)
	if !ok || n < least || n > most {
		v.fault("%q is no whole number from %d to %d", clip(text), least, most)
		return least
	}
	return n
}

// parseWhole reads decimal digits: no sign, and no underscores, exponents or octal as YAML would take them.
func parseWhole(text string) (int64, bool) {
	if !isDigits(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// maxName is the length of the longest name, in octets: it is a part of the key of counters and stands in explanations.
const maxName = 64

// name reads the name of a rule: what people call it, printable and not surrounded by spaces.
func (v value) name() string {
	text, ok := v.text()
	if ok && (text == "" || len(text) > maxName || strings.TrimSpace(text) != text || strings.ContainsAny(text, ":\t\n")) {
		v.fault("%q cannot name a rule: use 1 to %d octets without a colon", clip(text), maxName)
	}
	return text
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
	return strconv.Quote(clip(node.Value))
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// clip keeps fault texts short, whatever stands in the file.
func clip(text string) string {
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
