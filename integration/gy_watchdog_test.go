package integration

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// docs/spec/gy.md 4.2: watchdog and disconnect.

func TestGY_013_WatchdogIsAnswered(t *testing.T) {
	t.Parallel()
	l := sharedServer(t).client(t)
	dwa := l.call(l.dwr())
	wantCode(t, dwa, 2001)
	for _, want := range []avp{text(originHost, serverHost), text(originRealm, serverRealm)} {
		if got, _ := dwa.find(want.code); !bytes.Equal(got.data, want.data) {
			t.Errorf("%v: got %q, want %q", want.code, got.data, want.data)
		}
	}
}

func TestGY_014_WatchdogHasTheSameOriginState(t *testing.T) {
	t.Parallel()
	l := dial(t, sharedServer(t).endpoint.Diameter[0], newHost())
	cea, dwa := l.call(l.cer()), l.call(l.dwr(u32(originStateID, 5)))
	a, inCEA := cea.find(originStateID)
	b, inDWA := dwa.find(originStateID)
	if !inCEA || !inDWA || a.uint32() != b.uint32() {
		t.Errorf("Origin-State-Id: CEA %d (there: %t), DWA %d (there: %t), want the same", a.uint32(), inCEA, b.uint32(), inDWA)
	}
}

// promptly fails unless act comes to its end within a bound of the specification. A machine that does something else may be late
// now and then; a server that is slow is late each time.
func promptly(t *testing.T, what string, within time.Duration, act func()) {
	t.Helper()
	var took []time.Duration
	for range 5 {
		start := time.Now()
		act()
		if took = append(took, time.Since(start)); took[len(took)-1] <= within {
			return
		}
	}
	t.Errorf("%s: took %v, want %v", what, took, within)
}

// Alone, as all tests whose bound is of time.
func TestGY_015_WatchdogPassesRequestsInWork(t *testing.T) {
	db := ownDatabase(t)
	s := startServer(t, "--database", db.dsn)
	msisdn := s.newSubscriber(t, 10_000)
	l := s.client(t)
	c := l.newCall(msisdn)
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)

	release := db.hold(t)
	var answers []<-chan message
	for number := range uint32(100) {
		answers = append(answers, l.start(c.ccr(typeUpdate, number+1, service(100, uses(1), wants(60)))))
	}
	db.awaitBlocked(t)
	promptly(t, "DWA while 100 CCRs are held", 200*time.Millisecond, l.wantOpen)
	for i, answer := range answers {
		select {
		case got := <-answer:
			t.Errorf("request %d was answered %v while its subscriber was locked", i, got)
		default:
		}
	}
	release()
	for _, answer := range answers {
		wantCode(t, l.await(message{}, answer), 2001)
	}
	s.wantAccount(t, msisdn, 9_900, 60)
}

func TestGY_016_ServerAsksASilentPeer(t *testing.T) {
	t.Parallel()
	l := impatientServer(t).client(t)
	connected := time.Now()
	eventually(t, 12*time.Second, func() string {
		if l.watchdogs.Load() == 0 {
			return "no DWR"
		}
		return ""
	})
	if after := time.Since(connected); after < 3500*time.Millisecond || after > 9*time.Second {
		t.Errorf("DWR after %v, want 6 s and 2 s to either side", after)
	}
}

func TestGY_017_SilentPeerIsDropped(t *testing.T) {
	t.Parallel()
	t.Run("silent", func(t *testing.T) {
		t.Parallel()
		l := impatientServer(t).client(t)
		l.silent.Store(true)
		l.inboxCommand(cmdWatchdog)
		asked := time.Now()
		select {
		case <-l.gone:
		case <-time.After(20 * time.Second):
			t.Fatal("not dropped within 20 s")
		}
		if after := time.Since(asked); after < 7*time.Second || after > 17*time.Second {
			t.Errorf("dropped %v after the DWR, want 8 to 16 s", after)
		}
	})
	t.Run("no answer but requests", func(t *testing.T) {
		t.Parallel()
		l := impatientServer(t).client(t)
		l.silent.Store(true)
		tick := time.NewTicker(3 * time.Second)
		defer tick.Stop()
		for range 8 {
			<-tick.C
			wantCode(t, l.newCall("491799999999").initial(0, service(100, wants(60))), 5030)
		}
	})
}

// inboxCommand waits for a request of the server and fails when another comes.
func (l *link) inboxCommand(command uint32) message {
	l.t.Helper()
	m := l.next()
	if m.command != command {
		l.t.Fatalf("got %v, want a request %d", m, command)
	}
	return m
}

func TestGY_018_DisconnectIsAnswered(t *testing.T) {
	t.Parallel()
	l := sharedServer(t).client(t)
	wantCode(t, l.call(l.dpr(0)), 2001)
	l.wantClosed(15 * time.Second)
}

// That no RAR follows a DPR belongs to the issue that builds RAR.
func TestGY_019_RequestsBeforeDisconnectAreAnsweredFirst(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 600)
	l := s.client(t)
	ccr, dpr := l.newCall(msisdn).ccr(typeInitial, 0, service(100, wants(60))), l.dpr(2)
	ccr.hop, ccr.end, dpr.hop, dpr.end = 1, 1, 2, 2
	l.write(slices.Concat(ccr.encode(), dpr.encode()))
	for i, want := range []uint32{cmdCreditControl, cmdDisconnect} {
		got := l.next()
		if got.command != want || got.resultCode() != 2001 {
			t.Errorf("answer %d: got %v, want command %d with 2001", i, got, want)
		}
	}
}

func TestGY_020_ShutdownSaysGoodbye(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	l := s.client(t)
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	dpr := l.inboxCommand(cmdDisconnect)
	if cause, ok := dpr.find(disconnectCause); !ok || cause.uint32() != 0 {
		t.Errorf("Disconnect-Cause: got %d (there: %t), want 0", cause.uint32(), ok)
	}
	select {
	case <-l.gone:
		t.Error("closed before the DPA")
	default:
	}
	l.send(l.answer(dpr, 2001))
	l.wantClosed(5 * time.Second)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestGY_021_LostConnectionEndsNoSession(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 600)
	host := newHost()
	l := s.connect(t, host)
	c := l.newCall(msisdn)
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	l.drop()
	wantGrant(t, c.over(s.connectAgain(t, host)).update(1, service(100, uses(60), wants(60))), 100, 60, false)
	s.wantAccount(t, msisdn, 540, 60)
}

// impatientServer asks a silent peer after six seconds, the shortest time that RFC 3539 allows.
func impatientServer(t *testing.T) *server {
	t.Helper()
	return configured(t, "accept_unknown_peers: true\ndiameter:\n  watchdog: 6s\n")
}
