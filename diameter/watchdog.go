package diameter

import (
	"math/rand/v2"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

// leastWatchdog is the least Twinit (RFC 3539 §3.4.1).
const leastWatchdog = 6 * time.Second

// probeTimeout is how long a connection has to show that it lives when another one wants its place.
const probeTimeout = 2 * time.Second

// serveDWR answers at once, in every state of load and ahead of all answers that wait.
func (c *connection) serveDWR(f frame) {
	q := questionIn(f)
	dst, start := q.begin(nil, false)
	dst = appendUint32(dst, avp.ResultCode, 0, mandatory, codeSuccess)
	dst = c.server.id.appendOrigin(dst)
	dst = c.server.id.appendStateID(dst)
	c.send(endMessage(q.appendProxyInfo(dst), start), true)

	var host, realm string
	var state uint32
	for a := range f.avps() {
		switch {
		case a.is(avp.OriginHost):
			host = string(a.data)
		case a.is(avp.OriginRealm):
			realm = string(a.data)
		case a.is(avp.OriginStateID):
			state = a.unsigned32()
		}
	}
	c.server.clientState(host, realm, state)
}

// askWatchdog sends a DWR.
func (c *connection) askWatchdog() {
	c.ask(diam.DeviceWatchdog, true, func(dst []byte) []byte {
		return c.server.id.appendStateID(c.server.id.appendOrigin(dst))
	})
}

// A watchdogState is a state of RFC 3539 §3.4.1 in which a connection that was accepted can be.
type watchdogState uint8

const (
	okay       watchdogState = iota
	unanswered               // okay, and a DWR has no answer yet
	suspect                  // a whole interval after it there is none: no new requests are sent there
)

// watch is the watchdog's goroutine. Tw runs anew from every message that comes. When it ends a DWR is sent; when it
// ends again the peer is suspect; when it ends a third time the connection is closed. Every message brings the peer
// back to okay, the awaited DWA or not: it lives, and is asked again when it is silent again.
func (c *connection) watch() {
	state, seen := okay, c.frames.Load()
	since, interval := c.lastHeard(), c.server.watchdogInterval()
	for {
		timer := time.NewTimer(since + interval - c.server.now())
		select {
		case <-timer.C:
		case <-c.closed:
			timer.Stop()
			return
		}
		if frames := c.frames.Load(); frames != seen {
			if state == suspect {
				c.log("peer answers again")
				c.suspect.Store(false)
			}
			state, seen = okay, frames
			since, interval = c.lastHeard(), c.server.watchdogInterval()
			continue
		}
		switch state {
		case okay:
			c.askWatchdog()
			state = unanswered
		case unanswered:
			c.log("peer is suspect: no answer to a DWR")
			state = suspect
			c.suspect.Store(true)
		case suspect:
			c.dropped(dropSilentPeer)
			c.log("connection closed", "cause", "no answer to a DWR")
			_ = c.Close()
			return
		}
		since, interval = c.server.now(), c.server.watchdogInterval()
	}
}

func (c *connection) lastHeard() time.Duration { return time.Duration(c.heardAt.Load()) }

// watchdogInterval returns Tw: Twinit with a jitter of two seconds either way, so that many peers are not asked at once.
func (s *Server) watchdogInterval() time.Duration {
	const jitter = 2 * time.Second
	return s.config.Watchdog - jitter + time.Duration(rand.Int64N(int64(2*jitter)+1))
}

// probe asks whether the peer is there and closes the connection when nothing comes within probeTimeout.
func (c *connection) probe() {
	if !c.probing.CompareAndSwap(false, true) {
		return // one is under way
	}
	before := c.frames.Load()
	c.askWatchdog()
	time.AfterFunc(probeTimeout, func() {
		c.probing.Store(false)
		if c.frames.Load() == before {
			c.dropped(dropSilentPeer)
			c.log("connection closed", "cause", "no answer to a DWR while the peer connects again")
			_ = c.Close()
		}
	})
}
