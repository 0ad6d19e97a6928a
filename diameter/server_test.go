package diameter

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"github.com/gyro-ocs/gyro/ocs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGY_001_GY_002_GY_003_CEA(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := dial(t, address)
	c.send(message(0x80, diam.CapabilitiesExchange, 0, 0xCAFE, 0xBABE, cerAVPs("smf.epc.test")...))
	// The whole answer, octet by octet, as RFC 6733 §3, §4.1 and §5.3.2 have it.
	want := readHex(t, "testdata/answers/cea.hex")
	if got := c.read(); !bytes.Equal(got, want) {
		t.Errorf("CEA\n% x, want\n% x", got, want)
	}
}

func TestGY_004_OriginStateIDIsOurs(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	for _, host := range []string{"a.epc.test", "b.epc.test"} {
		c := dial(t, address)
		c.send(cer(host, number(avp.OriginStateID, 777)))
		cea := c.read()
		if got := findAVPs(cea, avp.OriginStateID); len(got) != 1 || !bytes.Equal(got[0].whole, number(avp.OriginStateID, 4711)) {
			t.Errorf("Origin-State-Id %x, want ours", got)
		}
	}
}

// What a CER can be like, and what becomes of it: GY-005 to GY-009, and the rows of spec/gy 1.3.
func TestGY_005_GY_006_GY_007_GY_008_GY_009_CER(t *testing.T) {
	t.Parallel()
	all := cerAVPs("smf.epc.test")
	noApplication := without(all, avp.AuthApplicationID)
	replaced := func(avps [][]byte, code uint32, by ...[]byte) [][]byte { return append(without(avps, code), by...) }
	with := func(avps [][]byte, more ...[]byte) [][]byte { return append(slices.Clone(avps), more...) }
	tests := []struct {
		name   string
		flags  byte
		avps   [][]byte
		want   uint32
		failed []byte
	}{
		{name: "application in a vendor's group", avps: with(noApplication, groupOf(260, number(266, 9999), number(258, 4))), want: 2001},
		{name: "relay", avps: with(noApplication, number(258, relay)), want: 2001},
		{name: "relay in a vendor's group", avps: with(noApplication, groupOf(260, number(266, 10415), number(258, relay))), want: 2001},
		{name: "another application too", avps: with(all, number(258, 16777251)), want: 2001},
		{name: "only another application", avps: with(noApplication, number(258, 16777251)), want: 5010},
		{name: "only accounting", avps: with(noApplication, number(259, 3)), want: 5010},
		{name: "no application", avps: noApplication, want: 5010},
		{name: "stranger", avps: replaced(all, 264, text(264, "stranger.test")), want: 3010},
		{name: "stranger without an application", avps: replaced(noApplication, 264, text(264, "stranger.test")), want: 3010},
		{name: "no Origin-Host", avps: without(all, 264), want: 5005, failed: text(264, "")},
		{name: "no Origin-Realm", avps: without(all, 296), want: 5005, failed: text(296, "")},
		{name: "no Host-IP-Address", avps: without(all, 257), want: 5005,
			failed: appendAVP(nil, 257, 0, mandatory, []byte{0, 1, 0, 0, 0, 0})},
		{name: "no Vendor-Id", avps: without(all, 266), want: 5005, failed: number(266, 0)},
		{name: "no Product-Name", avps: without(all, 269), want: 5005, failed: appendText(nil, 269, 0, 0, "")},
		{name: "two Origin-Hosts", avps: with(all, text(264, "b.epc.test")), want: 5009, failed: text(264, "b.epc.test")},
		{name: "empty Origin-Host", avps: replaced(all, 264, text(264, "")), want: 5004, failed: text(264, "")},
		{name: "Origin-Host with a line break", avps: replaced(all, 264, text(264, "a\n.epc.test")), want: 5004, failed: text(264, "a\n.epc.test")},
		{name: "Destination-Host", avps: with(all, text(293, "ocs1.ocs.test")), want: 5008, failed: text(293, "ocs1.ocs.test")},
		{name: "P bit", flags: 0xC0, avps: all, want: 3008},
		{name: "in-band TLS only", avps: with(all, number(299, 1)), want: 5017},
		{name: "in-band TLS or none", avps: with(all, number(299, 1), number(299, 0)), want: 2001},
		{name: "broken AVP", avps: with(all, rawOf(278, mandatory, 9, 1, 0, 0, 0)), want: 5014,
			failed: number(278, 0)},
		{name: "E bit", flags: 0xA0, avps: all, want: 3008},
		{name: "unknown AVP that is mandatory", avps: with(all, number(65000, 1)), want: 2001},
	}
	_, address := startServer(t, testConfig(), grantAll)
	for i, test := range tests {
		test.avps = slices.Clone(test.avps)
		for j, a := range test.avps { // so that the tests are not in each other's way
			if test.want == 2001 && bytes.Equal(a, text(264, "smf.epc.test")) {
				test.avps[j] = text(264, fmt.Sprintf("smf%d.epc.test", i))
			}
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, address)
			c.send(message(max(test.flags, 0x80), diam.CapabilitiesExchange, 0, 1, 2, test.avps...))
			cea := c.read()
			wantResult(t, cea, test.want)
			wantFailed(t, cea, test.failed)
			if test.want != 2001 {
				c.wantClosed()
				return
			}
			c.send(dwr(3))
			wantResult(t, c.read(), codeSuccess)
		})
	}
}

