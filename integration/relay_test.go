package integration

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Switches that reach the server over a relay, freeDiameter, are charged as if there were none: what belongs to them passes, what
// belongs to the way changes, and both ends know the difference (RFC 6733 §6.1, §6.2).
func TestCallsOverARelay(t *testing.T) {
	t.Parallel()
	needPrograms(t, "freeDiameter as a relay", "freeDiameterd")
	s := sharedServer(t)
	behind, before := &tape{}, &tape{}
	r := newRelay(t)
	r.addPeer(t, serverHost, behind.relay(t, s.endpoint.Diameter[0]), "No_TLS;")
	clients := []*client{r.addClient(t, newHost()), r.addClient(t, newHost())}
	r.start(t)
	for _, c := range clients {
		c.accept(t, before)
	}
	s.awaitPeer(t, relayHost)

	proxies := []avp{
		group(proxyInfo, text(proxyHost, "one.test"), octets(proxyState, 1, 2, 3)), group(proxyInfo, text(proxyHost, "two.test"), octets(proxyState, 4)),
	}
	var calls []*call
	var placed sync.WaitGroup
	for i := range 20 {
		c := clients[i%len(clients)].newCall(s.newSubscriber(t, 1000))
		calls = append(calls, c)
		placed.Go(func() {
			wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
			u := c.ccr(typeUpdate, 1, service(100, uses(45), wants(60))).with(proxies...)
			first := c.link.call(u)
			wantGrant(t, first, 100, 60, false)
			sameAnswer(t, first, c.link.call(u.resent()))
			wantCode(t, c.terminate(2, service(100, uses(5))), 2001)
		})
	}
	placed.Wait()
	for _, c := range calls {
		s.wantAccount(t, c.msisdn, 950, 0)
	}
	stranger := clients[0].newCall(newMSISDN())
	wantCode(t, stranger.initial(0, service(100, wants(60))), 5030)
	wantCode(t, stranger.update(1, service(100, wants(60))), 5002)

	wantRouted(t, before.messages(t), behind.messages(t))
	behind.wantClean(t)
}

// wantRouted holds what passed between relay and server against what passed between clients and relay.
func wantRouted(t *testing.T, before, behind []message) {
	t.Helper()
	key := func(m message) string { // survives the relay; a copy has another T bit
		session, _ := m.find(sessionID)
		return fmt.Sprint(session.text(), m.end, m.flags)
	}
	sent, seen := make(map[string]message), 0
	for _, m := range before {
		sent[key(m)] = m
	}
	for _, m := range behind {
		if m.command != cmdCreditControl {
			continue
		}
		original, ok := sent[key(m)]
		if !ok {
			t.Fatalf("nobody sent %v", m)
		}
		seen++
		// freeDiameter puts the Route-Record that RFC 6733 §6.1.9 wants in requests into answers as well, where it does no harm.
		added, host := m.all(routeRecord), original.avps[1]
		if !m.isRequest() {
			added = original.all(routeRecord)
		}
		if len(added) != 1 || m.isRequest() && !bytes.Equal(added[0].data, host.data) {
			t.Errorf("got Route-Records %v, want one of %s", added, host.text())
		}
		same := func(a, b avp) bool { return bytes.Equal(a.encode(), b.encode()) }
		if !slices.EqualFunc(m.without(routeRecord).avps, original.without(routeRecord).avps, same) {
			t.Errorf("one side of the relay has\n%v\nthe other\n%v", m, original)
		}
	}
	if want := 2 * (20*4 + 2); seen != want {
		t.Errorf("%d credit-control messages passed between relay and server, want %d", seen, want)
	}
}

// The same with TLS between relay and server, each with the certificate of its name.
func TestCallsOverARelayWithTLS(t *testing.T) {
	t.Parallel()
	needPrograms(t, "freeDiameter as a relay with TLS", "freeDiameterd")
	trusted, dir := newAuthority(t), dataDir(t)
	s := trusted.secureServer(t, dir, "  - {name: "+relayHost+", security: tls}")
	r := newRelay(t)
	r.authority = trusted
	r.addPeer(t, serverHost, s.secureAddress(t), "")
	client := r.addClient(t, newHost())
	r.start(t)
	client.accept(t, &tape{})
	s.awaitPeer(t, relayHost)
	c := client.newCall(s.newSubscriber(t, 600))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	wantGrant(t, c.update(1, service(100, uses(60), wants(60))), 100, 60, false)
	wantCode(t, c.terminate(2, service(100, uses(7))), 2001)
	s.wantAccount(t, c.msisdn, 533, 0)
}

