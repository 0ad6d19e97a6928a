package integration

import (
	"flag"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// hostileFull has the floods come in full size, as `make hostile` does. Without it they are as large as a minute allows.
var hostileFull = flag.Bool("hostile-full", false, "floods of full size: 10,000 connections and the like")

// size returns the size of a flood.
func size(full, brief int) int {
	if *hostileFull {
		return full
	}
	return brief
}

// floodAttacks are too much of what is right, too slow, or never finished. While they last, a client that does nothing wrong is served.
func floodAttacks() []attack {
	return []attack{
		{"many watchdogs at once", func(v *victim) {
			l := v.greeted()
			v.wantAll(l, size(20_000, 2_000), func(int) message { return l.dwr() }, 2001)
		}},
		{"many requests for nobody at once", func(v *victim) {
			l := v.greeted()
			v.wantAll(l, size(4_000, 2_000), func(int) message { return l.newCall("491799999999").ccr(typeInitial, 0, service(100, wants(1))) }, 5030)
		}},
		{"many calls of one subscriber at once", func(v *victim) {
			l := v.greeted()
			msisdn := v.newSubscriber(v.t, 100)
			n := size(2_000, 300)
			var pending []<-chan message
			for range n {
				pending = append(pending, l.start(l.newCall(msisdn).ccr(typeInitial, 0, service(100, wants(60)))))
			}
			v.wantNormalCall()
			for _, answer := range answersTo(v.t, pending) {
				if code := answer.resultCode(); code != 2001 && code != 4012 && code != 3002 && code != 5006 {
					v.t.Errorf("got %v", answer)
				}
			}
			if reserved := v.account(v.t, msisdn).Reserved; reserved > 100 {
				v.t.Errorf("%d seconds are reserved, of 100", reserved)
			}
		}},
		{"one request many times", func(v *victim) {
			l := v.greeted()
			c := l.newCall(v.newSubscriber(v.t, 1000))
			wantGrant(v.t, c.initial(0, service(100, wants(60))), 100, 60, false)
			u := c.ccr(typeUpdate, 1, service(100, uses(10), wants(60)))
			v.wantAll(l, size(4_000, 1_000), func(int) message { return u.resent() }, 2001)
			v.wantAccount(v.t, c.msisdn, 990, 60)
		}},
		{"a client that never reads", func(v *victim) {
			conn, err := (&net.Dialer{}).DialContext(v.t.Context(), "tcp", v.plain)
			if err != nil {
				v.t.Fatal(err)
			}
			defer conn.Close() //nolint:errcheck // it is to be cut
			l := &link{t: v.t, host: newHost(), realm: "epc.test"}
			conn.SetWriteDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck // else the write says it
			conn.Write(l.frame(l.cer()))                            //nolint:errcheck // may be cut at any time
			m := l.newCall("491799999999").ccr(typeInitial, 0, service(100, wants(1)))
			for range 500 {
				m.avps = append(m.avps, group(proxyInfo, text(proxyHost, "p.test"), octets(proxyState, 1)))
			}
			sent := 0
			for ; sent < size(20_000, 2_000); sent++ {
				if _, err := conn.Write(l.frame(m)); err != nil {
					break
				}
			}
			v.t.Logf("it said %d requests", sent)
		}},
		{"many connections that say nothing", func(v *victim) {
			v.held(size(10_000, 1_000), func(net.Conn) {})
		}},
		{"many connections with half a CER", func(v *victim) {
			l := &link{t: v.t, host: newHost(), realm: "epc.test"}
			v.held(size(10_000, 500), func(conn net.Conn) { conn.Write(l.frame(l.cer())[:30]) }) //nolint:errcheck // may be cut
		}},
		{"many connections that are half closed", func(v *victim) {
			v.held(size(10_000, 500), func(conn net.Conn) { conn.(*net.TCPConn).CloseWrite() }) //nolint:errcheck // may be cut
		}},
		{"many connections that are reset in the middle of a frame", func(v *victim) {
			l := &link{t: v.t, host: newHost(), realm: "epc.test"}
			for range size(10_000, 500) {
				conn, err := (&net.Dialer{}).DialContext(v.t.Context(), "tcp", v.plain)
				if err != nil {
					v.t.Fatal(err)
				}
				conn.Write(l.frame(l.cer())[:21]) //nolint:errcheck // may be cut
				conn.(*net.TCPConn).SetLinger(0)  //nolint:errcheck // then it is not a reset
				conn.Close()                      //nolint:errcheck // that is the point
			}
		}},
		{"many connections of one host", func(v *victim) {
			host := newHost()
			first := v.connect(v.t, host)
			for range size(500, 50) {
				l := dial(v.t, v.plain, host)
				l.write(l.frame(l.cer()))
				<-l.gone
			}
			first.wantOpen()
		}},
		{"a request octet by octet", func(v *victim) {
			l := v.greeted()
			wantCode(v.t, l.await(message{}, l.octetByOctet(l.frame(v.request(l)))), 2001)
		}},
		{"a hundred requests in one segment, and half of one", func(v *victim) {
			l := v.greeted()
			var all []byte
			var pending []<-chan message
			for range 100 {
				frame := l.frame(v.request(l))
				pending = append(pending, l.expect(frame, message{}))
				all = append(all, frame...)
			}
			last := l.frame(v.request(l))
			l.write(append(all, last[:50]...))
			for _, answer := range answersTo(v.t, pending) {
				wantCode(v.t, answer, 2001)
			}
			answer := l.expect(last, message{})
			l.write(last[50:])
			wantCode(v.t, l.await(message{}, answer), 2001)
		}},
		{"half closed after a request", func(v *victim) {
			l := v.greeted()
			answer := l.start(v.request(l))
			if err := l.conn.(*net.TCPConn).CloseWrite(); err != nil {
				v.t.Fatal(err)
			}
			select { // the answer may come or not: the client has said that it leaves
			case <-answer:
			case <-l.gone:
			case <-time.After(patience):
				v.t.Error("neither an answer nor a close")
			}
		}},
		{"requests after a DPR", func(v *victim) {
			l := v.greeted()
			wantCode(v.t, l.call(l.dpr(0)), 2001)
			for range 20 {
				answer := l.call(v.request(l))
				if code := answer.resultCode(); code != 3002 && code != 3004 {
					v.t.Errorf("got %v, want that it is not taken", answer)
				}
			}
		}},
		{"DPR of a cause that is none", func(v *victim) {
			l := v.greeted()
			wantCode(v.t, l.call(l.dpr(1<<32-1)), 2001)
		}},
		{"many answers that nobody asked for", func(v *victim) {
			l := v.greeted()
			for i := range size(50_000, 5_000) {
				m := message{command: []uint32{cmdReAuth, cmdAbort, cmdCreditControl, cmdWatchdog}[i%4], app: appCreditControl, avps: l.origin()}
				l.write(l.frame(m))
			}
			l.wantOpen()
		}},
		{"mutants", func(v *victim) {
			seed := rand.Uint64()
			v.t.Logf("seed %d", seed)
			v.nonsense(size(1_000_000, 4_000), func(random *rand.Rand, l *link) []byte {
				return mutated(random, v.request(l).encode())
			}, rand.New(rand.NewPCG(seed, 0)))
		}},
		{"noise", func(v *victim) {
			seed := rand.Uint64()
			v.t.Logf("seed %d", seed)
			v.nonsense(size(20_000, 500), func(random *rand.Rand, l *link) []byte {
				frame := make([]byte, 20+4*random.IntN(100))
				for i := range frame {
					frame[i] = byte(random.Uint32())
				}
				copy(frame, l.frame(v.request(l))[:20])
				return mended(frame)
			}, rand.New(rand.NewPCG(seed, 1)))
		}},
		{"bombs of groups", func(v *victim) {
			l := v.greeted()
			tree := u32(ccTime, 1)
			for len(tree.data) < 25_000 { // eleven levels, every group with two of the one below
				tree = group(mscc, tree, tree)
			}
			for range size(500, 50) {
				l.write(l.frame(v.request(l).with(tree)))
			}
			l.wantOpen()
		}},
		{"the largest message that is allowed", func(v *victim) {
			l := v.greeted()
			m := v.request(l)
			room := 65_536 - len(m.encode()) - 8
			wantCode(v.t, l.callBytes(l.frame(m.with(octets(unknownAVP, make([]byte, room)...).optional()))), 2001)
			l.wantOpen()
		}},
		{"one octet more than is allowed", func(v *victim) {
			l := v.greeted()
			m := v.request(l)
			room := 65_536 - len(m.encode()) - 8 + 4
			wantCode(v.t, l.callBytes(l.frame(m.with(octets(unknownAVP, make([]byte, room)...).optional()))), 5015)
			l.wantClosed(patience)
		}},
	}
}

// wantAll sends n requests without waiting and wants as many answers with code, or that the server is busy.
func (v *victim) wantAll(l *link, n int, request func(i int) message, code uint32) {
	v.t.Helper()
	pending := make([]<-chan message, n)
	for i := range n {
		pending[i] = l.start(request(i))
	}
	v.wantNormalCall()
	busy := 0
	for _, answer := range answersTo(v.t, pending) {
		switch got := answer.resultCode(); got {
		case code:
		case 3002, 3004:
			busy++
		default:
			v.t.Fatalf("got %v, want %d", answer, code)
		}
	}
	if busy > 0 {
		v.t.Logf("the server was busy for %d of %d", busy, n)
	}
}

// held opens n connections, has each say something, and holds them while the good client places a call. How many the server takes
// is its affair.
func (v *victim) held(n int, say func(net.Conn)) {
	v.t.Helper()
	var conns []net.Conn
	defer func() {
		for _, conn := range conns {
			conn.Close() //nolint:errcheck // that is all
		}
	}()
	for range n {
		conn, err := (&net.Dialer{Timeout: patience}).DialContext(v.t.Context(), "tcp", v.plain)
		if err != nil {
			v.t.Fatalf("connection %d: %v", len(conns)+1, err)
		}
		conns = append(conns, conn)
		say(conn)
	}
	c := v.good.newCall(v.msisdn)
	wantGrant(v.t, c.initial(0, service(100, wants(60))), 100, 60, false)
	wantCode(v.t, c.terminate(1), 2001)
}

// nonsense sends n frames over eight connections, which are opened again when the server closes them.
func (v *victim) nonsense(n int, frame func(*rand.Rand, *link) []byte, random *rand.Rand) {
	v.t.Helper()
	var all sync.WaitGroup
	for range 8 {
		own := rand.New(rand.NewPCG(random.Uint64(), 0))
		all.Go(func() {
			for left := n / 8; left > 0; {
				l := dial(v.t, v.plain, newHost())
				l.silent.Store(true)
				if !l.accepted() {
					v.t.Error("a new connection was refused")
					return
				}
				for open := true; open && left > 0; left-- {
					l.write(frame(own, l))
					for drained := false; !drained; {
						select {
						case <-l.inbox:
						case <-l.gone:
							open, drained = false, true
						default:
							drained = true
						}
					}
				}
				l.conn.Close() //nolint:errcheck // the next one
			}
		})
	}
	all.Wait()
}
