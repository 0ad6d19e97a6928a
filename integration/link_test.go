package integration

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a test waits for what should come at once. It is long because the machine may be busy with other tests.
const patience = 20 * time.Second

// A link is a client's connection to the server. Every answer that it receives is held against the rules for all answers.
type link struct {
	t           *testing.T
	conn        net.Conn
	host, realm string

	hop, end atomic.Uint32

	mu      sync.Mutex
	waiting map[uint32]waiter // by Hop-by-Hop id

	inbox chan message  // what nobody waits for: requests of the server, answers without a request
	gone  chan struct{} // closed when the server has closed the connection, or broken the stream
	err   error         // why; io.EOF when in good order

	relayed   bool        // there is an agent between, which puts Route-Records in answers too
	silent    atomic.Bool // watchdog requests are left unanswered
	watchdogs atomic.Int32
}

type waiter struct {
	request message
	answer  chan message
}

// dial opens a connection and says nothing yet.
func dial(t *testing.T, address, host string) *link {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("connect to the server: %v", err)
	}
	return newLink(t, conn, host)
}

// newLink speaks over conn, which it owns. Its realm is the part of host behind the first dot.
func newLink(t *testing.T, conn net.Conn, host string) *link {
	t.Helper()
	_, realm, _ := bytes.Cut([]byte(host), []byte("."))
	l := &link{
		t: t, conn: conn, host: host, realm: string(realm),
		waiting: make(map[uint32]waiter), inbox: make(chan message, 1000), gone: make(chan struct{}),
	}
	l.hop.Store(rand.Uint32())
	l.end.Store(rand.Uint32())
	read := make(chan struct{})
	go func() {
		defer close(read)
		l.read()
	}()
	t.Cleanup(func() {
		conn.Close() //nolint:errcheck // the test is over
		<-read
	})
	return l
}

// connect opens a connection and exchanges capabilities.
func connect(t *testing.T, address, host string) *link {
	t.Helper()
	l := dial(t, address, host)
	cea := l.call(l.cer())
	if cea.resultCode() != 2001 {
		t.Fatalf("CEA for %s: got %v, want 2001", host, cea)
	}
	return l
}

// connectNoted is connect with a tape that records both directions.
func connectNoted(t *testing.T, address, host string, tape *tape) *link {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatalf("connect to the server: %v", err)
	}
	l := newLink(t, tape.listen(conn), host)
	if cea := l.call(l.cer()); cea.resultCode() != 2001 {
		t.Fatalf("CEA for %s: got %v, want 2001", host, cea)
	}
	return l
}

func (l *link) read() {
	defer close(l.gone)
	r := bufio.NewReader(l.conn)
	for {
		m, err := readMessage(r)
		if err != nil {
			l.err = err
			return
		}
		l.take(m)
	}
}

func readMessage(r io.Reader) (message, error) {
	frame := make([]byte, 20)
	if _, err := io.ReadFull(r, frame); err != nil {
		return message{}, err
	}
	length := be24(frame[1:])
	if length < 20 || length > 1<<20 {
		return message{}, fmt.Errorf("%w: a frame of %d octets", errNoFrame, length)
	}
	frame = append(frame, make([]byte, length-20)...)
	if _, err := io.ReadFull(r, frame[20:]); err != nil {
		return message{}, errors.Join(errNoFrame, err)
	}
	m, err := decodeMessage(frame)
	if err != nil {
		return message{}, fmt.Errorf("%w: %w in %x", errNoFrame, err, frame)
	}
	return m, nil
}

// take gives m to whom it belongs.
func (l *link) take(m message) {
	if m.isRequest() {
		if m.command == cmdWatchdog {
			l.watchdogs.Add(1)
			if !l.silent.Load() {
				l.send(l.answer(m, 2001))
				return
			}
		}
		l.inbox <- m
		return
	}
	l.mu.Lock()
	w, ok := l.waiting[m.hop]
	delete(l.waiting, m.hop)
	l.mu.Unlock()
	if !ok {
		l.inbox <- m
		return
	}
	w.answer <- m
}

// write sends b as it is.
func (l *link) write(b []byte) {
	l.t.Helper()
	if _, err := l.conn.Write(b); err != nil && l.t.Context().Err() == nil {
		l.t.Logf("write to the server: %v", err)
	}
}

// send sends m and expects no answer.
func (l *link) send(m message) { l.write(m.encode()) }

// start sends request under ids of its own and returns where its answer will come.
func (l *link) start(request message) <-chan message {
	return l.startAgain(request, l.end.Add(1))
}

// startAgain is start with the End-to-End id of an earlier copy.
func (l *link) startAgain(request message, end uint32) <-chan message {
	request.hop, request.end = l.hop.Add(1), end
	return l.startBytes(request.encode(), request)
}