func TestAcceptUnknown(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.AcceptUnknown = true
	_, address := startServer(t, config, grantAll)
	connect(t, address, "anyone.example")
}

func TestPeerThatNeedsTLSIsRefusedWithout(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.Peers = []Peer{{Name: "smf.epc.test"}}
	_, address := startServer(t, config, grantAll)
	c := dial(t, address)
	c.send(cer("smf.epc.test"))
	wantResult(t, c.read(), codeUnknownPeer)
	c.wantClosed()
}

func TestGY_010_BeforeCER(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	for name, input := range map[string][]byte{
		"DWR": dwr(1), "CCR": ccr(1, "a"), "DPR": dpr(), "HTTP": []byte("GET / HTTP/1.1\r\nHost: ocs1\r\n\r\n"),
		"TLS": {0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, address)
			c.send(input)
			c.wantClosed()
		})
	}
}

func TestGY_011_SecondConnection(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.Peers = append(config.Peers, Peer{Name: "twice.epc.test", Plain: true, Instances: 2})
	_, address := startServer(t, config, grantAll)
	first := connect(t, address, "smf.epc.test")
	second := dial(t, address)
	second.send(cer("smf.epc.test"))
	second.wantClosed()
	f := first.read()
	wantDWR(t, f)
	first.send(dwa(f), dwr(9))
	wantResult(t, first.read(), codeSuccess)

	connect(t, address, "twice.epc.test")
	connect(t, address, "twice.epc.test")
}

func TestSecondCEROnOneConnection(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	c.send(cer("SMF.epc.test")) // a late copy
	wantResult(t, c.read(), codeSuccess)
	c.send(cer("other.epc.test"))
	c.wantClosed()
}

func TestGY_013_GY_014_DWA(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	c.send(dwr(0xABCD))
	f := c.read()
	want := message(0, diam.DeviceWatchdog, 0, 0xABCD, 0xABCD, number(avp.ResultCode, 2001),
		text(avp.OriginHost, "ocs1.ocs.test"), text(avp.OriginRealm, "ocs.test"), number(avp.OriginStateID, 4711))
	if !bytes.Equal(f, want) {
		t.Errorf("DWA % x, want % x", f, want)
	}
}

// A holder keeps what it is asked until it is told to answer.
type holder struct {
	mu   sync.Mutex
	held []func(ocs.Answer)
	came chan struct{}
}

