package diameter

import (
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
)

// A connection is one transport of a peer. The library's goroutine reads and handles; the writer's goroutine writes; a
// third one keeps the watchdog once the capabilities are exchanged.
type connection struct {
	net.Conn // TCP, or TLS on it
	raw      net.Conn
	server   *Server
	out      *writer

	guard    guard // used by the library's goroutine alone, as is leaving
	leaving  bool  // the last answer is queued: nothing more is read
	open     atomic.Bool
	frames   atomic.Uint64 // whole frames that came, right or wrong
	heardAt  atomic.Int64  // when the last of them came, as Server.now has it
	probing  atomic.Bool
	suspect  atomic.Bool // a DWR has no answer yet (RFC 3539 §3.4.1)
	closed   chan struct{}
	flushed  chan struct{} // closed when the writer has ended
	closing  sync.Once
	hopByHop atomic.Uint32
	peer     Peer // as configured, with the name of its CER; written before any CCR comes
	counters counters

	restricted bool // the peer may not use every context; set before it is open

	mu          sync.Mutex
	host        string          // Origin-Host of the CER, as it was spelt; empty before
	realm       string          // its Origin-Realm
	since       time.Time       // when the capabilities were exchanged
	welcome     bool            // the CEA is queued: what is sent from now on comes after it
	pace        pace            // of a peer whose rate is limited
	outstanding int             // CCRs that the engine has
	octets      int             // of their frames, which are kept until they are answered
	drained     chan struct{}   // closed when no CCR is outstanding and none is taken any more; nil: they are taken
	asked       []askedQuestion // own requests without an answer, oldest first
}

// An askedQuestion is a request of ours that waits for its answer.
type askedQuestion struct {
	command, hopByHop uint32
	answered          func(answer frame) // called once at most; with nil when the connection is lost
}

func newConnection(s *Server, transport, raw net.Conn) *connection {
	c := &connection{
		Conn: transport, raw: raw, server: s,
		closed: make(chan struct{}), flushed: make(chan struct{}),
		out: newWriter(transport, s.config.MaxQueue, writeTimeout),
	}
	c.out.quit = c.closed
	c.heardAt.Store(int64(s.now()))
	c.guard = guard{transport: transport, rules: s.rules, keeper: c}
	c.hopByHop.Store(rand.Uint32())
	return c
}

// A libraryConn is what the library has of a connection. A handler finds it again behind diam.Conn.Connection.
type libraryConn struct{ *connection }

// Close is called once, by the goroutine of the library: it will neither read nor handle any more.
func (c libraryConn) Close() error {
	err := c.connection.Close()
	c.server.work.Done()
	return err
}

// Read is what the library reads with.
func (c libraryConn) Read(p []byte) (int, error) {
	if c.leaving {
		c.linger()
		return 0, io.EOF
	}
	n, err := c.guard.Read(p)
	if err == nil {
		return n, nil
	}
	if c.leaving {
		c.linger()
	} else if !errors.Is(err, io.EOF) {
		c.log("connection lost", "cause", err)
	}
	return 0, io.EOF
}

// linger waits until the last answer has left and throws away what the peer still sends for a moment. A close with
// octets unread resets the connection, and a reset destroys the answer on its way.
func (c *connection) linger() {
	select {
	case <-c.flushed:
	case <-c.closed:
		return
	}
	if c.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerOctets) // why it ends does not matter: what follows is the close
	}
}

// write is the writer's goroutine.
func (c *connection) write() {
	defer close(c.flushed)
	if err := c.out.run(); err != nil {
		if !errors.Is(err, errWriterEnded) {
			c.log("connection lost", "cause", err)
		}
		_ = c.Close()
		return
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // fails when the peer was faster
	}
}

// Close closes the transport at once. Requests that the engine has are decided all the same; their answers are
// remembered for when the client asks again. No credit-control session ends (RFC 8506 §5.7).
func (c *connection) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		close(c.closed)
		err = c.raw.Close() // and not of the TLS on it, which would wait for a peer that does not read
		c.server.forget(c)
		c.mu.Lock()
		lost := c.asked
		c.asked = nil
		c.mu.Unlock()
		for _, a := range lost {
			a.answered(nil)
		}
	})
	return err
}

// closeGently closes after what is queued has left.
func (c *connection) closeGently() {
	c.out.finish()
	select {
	case <-c.flushed:
	case <-c.closed:
	case <-time.After(lingerTimeout):
	}
	_ = c.Close()
}

// send queues a message. A peer for which too much is queued does not read, and is given up.
func (c *connection) send(message []byte, urgent bool) { c.queued(c.out.send(message, urgent)) }

// sendCEA queues the CEA of a peer that is welcome.
func (c *connection) sendCEA(cea []byte) {
	c.mu.Lock()
	err := c.out.send(cea, true)
	c.welcome = true
	c.mu.Unlock()
	c.queued(err)
}

// queued deals with what came of queueing.
func (c *connection) queued(err error) {
	if errors.Is(err, errPeerDoesNotRead) {
		c.dropped(dropSlowPeer)
		c.log("connection closed", "cause", err)
		_ = c.Close()
	}
}

