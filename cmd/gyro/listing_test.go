package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// numbers is a server that lists 0 to 2499.
func numbers() func(context.Context, url.Values) ([]int, string, error) {
	const all = 2500
	return func(_ context.Context, query url.Values) (page []int, next string, err error) {
		from, _ := strconv.Atoi(query.Get("after")) // absent is 0
		limit, err := strconv.Atoi(query.Get("limit"))
		for n := from; n < min(from+limit, all); n++ {
			page = append(page, n)
		}
		if from+limit < all {
			next = strconv.Itoa(from + limit)
		}
		return page, next, err
	}
}

func TestListingKeepsToItsLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		json        bool
		limit       int
		after       string
		first, last int
		more        string // what the hint says
	}{
		{"machines get all, over several pages", true, 0, "", 0, 2499, ""},
		{"people get a screen", false, 0, "", 0, tableLimit - 1, "--after 100"},
		{"people get what they ask for", false, 1500, "", 0, 1499, "--after 1500"},
		{"and so do machines", true, 3, "", 0, 2, "--after 3"},
		{"from the middle to the end", false, 5000, "2400", 2400, 2499, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out, hint bytes.Buffer
			env := &environment{stdout: &out, stderr: &hint, json: test.json}
			list := listing[int]{
				what: "numbers", fetch: numbers(), head: []string{"NUMBER"},
				row: func(n int) []string { return []string{strconv.Itoa(n)} }, limit: test.limit, after: test.after,
			}
			if err := list.print(t.Context(), env, nil); err != nil {
				t.Fatal(err)
			}
			var got []int
			if test.json {
				if err := json.Unmarshal(out.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
			} else {
				for line := range strings.SplitSeq(strings.TrimPrefix(strings.TrimSpace(out.String()), "NUMBER\n"), "\n") {
					n, err := strconv.Atoi(line)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, n)
				}
			}
			if len(got) != test.last-test.first+1 || got[0] != test.first || !slices.IsSorted(got) || got[len(got)-1] != test.last {
				t.Errorf("%d numbers from %d to %d, want %d to %d", len(got), got[0], got[len(got)-1], test.first, test.last)
			}
			if told := hint.String(); !strings.Contains(told, test.more) || (test.more == "" && told != "") {
				t.Errorf("hint %q, want %q", told, test.more)
			}
		})
	}
}
