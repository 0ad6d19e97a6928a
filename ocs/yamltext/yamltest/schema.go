package yamltest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Schema checks documents by as much of JSON Schema as the schemas of ours use. Another keyword panics.
type Schema struct {
	root   map[string]any
	faults []string
}

// ReadSchema reads a schema from its file.
func ReadSchema(t *testing.T, file string) Schema {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return Schema{root: root}
}

// CompareKeys fails the test unless the schema has the definitions in want, with the keys named there, and no other definition
// with keys.
func (s Schema) CompareKeys(t *testing.T, want map[string][]string) {
	t.Helper()
	left := maps.Clone(want)
	for name, definition := range s.root["$defs"].(map[string]any) {
		properties, ok := definition.(map[string]any)["properties"].(map[string]any)
		if !ok {
			continue
		}
		if _, ok := left[name]; !ok {
			t.Errorf("%s: in the schema, not looked at here", name)
		}
		got := slices.Sorted(maps.Keys(properties))
		if !slices.Equal(got, slices.Sorted(slices.Values(left[name]))) {
			t.Errorf("%s: keys of the schema %v, of the reader %v", name, got, left[name])
		}
		delete(left, name)
	}
	for name := range left {
		t.Errorf("%s: not in the schema", name)
	}
}

// Check returns what is wrong with a YAML text, read as an editor would read it.
func (s Schema) Check(t *testing.T, text []byte) []string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s.faults = nil
	if len(document.Content) == 0 {
		return []string{"nothing"}
	}
	s.node(s.root, "", document.Content[0])
	return s.faults
}

func (s *Schema) fault(at, format string, args ...any) {
	s.faults = append(s.faults, at+": "+fmt.Sprintf(format, args...))
}

// accepts reports whether rule alone accepts node.
func (s *Schema) accepts(rule any, at string, node *yaml.Node) bool {
	alone := Schema{root: s.root}
	alone.node(rule.(map[string]any), at, node)
	return len(alone.faults) == 0
}

func (s *Schema) node(rule map[string]any, at string, node *yaml.Node) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	for keyword, argument := range rule {
		switch keyword {
		case "$schema", "$defs", "title", "description":
		case "$ref":
			name := strings.TrimPrefix(argument.(string), "#/$defs/")
			s.node(s.root["$defs"].(map[string]any)[name].(map[string]any), at, node)
		case "type":
			if !slices.ContainsFunc(oneOrMany(argument), func(name string) bool { return isType(name, node) }) {
				s.fault(at, "%s %q is not %v", node.Tag, node.Value, argument)
			}
		case "enum":
			if node.Kind != yaml.ScalarNode || !slices.Contains(oneOrMany(argument), node.Value) {
				s.fault(at, "%q is none of %v", node.Value, argument)
			}
		case "pattern":
			if isType("string", node) && !regexp.MustCompile(argument.(string)).MatchString(node.Value) {
				s.fault(at, "%q does not match %s", node.Value, argument)
			}
		case "minimum", "maximum":
			s.bound(keyword, argument.(float64), at, node)
		case "anyOf":
			if !slices.ContainsFunc(argument.([]any), func(rule any) bool { return s.accepts(rule, at, node) }) {
				s.fault(at, "fits none of %v", argument)
			}
		case "allOf":
			for _, rule := range argument.([]any) {
				s.node(rule.(map[string]any), at, node)
			}
		default:
			s.collection(rule, keyword, argument, at, node)
		}
	}
}

func (s *Schema) bound(keyword string, limit float64, at string, node *yaml.Node) {
	var n float64
	if isType("integer", node) && node.Decode(&n) == nil && (keyword == "minimum" && n < limit || keyword == "maximum" && n > limit) {
		s.fault(at, "%v is beyond %s %v", n, keyword, limit)
	}
}

func (s *Schema) collection(rule map[string]any, keyword string, argument any, at string, node *yaml.Node) {
	fields := map[string]*yaml.Node{}
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			fields[node.Content[i].Value] = node.Content[i+1]
		}
	}
	properties, _ := rule["properties"].(map[string]any)
	switch keyword {
	case "items":
		for i, item := range node.Content {
			if node.Kind == yaml.SequenceNode {
				s.node(argument.(map[string]any), fmt.Sprintf("%s[%d]", at, i), item)
			}
		}
	case "minItems":
		if node.Kind == yaml.SequenceNode && float64(len(node.Content)) < argument.(float64) {
			s.fault(at, "%d items", len(node.Content))
		}
	case "properties":
		for name, field := range fields {
			if rule, ok := properties[name]; ok {
				s.node(rule.(map[string]any), at+"."+name, field)
			}
		}
	case "additionalProperties":
		for name, field := range fields {
			if _, ok := properties[name]; ok {
				continue
			}
			if others, ok := argument.(map[string]any); ok {
				s.node(others, at+"."+name, field)
			} else if argument == false {
				s.fault(at, "unknown key %s", name)
			}
		}
	case "propertyNames":
		for name := range fields {
			s.node(argument.(map[string]any), at, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name})
		}
	case "minProperties":
		if node.Kind == yaml.MappingNode && float64(len(fields)) < argument.(float64) {
			s.fault(at, "%d keys", len(fields))
		}
	case "required":
		s.required(oneOrMany(argument), at, node, fields)
	case "dependentRequired":
		for name, needed := range argument.(map[string]any) {
			if _, ok := fields[name]; ok {
				s.required(oneOrMany(needed), at, node, fields)
			}
		}
	default:
		panic("a schema uses a keyword that this test does not know: " + keyword)
	}
}

func (s *Schema) required(names []string, at string, node *yaml.Node, fields map[string]*yaml.Node) {
	for _, name := range names {
		if _, ok := fields[name]; !ok && node.Kind == yaml.MappingNode {
			s.fault(at, "no key %s", name)
		}
	}
}

func oneOrMany(argument any) (names []string) {
	if name, ok := argument.(string); ok {
		return []string{name}
	}
	for _, name := range argument.([]any) {
		names = append(names, name.(string))
	}
	return names
}

func isType(name string, node *yaml.Node) bool {
	switch name {
	case "object":
		return node.Kind == yaml.MappingNode
	case "array":
		return node.Kind == yaml.SequenceNode
	case "string":
		return node.Kind == yaml.ScalarNode && node.Tag == "!!str" && utf8.ValidString(node.Value)
	case "integer":
		return node.Kind == yaml.ScalarNode && node.Tag == "!!int"
	case "number":
		return isType("integer", node) || node.Kind == yaml.ScalarNode && node.Tag == "!!float"
	case "boolean":
		return node.Kind == yaml.ScalarNode && node.Tag == "!!bool"
	}
	panic("unknown type " + name)
}
