package policy

import (
	"iter"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/yamltext"
)

// A Fault is one thing that is wrong with a policy, and where: file:line: transfer.limits[2].window: reason.
type Fault = yamltext.Fault

// A value is a node of a policy. Its methods read it as one thing or another; what is not that thing becomes a fault.
type value struct{ yamltext.Value }

// fields, entries and items are those of yamltext, of values that read what a policy has.
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

// maxName is the length of the longest name, in octets: it is a part of the key of counters and stands in explanations.
const maxName = 64

// name reads the name of a rule: what people call it, printable and not surrounded by spaces.
func (v value) name() string {
	text, ok := v.Text()
	if ok && (text == "" || len(text) > maxName || strings.TrimSpace(text) != text || strings.ContainsAny(text, ":\t\n")) {
		v.Faultf("%q cannot name a rule: use 1 to %d octets without a colon", yamltext.Clip(text), maxName)
	}
	return text
}