// opened implements keeper.
func (c *connection) opened() bool { return c.open.Load() }

// heard implements keeper.
func (c *connection) heard() {
	c.heardAt.Store(int64(c.server.now()))
	c.frames.Add(1)
}

// dropped implements keeper.
func (c *connection) dropped(reason dropReason) {
	c.server.telemetry.drop(reason)
	if reason != dropNotDiameter {
		return
	}
	c.log("octets that are no Diameter message")
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // reset (RFC 6733 §2.1); without it the close is merely polite
	}
}

// refuse implements keeper. A refused CER is the end of its connection.
func (c *connection) refuse(f frame, r *refusal) {
	q := questionIn(f)
	var answer []byte
	if isCER(f) {
		answer = c.appendCEA(nil, q, r)
	} else {
		answer = q.appendRefusalTo(nil, c.server.id, r)
	}
	c.server.telemetry.refused(q, r.code)
	c.send(answer, false)
	if r.close || !c.opened() {
		c.leaving = true
		c.out.finish()
	}
}

// refuseOrClose is for a message that met a bug of ours. A request is answered, and what the peers say among themselves
// is not worth going on after.
func (c *connection) refuseOrClose(m *diam.Message) {
	if c.guard.current.isRequest() && c.guard.current.command() == m.Header.CommandCode {
		c.refuse(c.guard.current, &refusal{code: codeUnableToComply, text: "internal error"})
		return
	}
	_ = c.Close()
}

// mostOctets bounds the frames of the CCRs that the engine has: 4,096 of the usual size, and a hundred of the largest.
const mostOctets = 8 << 20

// begin takes one more CCR of so many octets, unless there are too many or the connection is about to close.
func (c *connection) begin(octets int, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peer.Rate > 0 && !c.pace.take(c.peer.Rate, now) {
		c.counters.overRate.Add(1)
		return false
	}
	if c.drained != nil || c.outstanding >= c.server.config.MaxOutstanding || c.octets+octets > mostOctets {
		return false
	}
	c.outstanding++
	c.octets += octets
	return true
}

// end is called once for every begin, after the answer was queued.
func (c *connection) end(octets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outstanding--
	c.octets -= octets
	if c.drained != nil && c.outstanding == 0 {
		close(c.drained)
	}
}

// drain takes no more CCRs. The channel is closed when the last of those taken is answered.
func (c *connection) drain() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.drained == nil {
		c.drained = make(chan struct{})
		if c.outstanding == 0 {
			close(c.drained)
		}
	}
	return c.drained
}

// mostAsked bounds the requests of ours that a peer leaves without an answer and that are remembered.
const mostAsked = 1024

// ask sends a request of ours to the peer itself. The channel is closed when the answer comes, or none can come any more.
func (c *connection) ask(command uint32, urgent bool, body func(dst []byte) []byte) <-chan struct{} {
	answered := make(chan struct{})
	hopByHop := c.expect(command, func(frame) { close(answered) })
	message, start := beginMessage(nil, diam.RequestFlag, command, 0, hopByHop, c.server.endToEnd())
	c.send(endMessage(body(message), start), urgent)
	return answered
}

// expect returns a Hop-by-Hop id for a request of ours, and has answered called for its answer.
func (c *connection) expect(command uint32, answered func(frame)) (hopByHop uint32) {
	a := askedQuestion{command, c.hopByHop.Add(1), answered}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) == mostAsked {
		c.asked = slices.Delete(c.asked, 0, 1)
	}
	c.asked = append(c.asked, a)
	return a.hopByHop
}

// serveAnswer handles an answer. One that nobody waits for is dropped (RFC 6733 §6.2.1).
func (c *connection) serveAnswer(m *diam.Message) {
	c.mu.Lock()
	i := slices.IndexFunc(c.asked, func(a askedQuestion) bool {
		return a.hopByHop == m.Header.HopByHopID && a.command == m.Header.CommandCode
	})
	var a askedQuestion
	if i >= 0 {
		a = c.asked[i]
		c.asked = slices.Delete(c.asked, i, i+1)
	}
	c.mu.Unlock()
	if i < 0 {
		c.dropped(dropUnexpectedAnswer)
		return
	}
	a.answered(c.guard.current)
}

// name keeps the Origin-Host of the CER.
func (c *connection) name(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.host = host
}

// peerHost returns the Origin-Host of the peer, or nothing before the CER.
func (c *connection) peerHost() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.host
}

func (c *connection) log(what string, args ...any) {
	c.server.logger.Info(what, append([]any{"peer", c.peerHost(), "address", c.RemoteAddr().String()}, args...)...)
}

// overTLS returns the state of the TLS connection, or false on a plain one.
func (c *connection) overTLS() (tls.ConnectionState, bool) {
	if t, ok := c.Conn.(*tls.Conn); ok {
		return t.ConnectionState(), true
	}
	return tls.ConnectionState{}, false
}
