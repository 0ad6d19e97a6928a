package integration

import (
	"bytes"
	"sync"
	"testing"
)

// docs/spec/gy.md 4.4 and 4.5: basics, and the first interrogation.

func TestGY_051_AnswerIsComplete(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	c := l.newCall(s.newSubscriber(t, 600))
	cca := c.initial(7, service(100, wants(60)))
	wantCode(t, cca, 2001)
	for _, want := range []avp{
		text(sessionID, c.id), text(originHost, serverHost), text(originRealm, serverRealm), u32(authApplicationID, appCreditControl),
		u32(ccRequestType, typeInitial), u32(ccRequestNumber, 7),
	} {
		if got := cca.all(want.code); len(got) != 1 || !bytes.Equal(got[0].data, want.data) {
			t.Errorf("%v: got %v, want once %x", want.code, got, want.data)
		}
	}
}

func TestGY_055_UnknownSubscriber(t *testing.T) {
	t.Parallel()
	l := sharedServer(t).client(t)
	for _, msisdn := range []string{"491799999999", ""} {
		c := l.newCall(msisdn)
		wantCode(t, c.initial(0, service(100, wants(60))), 5030)
		wantCode(t, c.update(1, service(100, uses(10), wants(60))), 5002)
	}
}

func TestGY_061_UnknownSession(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, msisdn := s.client(t), s.newSubscriber(t, 600)
	wantCode(t, l.newCall(msisdn).update(1, service(100, uses(60), wants(60))), 5002)
	wantCode(t, l.newCall(msisdn).terminate(1, service(100, uses(60))), 5002)
	s.wantAccount(t, msisdn, 600, 0)
}

func TestGY_065_InitialReserves(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 600)
	wantGrant(t, s.client(t).newCall(msisdn).initial(0, service(100, wants(60))), 100, 60, false)
	s.wantAccount(t, msisdn, 600, 60)
}

func TestGY_066_GrantIsNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, msisdn := s.client(t), s.newSubscriber(t, 10_000_000)
	wantGrant(t, l.newCall(msisdn).initial(0, service(100, wants(30))), 100, 30, false)

	cca := l.newCall(msisdn).initial(0, service(100, wants(5_000_000)))
	wantCode(t, cca, 2001)
	if g, _ := grantOf(cca, 100); !g.given || g.seconds == 0 || g.seconds >= 5_000_000 || g.final {
		t.Errorf("grant of a request for 5,000,000 s: got %v, want the configured maximum", g)
	}
}

func TestGY_067_DefaultGrant(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l, msisdn := s.client(t), s.newSubscriber(t, 600)
	wantGrant(t, l.newCall(msisdn).initial(0, service(100, wantsAny())), 100, 60, false)
	wantGrant(t, l.newCall(msisdn).initial(0, service(100, wants(0))), 100, 60, false)
}

func TestGY_068_UnitThatTheServiceHasNot(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 600)
	cca := s.client(t).newCall(msisdn).initial(0, service(100, group(requested, u64(ccTotalOctets, 1_000_000))))
	if g, ok := grantOf(cca, 100); !ok || g.code != 5031 || g.given {
		t.Errorf("MSCC: got %v, want 5031, in %v", g, cca)
	}
	if _, ok := cca.find(failedAVP); !ok {
		t.Errorf("no Failed-AVP in %v", cca)
	}
	s.wantAccount(t, msisdn, 600, 0)
}

func TestGY_069_ParallelSessionsShareTheBalance(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 90)
	links := []*link{s.client(t), s.client(t)}
	seconds := make([]uint32, len(links))
	var group sync.WaitGroup
	for i, l := range links {
		group.Go(func() {
			if g, ok := grantOf(<-l.start(l.newCall(msisdn).ccr(typeInitial, 0, service(100, wants(60)))), 100); ok {
				seconds[i] = g.seconds
			}
		})
	}
	group.Wait()
	if sum := seconds[0] + seconds[1]; sum != 90 {
		t.Errorf("two sessions were granted %v of 90 s, want 60 and 30", seconds)
	}
	s.wantAccount(t, msisdn, 90, 90)
}

func TestGY_070_LastGrantIsFinal(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 90)
	wantGrant(t, s.client(t).newCall(msisdn).initial(0, service(100, wants(120))), 100, 90, true)
	s.wantAccount(t, msisdn, 90, 90)
}

func TestGY_071_NothingLeft(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	msisdn := s.newSubscriber(t, 0)
	c := s.client(t).newCall(msisdn)
	cca := c.initial(0, service(100, wants(60)))
	wantCode(t, cca, 4012)
	if g, ok := grantOf(cca, 100); !ok || g.code != 4012 || g.given {
		t.Errorf("MSCC: got %v, want 4012, in %v", g, cca)
	}
	s.wantAccount(t, msisdn, 0, 0)
	wantCode(t, c.update(1, service(100, uses(1), wants(60))), 5002)
}

func TestGY_075_GrantSurvivesAKill(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	msisdn := s.newSubscriber(t, 600)
	host := newHost()
	c := s.connect(t, host).newCall(msisdn)
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 60, false)
	s.kill()
	s.restart(t)
	s.wantAccount(t, msisdn, 600, 60)
	wantGrant(t, c.over(s.connect(t, host)).update(1, service(100, uses(60), wants(60))), 100, 60, false)
	s.wantAccount(t, msisdn, 540, 60)
}
