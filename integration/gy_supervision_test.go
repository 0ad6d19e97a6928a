package integration

import (
	"fmt"
	"testing"
	"time"
)

// docs/spec/gy.md 4.9: supervision and restart. Here the real timers run, with a Validity-Time of seconds instead of minutes. That
// Tcc is exactly twice the longest Validity-Time, to the second, and that usage after hours or days is still taken, are scenarios
// of package ocs, which is told the time.

// shortValidity is the configuration of a server whose voice grants are valid for two seconds: Tcc is four.
const shortValidity = `
accept_unknown_peers: true
services:
  32260@3gpp.org:
    validity: 2s
`

func TestGY_106_SilentSessionIsClosed(t *testing.T) {
	t.Parallel()
	s := configured(t, shortValidity)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	cca := c.initial(0, service(100, wants(60)))
	if g, _ := grantOf(cca, 100); g.validity != 2 {
		t.Fatalf("got %v, want a Validity-Time of 2 s", g)
	}
	began := time.Now()
	s.awaitRelease(t, c.msisdn)
	if after := time.Since(began); after < 3*time.Second {
		t.Errorf("closed after %v, want 4 s", after)
	}
	if record := s.onlyRecord(t, c.msisdn); record.Cause != "supervision" || record.Charged != 0 {
		t.Errorf("CDR: got %+v, want cause supervision and nothing charged", record)
	}
	s.wantAccount(t, c.msisdn, 600, 0)
}

// awaitRelease waits for the supervision of the server to give back what the sessions of a subscriber hold.
func (s *server) awaitRelease(t *testing.T, msisdn string) {
	t.Helper()
	eventually(t, 90*time.Second, func() string {
		if got := s.account(t, msisdn).Reserved; got != 0 {
			return fmt.Sprintf("reserved %d, want 0", got)
		}
		return ""
	})
}

func TestGY_107_SupervisionStartsAgainAndSurvives(t *testing.T) {
	t.Parallel()
	t.Run("updates", func(t *testing.T) {
		t.Parallel()
		s := configured(t, shortValidity)
		c := s.client(t).newCall(s.newSubscriber(t, 600))
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for number := uint32(1); number <= 5; number++ { // ten seconds in all
			<-tick.C
			wantGrant(t, c.update(number, service(100, uses(1), wants(60))), 100, 60, false)
		}
	})
	t.Run("restart", func(t *testing.T) {
		t.Parallel()
		s := configured(t, shortValidity)
		c := s.client(t).newCall(s.newSubscriber(t, 600))
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		s.kill()
		s.restart(t)
		s.awaitRelease(t, c.msisdn)
		s.onlyRecord(t, c.msisdn)
	})
}

func TestGY_108_UsageAfterSupervision(t *testing.T) {
	t.Parallel()
	s := configured(t, shortValidity)
	l := s.client(t)
	ended, updated := l.newCall(s.newSubscriber(t, 600)), l.newCall(s.newSubscriber(t, 600))
	for _, c := range []*call{ended, updated} {
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	}
	for _, c := range []*call{ended, updated} {
		s.awaitRelease(t, c.msisdn)
	}
	wantCode(t, ended.terminate(1, service(100, uses(50))), 2001)
	s.wantAccount(t, ended.msisdn, 550, 0)
	wantCode(t, updated.update(1, service(100, uses(50), wants(60))), 5002)
	s.wantAccount(t, updated.msisdn, 550, 0)
}

func TestGY_109_RestartedClientReleasesItsSessions(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	host := newHost()
	l := dial(t, s.endpoint.Diameter[0], host)
	wantCode(t, l.call(l.cer(u32(originStateID, 5))), 2001)
	old := l.newCall(s.newSubscriber(t, 600))
	wantCode(t, old.initial(0, u32(originStateID, 5), service(100, wants(60))), 2001)
	foreign := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, foreign.initial(0, u32(originStateID, 5), service(100, wants(60))), 2001)

	l.drop()
	again := s.restarted(t, host, 6)
	fresh := again.newCall(s.newSubscriber(t, 600))
	wantCode(t, fresh.initial(0, u32(originStateID, 6), service(100, wants(60))), 2001)

	s.awaitRelease(t, old.msisdn)
	s.wantAccount(t, old.msisdn, 600, 0)
	s.wantAccount(t, foreign.msisdn, 600, 60)
	s.wantAccount(t, fresh.msisdn, 600, 60)
	if record := s.onlyRecord(t, old.msisdn); record.Cause != "client restart" {
		t.Errorf("CDR: got %+v, want cause client restart", record)
	}
}

// restarted connects a client with an Origin-State-Id, as soon as the server has noticed that its last connection is gone.
func (s *server) restarted(t *testing.T, host string, state uint32) *link {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		l := dial(t, s.endpoint.Diameter[0], host)
		select {
		case cea := <-l.start(l.cer(u32(originStateID, state))):
			if cea.resultCode() == 2001 {
				return l
			}
		case <-l.gone:
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s could not come back", host)
		}
	}
}

func TestGY_110_OtherOriginStatesReleaseNothing(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	begin := func() (host string, l *link, c *call) {
		host = newHost()
		l = dial(t, s.endpoint.Diameter[0], host)
		wantCode(t, l.call(l.cer(u32(originStateID, 5))), 2001)
		c = l.newCall(s.newSubscriber(t, 600))
		wantCode(t, c.initial(0, u32(originStateID, 5), service(100, wants(60))), 2001)
		return host, l, c
	}
	host, l, kept := begin()
	for _, state := range []uint32{0, 4} {
		l.drop()
		l = s.restarted(t, host, state)
	}
	l.drop()
	l = s.connectAgain(t, host) // without one

	// What must not happen has no event to wait for, so a client that really restarts later shows that the time for it is over.
	host, other, released := begin()
	other.drop()
	s.restarted(t, host, 6)
	s.awaitRelease(t, released.msisdn)

	s.wantAccount(t, kept.msisdn, 600, 60)
	wantGrant(t, kept.over(l).update(1, service(100, uses(10), wants(60))), 100, 60, false)
	s.wantAccount(t, kept.msisdn, 590, 60)
}

func TestGY_111_OwnOriginStateStays(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	var states []uint32
	for range 2 {
		l := dial(t, s.endpoint.Diameter[0], newHost())
		state, _ := l.call(l.cer()).find(originStateID)
		states = append(states, state.uint32())
		s.kill()
		s.restart(t)
	}
	if states[0] == 0 || states[0] != states[1] {
		t.Errorf("Origin-State-Id before and after a restart: got %v, want the same and not 0", states)
	}
}

// One value stands for the session state, and servers that share a database share the state.
func TestGY_111_ServersOfOneDatabaseHaveOneOriginState(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	var states []uint32
	for _, host := range []string{serverHost, "ocs2.ocs.test"} {
		s := startServer(t, "--database", db.dsn, "--origin-host", host)
		l := dial(t, s.endpoint.Diameter[0], newHost())
		state, _ := l.call(l.cer()).find(originStateID)
		states = append(states, state.uint32())
		started := time.Now().Unix()
		eventually(t, patience, func() string { // the next one must not have the same value only for starting in the same second
			if time.Now().Unix() == started {
				return "the same second"
			}
			return ""
		})
	}
	if states[0] == 0 || states[0] != states[1] {
		t.Errorf("Origin-State-Ids of two servers on one database: got %v, want the same and not 0", states)
	}
}
