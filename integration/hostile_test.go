package integration

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// A client that means harm. Each case below sends octets that no right client sends, and after each of them a normal call still works,
// on a connection that was there before all of them and on a new one. What the standard says about a case is looked at too: which
// answer comes, and whether the connection stays.
//
// The cases are tables: of first words (hostile_greeting_test.go), headers (hostile_header_test.go), AVPs (hostile_avp_test.go), values
// (hostile_value_test.go) and floods (hostile_flood_test.go).

// An attack is one case.
type attack struct {
	name string
	do   func(v *victim)
}

// A victim is the server under attack.
type victim struct {
	t *testing.T // of the case
	*server
	msisdn string // of a subscriber with time enough
	good   *link  // of a client that does nothing wrong
	plain  string // where the server listens
}

func TestHostileClients(t *testing.T) {
	t.Parallel()
	v := &victim{t: t, server: startServer(t)}
	v.msisdn, v.plain = v.newSubscriber(t, 100_000_000), v.endpoint.Diameter[0]
	v.good = v.client(t)
	seen := make(map[string]bool)
	run := func(attacks []attack) {
		for _, a := range attacks {
			if seen[a.name] {
				t.Errorf("two cases are called %q", a.name)
			}
			seen[a.name] = true
			passed := t.Run(a.name, func(t *testing.T) {
				own := *v
				own.t = t
				a.do(&own)
				own.wantNormalCall()
			})
			if !passed && t.Context().Err() != nil {
				return
			}
		}
	}
	v.wantNormalCall()
	before := residentBytes(t, v.server)
	run(greetingAttacks())
	run(headerAttacks())
	run(avpAttacks())
	run(valueAttacks())
	run(floodAttacks())
	if len(seen) < 150 {
		t.Errorf("%d cases, want at least 150", len(seen))
	}
	grown := (residentBytes(t, v.server) - before) >> 20
	t.Logf("%d cases; the server grew by %d MiB", len(seen), grown)
	if grown > 400 { // a flood may wait to be decided, within the bounds of the server; the heap keeps its pages for a while
		t.Errorf("the server grew by %d MiB", grown)
	}
	v.wantSound(t)
}

// wantNormalCall places a call on the good connection and another on a new one.
func (v *victim) wantNormalCall() {
	v.t.Helper()
	fresh := dial(v.t, v.plain, newHost())
	wantCode(v.t, fresh.call(fresh.cer()), 2001)
	for _, l := range []*link{v.good, fresh} {
		c := l.newCall(v.msisdn)
		wantGrant(v.t, c.initial(0, service(100, wants(60))), 100, 60, false)
		wantCode(v.t, c.terminate(1, service(100, uses(1))), 2001)
	}
	fresh.conn.Close() //nolint:errcheck // that is all
}

// raw opens a connection and says nothing yet. Its link reads whatever comes.
func (v *victim) raw() *link {
	v.t.Helper()
	return dial(v.t, v.plain, newHost())
}

// greeted opens a connection that has exchanged capabilities.
func (v *victim) greeted() *link {
	v.t.Helper()
	l := v.raw()
	wantCode(v.t, l.call(l.cer()), 2001)
	return l
}

// request returns a right CCR-I of a call of the victim's subscriber, to be spoilt.
func (v *victim) request(l *link) message {
	return l.newCall(v.msisdn).ccr(typeInitial, 0, service(100, wants(60)))
}

// frame encodes m under ids of its own.
func (l *link) frame(m message) []byte {
	m.hop, m.end = l.hop.Add(1), l.end.Add(1)
	return m.encode()
}

// mended returns a frame whose Message Length is what it has.
func mended(frame []byte) []byte {
	binary.BigEndian.PutUint32(frame, uint32(frame[0])<<24|uint32(len(frame)))
	return frame
}

// What becomes of a frame that a greeted client sends.

// answeredWith: one answer with code, and the connection stays.
func answeredWith(name string, code uint32, make func(l *link, v *victim) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.greeted()
		wantCode(v.t, l.callBytes(make(l, v)), code)
		l.wantOpen()
	}}
}

// closedAfter: one answer with code, then the connection is closed.
func closedAfter(name string, code uint32, make func(l *link, v *victim) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.greeted()
		wantCode(v.t, l.callBytes(make(l, v)), code)
		l.wantClosed(patience)
	}}
}

// unanswered: nothing comes, and the connection stays.
func unanswered(name string, make func(l *link, v *victim) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.greeted()
		l.write(make(l, v))
		l.wantOpen() // its DWA comes after whatever was answered before
		select {
		case m := <-l.inbox:
			v.t.Errorf("got %v, want no answer", m)
		default:
		}
	}}
}

// survived: whatever comes is well-formed, and the server lives.
func survived(name string, make func(l *link, v *victim) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.greeted()
		l.silent.Store(true)
		l.write(make(l, v))
		l.send(l.dwr())
		l.drain()
	}}
}

// drain waits until the server has said something or closed the connection, and holds what it said against the rules for all answers.
func (l *link) drain() {
	l.t.Helper()
	for {
		select {
		case m := <-l.inbox:
			if m.isRequest() {
				continue
			}
			for _, fault := range faultsOf(message{}, m) {
				l.t.Errorf("%s\nin %v", fault, m)
			}
			if m.command == cmdWatchdog {
				return
			}
		case <-l.gone:
			if l.err != nil && !isEnd(l.err) {
				l.t.Errorf("the server sent what is no Diameter: %v", l.err)
			}
			return
		case <-time.After(patience):
			l.t.Errorf("neither an answer nor a close within %v", patience)
			return
		}
	}
}

// rejected: before the exchange of capabilities: closed without a word.
func rejected(name string, octets func(l *link) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.raw()
		l.write(octets(l))
		l.wantClosed(patience)
	}}
}

// refusedCER: the CER is answered with code and the connection closed.
func refusedCER(name string, code uint32, make func(l *link) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.raw()
		wantCode(v.t, l.callBytes(make(l)), code)
		l.wantClosed(patience)
	}}
}

// halfSaid: a part of something, and then nothing more while others go on; then the end.
func halfSaid(name string, greeted bool, octets func(l *link, v *victim) []byte) attack {
	return attack{name, func(v *victim) {
		l := v.raw()
		if greeted {
			wantCode(v.t, l.call(l.cer()), 2001)
		}
		l.write(octets(l, v))
		v.wantNormalCall()
		l.drop()
	}}
}

func isEnd(err error) bool {
	if err == io.EOF || err == io.ErrUnexpectedEOF { //nolint:errorlint // as they come
		return true
	}
	_, network := err.(*net.OpError) //nolint:errorlint // as it comes
	return network
}

// every makes one case for each value.
func every[T any](format string, values []T, make func(name string, value T) attack) []attack {
	var all []attack
	for _, value := range values {
		all = append(all, make(fmt.Sprintf(format, value), value))
	}
	return all
}

// together puts tables together.
func together(tables ...[]attack) []attack { return slices.Concat(tables...) }
