package tmf654

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// description is the interface as TM Forum publishes it. See NOTICE.
//
//go:embed TMF654-PrepayBalance-v4.0.0.swagger.json
var description []byte

// A schema is a type of the description, as far as it is used there: no composition, no bounds.
type schema struct {
	Ref        string            `json:"$ref"`
	Type       string            `json:"type"`
	Format     string            `json:"format"`
	Enum       []string          `json:"enum"`
	Items      *schema           `json:"items"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
}

var definitions = sync.OnceValue(func() map[string]schema {
	var document struct {
		Definitions map[string]schema `json:"definitions"`
	}
	if err := json.Unmarshal(description, &document); err != nil {
		panic("tmf654: description: " + err.Error()) // it is part of the program
	}
	return document.Definitions
})

// named returns a type of the description.
func named(name string) schema {
	s, ok := definitions()[name]
	if !ok {
		panic("tmf654: no type " + name)
	}
	return s
}

func (s schema) resolved() schema {
	if s.Ref == "" {
		return s
	}
	return named(strings.TrimPrefix(s.Ref, "#/definitions/"))
}

// maxString bounds texts of clients. The description has no bounds.
const maxString = 1024

// conform returns v without what s does not know, or what is wrong with it. at is where v stands in the body. What may be
// absent is told by lax: a required value is then only checked where it is there.
func (s schema) conform(v any, at string, lax func(path string) bool) (any, *Fault) {
	s = s.resolved()
	switch s.Type {
	case "object":
		return s.conformObject(v, at, lax)
	case "array":
		list, ok := v.([]any)
		if !ok {
			return nil, malformed(at, "a list")
		}
		kept := make([]any, 0, len(list))
		for i, item := range list {
			k, fault := s.Items.conform(item, fmt.Sprintf("%s[%d]", at, i), lax)
			if fault != nil {
				return nil, fault
			}
			kept = append(kept, k)
		}
		return kept, nil
	case "string":
		return v, s.conformString(v, at)
	case "number", "integer":
		n, ok := v.(json.Number)
		if !ok || s.Type == "integer" && strings.ContainsAny(n.String(), ".eE") {
			return nil, malformed(at, "a "+map[string]string{"number": "number", "integer": "whole number"}[s.Type])
		}
		return n, nil
	case "boolean":
		if _, ok := v.(bool); !ok {
			return nil, malformed(at, "true or false")
		}
	}
	return v, nil
}

func (s schema) conformObject(v any, at string, lax func(string) bool) (any, *Fault) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, malformed(at, "an object")
	}
	within := func(name string) string { return strings.TrimPrefix(at+"."+name, ".") }
	for _, name := range s.Required {
		if object[name] == nil && !lax(within(name)) {
			return nil, newFault(http.StatusBadRequest, codeIncomplete, "%s is missing", within(name))
		}
	}
	kept := make(map[string]any, len(object))
	for name, value := range object {
		property, known := s.Properties[name]
		if !known || value == nil {
			continue
		}
		k, fault := property.conform(value, within(name), lax)
		if fault != nil {
			return nil, fault
		}
		kept[name] = k
	}
	return kept, nil
}

func (s schema) conformString(v any, at string) *Fault {
	text, ok := v.(string)
	switch {
	case !ok:
		return malformed(at, "a text")
	case len(text) > maxString:
		return malformed(at, fmt.Sprintf("at most %d octets", maxString))
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }):
		return malformed(at, "plain text without control characters")
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, text):
		return malformed(at, "one of "+strings.Join(s.Enum, ", "))
	case s.Format == "date-time":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return malformed(at, "a time as in 2026-03-01T12:00:00Z")
		}
	case s.Format == "uri":
		if _, err := url.Parse(text); err != nil {
			return malformed(at, "a URI")
		}
	}
	return nil
}

// has reports whether path, its steps divided by points, leads to something that s knows. A list is stepped into silently.
func (s schema) has(path string) bool {
	s = s.resolved()
	for s.Items != nil {
		s = s.Items.resolved()
	}
	first, rest, more := strings.Cut(path, ".")
	property, known := s.Properties[first]
	return known && (!more || property.has(rest))
}

func malformed(at, want string) *Fault {
	return newFault(http.StatusBadRequest, codeFormat, "%s must be %s", at, want)
}
