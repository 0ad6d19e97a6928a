package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// The description names every route, and no other.
func TestOpenAPINamesEveryRoute(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	var document struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	got := askAs(t, s, "", "GET", "/openapi.json", nil)
	wantStatus(t, got, http.StatusOK)
	got.decode(t, &document)
	if !strings.HasPrefix(document.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s, want 3.1", document.OpenAPI)
	}
	var described []string
	for path, methods := range document.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	var served []string
	for _, pattern := range api.Patterns(s.Handler) {
		switch {
		case pattern == tmf654.Base+"/":
			for _, method := range []string{"GET", "POST"} {
				served = append(served, method+" "+tmf654.Base+"/{resource}")
			}
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				served = append(served, method+" "+tmf654.Base+"/{resource}/{id}")
			}
		case pattern == tmf654.QuotePath:
			served = append(served, "POST "+pattern)
		case strings.Contains(pattern, "/openapi-3.0"): // the same in an older form
		default:
			served = append(served, pattern)
		}
	}
	for _, route := range served {
		if !slices.Contains(described, route) {
			t.Errorf("%s is served and not described", route)
		}
	}
	for _, route := range described {
		if !slices.Contains(served, route) {
			t.Errorf("%s is described and not served", route)
		}
	}
}

// The page of documentation names every operation, and fetches nothing from anywhere.
func TestDocsFetchNothing(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	got := askAs(t, s, "", "GET", "/docs", nil)
	wantStatus(t, got, http.StatusOK)
	for _, want := range []string{"/care/v1/subscribers/{subscriber}/statement", "supervisor", "ExplainedCall", tmf654.Base} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if found := regexp.MustCompile(`(?i)<script|src=|@import|url\(|href="(https?:)?//`).FindString(got.text); found != "" {
		t.Errorf("the page has %s", found)
	}
	if policy := got.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("Content-Security-Policy %q", policy)
	}
}

// What is really answered is as the description says, good answers and problems.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	s := apitest.New(t, nil)
	var raw struct {
		Paths      map[string]map[string]json.RawMessage `json:"paths"`
		Components struct {
			Schemas map[string]*schema `json:"schemas"`
		} `json:"components"`
	}
	got := ask(t, s, "GET", "/openapi.json", nil)
	got.decode(t, &raw)
	registry := described{raw.Components.Schemas}
	check := func(method, route, path string, body any, want int) {
		t.Helper()
		got := ask(t, s, method, path, body)
		wantStatus(t, got, want)
		var operation struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema *schema } `json:"content"`
			} `json:"responses"`
		}
		if err := json.Unmarshal(raw.Paths[route][strings.ToLower(method)], &operation); err != nil {
			t.Fatalf("%s %s is not described: %v", method, route, err)
		}
		response, ok := operation.Responses[strconv.Itoa(want)]
		if !ok {
			t.Fatalf("%s %s: the status %d is not described", method, route, want)
		}
		media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
		content, ok := response.Content[media]
		if !ok {
			t.Fatalf("%s %s: %s is not described for %d", method, route, media, want)
		}
		var value any
		got.decode(t, &value)
		for _, fault := range registry.faults(content.Schema, value, "body") {
			t.Errorf("%s %s, %d: %s\n%s", method, route, want, fault, got.text)
		}
	}
	const one = "/care/v1/subscribers/{subscriber}"
	check("POST", "/care/v1/subscribers", "/care/v1/subscribers", map[string]any{"msisdn": "4930000001", "plan": "demo", "seconds": 6000}, 201)
	check("POST", "/care/v1/subscribers", "/care/v1/subscribers", map[string]any{"msisdn": "4930000001", "plan": "demo", "seconds": 6000}, 409)
	check("POST", "/care/v1/subscribers", "/care/v1/subscribers", map[string]any{"msisdn": "x"}, 422)
	create(t, s, "4930000002", 0)
	for i, kind := range []ocs.RequestType{ocs.Initial, ocs.Update} {
		if err := s.Charge(t.Context(), "4930000001", ocs.SessionKey{ID: "a"}, kind, uint32(i), uint64(60*i)); err != nil {
			t.Fatal(err)
		}
		s.Advance(time.Minute)
	}
	check("POST", one+"/buckets", "/care/v1/subscribers/4930000001/buckets", grantOf("g", 60), 200)
	check("POST", one+"/buckets", "/care/v1/subscribers/4930000001/buckets", map[string]any{"units": 60}, 422)
	check("POST", one+"/corrections", "/care/v1/subscribers/4930000001/corrections", map[string]any{"units": -60, "reason": "test"}, 200)
	check("POST", "/care/v1/transfers", "/care/v1/transfers", map[string]any{"from": "4930000001", "to": "4930000002", "seconds": 60}, 201)
	for _, path := range []string{"", "/buckets", "/statement", "/profile", "/pin", "/transfers", "/allowance"} {
		check("GET", one+path, "/care/v1/subscribers/4930000001"+path, nil, 200)
	}
	check("GET", one, "/care/v1/subscribers/4930000009", nil, 404)
	if err := s.Charge(t.Context(), "4930000001", ocs.SessionKey{ID: "a"}, ocs.Termination, 2, 10); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/subscribers", "/sessions", "/cdrs", "/status", "/audit", "/keys", "/whoami", "/approvals", "/policy", "/policies", "/merchants", "/agents"} {
		check("GET", "/care/v1"+path, "/care/v1"+path, nil, 200)
	}
	check("GET", "/care/v1/session", "/care/v1/session?session_id=a", nil, 200)
	check("GET", "/care/v1/rated-events", "/care/v1/rated-events?session_id=a", nil, 200)
	check("GET", "/care/v1/whois", "/care/v1/whois?name=4930000001", nil, 200)
	check("POST", "/care/v1/keys", "/care/v1/keys", map[string]any{"name": "Anna", "role": "agent"}, 201)
	check("PUT", one+"/state", "/care/v1/subscribers/4930000002/state", map[string]any{"state": "blocked"}, 200)
}

