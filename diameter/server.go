package diameter

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/dict"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/gyro-ocs/gyro/dictionaries"
	"github.com/gyro-ocs/gyro/ocs"
)

// An Engine decides. Submit keeps the order of its calls for one session and does not block; done is called exactly
// once, from any goroutine, and does not block either.
type Engine interface {
	Submit(ctx context.Context, r ocs.Request, done func(ocs.Answer))
}

// A Config says who this node is, who may connect, and how much of anything it takes. Zero values that are not allowed
// get the defaults named beside them.
type Config struct {
	OriginHost       string
	OriginRealm      string   // served, as are:
	Realms           []string // further values of Destination-Realm
	OriginStateID    uint32   // rises only when session state was lost; the same on all nodes of a cluster
	ProductName      string   // "Gyro"
	FirmwareRevision uint32

	Peers         []Peer
	AcceptUnknown bool        // also peers that Peers does not name, with TLS or without
	TLS           *tls.Config // for ServeTLS; client certificates are demanded whatever it says

	Watchdog       time.Duration // Twinit, 30 s; 6 s is the least (RFC 3539 §3.4.1)
	MaxFrame       int           // octets of a message, 65,536
	MaxOutstanding int           // CCRs of one connection that are worked on at a time, 4,096
	MaxQueue       int           // octets that may wait to be sent on one connection, 4 MiB
	MaxConnections int           // 4,096

	Transfers Transfers // of minutes

	// ClientState is told the Origin-State-Id of every CER and DWR that has one. It must not block. May be nil.
	ClientState func(host, realm string, stateID uint32)

	Logger  *slog.Logger         // nil: silent
	Metrics metric.MeterProvider // nil: none
	Traces  trace.TracerProvider // nil: none
}

// Defaults and limits that have no key in the configuration.
const (
	depthLimit     = 16 // of groups
	cerTimeout     = 10 * time.Second
	writeTimeout   = 5 * time.Second
	lingerTimeout  = time.Second
	lingerOctets   = 256 << 10
	greatestFrame  = 1<<24 - 4 // Message Length has 24 bits
	defaultProduct = "Gyro"
)

func (c Config) withDefaults() Config {
	c.ProductName = cmp.Or(c.ProductName, defaultProduct)
	c.Transfers = c.Transfers.withDefaults()
	c.Watchdog = max(cmp.Or(c.Watchdog, 30*time.Second), leastWatchdog)
	c.MaxFrame = cmp.Or(c.MaxFrame, 64<<10)
	c.MaxOutstanding = cmp.Or(c.MaxOutstanding, 4096)
	c.MaxQueue = cmp.Or(c.MaxQueue, 4<<20)
	c.MaxConnections = cmp.Or(c.MaxConnections, 4096)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = noopmetric.NewMeterProvider()
	}
	if c.Traces == nil {
		c.Traces = nooptrace.NewTracerProvider()
	}
	return c
}

// Validate returns every fault of c, joined.
func (c Config) Validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(!isDomain([]byte(c.OriginHost)), "origin host %q is not a domain name", c.OriginHost)
	fault(!isDomain([]byte(c.OriginRealm)), "origin realm %q is not a domain name", c.OriginRealm)
	for _, realm := range c.Realms {
		fault(!isDomain([]byte(realm)), "served realm %q is not a domain name", realm)
	}
	for _, p := range c.Peers {
		if err := p.validate(); err != nil {
			faults = append(faults, err)
		}
	}
	if err := c.Transfers.Validate(); err != nil {
		faults = append(faults, err)
	}
	fault(c.MaxFrame < 0 || c.MaxFrame > greatestFrame || c.MaxFrame%4 != 0,
		"greatest message of %d octets is not a multiple of 4 up to %d", c.MaxFrame, greatestFrame)
	fault(c.MaxOutstanding < 0, "%d outstanding requests", c.MaxOutstanding)
	fault(c.MaxQueue < 0, "%d octets of answers that wait", c.MaxQueue)
	fault(c.MaxConnections < 0, "%d connections", c.MaxConnections)
	fault(c.Watchdog < 0, "watchdog interval %v", c.Watchdog)
	return errors.Join(faults...)
}