func newHolder() *holder { return &holder{came: make(chan struct{}, 10000)} }

func (h *holder) Submit(_ context.Context, _ ocs.Request, done func(ocs.Answer)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = append(h.held, done)
	h.came <- struct{}{}
}

// wait returns when n more requests have come.
func (h *holder) wait(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-h.came:
		case <-time.After(patience):
			t.Fatal("a request did not reach the engine")
		}
	}
}

// release answers everything, the last first.
func (h *holder) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, done := range slices.Backward(h.held) {
		done(ocs.Answer{Verdict: ocs.Granted})
	}
	h.held = nil
}

func TestGY_015_DWAWhileCCRsWait(t *testing.T) {
	t.Parallel()
	h := newHolder()
	_, address := startServer(t, testConfig(), h)
	c := connect(t, address, "smf.epc.test")
	for i := range uint32(100) {
		c.send(ccr(i, "slow"))
	}
	h.wait(t, 100)
	c.send(dwr(1000))
	if f := c.read(); f.command() != diam.DeviceWatchdog {
		t.Fatalf("got % x, want a DWA", f)
	}
	h.release() // only now: the DWA waited for none of them
	for i := range uint32(100) {
		f := c.read()
		wantResult(t, f, codeSuccess)
		if f.hopByHop() != 99-i {
			t.Fatalf("answer %d, want %d", f.hopByHop(), 99-i)
		}
	}
}

func TestGY_018_DPA(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	c.send(dpr())
	want := message(0, diam.DisconnectPeer, 0, 77, 78, number(avp.ResultCode, 2001),
		text(avp.OriginHost, "ocs1.ocs.test"), text(avp.OriginRealm, "ocs.test"))
	if f := c.read(); !bytes.Equal(f, want) {
		t.Errorf("DPA % x, want % x", f, want)
	}
}

func TestGY_019_AnswersBeforeDPA(t *testing.T) {
	t.Parallel()
	h := newHolder()
	_, address := startServer(t, testConfig(), h)
	c := connect(t, address, "smf.epc.test")
	c.send(slices.Concat(ccr(1, "a"), dpr(), ccr(2, "b"), dwr(3)))
	h.wait(t, 1)
	seen := map[uint32]uint32{}
	for range 2 { // the DWA may overtake
		f := c.read()
		seen[f.hopByHop()] = resultOf(f)
	}
	if seen[2] != codeUnableToDeliver || seen[3] != codeSuccess {
		t.Errorf("got %v, want the CCR after the DPR sent elsewhere and the DWR answered", seen)
	}
	h.release()
	if f := c.read(); f.command() != diam.CreditControl || f.hopByHop() != 1 {
		t.Errorf("got % x, want the CCA first", f)
	}
	if f := c.read(); f.command() != diam.DisconnectPeer {
		t.Errorf("got % x, want the DPA last", f)
	}
}

func TestGY_020_ShutdownTakesLeave(t *testing.T) {
	t.Parallel()
	h := newHolder()
	s, address := startServer(t, testConfig(), h)
	c := connect(t, address, "smf.epc.test")
	stranger := dial(t, address) // has not said who it is
	c.send(ccr(1, "a"))
	h.wait(t, 1)
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.Background()) }()
	stranger.wantClosed()
	c.send(ccr(2, "b", text(avp.DestinationHost, "ocs1.ocs.test"))) // too late
	wantResult(t, c.read(), codeTooBusy)
	h.release()
	if f := c.read(); f.command() != diam.CreditControl || f.hopByHop() != 1 {
		t.Fatalf("got % x, want the answer in work", f)
	}
	f := c.read()
	if !f.isRequest() || f.command() != diam.DisconnectPeer {
		t.Fatalf("got % x, want a DPR", f)
	}
	if cause := findAVPs(f, avp.DisconnectCause); len(cause) != 1 || !bytes.Equal(cause[0].data, make([]byte, 4)) {
		t.Errorf("Disconnect-Cause %+v, want 0", cause)
	}
	c.send(message(0, diam.DisconnectPeer, 0, f.hopByHop(), f.endToEnd(), number(avp.ResultCode, 2001)))
	c.wantClosed()
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
		t.Error("the server still accepts connections")
	}
}

func TestShutdownEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHolder()
	s, address := startServer(t, testConfig(), h)
	c := connect(t, address, "smf.epc.test")
	c.send(ccr(1, "a"))
	h.wait(t, 1) // and is never answered
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v, want %v", err, context.DeadlineExceeded)
	}
	c.wantClosed()
	h.release() // into the void
}

func TestGY_022_GY_023_GY_024_Skeleton(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	proxies := slices.Concat(
		groupOf(avp.ProxyInfo, text(avp.ProxyHost, "dra1.test"), rawOf(avp.ProxyState, 0x60, 9, 1, 0xAA, 0xBB, 0xCC)),
		groupOf(avp.ProxyInfo, text(avp.ProxyHost, "dra2.test"), text(avp.ProxyState, "\x00\xFF")))
	extra := [][]byte{text(avp.RouteRecord, "a.test"), proxies, text(avp.RouteRecord, "b.test"), text(avp.RouteRecord, "c.test")}
	tests := map[string]struct {
		change func(f frame)
		more   []byte
		want   uint32
	}{
		"granted":             {func(frame) {}, nil, 2001},
		"command unknown":     {func(f frame) { f[7] = 99 }, nil, 3001},
		"elsewhere":           {func(frame) {}, text(avp.DestinationHost, "other.test"), 3002},
		"looped":              {func(frame) {}, text(avp.RouteRecord, "OCS1.ocs.test"), 3005},
		"application unknown": {func(f frame) { f[11] = 99 }, nil, 3007},
		"a length is wrong":   {func(frame) {}, rawOf(avp.CCRequestNumber, mandatory, 8), 5014},
		"an AVP too many":     {func(frame) {}, number(avp.CCRequestNumber, 5), 5009},
	}
	for name, test := range tests {
		for flags, want := range map[byte]byte{0xC0: 0x40, 0x80: 0, 0xD0: 0x40, 0xDF: 0x40} {
			f := frame(ccr(0x1234, "smf;1;2", append(slices.Clone(extra), test.more)...))
			f[4] = flags
			test.change(f)
			c.send(f)
			got := c.read()
			wantResult(t, got, test.want)
			if got.flags()&^diam.ErrorFlag != want {
				t.Errorf("%s: flags %x for %x, want %x", name, got.flags(), flags, want)
			}
			if got.command() != f.command() || got.application() != f.application() || got.hopByHop() != 0x1234 || got.endToEnd() != 0x1234+1000 {
				t.Errorf("%s: header % x for % x", name, got[:headerLength], f[:headerLength])
			}
			if first := slices.Collect(got.avps())[0]; !bytes.Equal(first.whole, text(avp.SessionID, "smf;1;2")[:len(first.whole)]) || !first.is(avp.SessionID) {
				t.Errorf("%s: the first AVP is %+v", name, first)
			}
			if !bytes.Contains(got, proxies) {
				t.Errorf("%s: Proxy-Info % x is not in % x", name, proxies, got)
			}
			for _, code := range []uint32{avp.DestinationHost, avp.DestinationRealm, avp.RouteRecord} {
				if n := len(findAVPs(got, code)); n > 0 {
					t.Errorf("%s: AVP %d in an answer", name, code)
				}
			}
			if test.want >= 3000 && test.want != 3007 { // GY-047
				if a := findAVPs(got, avp.CCRequestType); len(a) != 1 || a[0].data[3] != 1 {
					t.Errorf("%s: CC-Request-Type %+v", name, a)
				}
			}
		}
	}
}

