package catalog

import (
	"iter"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

// A Fault is one thing that is wrong with a catalogue, and where: file:line: plans.demo.voice.tariffs[2].price: reason.
type Fault = yamltext.Fault

// A value is a node of a catalogue. Its methods read it as one thing or another; what is not that thing becomes a fault.
type value struct{ yamltext.Value }

// fields, entries and items are those of yamltext, of values that read what a catalogue has.
func (v value) fields(known ...string) (map[string]value, bool) {
	read, ok := v.Fields(known...)
	fields := make(map[string]value, len(read))
	for name, field := range read {
		fields[name] = value{field}
	}
	return fields, ok
}

func (v value) entries(what string) iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		for name, entry := range v.Entries(what) {
			if !yield(name, value{entry}) {
				return
			}
		}
	}
}

func (v value) items() (items []value) {
	for _, item := range v.Items() {
		items = append(items, value{item})
	}
	return items
}

// maxName is the length of the longest name, in octets: it goes into every rated event.
const maxName = 64

// isName reports whether text can name a plan, a tariff or a class of buckets on the command line and in a CSV file.
func isName(text string) bool {
	for _, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("._-", r) {
			return false
		}
	}
	return text != "" && len(text) <= maxName
}