// A Server serves Gy and Ro on any number of listeners.
type Server struct {
	config    Config
	engine    Engine
	id        identity
	territory territory
	rules     *guardRules
	peers     *peerTable
	telemetry *telemetry
	logger    *slog.Logger
	library   *diam.Server
	context   context.Context // of measurements: no request has one of its own
	epoch     time.Time
	lastID    atomic.Uint32 // of our End-to-End ids

	watches  atomic.Pointer[[]*Watch] // who looks on; nil: nobody
	watchers sync.Mutex               // one change of them at a time

	// work counts the goroutines of connections. It grows in admit, and in a goroutine that is counted itself.
	work sync.WaitGroup

	mu          sync.Mutex
	stopping    bool
	connections map[*connection]bool // true: open, and counted as a peer
}

// NewServer returns a server for what c says, or every fault of c.
func NewServer(c Config, engine Engine) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	dictionary, err := dictionaries.Parser()
	if err != nil {
		return nil, fmt.Errorf("load the dictionary: %w", err)
	}
	if err := checkCommands(dictionary); err != nil {
		return nil, err
	}
	instruments, err := newTelemetry(c.Metrics, c.Traces)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: c, engine: engine,
		id: identity{
			host: c.OriginHost, realm: c.OriginRealm, stateID: c.OriginStateID,
			product: c.ProductName, firmware: c.FirmwareRevision,
		},
		territory:   territory{host: c.OriginHost, realms: append([]string{c.OriginRealm}, c.Realms...)},
		rules:       &guardRules{limit: c.MaxFrame, depth: depthLimit, shapes: shapesOf(dictionary, 0, creditControl)},
		peers:       newPeerTable(c.Peers, c.AcceptUnknown),
		telemetry:   instruments,
		logger:      c.Logger,
		context:     context.Background(),
		epoch:       time.Now(),
		connections: make(map[*connection]bool),
	}
	s.lastID.Store(uint32(s.epoch.Unix()) << 20) //nolint:gosec // G115: the low twelve bits of the time, RFC 6733 §3
	s.library = s.newLibrary(dictionary)
	return s, nil
}

// newLibrary returns go-diameter's server with our handlers. It handles the messages of a connection one after the
// other, in the goroutine that reads: none of the handlers waits.
func (s *Server) newLibrary(dictionary *dict.Parser) *diam.Server {
	mux := diam.NewServeMux()
	handle := func(command string, serve func(c *connection, m *diam.Message)) {
		mux.HandleFunc(command, func(d diam.Conn, m *diam.Message) {
			held, ok := d.Connection().(libraryConn)
			if !ok {
				panic(fmt.Sprintf("diameter: a message came by a %T", d.Connection()))
			}
			c := held.connection
			defer func() {
				if cause := recover(); cause != nil {
					s.reportPanic(cause)
					c.refuseOrClose(m)
				}
			}()
			serve(c, m)
		})
	}
	handle("CER", func(c *connection, _ *diam.Message) { c.serveCER(c.guard.current) })
	handle("DWR", func(c *connection, _ *diam.Message) { c.serveDWR(c.guard.current) })
	handle("DPR", func(c *connection, _ *diam.Message) { c.serveDPR(c.guard.current) })
	handle("CCR", (*connection).serveCCR)
	handle("DWA", (*connection).serveAnswer)
	handle("DPA", (*connection).serveAnswer)
	handle("RAA", (*connection).serveAnswer)
	handle("ASA", (*connection).serveAnswer)
	return &diam.Server{Handler: mux, Dict: dictionary}
}

// Serve accepts connections from l until Shutdown, and then returns nil. It closes l.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, nil) }