func TestGY_025_GY_026_GY_027_GY_028_GY_029_GY_030_TheConnectionStays(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	patched := func(offset int, b ...byte) []byte {
		m := ccr(1, "a")
		copy(m[offset:], b)
		return m
	}
	for _, test := range []struct {
		input []byte
		want  uint32
	}{
		{patched(5, 0, 3, 0xE7), 3001}, {patched(5, 0, 1, 19), 3001}, {patched(5, 0, 1, 2), 3001}, {patched(5, 0, 1, 15), 3001},
		{patched(8, 0, 0, 0, 99), 3007}, {patched(4, 0xE0), 3008}, {patched(0, 2), 5011},
		{ccr(1, "a", rawOf(415, mandatory, 16, 0, 0, 0, 0, 0, 0, 0, 1)), 5014}, {ccr(1, "a", rawOf(415, 0, 7)), 5014},
		{ccr(1, "a", rawOf(9, 0x80, 12, 0, 0, 0, 0)), 3009}, {patched(4, 0xC1), 2001},
		{ccr(1, "a", text(avp.DestinationRealm, "nowhere.test")), 3003},
	} {
		c.send(test.input, ccr(2, "b"))
		wantResult(t, c.read(), test.want)
		wantResult(t, c.read(), codeSuccess)
	}
}

func TestGY_029_MessageLength(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	for i, length := range []uint32{8, 0, 22, 65540, 4294967, 16777212} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			t.Parallel()
			c := connect(t, address, fmt.Sprintf("smf%d.epc.test", i))
			m := ccr(1, "a", text(avp.ProductName, strings.Repeat("x", 2000)))
			putUint24(m[1:], int(length))
			c.send(m)
			wantResult(t, c.read(), codeInvalidMessageLength)
			c.wantClosed()
		})
	}
}

func TestGY_043_GY_044_GY_045_Routing(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.Realms = []string{"second.test"}
	_, address := startServer(t, config, grantAll)
	c := connect(t, address, "smf.epc.test")
	realm := func(name string) []byte {
		return message(0xC0, diam.CreditControl, creditControl, 1, 2,
			append(without(ccrAVPs("a"), avp.DestinationRealm), text(avp.DestinationRealm, name))...)
	}
	for _, test := range []struct {
		name  string
		input []byte
		want  uint32
	}{
		{"loop", ccr(1, "a", text(avp.RouteRecord, "dra.test"), text(avp.RouteRecord, "Ocs1.OCS.test")), 3005},
		{"loop before host", ccr(1, "a", text(avp.DestinationHost, "other.test"), text(avp.RouteRecord, "ocs1.ocs.test")), 3005},
		{"another host", ccr(1, "a", text(avp.DestinationHost, "other.test")), 3002},
		{"our host", ccr(1, "a", text(avp.DestinationHost, "OCS1.ocs.test")), 2001},
		{"another realm", realm("nowhere.test"), 3003},
		{"our realm in capitals", realm("OCS.Test"), 2001},
		{"our second realm", realm("second.test"), 2001},
		{"no realm is the application's business", message(0xC0, diam.CreditControl, creditControl, 1, 2,
			without(ccrAVPs("a"), avp.DestinationRealm)...), 5005},
	} {
		c.send(test.input)
		f := c.read()
		if got := resultOf(f); got != test.want {
			t.Errorf("%s: result %d, want %d", test.name, got, test.want)
		}
	}
}

func TestGY_048_UnexpectedAnswer(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	c.send(
		message(0x40, diam.ReAuth, creditControl, 1, 2, number(avp.ResultCode, 2001)),
		message(0x00, diam.DeviceWatchdog, 0, 3, 4, number(avp.ResultCode, 2001)),
		message(0x20, diam.DisconnectPeer, 0, 5, 6, number(avp.ResultCode, 3001)),
		dwr(7))
	if f := c.read(); f.hopByHop() != 7 {
		t.Errorf("got % x, want the answer to the DWR and nothing before", f)
	}
}

