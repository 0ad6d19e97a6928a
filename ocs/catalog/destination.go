package catalog

import (
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
	"github.com/gyro-ocs/gyro/rating"
)

// everythingElse stands in prefixes for all numbers, also an unknown one.
const everythingElse = "*"

// maxDigits bounds a prefix. E.164 numbers end at 15 digits; routing and test numbers are longer.
const maxDigits = 20

// A destination is the beginning of the numbers that a tariff is for, in the form in which numbers are looked up.
type destination struct {
	prefix string
	value  value // where it stands
}

// destinations reads prefixes and codes of a tariff.
func destinations(fields map[string]value, numbering rating.Numbering) (all []destination) {
	read := func(key string, complete func(value, rating.Numbering) (string, bool)) {
		list, ok := fields[key]
		if !ok {
			return
		}
		for _, item := range list.items() {
			if prefix, ok := complete(item, numbering); ok {
				all = append(all, destination{prefix, item})
			}
		}
	}
	read("prefixes", value.prefix)
	read("codes", value.code)
	return all
}

// prefix reads the beginning of a number as people of the plan's country write it and completes it as
// [rating.Numbering.Complete] completes a number: 0900 becomes +49900. That method itself would take it for a short code.
// Digits that are neither international nor national are a fault and no guess: 33 may be France or a short code.
func (v value) prefix(n rating.Numbering) (prefix string, ok bool) {
	text, ok := v.Text()
	if !ok {
		return "", false
	}
	digits, isE164 := strings.CutPrefix(text, "+")
	switch {
	case text == everythingElse:
		return "", true
	case digits != "" && !yamltext.IsDigits(digits), len(digits) > maxDigits, text == "":
		v.Faultf(`%q is no prefix: + and up to %d digits, or "*" for everything else`, yamltext.Clip(text), maxDigits)
		return "", false
	case isE164:
		return text, true
	case n.International != "" && strings.HasPrefix(text, n.International):
		return "+" + text[len(n.International):], true
	case n.National != "" && strings.HasPrefix(text, n.National):
		return "+" + n.CountryCode + text[len(n.National):], true
	}
	v.Faultf("%q begins neither with + nor with a prefix of numbering; write +%s for a country, or list a short code under codes", text, text)
	return "", false
}

// code reads a short code, which is looked up as dialled. Longer ones that begin with it are meant too.
func (v value) code(n rating.Numbering) (code string, ok bool) {
	text, ok := v.Text()
	if !ok {
		return "", false
	}
	if text == "" || len(text) > maxDigits || strings.Trim(text, "0123456789*#") != "" {
		v.Faultf("%q is no short code: 1 to %d of 0-9, * and #", yamltext.Clip(text), maxDigits)
		return "", false
	}
	if completed := n.Complete(rating.Number{Digits: text}); completed != text {
		v.Faultf("%s is no short code: by numbering it is the number %s; write that under prefixes", text, completed)
		return "", false
	}
	return text, true
}