// ServeTLS is Serve with TLS from the first octet. The client shows a certificate, whose DNS name must be the
// Origin-Host of its CER.
func (s *Server) ServeTLS(l net.Listener) error {
	if s.config.TLS == nil {
		return errors.Join(errors.New("serve Diameter with TLS: no certificate is configured"), l.Close())
	}
	config := s.config.TLS.Clone()
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return s.serve(l, config)
}

func (s *Server) serve(l net.Listener, secure *tls.Config) error {
	err := s.library.Serve(&door{Listener: l, server: s, secure: secure})
	if closed := l.Close(); errors.Is(err, diam.ErrServerClosed) {
		return nil
	} else if err == nil {
		err = closed
	}
	return fmt.Errorf("accept Diameter connections on %s: %w", l.Addr(), err)
}

// A door is the listener that the library sees: what it accepts is guarded.
type door struct {
	net.Listener
	server *Server
	secure *tls.Config // nil: plain
}

// Accept implements net.Listener.
func (d *door) Accept() (net.Conn, error) {
	for {
		raw, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		transport := raw
		if d.secure != nil {
			transport = tls.Server(raw, d.secure)
		}
		if c := d.server.admit(transport, raw); c != nil {
			return libraryConn{c}, nil
		}
		_ = raw.Close()
	}
}

// admit begins a connection, which has cerTimeout to say who it is. It returns nil when there are too many.
func (s *Server) admit(transport, raw net.Conn) *connection {
	c := newConnection(s, transport, raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	if len(s.connections) >= s.config.MaxConnections {
		s.telemetry.drop(dropTooMany)
		return nil
	}
	if err := c.SetDeadline(time.Now().Add(cerTimeout)); err != nil {
		return nil
	}
	s.connections[c] = false
	s.work.Add(1) // the library's goroutine: libraryConn.Close
	s.work.Go(c.write)
	return c
}

// opened counts c as a peer and starts its watchdog.
func (s *Server) opened(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.connections[c]; !ok {
		return // closed meanwhile
	}
	s.connections[c] = true
	s.telemetry.peers.Add(s.context, 1)
	s.work.Go(c.watch)
}

// forget ends what admit and opened began. It is called once for every connection.
func (s *Server) forget(c *connection) {
	s.peers.leave(c, c.peerHost())
	s.mu.Lock()
	defer s.mu.Unlock()
	open, ok := s.connections[c]
	if !ok {
		return
	}
	delete(s.connections, c)
	if open {
		s.telemetry.peers.Add(s.context, -1)
		c.log("peer disconnected")
	}
}

// Shutdown stops accepting, answers what is in work, takes leave of every peer (DPR with cause REBOOTING, RFC 6733
// §5.4) and closes. Credit-control sessions stay as they are. When ctx ends before, it closes at once and returns the
// error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	for c := range s.connections {
		s.work.Go(func() { c.leave(ctx, Rebooting) })
	}
	s.mu.Unlock()
	err := s.library.Close()
	ended := make(chan struct{})
	go func() {
		s.work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		s.closeAll()
		err = errors.Join(err, ctx.Err())
		<-ended
	}
	return err
}

// closeAll closes every connection at once.
func (s *Server) closeAll() {
	s.mu.Lock()
	open := make([]*connection, 0, len(s.connections))
	for c := range s.connections {
		open = append(open, c)
	}
	s.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
}

// EndToEnd returns an End-to-End identifier for a request of this node.
func (s *Server) EndToEnd() uint32 { return s.endToEnd() }

// now is the time since the server was made, on a clock that never jumps.
func (s *Server) now() time.Duration { return time.Since(s.epoch) }

// endToEnd returns an End-to-End id that is unique for four minutes, over restarts too: the high twelve bits begin as
// the time in seconds and the low twenty count (RFC 6733 §3).
func (s *Server) endToEnd() uint32 { return s.lastID.Add(1) }

// clientState passes on the Origin-State-Id of a client; 0 tells nothing (RFC 6733 §8.16).
func (s *Server) clientState(host, realm string, stateID uint32) {
	if s.config.ClientState != nil && stateID != 0 && host != "" {
		s.config.ClientState(host, realm, stateID)
	}
}