func TestGY_049_TooManyOutstanding(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.MaxOutstanding = 3
	h := newHolder()
	_, address := startServer(t, config, h)
	c := connect(t, address, "smf.epc.test")
	other := connect(t, address, "pgw.epc.test")
	for i := range uint32(3) {
		c.send(ccr(i, "a"))
	}
	h.wait(t, 3)
	c.send(ccr(10, "a"), ccr(11, "a", text(avp.DestinationHost, "ocs1.ocs.test")))
	wantResult(t, c.read(), codeUnableToDeliver)
	wantResult(t, c.read(), codeTooBusy)
	other.send(ccr(1, "b")) // GY-188: one client's flood is not another's
	h.wait(t, 1)
	h.release()
	for range 3 {
		wantResult(t, c.read(), codeSuccess)
	}
	wantResult(t, other.read(), codeSuccess)
	c.send(ccr(12, "a"))
	h.wait(t, 1)
	h.release()
	wantResult(t, c.read(), codeSuccess)
}

// Large requests that wait are bounded by their octets.
func TestGY_049_TooManyOctetsOutstanding(t *testing.T) {
	t.Parallel()
	h := newHolder()
	_, address := startServer(t, testConfig(), h)
	c := connect(t, address, "smf.epc.test")
	large := ccr(1, "a", appendAVP(nil, 65000, 0, 0, make([]byte, 60<<10)))
	most := mostOctets / len(large)
	for range most {
		c.send(large)
	}
	h.wait(t, most)
	c.send(large)
	wantResult(t, c.read(), codeUnableToDeliver)
	h.release()
	for range most {
		wantResult(t, c.read(), codeSuccess)
	}
}

func TestGY_049_EngineIsBusy(t *testing.T) {
	t.Parallel()
	_, address := startServer(t, testConfig(), engineFunc(func(_ ocs.Request, done func(ocs.Answer)) {
		done(ocs.Answer{Verdict: ocs.Busy})
	}))
	c := connect(t, address, "smf.epc.test")
	c.send(ccr(1, "a"), ccr(2, "a", text(avp.DestinationHost, "ocs1.ocs.test")))
	wantResult(t, c.read(), codeUnableToDeliver)
	wantResult(t, c.read(), codeTooBusy)
}

// A bug of ours is answered 5012, and neither the connection nor the server suffers.
func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	config := testConfig()
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	requests := 0
	var late sync.WaitGroup
	s, address := startServer(t, config, engineFunc(func(_ ocs.Request, done func(ocs.Answer)) {
		requests++
		switch requests {
		case 1:
			panic("in Submit")
		case 2:
			late.Go(func() { done(ocs.Answer{Verdict: 255}) }) // no such verdict: appendCCA panics
		default:
			done(ocs.Answer{Verdict: ocs.Granted})
			done(ocs.Answer{Verdict: ocs.Granted}) // twice: the second is not sent
		}
	}))
	c := connect(t, address, "smf.epc.test")
	for _, want := range []uint32{5012, 5012, 2001, 2001} {
		c.send(ccr(want, "a"))
		wantResult(t, c.read(), want)
	}
	late.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c.wantClosed()
	if got := strings.Count(log.String(), "panic while serving"); got != 4 {
		t.Errorf("%d panics in the log, want 4:\n%s", got, log.String())
	}
	if strings.Contains(log.String(), "491700000001") {
		t.Errorf("the log names a subscriber:\n%s", log.String())
	}
}

