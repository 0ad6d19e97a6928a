package ctf

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Config tells who the switch is and how patient.
type Config struct {
	Host             string        // Origin-Host
	Realm            string        // Origin-Realm
	DestinationRealm string        // of its requests; empty: the realm of the server that it connects to
	Timeout          time.Duration // for each answer, Tx of RFC 8506 §13; 0: 10 s
	TLS              *tls.Config   // nil: plain TCP
}

func (c Config) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return 10 * time.Second
}

// A RefusedError is a server that does not want to talk to this switch.
type RefusedError struct {
	Code    uint32 // Result-Code of the CEA
	Server  string // its Origin-Host
	Message string // its Error-Message
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("%s refuses the connection: %s", e.Server, CodeText(e.Code))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// ErrClosed is why a request has no answer when the connection went away.
var ErrClosed = errors.New("the server closed the connection")

// ErrNoAnswer is why a request has no answer when the time for it passed.
var ErrNoAnswer = errors.New("no answer in time")

// A Conn is an open connection to a server. Any number of calls may use it at once.
type Conn struct {
	config Config
	socket net.Conn
	server struct{ host, realm string }

	writing sync.Mutex // one message at a time

	mu      sync.Mutex
	pending map[uint32]chan<- []byte // by Hop-by-Hop id
	next    uint32                   // Hop-by-Hop id
	broken  error                    // why there will be no more answers

	done chan struct{} // closed when the reader ended
}

// Dial connects to the server at address, HOST:PORT, and introduces the switch. A [RefusedError] is the server's no.
func Dial(ctx context.Context, address string, config Config) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, config.timeout())
	defer cancel()
	var dialer net.Dialer
	socket, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if config.TLS != nil {
		secured := tls.Client(socket, config.TLS)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = socket.Close()
			return nil, fmt.Errorf("secure the connection to %s: %w", address, err)
		}
		socket = secured
	}
	conn, err := Open(ctx, socket, config)
	if err != nil {
		_ = socket.Close()
		return nil, err
	}
	return conn, nil
}

// Open introduces the switch on a connected socket, which then belongs to the Conn.
func Open(ctx context.Context, socket net.Conn, config Config) (*Conn, error) {
	c := &Conn{
		config:  config,
		socket:  socket,
		pending: make(map[uint32]chan<- []byte),
		next:    randomUint32(),
		done:    make(chan struct{}),
	}
	go c.read()
	if err := c.introduce(ctx); err != nil {
		c.abort()
		return nil, err
	}
	return c, nil
}

// Server returns the Origin-Host and Origin-Realm of the server.
func (c *Conn) Server() (host, realm string) { return c.server.host, c.server.realm }

func (c *Conn) introduce(ctx context.Context) error {
	answer, err := c.ask(ctx, func(hopByHop uint32) []byte {
		e := encode(header{flags: requestFlag, command: capabilitiesExchange, hopByHop: hopByHop, endToEnd: randomUint32()})
		e.text(originHost, c.config.Host)
		e.text(originRealm, c.config.Realm)
		e.octets(hostIPAddress, addressOf(c.socket.LocalAddr()))
		e.number(vendorID, 0)
		e.text(productName, "Gyro simulated switch")
		e.number(supportedVendorID, vendor3GPP)
		e.number(authApplicationID, creditControlApplication)
		return e.bytes()
	})
	if err != nil {
		return fmt.Errorf("exchange capabilities: %w", err)
	}
	refused := RefusedError{}
	for a, err := range avps(answer[headerSize:]) {
		switch {
		case err != nil:
			return fmt.Errorf("read the capabilities of the server: %w", err)
		case a.is(resultCode):
			refused.Code = a.number()
		case a.is(originHost):
			c.server.host = string(a.value)
		case a.is(originRealm):
			c.server.realm = string(a.value)
		case a.is(errorMessage):
			refused.Message = string(a.value)
		}
	}
	if !success(refused.Code) {
		refused.Server = c.server.host
		return &refused
	}
	return nil
}

// addressOf encodes the Address that a socket is bound to (RFC 6733 §4.3.1).
func addressOf(address net.Addr) []byte {
	ip := net.IPv4(127, 0, 0, 1) // a pipe in a test
	if tcp, ok := address.(*net.TCPAddr); ok {
		ip = tcp.IP
	}
	if v4 := ip.To4(); v4 != nil {
		return append([]byte{0, 1}, v4...)
	}
	return append([]byte{0, 2}, ip...)
}

