package tmf654_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// A contract is the published description, read here by code that shares nothing with the code under test.
type contract struct {
	BasePath string `json:"basePath"`
	Paths    map[string]map[string]struct {
		Parameters []struct {
			In     string         `json:"in"`
			Schema map[string]any `json:"schema"`
		} `json:"parameters"`
		Responses map[string]struct {
			Schema  map[string]any            `json:"schema"`
			Headers map[string]map[string]any `json:"headers"`
		} `json:"responses"`
	} `json:"paths"`
	Definitions map[string]map[string]any `json:"definitions"`
}

func readContract(t *testing.T) contract {
	t.Helper()
	text, err := os.ReadFile("TMF654-PrepayBalance-v4.0.0.swagger.json")
	if err != nil {
		t.Fatal(err)
	}
	var c contract
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Paths) != 28 {
		t.Fatalf("%d paths", len(c.Paths))
	}
	return c
}

func (c contract) resolve(s map[string]any) map[string]any {
	if ref, ok := s["$ref"].(string); ok {
		return c.Definitions[strings.TrimPrefix(ref, "#/definitions/")]
	}
	return s
}

// faults tells where v is not what s says.
func (c contract) faults(s map[string]any, v any, at string) (all []string) {
	s = c.resolve(s)
	wrong := func(want string) []string { return []string{fmt.Sprintf("%s is %v, not %s", at, v, want)} }
	switch s["type"] {
	case "object":
		object, ok := v.(map[string]any)
		if !ok {
			return wrong("an object")
		}
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := object[name.(string)]; !ok {
				all = append(all, at+"."+name.(string)+" is missing")
			}
		}
		properties, _ := s["properties"].(map[string]any)
		for name, property := range properties {
			if inner, ok := object[name]; ok {
				all = append(all, c.faults(property.(map[string]any), inner, at+"."+name)...)
			}
		}
	case "array":
		list, ok := v.([]any)
		if !ok {
			return wrong("a list")
		}
		for i, item := range list {
			all = append(all, c.faults(s["items"].(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case "string":
		text, ok := v.(string)
		if !ok {
			return wrong("a text")
		}
		if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, any(text)) {
			return wrong(fmt.Sprint(enum))
		}
		if s["format"] == "date-time" {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				return wrong("a time")
			}
		}
	case "number", "integer":
		n, ok := v.(json.Number)
		if !ok || strings.ContainsAny(n.String(), "eE") {
			return wrong("a number without exponent")
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrong("true or false")
		}
	}
	return all
}

// sample makes a value of s: all of it, or only what is required.
func (c contract) sample(s map[string]any, path string, all bool) any {
	if v, ok := c.known(path); ok {
		return v
	}
	s = c.resolve(s)
	switch s["type"] {
	case "object":
		object := map[string]any{}
		required, _ := s["required"].([]any)
		properties, _ := s["properties"].(map[string]any)
		for name, property := range properties {
			inner := strings.TrimPrefix(path+"."+name, ".")
			if v, ok := c.known(inner); ok && v == nil {
				continue
			}
			if all || slices.Contains(required, any(name)) {
				object[name] = c.sample(property.(map[string]any), inner, all)
			}
		}
		return object
	case "array":
		return []any{c.sample(s["items"].(map[string]any), path, all)}
	case "number", "integer":
		return json.Number("1")
	case "boolean":
		return true
	}
	if enum, ok := s["enum"].([]any); ok {
		return enum[0]
	}
	switch s["format"] {
	case "date-time":
		return start.Add(240 * time.Hour).Format(time.RFC3339)
	case "uri":
		return "https://shop.example/schema"
	}
	return "text"
}

// known are the values that mean something here, by path in a body. nil: left out.
func (c contract) known(path string) (any, bool) {
	v, ok := map[string]any{
		"amount": map[string]any{"amount": json.Number("2"), "units": "min"}, "usageType": "voice", "receiverBucketUsageType": "voice",
		"bucket.id": "auto", "receiverBucket.id": "auto", "channel.id": "api", "partyAccount.id": anna, "logicalResource.id": anna,
		"receiverLogicalResource.id": ben, "adjustType": "oneTime", "callback": "https://shop.example/listener",
		"query": "eventType=TopupBalanceCreateEvent", "validFor.startDateTime": start.Format(time.RFC3339), "voucher": nil, "@type": nil,
		"transferCost": nil, "status": "completed", "requestedDate": nil, "confirmationDate": nil,
	}[path]
	return v, ok
}

// check compares an answer with what the description says of its status.
func (c contract) check(t *testing.T, what, path, method string, a answer) {
	t.Helper()
	operation := c.Paths[path][method]
	declared, ok := operation.Responses[fmt.Sprint(a.status)]
	if !ok {
		t.Errorf("%s: %d is none of %v: %s", what, a.status, slices.Sorted(maps.Keys(operation.Responses)), a.raw)
		return
	}
	if a.status == 204 {
		if a.raw != "" {
			t.Errorf("%s: a body: %s", what, a.raw)
		}
		return
	}
	if got := a.header.Get("Content-Type"); got != "application/json;charset=utf-8" {
		t.Errorf("%s: Content-Type %q", what, got)
	}
	for name := range declared.Headers {
		if a.header.Get(name) == "" {
			t.Errorf("%s: no header %s", what, name)
		}
	}
	for _, fault := range c.faults(declared.Schema, a.body, "") {
		t.Errorf("%s: %s in %s", what, fault, a.raw)
	}
}

func (c contract) body(path, method string, all bool) string {
	for _, p := range c.Paths[path][method].Parameters {
		if p.In == "body" {
			text, err := json.Marshal(c.sample(p.Schema, "", all))
			if err != nil {
				panic(err)
			}
			return string(text)
		}
	}
	return ""
}

// Every path and method of the description, called well and in every wrong way that it has a status for, answers with a
// declared status and with a body of the declared type.
func TestContract(t *testing.T) {
	t.Parallel()
	c := readContract(t)
	if c.BasePath != tmf654.Base {
		t.Fatalf("base path %s", c.BasePath)
	}
	w := newWorld(t, func(c *tmf654.Config) { c.Strict = true })
	ids := map[string]string{}
	call := func(path, method, body string, want int, headers ...string) answer {
		t.Helper()
		collection := strings.TrimSuffix(path, "/{id}")
		real := strings.Replace(path, "{id}", ids[collection], 1)
		a := w.do(strings.ToUpper(method), real, body, headers...)
		c.check(t, fmt.Sprintf("%s %s %s", method, path, body), path, method, a)
		if want != 0 && a.status != want {
			t.Errorf("%s %s %s: got %d %s, want %d", method, path, body, a.status, a.raw, want)
		}
		return a
	}
	paths := slices.Sorted(maps.Keys(c.Paths))
	isListener := func(path string) bool { return strings.HasPrefix(path, "/listener/") }
	for _, path := range paths { // first what makes something
		if _, ok := c.Paths[path]["post"]; !ok || isListener(path) {
			continue
		}
		for _, all := range []bool{false, true} {
			body := c.body(path, "post", all)
			if path == "/adjustBalance" && !all { // without a subscriber, only a bucket says whose balance it is
				body = strings.Replace(body, `"id":"auto"`, `"id":"`+w.do("GET", "/bucket", "").text("id")+`"`, 1)
			}
			a := call(path, "post", body, 201)
			if path == "/reserveBalance" && !all { // it holds all that there is
				w.must(204, "", "DELETE", path+"/"+a.text("id"), "")
			}
			if got := a.header.Get("Location"); got != tmf654.Base+path+"/"+a.text("id") {
				t.Errorf("post %s: Location %q of %s", path, got, a.raw)
			}
			ids[path] = a.text("id")
		}
	}
	for _, path := range paths {
		if _, ok := c.Paths[path]["get"]; !ok || strings.HasSuffix(path, "{id}") {
			continue
		}
		a := call(path, "get", "", 200)
		if len(a.list()) == 0 {
			t.Errorf("get %s: nothing", path)
		}
		if ids[path] == "" {
			ids[path] = a.text("id")
		}
	}
	for _, path := range paths {
		one := strings.HasSuffix(path, "{id}")
		for method := range c.Paths[path] {
			if isListener(path) {
				call(path, method, c.body(path, method, true), 404)
				continue
			}
			call(path, method, c.body(path, method, false), 401, "Authorization", "Bearer of nothing")
			if method == "post" || method == "patch" {
				for _, bad := range []string{``, `{`, `[]`, `null`, `{}`, `{"amount":5}`, `{"a":1} {}`, `"x"`} {
					call(path, method, bad, 400)
				}
			}
			if one {
				known := ids[strings.TrimSuffix(path, "/{id}")]
				for _, id := range []string{"0190a1b2-0000-7000-8000-000000000000", "nothing", "0000-0000-0", "%27", "7K3M-9QTA-5"} {
					ids[strings.TrimSuffix(path, "/{id}")] = id
					call(path, method, c.body(path, method, false), 404)
				}
				ids[strings.TrimSuffix(path, "/{id}")] = known
			}
			if method == "get" {
				a := call(path, method, "", 200)
				if one && a.text("href") == "" {
					t.Errorf("get %s: no href in %s", path, a.raw)
				}
			}
		}
		for _, method := range []string{"PUT", "POST", "PATCH", "DELETE", "GET"} {
			if _, ok := c.Paths[path][strings.ToLower(method)]; ok || isListener(path) {
				continue
			}
			a := w.do(method, strings.Replace(path, "{id}", "x", 1), "")
			if a.status != 405 || a.header.Get("Allow") == "" && path != "/hub/{id}" || a.text("code") == "" || a.text("reason") == "" {
				t.Errorf("%s %s: got %d %s", method, path, a.status, a.raw)
			}
		}
	}
	for _, path := range []string{"/topupBalance/{id}", "/adjustBalance/{id}"} { // done, and told again
		call(path, "patch", `{"status":"completed"}`, 200)
		call(path, "patch", `{"status":"cancelled"}`, 409)
		call(path, "delete", "", 409)
	}
	call("/reserveBalance/{id}", "patch", `{"status":"created","reason":"other"}`, 200)
	call("/reserveBalance/{id}", "delete", "", 204)
	same := c.sample(map[string]any{"$ref": "#/definitions/TransferBalance_Update"}, "", false).(map[string]any)
	told := w.do("GET", "/transferBalance/"+ids["/transferBalance"], "")
	same["reason"] = told.text("reason")
	text, err := json.Marshal(same)
	if err != nil {
		t.Fatal(err)
	}
	call("/transferBalance/{id}", "patch", string(text), 200)
	same["reason"] = "another"
	if text, err = json.Marshal(same); err != nil {
		t.Fatal(err)
	}
	call("/transferBalance/{id}", "patch", string(text), 409)
	call("/transferBalance/{id}", "delete", "", 409)
	call("/hub/{id}", "delete", "", 204)
}