func TestRequestsReachTheEngineInOrder(t *testing.T) {
	t.Parallel()
	const n = 2000
	var sessions []string
	done := make(chan struct{})
	_, address := startServer(t, testConfig(), engineFunc(func(r ocs.Request, answer func(ocs.Answer)) {
		if sessions = append(sessions, r.Session.ID); len(sessions) == n {
			close(done)
		}
		answer(ocs.Answer{Verdict: ocs.Granted})
	}))
	c := connect(t, address, "smf.epc.test")
	go func() {
		var all []byte
		for i := range uint32(n) {
			all = append(all, ccr(i, fmt.Sprint(i))...)
		}
		_, _ = c.Write(all)
	}()
	for i := range uint32(n) {
		if f := c.read(); f.hopByHop() != i {
			t.Fatalf("answer %d, want %d", f.hopByHop(), i)
		}
	}
	<-done
	for i, session := range sessions {
		if session != fmt.Sprint(i) {
			t.Fatalf("request %d is of session %s", i, session)
		}
	}
}

// A peer that sends and never reads is closed; it costs no more memory than its queue.
func TestPeerThatDoesNotReadIsClosed(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.MaxQueue = 64 << 10
	_, address := startServer(t, config, grantAll)
	c := connect(t, address, "smf.epc.test")
	flood := bytes.Repeat(ccr(1, "a"), 100)
	if err := c.SetWriteDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := c.Write(flood); err != nil {
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				t.Fatal("the server neither reads nor closes")
			}
			return
		}
	}
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.MaxConnections = 1
	_, address := startServer(t, config, grantAll)
	c := connect(t, address, "smf.epc.test")
	dial(t, address).wantClosed()
	c.send(dwr(1))
	wantResult(t, c.read(), codeSuccess)
}

