package tmf654

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A resource is something as it is told: what JSON knows, numbers as [json.Number].
type resource = map[string]any

// A condition is one name of a query with its values (TMF630): one of them must hold. Several conditions must all hold.
type condition struct {
	path   string
	op     string // eq, ne, gt, gte, lt, lte
	values []string
}

// A query is how a list is asked for.
type query struct {
	fields        []string // empty: all
	offset, limit int
	conditions    []condition
}

// The bounds of lists.
const (
	usualPage = 100
	maxPage   = 1000
	maxOffset = 1_000_000_000
	maxScan   = 10_000 // that are looked at where the database cannot filter
)

var operators = []string{"eq", "ne", "gt", "gte", "lt", "lte"}

// parseQuery reads how a list of resources of a type is asked for.
func parseQuery(values url.Values, of schema) (query, *Fault) {
	q := query{limit: usualPage}
	for _, name := range sortedNames(values) {
		given := values[name]
		switch name {
		case "fields":
			q.fields = splitAll(given)
		case "offset", "limit":
			n, err := strconv.Atoi(given[0])
			if err != nil || n < 0 || n > maxOffset || len(given) > 1 {
				return query{}, malformed(name, "a whole number, 0 or above")
			}
			if name == "offset" {
				q.offset = n
			} else {
				q.limit = min(n, maxPage)
			}
		default:
			c := condition{path: name, op: "eq", values: splitAll(given)}
			if i := strings.LastIndexByte(name, '.'); i >= 0 && slices.Contains(operators, name[i+1:]) {
				c.path, c.op = name[:i], name[i+1:]
			}
			if !of.has(c.path) {
				return query{}, newFault(http.StatusBadRequest, codeFormat, "there is no attribute of that name to filter by")
			}
			q.conditions = append(q.conditions, c)
		}
	}
	for _, f := range q.fields {
		if f != "none" && !of.has(f) {
			return query{}, newFault(http.StatusBadRequest, codeFormat, "fields names an attribute that is not there")
		}
	}
	return q, nil
}

func sortedNames(values url.Values) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func splitAll(given []string) (all []string) {
	for _, g := range given {
		all = append(all, strings.Split(g, ",")...)
	}
	return all
}

// take removes the conditions on a path and returns the values of one that says "equals" alone, so that the database can
// look for it. More complicated ones stay.
func (q *query) take(path string) (values []string) {
	var same []condition
	for _, c := range q.conditions {
		if c.path == path {
			same = append(same, c)
		}
	}
	if len(same) != 1 || same[0].op != "eq" {
		return nil
	}
	q.conditions = slices.DeleteFunc(q.conditions, func(c condition) bool { return c.path == path })
	return same[0].values
}

// matches reports whether r fulfils all conditions.
func (q *query) matches(r resource) bool {
	for _, c := range q.conditions {
		if !c.holds(r) {
			return false
		}
	}
	return true
}

// holds reports whether one of the values holds for one of what the path leads to. "ne" must hold for all of them.
func (c condition) holds(r resource) bool {
	found := at(r, strings.Split(c.path, "."))
	if c.op == "ne" {
		return !slices.ContainsFunc(found, func(v any) bool {
			return slices.ContainsFunc(c.values, func(want string) bool { return compare(v, want, "eq") })
		})
	}
	return slices.ContainsFunc(found, func(v any) bool {
		return slices.ContainsFunc(c.values, func(want string) bool { return compare(v, want, c.op) })
	})
}

// at returns everything that a path leads to, through all elements of lists.
func at(v any, path []string) (found []any) {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		for _, item := range v {
			found = append(found, at(item, path)...)
		}
		return found
	case map[string]any:
		if len(path) > 0 {
			return at(v[path[0]], path[1:])
		}
	}
	if len(path) > 0 {
		return nil
	}
	return []any{v}
}

// compare compares numbers exactly, times as times, and all else as text.
func compare(v any, want, op string) bool {
	var order int
	switch v := v.(type) {
	case json.Number:
		a, ok := decimal(v.String())
		b, good := decimal(want)
		if !ok || !good {
			return false
		}
		order = a.Cmp(b)
	case string:
		order = strings.Compare(v, want)
		if a, err := time.Parse(time.RFC3339, v); err == nil {
			if b, err := time.Parse(time.RFC3339, want); err == nil {
				order = a.Compare(b)
			}
		}
	default:
		order = strings.Compare(fmt.Sprint(v), want)
	}
	switch op {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	case "lte":
		return order <= 0
	}
	return order == 0
}

// choose returns r with the attributes that were asked for. What names it is always there.
func (q *query) choose(r resource) resource {
	if len(q.fields) == 0 {
		return r
	}
	chosen := resource{}
	for _, name := range append([]string{"id", "href"}, q.fields...) {
		copyPath(chosen, r, strings.Split(name, "."))
	}
	return chosen
}

func copyPath(to, from map[string]any, path []string) {
	v, ok := from[path[0]]
	if !ok {
		return
	}
	inner, isObject := v.(map[string]any)
	if len(path) == 1 || !isObject { // of a list all is told
		to[path[0]] = v
		return
	}
	there, ok := to[path[0]].(map[string]any)
	if !ok {
		there = map[string]any{}
		to[path[0]] = there
	}
	copyPath(there, inner, path[1:])
}
