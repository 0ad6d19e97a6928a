package ctf

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
)

// identifiers makes the ids of a switch. Safe for concurrent use.
type identifiers struct {
	endToEnd atomic.Uint32
	session  atomic.Uint32
	started  uint32 // high half of every Session-Id
}

func newIdentifiers(now time.Time) *identifiers {
	ids := &identifiers{started: randomUint32()} // random: two switches that start in one second must differ
	// RFC 6733 §3: the high 12 bits from the time, the low 20 from a random start.
	ids.endToEnd.Store(uint32(now.Unix())<<20 | randomUint32()>>12) //nolint:gosec // G115: only the low 12 bits count
	return ids
}

func (ids *identifiers) nextEndToEnd() uint32 { return ids.endToEnd.Add(1) }

// nextSession returns a new Session-Id (RFC 6733 §8.8).
func (ids *identifiers) nextSession(host string) string {
	return fmt.Sprintf("%s;%d;%d", host, ids.started, ids.session.Add(1))
}

func randomUint32() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}