func TestClientStateIsPassedOn(t *testing.T) {
	t.Parallel()
	type state struct {
		host, realm string
		id          uint32
	}
	states := make(chan state, 10)
	config := testConfig()
	config.ClientState = func(host, realm string, id uint32) { states <- state{host, realm, id} }
	_, address := startServer(t, config, grantAll)
	c := dial(t, address)
	c.send(cer("smf.epc.test", number(avp.OriginStateID, 5)))
	wantResult(t, c.read(), codeSuccess)
	c.send(dwr(1), message(0x80, diam.DeviceWatchdog, 0, 1, 1,
		text(avp.OriginHost, "smf.epc.test"), text(avp.OriginRealm, "epc.test"), number(avp.OriginStateID, 6)))
	c.read()
	c.read()
	for _, want := range []state{{"smf.epc.test", "epc.test", 5}, {"smf.epc.test", "epc.test", 6}} {
		if got := <-states; got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	reader := sdkmetric.NewManualReader()
	config := testConfig()
	config.Metrics = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	_, address := startServer(t, config, grantAll)
	c := connect(t, address, "smf.epc.test")
	c.send(ccr(1, "a"), ccr(2, "b"), ccr(3, "c", text(avp.DestinationHost, "other.test")), message(0, 999, 9, 1, 1), dwr(4))
	for range 4 {
		c.read()
	}
	var m metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, one := range m.ScopeMetrics[0].Metrics {
		switch data := one.Data.(type) {
		case metricdata.Sum[int64]:
			for _, p := range data.DataPoints {
				got[one.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = p.Value
			}
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				got[one.Name+" "+p.Attributes.Encoded(attribute.DefaultEncoder())] = int64(p.Count)
			}
		}
	}
	for series, want := range map[string]int64{
		"gyro.diameter.requests result=2001,type=initial":         2,
		"gyro.diameter.requests result=3002,type=initial":         1,
		"gyro.diameter.request.duration result=2001,type=initial": 2,
		"gyro.diameter.peers ":                                    1,
		"gyro.diameter.outstanding ":                              0,
		"gyro.diameter.dropped reason=unexpected answer":          1,
	} {
		if got[series] != want {
			t.Errorf("%s is %d, want %d; all: %v", series, got[series], want, got)
		}
	}
}

// certificates makes a CA and a function that signs for names.
func certificates(t *testing.T) (pool *x509.CertPool, sign func(names ...string) tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	issue := func(c *x509.Certificate, public *ecdsa.PublicKey) []byte {
		t.Helper()
		der, err := x509.CreateCertificate(rand.Reader, c, ca, public, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	root, err := x509.ParseCertificate(issue(ca, &key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(root)
	serial := int64(1)
	return pool, func(names ...string) tls.Certificate {
		t.Helper()
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		serial++
		der := issue(&x509.Certificate{
			SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: names,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}, &own.PublicKey)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: own}
	}
}

func TestGY_012_TLS(t *testing.T) {
	t.Parallel()
	pool, sign := certificates(t)
	_, otherSign := certificates(t)
	config := testConfig()
	config.Peers = []Peer{{Name: "*.epc.test"}, {Name: "mapped.epc.test", Certificates: []string{"gateway.test"}}}
	config.TLS = &tls.Config{Certificates: []tls.Certificate{sign("ocs1.ocs.test")}, ClientCAs: pool}
	s, err := NewServer(config, grantAll)
	if err != nil {
		t.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.ServeTLS(l) }()
	defer func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Shutdown(ended)
		if err := <-served; err != nil {
			t.Errorf("ServeTLS: %v", err)
		}
	}()
	secure := func(certificates ...tls.Certificate) *client {
		raw := dial(t, l.Addr().String())
		return newClient(t, tls.Client(raw.Conn, &tls.Config{RootCAs: pool, ServerName: "ocs1.ocs.test", Certificates: certificates, MinVersion: tls.VersionTLS12}))
	}

	for name, certs := range map[string][]tls.Certificate{"none": nil, "of another CA": {otherSign("smf.epc.test")}} {
		c := secure(certs...)
		_, _ = c.Write(cer("smf.epc.test")) // TLS 1.3 tells the client with its first read
		if f, err := c.tryRead(); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("certificate %s: got % x and %v, want a failed handshake", name, f, err)
		}
	}
	for _, test := range []struct {
		certificate, host string
		want              uint32
	}{
		{"a.epc.test", "b.epc.test", 3010}, {"*.epc.test", "b.epc.test", 3010}, {"smf.epc.test", "smf.epc.test", 2001},
		{"gateway.test", "mapped.epc.test", 2001}, {"gateway.test", "b.epc.test", 3010}, {"x.other.test", "x.other.test", 3010},
	} {
		c := secure(sign(test.certificate))
		c.send(cer(test.host, number(avp.InbandSecurityID, 1)))
		f := c.read()
		if got := resultOf(f); got != test.want {
			t.Errorf("certificate for %s, CER from %s: %d, want %d", test.certificate, test.host, got, test.want)
		}
		if test.want != 2001 {
			c.wantClosed()
			continue
		}
		c.send(ccr(1, "a"))
		wantResult(t, c.read(), codeSuccess)
	}

	plain := dial(t, l.Addr().String()) // Diameter without TLS on the TLS port
	plain.send(cer("smf.epc.test"))
	if f, err := plain.tryRead(); err == nil {
		t.Errorf("plain CER on the TLS port answered with % x", f)
	}
	if err := (&Server{}).ServeTLS(&pipeListener{closed: make(chan struct{})}); err == nil {
		t.Error("ServeTLS without a certificate succeeds")
	}
}

func TestConnectedPeersAreTold(t *testing.T) {
	t.Parallel()
	config := testConfig()
	config.AcceptUnknown = true
	s, address := startServer(t, config, grantAll)
	dial(t, address) // no CER: no peer
	connect(t, address, "b.epc.test")
	connect(t, address, "a.epc.test")
	told := s.Connected()
	if len(told) != 2 || told[0].Host != "a.epc.test" || told[1].Host != "b.epc.test" || told[0].Realm == "" || told[0].Since.IsZero() ||
		told[0].Suspect || told[0].Secure || told[0].Address == "" {
		t.Errorf("told of %+v", told)
	}
}