// startBytes sends a frame that was made by hand. The answer is held against request, which may be empty.
func (l *link) startBytes(frame []byte, request message) <-chan message {
	answer := l.expect(frame, request)
	l.write(frame)
	return answer
}

// expect returns where the answer to a frame will come that is sent in another way.
func (l *link) expect(frame []byte, request message) <-chan message {
	answer := make(chan message, 1)
	hop := binary.BigEndian.Uint32(frame[12:])
	l.mu.Lock()
	l.waiting[hop] = waiter{request, answer}
	l.mu.Unlock()
	return answer
}

// call sends request and returns its answer, which must be right by the rules for all answers.
func (l *link) call(request message) message {
	l.t.Helper()
	request.hop, request.end = l.hop.Add(1), l.end.Add(1)
	return l.await(request, l.startBytes(request.encode(), request))
}

// callBytes is call for a frame that was made by hand.
func (l *link) callBytes(frame []byte) message {
	l.t.Helper()
	return l.await(message{}, l.startBytes(frame, message{}))
}

// await waits for the answer to request.
func (l *link) await(request message, answer <-chan message) message {
	l.t.Helper()
	select {
	case m := <-answer:
		if by, ok := m.find(originHost); ok && !strings.HasSuffix(by.text(), "."+serverRealm) {
			return m // an agent speaks for itself
		}
		if l.relayed {
			m = m.without(routeRecord)
		}
		for _, fault := range faultsOf(request, m) {
			l.t.Errorf("%s\nin the answer %v\nto %v", fault, m, request)
		}
		return m
	case <-l.gone:
		select { // both may be ready
		case m := <-answer:
			return m
		default:
		}
		l.t.Fatalf("the server closed the connection (%v) instead of answering %v", l.err, request)
	case <-time.After(patience):
		l.t.Fatalf("no answer within %v to %v", patience, request)
	}
	return message{}
}

// next returns what came unasked.
func (l *link) next() message {
	l.t.Helper()
	select {
	case m := <-l.inbox:
		return m
	case <-l.gone:
		l.t.Fatalf("the server closed the connection (%v), a message was expected", l.err)
	case <-time.After(patience):
		l.t.Fatalf("nothing came within %v", patience)
	}
	return message{}
}

// wantClosed fails unless the server closes the connection, and says nothing more before it does.
func (l *link) wantClosed(within time.Duration) {
	l.t.Helper()
	select {
	case <-l.gone:
	case m := <-l.inbox:
		l.t.Errorf("got %v, want the connection closed", m)
	case <-time.After(within):
		l.t.Errorf("the connection was still open after %v", within)
	}
}

// wantOpen fails unless the server still answers on this connection.
func (l *link) wantOpen() {
	l.t.Helper()
	if dwa := l.call(l.dwr()); dwa.resultCode() != 2001 {
		l.t.Errorf("DWA: got %v, want 2001", dwa)
	}
}

// drop cuts the connection without a word, as a failing network does.
func (l *link) drop() {
	l.conn.Close() //nolint:errcheck // that is the point
	<-l.gone
}

// origin is who this client is.
func (l *link) origin() []avp { return []avp{text(originHost, l.host), text(originRealm, l.realm)} }

// cer returns a right CER, with more AVPs behind.
func (l *link) cer(more ...avp) message {
	return message{flags: flagRequest, command: cmdCapabilities, app: appBase, avps: append(append(l.origin(),
		ipv4(hostIPAddress, 127, 0, 0, 1), u32(vendorID, 0), text(productName, "gyro integration test").optional(),
		u32(authApplicationID, appCreditControl)), more...)}
}

func (l *link) dwr(more ...avp) message {
	return message{flags: flagRequest, command: cmdWatchdog, app: appBase, avps: append(l.origin(), more...)}
}

func (l *link) dpr(cause uint32) message {
	return message{flags: flagRequest, command: cmdDisconnect, app: appBase, avps: append(l.origin(), u32(disconnectCause, cause))}
}

// answer answers a request of the server.
func (l *link) answer(request message, code uint32, more ...avp) message {
	request.flags &^= flagRequest | flagRetry
	session, ok := request.find(sessionID)
	request.avps = nil
	if ok {
		request.avps = append(request.avps, session)
	}
	request.avps = append(append(append(request.avps, u32(resultCode, code)), l.origin()...), more...)
	return request
}

// eventually calls try until it gives no complaint. It is for what happens on its own, without an event to wait for.
func eventually(t *testing.T, within time.Duration, try func() (complaint string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		complaint := try()
		if complaint == "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("after %v still: %s", within, complaint)
		}
	}
}
