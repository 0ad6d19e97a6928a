package diameter

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"testing"

	"github.com/fiorix/go-diameter/v4/diam"
	"github.com/fiorix/go-diameter/v4/diam/avp"

	"github.com/gyro-ocs/gyro/ocs"
)

var seed = flag.Uint64("seed", 0, "of the random tests; 0: another one each time")

// randomly returns a source of nonsense that can be had again.
func randomly(t *testing.T) *rand.Rand {
	t.Helper()
	n := *seed
	if n == 0 {
		n = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay with: go test ./diameter -run '^%s$' -seed %d", t.Name(), n)
		}
	})
	return rand.New(rand.NewPCG(n, n))
}

// mutate changes some octets of m, cuts it, or makes its lengths lie.
func mutate(r *rand.Rand, m []byte) []byte {
	m = slices.Clone(m)
	for range r.IntN(4) {
		m[4+r.IntN(len(m)-4)] = byte(r.Uint32())
	}
	switch r.IntN(10) {
	case 0:
		return m[:r.IntN(len(m))]
	case 1:
		m[1+r.IntN(3)] = byte(r.Uint32())
	case 2:
		at := headerLength + r.IntN(len(m)-headerLength-8)
		copy(m[at:], nested(1+r.IntN(30)))
	}
	return m
}

// GY-032: random and mutated frames stop neither the server nor another connection's service.
func TestGY_032_NonsenseHarmsNobody(t *testing.T) {
	t.Parallel()
	r := randomly(t)
	config := testConfig()
	config.Peers[0].Instances = 1 << 20
	_, address := startServer(t, config, grantAll)
	honest := connect(t, address, "pgw.epc.test")
	seeds := [][]byte{ccr(1, "a"), dwr(2), cer("smf.epc.test"), ccr(3, "b", nested(5), groupOf(456, number(432, 1), groupOf(437)))}
	for round := range 60 {
		attacker := connect(t, address, "smf.epc.test")
		go func() { // what comes back does not matter, but is read
			for {
				if _, err := attacker.tryRead(); err != nil {
					return
				}
			}
		}()
		var flood []byte
		for range 100 {
			flood = append(flood, mutate(r, seeds[r.IntN(len(seeds))])...)
		}
		_, _ = attacker.Write(flood) // the server may hang up in the middle
		honest.send(ccr(uint32(round), "a"))
		wantResult(t, honest.read(), codeSuccess)
		_ = attacker.Close()
	}
}

// GY-050: the order of the AVPs, the padding and the P bit of AVPs tell nothing.
func TestGY_050_OrderPaddingAndPBits(t *testing.T) {
	t.Parallel()
	r := randomly(t)
	_, address := startServer(t, testConfig(), grantAll)
	c := connect(t, address, "smf.epc.test")
	avps := append(ccrAVPs("smf;1;2"), text(avp.UserName, "x"), text(avp.DestinationHost, "ocs1.ocs.test"))
	for i := range avps {
		avps[i] = slices.Clone(avps[i])
		avps[i][4] |= avp.Pbit
		for j := int(uint24(avps[i][5:])); j < len(avps[i]); j++ {
			avps[i][j] = 0xEE // padding
		}
	}
	for i := range uint32(100) {
		r.Shuffle(len(avps)-1, func(a, b int) { avps[1+a], avps[1+b] = avps[1+b], avps[1+a] })
		c.send(message(0xC0, diam.CreditControl, creditControl, i, i, avps...))
		answer := c.read()
		wantResult(t, answer, codeSuccess)
		for a := range answer.avps() {
			if a.flags&^(avp.Vbit|avp.Mbit) != 0 {
				t.Fatalf("flags %x of AVP %d in an answer", a.flags, a.code)
			}
		}
		if !bytes.HasPrefix(answer[headerLength:], text(avp.SessionID, "smf;1;2")) {
			t.Fatalf("% x does not begin with a clean Session-Id", answer[headerLength:])
		}
	}
}

// GY-021: what the engine has when a connection is lost is decided all the same, and its answer is nobody's.
func TestGY_021_LostConnection(t *testing.T) {
	t.Parallel()
	h := newHolder()
	s, address := startServer(t, testConfig(), h)
	c := connect(t, address, "smf.epc.test")
	c.send(ccr(1, "a"))
	h.wait(t, 1)
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for s.isConnected("smf.epc.test") {
		runtime.Gosched()
	}
	h.release()
	c = connect(t, address, "smf.epc.test")
	c.send(ccr(2, "a"))
	h.wait(t, 1)
	h.release()
	if f := c.read(); f.hopByHop() != 2 {
		t.Errorf("got % x, want the answer to the second request", f)
	}
}

func (s *Server) isConnected(host string) bool {
	s.peers.mu.Lock()
	defer s.peers.mu.Unlock()
	return len(s.peers.open[host]) > 0
}

// An idle connection and a served request leave nothing behind.
func TestManyConnectionsLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	s, address := startServer(t, testConfig(), grantAll)
	for i := range 50 {
		host := fmt.Sprintf("smf%d.epc.test", i)
		c := connect(t, address, host)
		c.send(ccr(1, "a"))
		wantResult(t, c.read(), codeSuccess)
		_ = c.Close()
		for s.isConnected(host) {
			runtime.Gosched()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.connections) > 0 || len(s.peers.open) > 0 {
		t.Errorf("%d connections and %d peers are kept", len(s.connections), len(s.peers.open))
	}
}

// BenchmarkServer is what a CCR costs besides its decision: read, check, decode, encode, write, on a loopback socket.
func BenchmarkServer(b *testing.B) {
	s, err := NewServer(testConfig(), engineFunc(func(_ ocs.Request, done func(ocs.Answer)) {
		done(ocs.Answer{Verdict: ocs.Granted})
	}))
	if err != nil {
		b.Fatal(err)
	}
	l, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := new(net.Dialer).DialContext(b.Context(), "tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	answers := make(chan int, 1)
	if _, err := conn.Write(cer("smf.epc.test")); err != nil {
		b.Fatal(err)
	}
	go func() { // counts the octets that come back
		buffer := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buffer)
			if err != nil {
				close(answers)
				return
			}
			answers <- n
		}
	}()
	<-answers
	const window = 100
	requests := bytes.Repeat(ccr(1, "smf.epc.test;1;2"), window)
	size := window * len(answerTo(b, ccr(1, "smf.epc.test;1;2")))
	b.ReportAllocs()
	for b.Loop() { // an iteration is a window of requests
		if _, err := conn.Write(requests); err != nil {
			b.Fatal(err)
		}
		for got := 0; got < size; {
			got += <-answers
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/window, "ns/request")
	_ = conn.Close()
	for range answers {
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_ = s.Shutdown(ended)
	if err := <-served; err != nil {
		b.Fatal(err)
	}
}

// answerTo returns the answer of grantAll to a CCR.
func answerTo(b *testing.B, request []byte) []byte {
	b.Helper()
	p := testDictionary(b)
	m, err := diam.ReadMessage(bytes.NewReader(request), p)
	if err != nil {
		b.Fatal(err)
	}
	c := testConfig()
	r, refused := decodeCCR(m, Peer{})
	if refused != nil {
		b.Fatal(refused)
	}
	id := identity{host: c.OriginHost, realm: c.OriginRealm, stateID: c.OriginStateID}
	return appendCCA(nil, id, m, r, ocs.Answer{Verdict: ocs.Granted})
}
