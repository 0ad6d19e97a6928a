package yamltext

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// A Fault is one thing that is wrong with a text, and where.
type Fault struct {
	File   string
	Line   int    // from 1; 0 when it is the file as a whole
	Key    string // path of keys, such as plans.demo.voice.tariffs[2].price; empty when the YAML itself is broken
	Reason string // what is wrong, and what would be right
}

// Error returns f as file:line: key: reason.
func (f Fault) Error() string {
	text := f.File
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d", text, f.Line)
	}
	if f.Key != "" {
		text += ": " + f.Key
	}
	return text + ": " + f.Reason
}

// MaxFaults is how many faults are told; of what a machine wrote wrongly, a hundred examples are enough.
const MaxFaults = 100

// faults collects what is wrong. The zero value has none.
type faults struct {
	told []Fault
	more int // not told, beyond MaxFaults
}

func (f *faults) full() bool { return len(f.told) >= MaxFaults }

// count returns how many there are, told or not.
func (f *faults) count() int { return len(f.told) + f.more }

func (f *faults) add(fault Fault) {
	if f.full() {
		f.more++
		return
	}
	f.told = append(f.told, fault)
}

// err returns all faults joined, by file and line, or nil.
func (f *faults) err() error {
	slices.SortStableFunc(f.told, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	var all []error
	for _, fault := range f.told {
		all = append(all, fault)
	}
	if f.more > 0 {
		all = append(all, fmt.Errorf("and %d more faults", f.more))
	}
	return errors.Join(all...)
}
