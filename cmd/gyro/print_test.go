package main

import (
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func TestMinutes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		seconds rating.Units
		want    string
	}{
		{"nothing", 0, "0:00"},
		{"less than ten seconds keep two digits", 7, "0:07"},
		{"last second of a minute", 59, "0:59"},
		{"whole minute", 60, "1:00"},
		{"the demo bucket; hours are minutes too", 12000, "200:00"},
		{"one more second", 12001, "200:01"},
		{"negative has one sign", -61, "-1:01"},
		{"largest", rating.Unlimited, "153722867280912930:07"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := minutes(test.seconds); got != test.want {
				t.Errorf("minutes(%d) = %q, want %q", test.seconds, got, test.want)
			}
		})
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"plain text stays", "ctf1.example;17;4 ü", "ctf1.example;17;4 ü"},
		{"nothing is seen as such", "", "-"},
		{"a peer cannot colour the terminal", "\x1b[31mred", "?[31mred"},
		{"nor break the table", "a\tb\nc", "a?b?c"},
		{"nor use the other control characters", "a\u009bb\u202ec\x7f", "a?b?c?"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := printable(test.text); got != test.want {
				t.Errorf("printable(%q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}
