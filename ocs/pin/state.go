package pin

import "time"

// A State is what may be told about a PIN.
type State struct {
	IsSet       bool
	MustChange  bool // it opens nothing until its owner has chosen another
	TriesLeft   int
	LockedUntil time.Time // zero: not locked
	ChangedAt   time.Time // zero: it is the first
}