// A schema is as much of JSON Schema as the description uses.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"` // a word, or several
	Properties map[string]*schema `json:"properties"`
	Required   []string           `json:"required"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
	Additional any                `json:"additionalProperties"`
}

func (s *schema) takes(kind string) bool {
	switch t := s.Type.(type) {
	case string:
		return t == kind
	case []any:
		return slices.Contains(t, any(kind))
	}
	return true // whatever
}

// described holds values against schemas: types, required and unknown keys, enumerations.
type described struct{ schemas map[string]*schema }

func (d described) faults(s *schema, value any, at string) []string {
	if s != nil && s.Ref != "" {
		s = d.schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	if s == nil {
		return []string{at + " has no schema"}
	}
	kind, faults := "null", []string{}
	switch v := value.(type) {
	case map[string]any:
		kind, faults = "object", d.object(s, v, at)
	case []any:
		kind = "array"
		for _, part := range v {
			faults = append(faults, d.faults(s.Items, part, at+"[]")...)
		}
	case string:
		kind = "string"
	case float64:
		kind = "number"
		if s.takes("integer") && v == float64(int64(v)) {
			kind = "integer"
		}
	case bool:
		kind = "boolean"
	}
	if !s.takes(kind) {
		faults = append(faults, fmt.Sprintf("%s is a %s, described is %v", at, kind, s.Type))
	}
	if len(s.Enum) > 0 && value != nil && !slices.Contains(s.Enum, value) {
		faults = append(faults, fmt.Sprintf("%s is %v, described are %v", at, value, s.Enum))
	}
	return faults
}

func (d described) object(s *schema, value map[string]any, at string) (faults []string) {
	for _, name := range s.Required {
		if _, ok := value[name]; !ok {
			faults = append(faults, at+" lacks "+name)
		}
	}
	for name, part := range value {
		property, ok := s.Properties[name]
		switch {
		case ok:
			faults = append(faults, d.faults(property, part, at+"."+name)...)
		case s.Additional == false:
			faults = append(faults, at+" has "+name+", which is not described")
		}
	}
	return faults
}
