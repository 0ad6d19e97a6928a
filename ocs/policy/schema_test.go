package policy

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

const schemaFile = "policy.schema.json"

// The schema knows the keys that the reader knows, no more and no fewer.
func TestSchemaHasTheKeysOfTheReader(t *testing.T) {
	t.Parallel()
	definitions := readSchema(t)["$defs"].(map[string]any)
	known := map[string][]string{
		"transfer": transferKeys, "stop": stopKeys, "kind": kindKeys, "reversal": reversalKeys, "channel": channelKeys, "class": classKeys,
		"limit": limitKeys, "fee": feeKeys, "feeBand": feeBandKeys, "commission": commissionKeys, "commissionBand": commissionBandKeys,
		"expiry": expiryKeys, "daysBand": daysBandKeys, "eligibility": eligibilityKeys, "family": familyKeys, "cooling": coolingKeys,
		"requests": requestKeys, "pin": pinKeys,
	}
	for name, definition := range definitions {
		properties, ok := definition.(map[string]any)["properties"].(map[string]any)
		if !ok {
			continue
		}
		if _, ok := known[name]; !ok {
			t.Errorf("%s: not looked at here", name)
		}
		got := slices.Sorted(maps.Keys(properties))
		if !slices.Equal(got, slices.Sorted(slices.Values(known[name]))) {
			t.Errorf("%s: keys of the schema %v, of the reader %v", name, got, known[name])
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s: not in the schema", name)
	}
}

// What the reader accepts, the schema accepts.
func TestSchemaAcceptsPolicies(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no good files: %v", err)
	}
	for _, file := range append(files, "policy.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(file, data); err != nil {
			t.Errorf("by the reader: %v", err)
		}
		if faults := newSchema(t).check(t, data); len(faults) > 0 {
			t.Errorf("%s by the schema: %s", file, strings.Join(faults, "\n"))
		}
	}
}

// What is wrong in form is refused by the schema too. It knows less: that 10min is more than 5min is none of its business.
func TestSchemaRefusesFaults(t *testing.T) {
	t.Parallel()
	schema := newSchema(t)
	for _, text := range []string{
		"", "transfer:", "transfer: []", "policy: {}", "transfer: {fees: [{name: free}]}",
		sample("limits: []"), sample("limits: [{scope: sender}]"), sample("limits: [{scope: all, window: day/calendar, count: 1}]"),
		sample("limits: [{scope: pair, window: day, count: 1}]"), sample("limits: [{scope: pair, window: day/calendar, count: 0}]"),
		sample("limits: [{scope: pair, window: day/calendar, seconds: 1.5}]"), sample("limits: [{scope: pair, window: day/calendar, seconds: -5}]"),
		sample("limits: [{scope: pair, window: day/calendar, count: 1, kinds: []}]"), sample("limits: [{scope: pair, window: day/calendar, count: 1, kind: loan}]"),
		sample("before_expiry: 3 days"), sample("payout_tries: 0"), sample("enabled: maybe"), sample("pin: {digits: 3}"), sample("pin: {default_usable: true}"),
		sample("pin: {weak_list: false}"), sample("pin: {lock_growth: x}"), sample("pin: {reset_quota: 30d}"), sample("cooling_off: {after: []}"),
		sample("cooling_off: {after: [birthday], hours: 1}"), sample("expiry: never"), sample("expiry: {mode: fixed, days: 0}"),
		sample("eligibility: {families: [{from: a}]}"), sample("commissions: [{agent_percent: 60}]"), sample("rules: []"), sample("time_zone: ''"),
		sample("commissions: [{name: a, agent_percent: 12%}]"), sample("policy_version: a b"), sample("stop: {since: today}"),
	} {
		if faults := schema.check(t, []byte(text+"\n")); len(faults) == 0 {
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

// A schema checks documents by as much of JSON Schema as policy.schema.json uses. Another keyword is an error.
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
	if len(document.Content) == 0 {
		return []string{"nothing"}
	}
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
		panic("policy.schema.json uses a keyword that this test does not know: " + keyword)
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
