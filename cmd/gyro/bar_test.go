package main

import (
	"slices"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func TestBar(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		part, held, whole rating.Units
		want              string
	}{
		{"empty", 0, 0, 100, "░░░░░░░░░░"},
		{"nothing at all", 0, 0, 0, "░░░░░░░░░░"},
		{"half", 50, 0, 100, "█████░░░░░"},
		{"half of it held", 100, 50, 100, "█████▒▒▒▒▒"},
		{"all held", 100, 100, 100, "▒▒▒▒▒▒▒▒▒▒"},
		{"very little is not nothing", 1, 0, 100000, "█░░░░░░░░░"},
		{"very little held", 1, 1, 100000, "▒░░░░░░░░░"},
		{"as much as there can be", rating.Unlimited, 0, rating.Unlimited, "██████████"},
	} {
		if got := bar(test.part, test.held, test.whole, 10); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestWrapped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one", 10, []string{"one"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"averylongword x", 5, []string{"averylongword", "x"}},
	} {
		if got := wrapped(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("%q in %d: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}
