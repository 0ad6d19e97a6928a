package transfer

import "strings"

// MaskName returns a name as strangers may see it: the first word, or the first letter of a name of one word, and the
// initials of the others. KIM MINSU becomes KIM M***.
func MaskName(name string) string {
	words := strings.Fields(name)
	for i, word := range words {
		if i > 0 || len(words) == 1 {
			words[i] = string([]rune(word)[:1]) + "***"
		}
	}
	return strings.Join(words, " ")
}

// tail returns the last four digits of a number, as it is told to the other side.
func tail(msisdn string) string { return ".." + msisdn[max(0, len(msisdn)-4):] }
