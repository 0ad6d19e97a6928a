package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const schemaFile = "catalog.schema.json"

// The schema knows the keys that the reader knows, no more and no fewer.
func TestSchemaHasTheKeysOfTheReader(t *testing.T) {
	t.Parallel()
	definitions := readSchema(t)["$defs"].(map[string]any)
	for name, want := range map[string][]string{
		"plan":         planKeys,
		"numbering":    numberingKeys,
		"service":      serviceKeys,
		"tariff":       tariffKeys,
		"calledTariff": calledTariffKeys,
	} {
		definition := definitions[name].(map[string]any)
		got := slices.Sorted(maps.Keys(definition["properties"].(map[string]any)))
		if !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s: keys of the schema %v, of the reader %v", name, got, want)
		}
	}
}

// What the reader accepts, the schema accepts.
func TestSchemaAcceptsTheDemo(t *testing.T) {
	t.Parallel()
	if faults := newSchema(t).check(t, demo); len(faults) > 0 {
		t.Errorf("demo.yaml by the schema: %s", strings.Join(faults, "\n"))
	}
}

// What is wrong in form is refused by the schema too. It knows less: 0.5 is a number to it, and for it 0800 must be one.
func TestSchemaRefusesFaults(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for _, tariff := range []string{
		"{price: 1}", "{name: a}", "{name: a b, price: 1}", "{name: a, price: .5x}", "{name: a, price: 1/2/3}",
		"{name: a, price: +4/1}", "{name: a, price: [4, 1]}", "{name: a, price: 1, minimum: 30}",
		"{name: a, price: 1, setup: -1}", "{name: a, price: 1, setup: none}", "{name: a, price: 1, increments: per minute}",
		"{name: a, price: 1, measures: minutes}", "{name: a, price: 1, pays: EURO}", "{name: a, price: 1, buckets: []}",
		"{name: a, price: 1, buckets: plan}", "{name: a, barred: maybe}", "4/1", "[]", "",
	} {
		text := "plans: {p: {voice: {default: " + tariff + "}}}"
		if faults := schema.check(t, []byte(text)); len(faults) == 0 {
			t.Errorf("accepted: %s", text)
		}
		if _, err := Parse("x.yaml", []byte(text)); err == nil {
			t.Errorf("accepted by the reader: %s", text)
		}
	}
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of faults: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if faults := schema.check(t, data); len(faults) == 0 {
			t.Errorf("%s is accepted", file)
		}
	}
}

func readSchema(t *testing.T) (schema map[string]any) {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatalf("%s: %v", schemaFile, err)
	}
	return schema
}

// A schema checks documents by as much of JSON Schema as catalog.schema.json uses. Another keyword is an error.
type schema struct {
	root   map[string]any
	faults []string
}

func newSchema(t *testing.T) schema {
	t.Helper()
	return schema{root: readSchema(t)}
}

// check returns what is wrong with a YAML text, read as an editor would read it.
func (s schema) check(t *testing.T, text []byte) []string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s.faults = nil
	s.node(s.root, "", document.Content[0])
	return s.faults
}

func (s *schema) fault(at, format string, args ...any) {
	s.faults = append(s.faults, at+": "+fmt.Sprintf(format, args...))
}

// accepts reports whether rule alone accepts node.
func (s *schema) accepts(rule any, at string, node *yaml.Node) bool {
	alone := schema{root: s.root}
	alone.node(rule.(map[string]any), at, node)
	return len(alone.faults) == 0
}

func (s *schema) node(rule map[string]any, at string, node *yaml.Node) {
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

func (s *schema) bound(keyword string, limit float64, at string, node *yaml.Node) {
	var n float64
	if isType("integer", node) && node.Decode(&n) == nil && (keyword == "minimum" && n < limit || keyword == "maximum" && n > limit) {
		s.fault(at, "%v is beyond %s %v", n, keyword, limit)
	}
}

func (s *schema) collection(rule map[string]any, keyword string, argument any, at string, node *yaml.Node) {
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
		panic("catalog.schema.json uses a keyword that this test does not know: " + keyword)
	}
}

func (s *schema) required(names []string, at string, node *yaml.Node, fields map[string]*yaml.Node) {
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
