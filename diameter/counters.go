package diameter

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// counters count what one connection brought, for those who look after a client. They end with it; what is counted for good has no
// name of a peer (telemetry.go).
type counters struct {
	requests    [len(kindNames)]atomic.Uint64 // answered, by request type
	duplicates  atomic.Uint64
	outOfOrder  atomic.Uint64
	lateUsage   atomic.Uint64
	unknownAVPs atomic.Uint64
	overRate    atomic.Uint64

	mu      sync.Mutex
	results map[uint32]uint64 // by Result-Code
}

func (c *counters) answered(kind, code uint32) {
	c.requests[kind].Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.results == nil {
		c.results = make(map[uint32]uint64)
	}
	c.results[code]++
}

func (c *counters) noted(n ocs.Notes) {
	if n == 0 {
		return
	}
	for _, count := range []struct {
		note ocs.Notes
		of   *atomic.Uint64
	}{{ocs.Repeated, &c.duplicates}, {ocs.OutOfOrder, &c.outOfOrder}, {ocs.LateUsage, &c.lateUsage}} {
		if n&count.note != 0 {
			count.of.Add(1)
		}
	}
}

// PeerCounters are what a connection has brought since it was opened.
type PeerCounters struct {
	Requests    map[string]uint64 // answered, by request type
	Results     map[uint32]uint64 // by Result-Code
	Duplicates  uint64            // copies of a request that was answered before
	OutOfOrder  uint64            // that a later one had overtaken
	LateUsage   uint64            // about sessions that were over
	UnknownAVPs uint64            // that no dictionary of ours has
	OverRate    uint64            // refused because there were too many in a second
}

func (c *counters) read() PeerCounters {
	read := PeerCounters{
		Requests: make(map[string]uint64), Duplicates: c.duplicates.Load(), OutOfOrder: c.outOfOrder.Load(),
		LateUsage: c.lateUsage.Load(), UnknownAVPs: c.unknownAVPs.Load(), OverRate: c.overRate.Load(),
	}
	for kind := range c.requests {
		if n := c.requests[kind].Load(); n > 0 {
			read.Requests[kindNames[kind]] = n
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	read.Results = maps.Clone(c.results)
	return read
}

// A pace is a bucket of tokens that fills again at a rate, up to what a second brings.
type pace struct {
	tokens int64 // in nanoseconds of the rate: a request costs a second divided by it
	at     time.Time
}

// take reports whether one more request keeps the rate.
func (p *pace) take(rate int, now time.Time) bool {
	if p.at.IsZero() {
		p.tokens = int64(time.Second)
	} else {
		p.tokens = min(p.tokens+max(int64(now.Sub(p.at)), 0), int64(time.Second))
	}
	p.at = now
	cost := int64(time.Second) / int64(rate)
	if p.tokens < cost {
		return false
	}
	p.tokens -= cost
	return true
}