// A relay stands before two servers that share a database. The one that it uses is killed in the middle of calls: the relay sends what
// was not answered to the other one, with the T bit, and not a second is charged twice or lost.
func TestRelayFailsOverInTheMiddleOfCalls(t *testing.T) {
	t.Parallel()
	needPrograms(t, "the fail-over of freeDiameter", "freeDiameterd")
	db := ownDatabase(t)
	names := []string{serverHost, "ocs2.ocs.test"}
	var servers []*server
	var tapes []*tape
	r := newRelay(t)
	for _, name := range names {
		s, tape := startServer(t, "--database", db.dsn, "--origin-host", name), &tape{}
		r.addPeer(t, name, tape.relay(t, s.endpoint.Diameter[0]), "No_TLS;")
		servers, tapes = append(servers, s), append(tapes, tape)
	}
	client := r.addClient(t, newHost())
	r.start(t)
	client.accept(t, &tape{})
	for _, s := range servers {
		s.awaitPeer(t, relayHost)
	}

	callers := &callers{start: 100_000}
	for range 16 {
		c := &caller{host: client.host, call: client.newCall(servers[0].newSubscriber(t, callers.start))}
		wantGrant(t, c.call.initial(0, service(100, wants(60))), 100, 60, false)
		callers.calls = append(callers.calls, c)
	}
	stop := callers.runOver(func(*caller) *link { return client.link })
	callers.await(t)
	used := 0 // the relay sends all to one of the two
	if len(tapes[1].messages(t)) > len(tapes[0].messages(t)) {
		used = 1
	}
	servers[used].freeze(t) // so that requests are in work when it dies
	eventually(t, patience, func() string {
		if waiting := inWork(tapes[used].messages(t)); waiting == 0 {
			return "nothing is in work at the server that is to be killed"
		}
		return ""
	})
	servers[used].kill()
	callers.await(t)
	stop()
	other := servers[1-used]
	for _, c := range callers.calls {
		for c.seconds > 0 && c.report(callers) {
		}
		wantCode(t, c.call.terminate(c.number+1), 2001)
		other.wantAccount(t, c.call.msisdn, callers.start-c.reported, 0)
	}
	repeated := 0
	for _, m := range tapes[1-used].messages(t) {
		if m.isRequest() && m.flags&flagRetry != 0 {
			repeated++
		}
	}
	if repeated == 0 {
		t.Error("no request came with the T bit: nothing was in work when the server was killed")
	}
	t.Logf("%d updates were answered, %d requests came again with the T bit", callers.answered.Load(), repeated)
	db.wantSound(t, calls)
}

// inWork counts the credit-control requests of a tape that have no answer there.
func inWork(messages []message) (n int) {
	for _, m := range messages {
		switch {
		case m.command != cmdCreditControl:
		case m.isRequest():
			n++
		default:
			n--
		}
	}
	return n
}

const relayHost = "dra.relay.test"

// A relay is a freeDiameter between clients and servers.
type relay struct {
	dir       string
	authority authority
	peers     strings.Builder
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	return &relay{dir: t.TempDir(), authority: newAuthority(t)}
}

// addPeer has the relay connect to a peer. more is further options of ConnectPeer.
func (r *relay) addPeer(t *testing.T, host, address, more string) {
	t.Helper()
	ip, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&r.peers, "ConnectPeer = %q { ConnectTo = %q; Port = %s; %s };\n", host, ip, port, more)
}

// addClient makes a client that waits for the relay.
func (r *relay) addClient(t *testing.T, host string) *client {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() }) //nolint:errcheck // the test is over
	r.addPeer(t, host, listener.Addr().String(), "No_TLS;")
	return &client{host: host, listener: listener}
}

func (r *relay) start(t *testing.T) {
	t.Helper()
	certificate, key := r.authority.issue(t, relayHost)
	writeFile(t, filepath.Join(r.dir, "relay.pem"), string(certificate))
	writeFile(t, filepath.Join(r.dir, "relay.key"), string(key))
	writeFile(t, filepath.Join(r.dir, "ca.pem"), string(r.authority.pem()))
	writeFile(t, filepath.Join(r.dir, "relay.conf"), fill(t, "freediameter/relay.conf", "PEERS", r.peers.String()))
	startProgram(t, r.dir, "freeDiameterd", "-c", "relay.conf")
}

// A client is a switch to which the relay connects.
type client struct {
	*link
	host     string
	listener net.Listener
}

// accept takes the connection of the relay and exchanges capabilities.
func (c *client) accept(t *testing.T, tape *tape) {
	t.Helper()
	conn, err := c.listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.link = newLink(t, tape.listen(conn), c.host)
	c.relayed = true
	cer := c.next()
	if cer.command != cmdCapabilities {
		t.Fatalf("got %v, want a CER", cer)
	}
	c.send(c.answer(cer, 2001, ipv4(hostIPAddress, 127, 0, 0, 1), u32(vendorID, 0), text(productName, "gyro integration test").optional(),
		u32(authApplicationID, appCreditControl)))
}

// relay returns an address of the loopback interface where what comes is passed on to target, and recorded both ways.
func (p *tape) relay(t *testing.T, target string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		ends  []net.Conn
		alive sync.WaitGroup
	)
	alive.Go(func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			to, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", target)
			if err != nil {
				from.Close() //nolint:errcheck // nobody is there
				continue
			}
			mu.Lock()
			ends = append(ends, from, to)
			mu.Unlock()
			noted := p.listen(to)
			alive.Go(func() { pass(noted, from) })
			alive.Go(func() { pass(from, noted) })
		}
	})
	t.Cleanup(func() {
		listener.Close() //nolint:errcheck // the test is over
		mu.Lock()
		for _, end := range ends {
			end.Close() //nolint:errcheck // may be closed already
		}
		mu.Unlock()
		alive.Wait()
	})
	return listener.Addr().String()
}

// pass passes on what comes until either end breaks off.
func pass(to, from net.Conn) {
	io.Copy(to, from) //nolint:errcheck // either end may break it off
	to.Close()        //nolint:errcheck // may be closed already
	from.Close()      //nolint:errcheck // may be closed already
}
