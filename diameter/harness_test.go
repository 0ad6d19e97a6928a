package diameter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
)

// engineFunc is an Engine that is one function.
type engineFunc func(r ocs.Request, done func(ocs.Answer))

func (f engineFunc) Submit(_ context.Context, r ocs.Request, done func(ocs.Answer)) { f(r, done) }

// grantAll grants every request at once.
var grantAll = engineFunc(func(_ ocs.Request, done func(ocs.Answer)) { done(ocs.Answer{Verdict: ocs.Granted}) })

// testConfig is a node ocs1.ocs.test that everyone below epc.test may connect to.
func testConfig() Config {
	return Config{
		OriginHost: "ocs1.ocs.test", OriginRealm: "ocs.test", OriginStateID: 4711,
		Peers: []Peer{{Name: "*.epc.test", Plain: true}},
	}
}

// startServer serves on a port of the loopback until the test ends, and returns the address.
func startServer(t *testing.T, c Config, e Engine) (*Server, string) {
	t.Helper()
	s, err := NewServer(c, e)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel() // connections that a test left open are closed at once
		if err := s.Shutdown(ended); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, l.Addr().String()
}

// A client is the other end of a connection, with octets instead of a library.
type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	return &client{t: t, Conn: conn, in: bufio.NewReader(conn)}
}

// connect dials and exchanges capabilities as host.
func connect(t *testing.T, address, host string) *client {
	t.Helper()
	c := dial(t, address)
	c.send(cer(host))
	wantResult(t, c.read(), codeSuccess)
	return c
}

func (c *client) send(messages ...[]byte) {
	c.t.Helper()
	if _, err := c.Write(bytes.Join(messages, nil)); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

const patience = 5 * time.Second

func (c *client) read() frame {
	c.t.Helper()
	f, err := c.tryRead()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	return f
}

func (c *client) tryRead() (frame, error) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	f := make(frame, headerLength)
	if _, err := io.ReadFull(c.in, f); err != nil {
		return nil, err
	}
	f = append(f, make([]byte, f.length()-headerLength)...)
	_, err := io.ReadFull(c.in, f[headerLength:])
	return f, err
}

// wantClosed demands that nothing more comes and the connection ends.
func (c *client) wantClosed() {
	c.t.Helper()
	f, err := c.tryRead()
	switch {
	case err == nil:
		c.t.Fatalf("got % x, want the end of the connection", f)
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.t.Fatalf("connection still open after %v", patience)
	}
}

// message builds a message of ours to send.
func message(flags byte, command, application, hopByHop, endToEnd uint32, avps ...[]byte) []byte {
	m, start := beginMessage(nil, flags, command, application, hopByHop, endToEnd)
	return endMessage(append(m, bytes.Join(avps, nil)...), start)
}

func text(code uint32, value string) []byte { return appendText(nil, code, 0, mandatory, value) }

func number(code, value uint32) []byte { return appendUint32(nil, code, 0, mandatory, value) }

// cerAVPs are those that a CER must have, and application 4.
func cerAVPs(host string) [][]byte {
	return [][]byte{
		text(avp.OriginHost, host), text(avp.OriginRealm, "epc.test"),
		appendAVP(nil, avp.HostIPAddress, 0, mandatory, []byte{0, 1, 10, 0, 0, 1}),
		number(avp.VendorID, 0), appendText(nil, avp.ProductName, 0, 0, "switch"),
		number(avp.AuthApplicationID, creditControl),
	}
}

func cer(host string, extra ...[]byte) []byte {
	return message(0x80, diam.CapabilitiesExchange, 0, 1, 2, append(cerAVPs(host), extra...)...)
}

// without returns avps less those of a code.
func without(avps [][]byte, code uint32) [][]byte {
	var kept [][]byte
	for _, a := range avps {
		if binary.BigEndian.Uint32(a) != code {
			kept = append(kept, a)
		}
	}
	return kept
}

func dwr(hopByHop uint32) []byte {
	return message(0x80, diam.DeviceWatchdog, 0, hopByHop, hopByHop,
		text(avp.OriginHost, "smf.epc.test"), text(avp.OriginRealm, "epc.test"))
}

func dwa(f frame) []byte {
	return message(0, diam.DeviceWatchdog, 0, f.hopByHop(), f.endToEnd(),
		number(avp.ResultCode, codeSuccess), text(avp.OriginHost, "smf.epc.test"), text(avp.OriginRealm, "epc.test"))
}

func dpr() []byte {
	return message(0x80, diam.DisconnectPeer, 0, 77, 78, text(avp.OriginHost, "smf.epc.test"),
		text(avp.OriginRealm, "epc.test"), number(avp.DisconnectCause, 0))
}

// ccrAVPs are those of a first interrogation that is served.
func ccrAVPs(session string) [][]byte {
	return [][]byte{
		text(avp.SessionID, session), text(avp.OriginHost, "smf.epc.test"), text(avp.OriginRealm, "epc.test"),
		text(avp.DestinationRealm, "ocs.test"), number(avp.AuthApplicationID, creditControl),
		text(avp.ServiceContextID, "32260@3gpp.org"), number(avp.CCRequestType, 1), number(avp.CCRequestNumber, 0),
		appendGroup(nil, avp.SubscriptionID, 0, mandatory,
			append(number(avp.SubscriptionIDType, 0), text(avp.SubscriptionIDData, "491700000001")...)),
	}
}

func ccr(hopByHop uint32, session string, extra ...[]byte) []byte {
	return message(0xC0, diam.CreditControl, creditControl, hopByHop, hopByHop+1000, append(ccrAVPs(session), extra...)...)
}

// findAVPs returns the AVPs of a code at command level.
func findAVPs(f frame, code uint32) []rawAVP {
	var found []rawAVP
	for a := range f.avps() {
		if a.is(code) {
			found = append(found, a)
		}
	}
	return found
}

func wantResult(t *testing.T, f frame, want uint32) {
	t.Helper()
	if f.isRequest() {
		t.Fatalf("got the request % x, want an answer", f)
	}
	if got := resultOf(f); got != want {
		t.Fatalf("result %d, want %d in % x", got, want, f)
	}
	if got := f.isError(); got != isProtocolError(want) {
		t.Errorf("E bit %t in an answer with result %d", got, want)
	}
	if n := len(findAVPs(f, avp.ResultCode)); n != 1 {
		t.Errorf("%d Result-Codes", n)
	}
}

// wantFailed demands that the answer blames this AVP and nothing else. nil: nothing.
func wantFailed(t *testing.T, f frame, want []byte) {
	t.Helper()
	failed := findAVPs(f, avp.FailedAVP)
	switch {
	case want == nil && len(failed) == 0:
	case len(failed) != 1 || !bytes.Equal(failed[0].data, want):
		t.Errorf("Failed-AVP %x, want one with %x", failed, want)
	}
}

// readHex reads a file of hexadecimal digits in which # begins a comment.
func readHex(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return b
}
