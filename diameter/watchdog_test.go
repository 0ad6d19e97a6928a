package diameter

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
)

// A pipeListener accepts the pipes that it is sent. A real socket would stop the clock of a synctest bubble.
type pipeListener struct {
	accept chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// A bubble is a server inside a synctest bubble.
type bubble struct {
	*Server
	l      *pipeListener
	served chan error
}

func startInBubble(t *testing.T, c Config, e Engine) *bubble {
	t.Helper()
	s, err := NewServer(c, e)
	if err != nil {
		t.Fatal(err)
	}
	b := &bubble{s, &pipeListener{make(chan net.Conn), make(chan struct{})}, make(chan error, 1)}
	go func() { b.served <- s.Serve(b.l) }()
	return b
}

// stop closes all connections at once.
func (b *bubble) stop(t *testing.T) {
	t.Helper()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Shutdown(ended); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := <-b.served; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// dial returns the client's end of a new connection, before the CER.
func (b *bubble) dial() net.Conn {
	near, far := net.Pipe()
	b.l.accept <- far
	return near
}

// connect is dial with the capabilities exchanged.
func (b *bubble) connect(t *testing.T) net.Conn {
	t.Helper()
	conn := b.dial()
	if _, err := conn.Write(cer("smf.epc.test")); err != nil {
		t.Fatal(err)
	}
	wantResult(t, receive(t, conn), codeSuccess)
	return conn
}

// receive reads a message, as long as it may take.
func receive(t *testing.T, conn net.Conn) frame {
	t.Helper()
	f := make(frame, headerLength)
	if _, err := io.ReadFull(conn, f); err != nil {
		t.Fatalf("read: %v", err)
	}
	f = append(f, make([]byte, f.length()-headerLength)...)
	if _, err := io.ReadFull(conn, f[headerLength:]); err != nil {
		t.Fatalf("read: %v", err)
	}
	return f
}

func wantDWR(t *testing.T, f frame) {
	t.Helper()
	if !f.isRequest() || f.command() != diam.DeviceWatchdog {
		t.Fatalf("got % x, want a DWR", f)
	}
	if host := findAVPs(f, avp.OriginHost); len(host) != 1 || string(host[0].data) != "ocs1.ocs.test" {
		t.Errorf("Origin-Host of the DWR: %+v", host)
	}
	if state := findAVPs(f, avp.OriginStateID); len(state) != 1 || state[0].data[3] != 4711&0xFF {
		t.Errorf("Origin-State-Id of the DWR: %+v", state)
	}
}

func wantBetween(t *testing.T, what string, got, least, most time.Duration) {
	t.Helper()
	if got < least || got > most {
		t.Errorf("%s after %v, want %v to %v", what, got, least, most)
	}
}

func watchdogConfig() Config {
	c := testConfig()
	c.Watchdog = leastWatchdog
	return c
}

// A silent peer is asked, then suspected, then dropped, one interval apart (RFC 3539 §3.4.1).
func TestGY_016_GY_017_WatchdogDropsSilentPeer(t *testing.T) {
	t.Parallel()
	for range 8 { // the jitter is random
		synctest.Test(t, func(t *testing.T) {
			b := startInBubble(t, watchdogConfig(), grantAll)
			defer b.stop(t)
			conn := b.connect(t)
			start := time.Now()
			wantDWR(t, receive(t, conn))
			wantBetween(t, "DWR", time.Since(start), 4*time.Second, 8*time.Second)
			start = time.Now()
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want the end of the connection", err)
			}
			wantBetween(t, "end", time.Since(start), 8*time.Second, 16*time.Second)
		})
	}
}

// A peer that answers is asked again and again and stays.
func TestGY_016_WatchdogKeepsPeerThatAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, watchdogConfig(), grantAll)
		defer b.stop(t)
		conn := b.connect(t)
		for range 10 {
			f := receive(t, conn)
			wantDWR(t, f)
			if _, err := conn.Write(dwa(f)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Requests are a sign of life, also from a peer that leaves every DWR unanswered.
func TestGY_017_RequestsKeepThePeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, watchdogConfig(), grantAll)
		defer b.stop(t)
		conn := b.connect(t)
		for i := range uint32(20) {
			time.Sleep(3 * time.Second)
			if _, err := conn.Write(ccr(i, "a")); err != nil {
				t.Fatal(err)
			}
			wantResult(t, receive(t, conn), codeSuccess)
		}
		wantDWR(t, receive(t, conn)) // silence now
		time.Sleep(8 * time.Second)  // suspect at the latest after 8, down at the earliest then
		if _, err := conn.Write(ccr(99, "a")); err != nil {
			t.Fatalf("a suspect peer cannot come back: %v", err)
		}
		wantResult(t, receive(t, conn), codeSuccess)
		wantDWR(t, receive(t, conn)) // and the watch begins anew
	})
}

func TestGY_010_SilenceBeforeCER(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, testConfig(), grantAll)
		defer b.stop(t)
		conn, start := b.dial(), time.Now()
		var dribble sync.WaitGroup
		defer dribble.Wait()
		dribble.Go(func() { // a frame that never ends is silence too
			for i := range 20 {
				time.Sleep(time.Second)
				if _, err := conn.Write(cer("smf.epc.test")[i : i+1]); err != nil {
					return
				}
			}
		})
		if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			t.Errorf("got %d octets and %v, want the end of the connection", n, err)
		}
		if got := time.Since(start); got != cerTimeout {
			t.Errorf("closed after %v, want %v", got, cerTimeout)
		}
	})
}

// A connection that is dead is found out when the peer comes back: its next try succeeds (spec/gy 1.2).
func TestGY_011_DeadConnectionMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, testConfig(), grantAll)
		defer b.stop(t)
		dead := b.connect(t)
		second := b.dial()
		if _, err := second.Write(cer("smf.epc.test")); err != nil {
			t.Fatal(err)
		}
		if n, err := second.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
			t.Errorf("got %d octets and %v, want the end of the second connection", n, err)
		}
		start := time.Now()
		wantDWR(t, receive(t, dead))
		if _, err := dead.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want the end of the first connection", err)
		}
		if got := time.Since(start); got != probeTimeout {
			t.Errorf("closed after %v, want %v", got, probeTimeout)
		}
		b.connect(t)
	})
}

func TestGY_011_LivingConnectionStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, testConfig(), grantAll)
		defer b.stop(t)
		first := b.connect(t)
		for range 3 { // of many tries at once only one asks
			second := b.dial()
			if _, err := second.Write(cer("SMF.epc.test")); err != nil {
				t.Fatal(err)
			}
			if n, err := second.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
				t.Errorf("got %d octets and %v, want the end of the second connection", n, err)
			}
		}
		f := receive(t, first)
		wantDWR(t, f)
		if _, err := first.Write(dwa(f)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * probeTimeout)
		if _, err := first.Write(ccr(5, "a")); err != nil {
			t.Fatal(err)
		}
		wantResult(t, receive(t, first), codeSuccess)
	})
}
