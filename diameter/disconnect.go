package diameter

import (
	"context"
	"strings"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

const (
	drainTimeout      = 2 * time.Second // for answers in progress after a DPR of the peer
	disconnectTimeout = 5 * time.Second // for the DPA, or for the peer to close after ours
)

// A DisconnectCause is what a peer is told when we take leave (RFC 6733 §5.4.3).
type DisconnectCause uint32

// The causes to disconnect.
const (
	Rebooting  DisconnectCause = iota // we are soon back
	Busy                              // come back later
	NotWelcome                        // do not come back
)

// serveDPR answers the requests that came before the DPR, then the DPR, and leaves it to the peer to close. It returns
// at once.
func (c *connection) serveDPR(f frame) {
	q := questionIn(append(frame(nil), f...)) // the frame is gone when this handler has returned
	c.log("peer disconnects")
	drained := c.drain()
	c.server.work.Go(func() {
		c.wait(drained, drainTimeout)
		dst, start := q.begin(nil, false)
		dst = appendUint32(dst, avp.ResultCode, 0, mandatory, codeSuccess)
		dst = c.server.id.appendOrigin(dst)
		c.send(endMessage(q.appendProxyInfo(dst), start), false)
		c.wait(nil, disconnectTimeout)
		c.closeGently()
	})
}

// leave ends the connection from our side: what is in work is answered, then a DPR is sent and its DPA awaited. When ctx
// ends, whoever ended it closes the connection.
func (c *connection) leave(ctx context.Context, cause DisconnectCause) {
	if !c.opened() {
		_ = c.Close()
		return
	}
	select {
	case <-c.drain():
	case <-c.closed:
		return
	case <-ctx.Done():
		return
	}
	answered := c.ask(diam.DisconnectPeer, false, func(dst []byte) []byte {
		return appendUint32(c.server.id.appendOrigin(dst), avp.DisconnectCause, 0, mandatory, uint32(cause))
	})
	limit, cancel := context.WithTimeout(ctx, disconnectTimeout)
	defer cancel()
	select {
	case <-answered:
	case <-c.closed:
	case <-limit.Done():
	}
	c.closeGently()
}

// Disconnect takes leave of a peer: what is in work is answered, then a DPR is sent. It returns at once, with the number of
// connections that end.
func (s *Server) Disconnect(host string, cause DisconnectCause) (connections int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c, isOpen := range s.connections {
		if !isOpen || !strings.EqualFold(c.peerHost(), host) {
			continue
		}
		connections++
		s.work.Go(func() {
			limit, cancel := context.WithTimeout(s.context, drainTimeout+disconnectTimeout)
			defer cancel()
			c.leave(limit, cause)
			_ = c.Close()
		})
	}
	return connections
}

// wait returns when done is closed, the connection is closed, or the time is over.
func (c *connection) wait(done <-chan struct{}, limit time.Duration) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
	case <-c.closed:
	case <-timer.C:
	}
}