// ask sends the request that build makes for a Hop-by-Hop id and waits for its answer.
func (c *Conn) ask(ctx context.Context, build func(hopByHop uint32) []byte) (answer []byte, err error) {
	answers := make(chan []byte, 1)
	id, err := c.expect(answers)
	if err != nil {
		return nil, err
	}
	defer c.forget(id)
	if err := c.write(build(id)); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(c.config.timeout())
	defer timeout.Stop()
	select {
	case answer := <-answers:
		return answer, nil
	case <-timeout.C:
		return nil, fmt.Errorf("%w (%v)", ErrNoAnswer, c.config.timeout())
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.done:
		select {
		case answer := <-answers: // it came just before the end
			return answer, nil
		default:
			return nil, c.reason()
		}
	}
}

// expect registers where the answer to a new Hop-by-Hop id goes.
func (c *Conn) expect(answers chan<- []byte) (id uint32, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return 0, c.broken
	}
	for { // ids are unique among those pending, also after 2^32 of them
		c.next++
		if _, taken := c.pending[c.next]; !taken {
			c.pending[c.next] = answers
			return c.next, nil
		}
	}
}

func (c *Conn) forget(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

func (c *Conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

func (c *Conn) write(frame []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.socket.SetWriteDeadline(time.Now().Add(c.config.timeout())); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if _, err := c.socket.Write(frame); err != nil {
		c.abort() // part of a message may be out: the stream is lost
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// read takes what the server sends until the connection ends.
func (c *Conn) read() {
	defer close(c.done)
	reader := bufio.NewReader(c.socket)
	for {
		frame, err := readFrame(reader)
		if err != nil {
			c.fail(err)
			return
		}
		if err := c.dispatch(frame); err != nil {
			c.fail(err)
			return
		}
	}
}

func (c *Conn) fail(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		err = ErrClosed
	}
	c.mu.Lock()
	c.broken = err
	c.mu.Unlock()
	c.abort()
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[:]) & 0xffffff
	if head[0] != 1 || length < headerSize || length%4 != 0 || length > maxFrame {
		return nil, fmt.Errorf("the server sent no Diameter: version %d, length %d", head[0], length)
	}
	frame := make([]byte, length)
	copy(frame, head[:])
	if _, err := io.ReadFull(r, frame[headerSize:]); err != nil {
		return nil, err
	}
	return frame, nil
}

// dispatch hands an answer to who waits for it and answers a request.
func (c *Conn) dispatch(frame []byte) error {
	h := parseHeader(frame)
	if h.isRequest() {
		return c.write(c.reply(h, frame))
	}
	c.mu.Lock()
	answers, ok := c.pending[h.hopByHop]
	delete(c.pending, h.hopByHop)
	c.mu.Unlock()
	if ok { // else it came after its time, and nobody wants it
		answers <- frame
	}
	return nil
}

// reply answers a request of the server.
func (c *Conn) reply(h header, frame []byte) []byte {
	code := uint32(2001)
	h.flags &= proxiableFlag
	if h.command != deviceWatchdog && h.command != disconnectPeer {
		code = 3001
		h.flags |= errorFlag
	}
	e := encode(h)
	for a, err := range avps(frame[headerSize:]) { // a Session-Id stands first or not at all
		if err == nil && a.is(sessionID) {
			e.octets(sessionID, a.value)
		}
		break
	}
	e.number(resultCode, code)
	e.text(originHost, c.config.Host)
	e.text(originRealm, c.config.Realm)
	return e.bytes()
}

// Close tells the server that the switch leaves (DPR) and closes the connection.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := c.ask(ctx, func(hopByHop uint32) []byte {
		e := encode(header{flags: requestFlag, command: disconnectPeer, hopByHop: hopByHop, endToEnd: randomUint32()})
		e.text(originHost, c.config.Host)
		e.text(originRealm, c.config.Realm)
		e.number(disconnectCause, 2) // DO_NOT_WANT_TO_TALK_TO_YOU
		return e.bytes()
	})
	c.abort()
	<-c.done
	if errors.Is(err, ErrClosed) {
		return nil // it left first
	}
	return err
}

func (c *Conn) abort() { _ = c.socket.Close() }
