package main

import (
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/gyro-ocs/gyro/rating"
)

// bar draws part, of it held, of whole, as width characters.
func bar(part, held, whole rating.Units, width int) string {
	if whole <= 0 {
		return strings.Repeat("░", width)
	}
	cells := func(n rating.Units) int { return int(float64(n) / float64(whole) * float64(width)) } // only drawn
	free, all := cells(part-held), cells(part)
	if part > 0 && all == 0 { // something is not nothing
		all = 1
	}
	if held == 0 {
		free = all
	}
	return strings.Repeat("█", free) + strings.Repeat("▒", all-free) + strings.Repeat("░", max(0, width-all))
}

// width is that of the terminal; of anything else, what fits on most.
func (env *environment) width() int {
	const usual, least = 120, 60
	f, ok := env.stdout.(*os.File)
	if !ok {
		return usual
	}
	w, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return usual
	}
	return max(w, least)
}

// wrapped divides text into lines of at most width characters, between words.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
