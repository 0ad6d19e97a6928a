package integration

import (
	"testing"
	"time"
)

// docs/spec/gy.md 4.14: re-authorisation and abort.

// summoned returns the next RAR or ASR that comes, which must be for this session.
func (c *call) summoned(command uint32) message {
	c.link.t.Helper()
	m := c.link.next()
	if id, _ := m.find(sessionID); m.command != command || !m.isRequest() || id.text() != c.id {
		c.link.t.Fatalf("got %v, want command %d for session %s", m, command, c.id)
	}
	return m
}

// summonses returns how many requests to the client of a session are under way.
func (s *server) summonses(t *testing.T, id string) int {
	t.Helper()
	var shown struct{ Summonses []struct{ Request string } }
	s.gyroJSON(t, &shown, "session", "show", id)
	return len(shown.Summonses)
}

// wantNothing fails when something comes before the server has answered twice more: what it does at once has happened by then.
func (l *link) wantNothing() {
	l.t.Helper()
	l.wantOpen()
	l.wantOpen()
	select {
	case m := <-l.inbox:
		l.t.Errorf("got %v, want nothing", m)
	default:
	}
}

func TestGY_153_TopUpInTheFinalUnitSendsRAR(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 30))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 30, true)
	s.gyro(t, "bucket", "grant", c.msisdn, "--seconds", "600")
	rar := c.summoned(cmdReAuth)
	if rar.flags != flagRequest|flagProxy || rar.app != appCreditControl || rar.avps[0].code != sessionID {
		t.Errorf("RAR: got flags %02x, application %d, first AVP %v, in %v", rar.flags, rar.app, rar.avps[0].code, rar)
	}
	for code, want := range map[avpCode]string{
		originHost: serverHost, originRealm: serverRealm, destinationHost: c.link.host, destinationRealm: c.link.realm,
	} {
		if got := rar.all(code); len(got) != 1 || got[0].text() != want {
			t.Errorf("RAR: got %v, want %v once, %q", got, code, want)
		}
	}
	application, _ := rar.find(authApplicationID)
	if kind, ok := rar.find(reAuthRequestType); !ok || kind.uint32() != 0 || application.uint32() != appCreditControl {
		t.Errorf("RAR: got Re-Auth-Request-Type %v, Auth-Application-Id %v, want 0 and 4, in %v", kind, application, rar)
	}
	for _, selector := range []avpCode{ratingGroup, serviceID, poolID} {
		if got := rar.all(selector); len(got) > 0 {
			t.Errorf("RAR: got %v, want none: it is about the whole session", got)
		}
	}
	c.link.send(c.link.answer(rar, 2002))
	wantGrant(t, c.update(1, service(100, reason(reasonForced), uses(10), wants(60))), 100, 60, false)
	s.wantAccount(t, c.msisdn, 620, 60)
	c.link.wantNothing()
}

func TestGY_154_SelectorsOfRAR(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60)), service(200, wants(60))), 2001)
	s.gyro(t, "session", "reauth", c.id, "--rating-group", "200")
	rar := c.summoned(cmdReAuth)
	if got := rar.all(ratingGroup); len(got) != 1 || got[0].uint32() != 200 || len(rar.all(serviceID)) != 0 {
		t.Errorf("RAR: got Rating-Groups %v, want 200 alone, in %v", got, rar)
	}
	c.link.send(c.link.answer(rar, 2001))
	wantGrant(t, c.update(1, service(200, reason(reasonForced), uses(10), wants(60))), 200, 60, false)
	s.gyro(t, "session", "reauth", c.id)
	if rar = c.summoned(cmdReAuth); len(rar.all(ratingGroup)) != 0 {
		t.Errorf("RAR: got %v, want no Rating-Group", rar)
	}
}

// A client behind a relay is reached through it, and named in Destination-Host.
func TestGY_155_RARGoesThroughTheRelay(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	relay := s.client(t)
	c := relay.newCall(s.newSubscriber(t, 600))
	behind := "tas1.ims.test"
	initial := c.ccr(typeInitial, 0, service(100, wants(60))).replacing(text(originHost, behind)).replacing(text(originRealm, "ims.test"))
	wantCode(t, relay.call(initial), 2001)
	s.gyro(t, "session", "reauth", c.id)
	rar := c.summoned(cmdReAuth)
	host, _ := rar.find(destinationHost)
	if realm, _ := rar.find(destinationRealm); host.text() != behind || realm.text() != "ims.test" {
		t.Errorf("RAR: got destination %q %q, want %q, in %v", host.text(), realm.text(), behind, rar)
	}
}

// When neither the client nor the relay of its last request is there, an agent that is configured for the realm is.
func TestGY_155_RARGoesThroughAnAgentOfTheRealm(t *testing.T) {
	t.Parallel()
	s := configured(t, `
peers:
  - {name: "*.epc.test", security: none}
  - {name: dra1.agents.test, security: none, realms: [EPC.test]}
`)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	agent, stranger := s.connect(t, "dra1.agents.test"), s.client(t)
	c.link.drop()
	s.gyro(t, "session", "reauth", c.id)
	rar := c.over(agent).summoned(cmdReAuth)
	if host, _ := rar.find(destinationHost); host.text() != c.link.host {
		t.Errorf("RAR: got Destination-Host %q, want %q", host.text(), c.link.host)
	}
	stranger.wantNothing()
}

func TestGY_156_AnswersToRARAreNotAskedAgain(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	promised, done, crossed := l.newCall(s.newSubscriber(t, 600)), l.newCall(s.newSubscriber(t, 600)), l.newCall(s.newSubscriber(t, 600))
	for _, c := range []*call{promised, done, crossed} {
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
		s.gyro(t, "session", "reauth", c.id)
		rar := c.summoned(cmdReAuth)
		switch c {
		case promised:
			l.send(l.answer(rar, 2002))
		case done:
			l.send(l.answer(rar, 2001))
		}
		wantGrant(t, c.update(1, service(100, reason(reasonForced), uses(10), wants(60))), 100, 60, false)
	}
	// A copy would come ten seconds later. What shows that these are over is one that is not.
	waiting := l.newCall(s.newSubscriber(t, 600))
	wantCode(t, waiting.initial(0, service(100, wants(60))), 2001)
	s.gyro(t, "session", "reauth", waiting.id)
	waiting.summoned(cmdReAuth)
	waiting.summoned(cmdReAuth)
	l.wantNothing()
}

// A client that says that it comes, and does not, is asked once more.
func TestGY_156_PromiseThatIsNotKept(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	s.gyro(t, "session", "reauth", c.id)
	first := c.summoned(cmdReAuth)
	c.link.send(c.link.answer(first, 2002))
	second := c.summoned(cmdReAuth)
	if second.end == first.end || second.flags&flagRetry != 0 {
		t.Errorf("second RAR: got End-to-End id %08x and flags %02x, want a request of its own", second.end, second.flags)
	}
}

func TestGY_157_SilentClientIsAskedThreeTimes(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	s.gyro(t, "session", "reauth", c.id)
	var rars []message
	began := time.Now()
	for range 3 {
		rars = append(rars, c.summoned(cmdReAuth))
	}
	if took := time.Since(began); took < 18*time.Second {
		t.Errorf("three RARs within %v, want 10 s between them", took)
	}
	for i, rar := range rars {
		if retry := rar.flags&flagRetry != 0; rar.end != rars[0].end || retry != (i > 0) || i > 0 && rar.hop == rars[0].hop {
			t.Errorf("RAR %d: got ids %08x %08x, T %t; want the End-to-End id %08x, and T but on the first", i, rar.hop, rar.end, retry, rars[0].end)
		}
	}
	eventually(t, patience, func() string { // then it is given up
		if left := s.summonses(t, c.id); left > 0 {
			return "still being asked"
		}
		return ""
	})
	c.link.wantNothing()
}

func TestGY_158_ClientThatHasNoSuchSession(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	aborted, asked := l.newCall(s.newSubscriber(t, 600)), l.newCall(s.newSubscriber(t, 600))
	for _, c := range []*call{aborted, asked} {
		wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	}
	s.gyro(t, "session", "abort", aborted.id)
	l.send(l.answer(aborted.summoned(cmdAbort), 5002))
	began := time.Now()
	s.gyro(t, "session", "reauth", asked.id)
	l.send(l.answer(asked.summoned(cmdReAuth), 5002))
	s.awaitRelease(t, aborted.msisdn)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("an aborted session that its client does not know was released after %v, want at once", took)
	}
	if record := s.onlyRecord(t, aborted.msisdn); record.Cause != "unknown to its client" {
		t.Errorf("CDR: got %+v, want cause unknown to its client", record)
	}
	if testing.Short() {
		t.Skip("a minute is not waited for")
	}
	s.awaitRelease(t, asked.msisdn)
	if took := time.Since(began); took < 55*time.Second {
		t.Errorf("released after %v, want 60 s: a CCR may be on its way", took)
	}
}

func TestGY_159_ClosedAccountSendsASR(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	s.gyro(t, "subscriber", "close", c.msisdn, "--reason", "left")
	asr := c.summoned(cmdAbort)
	if host, _ := asr.find(destinationHost); asr.flags != flagRequest|flagProxy || host.text() != c.link.host || len(asr.all(reAuthRequestType)) != 0 {
		t.Errorf("ASR: got %v, want P, the client's Destination-Host, no Re-Auth-Request-Type", asr)
	}
	c.link.send(c.link.answer(asr, 2001))
	wantCode(t, c.terminate(1, service(100, uses(33)), u32(terminationCause, 4)), 2001)
	s.wantAccount(t, c.msisdn, 0, 0) // closing posted out what was left; the usage stands in the CDR as overrun
}

// A subscriber who is blocked is asked about at once, and not when the quota runs out.
func TestGY_159_BlockedAccountSendsRAR(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	s.gyro(t, "subscriber", "block", c.msisdn)
	c.link.send(c.link.answer(c.summoned(cmdReAuth), 2002))
	wantCode(t, c.update(1, service(100, reason(reasonForced), uses(10), wants(60))), 4010)
	s.wantAccount(t, c.msisdn, 590, 0)
}

func TestGY_160_TopUpAsksOnlyThoseThatWait(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	msisdn := s.newSubscriber(t, 90)
	plenty, final := l.newCall(msisdn), l.newCall(msisdn)
	wantGrant(t, plenty.initial(0, service(100, wants(60))), 100, 60, false)
	wantGrant(t, final.initial(0, service(100, wants(60))), 100, 30, true)
	other := l.newCall(s.newSubscriber(t, 10))
	wantGrant(t, other.initial(0, service(100, wants(60))), 100, 10, true)
	s.gyro(t, "bucket", "grant", msisdn, "--seconds", "600")
	l.send(l.answer(final.summoned(cmdReAuth), 2001))
	l.wantNothing()
}

// Minutes that another subscriber sends are a top-up too.
func TestGY_160_TransferAsks(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--transfer-policy", boundlessPolicy(t))
	ann, ben := s.newSubscriber(t, 6000), s.newSubscriber(t, 30)
	c := s.client(t).newCall(ben)
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 30, true)
	s.gyro(t, "transfer", "send", "--id", "gy160", "--from", ann, "--to", ben, "--minutes", "10")
	c.link.send(c.link.answer(c.summoned(cmdReAuth), 2002))
	wantGrant(t, c.update(1, service(100, reason(reasonForced), uses(30), wants(60))), 100, 60, false)
}

func TestGY_019_NoRequestAfterDPR(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	c := s.client(t).newCall(s.newSubscriber(t, 600))
	wantCode(t, c.initial(0, service(100, wants(60))), 2001)
	wantCode(t, c.link.call(c.link.dpr(0)), 2001)
	s.gyro(t, "session", "reauth", c.id)
	c.link.wantClosed(patience) // and nothing before
	back := s.connectAgain(t, c.link.host)
	c.over(back).summoned(cmdReAuth)
}

// Two servers share a database. The one that has the connection of the client is killed; the client goes over to the other, and is called
// back there, with the same End-to-End id and the T bit when it had been asked before.
func TestGY_155_RARComesFromTheServerThatHasTheConnection(t *testing.T) {
	t.Parallel()
	db := ownDatabase(t)
	first := startServer(t, "--database", db.dsn)
	second := startServer(t, "--database", db.dsn, "--origin-host", "ocs2.ocs.test")
	host := newHost()
	c := first.connect(t, host).newCall(second.newSubscriber(t, 30))
	wantGrant(t, c.initial(0, service(100, wants(60))), 100, 30, true)

	second.gyro(t, "bucket", "grant", c.msisdn, "--seconds", "600")
	asked := c.summoned(cmdReAuth) // the first server sends what the second was told of
	if from, _ := asked.find(originHost); from.text() != serverHost {
		t.Errorf("RAR: got Origin-Host %q, want %q", from.text(), serverHost)
	}
	first.kill()
	moved := c.over(second.connect(t, host))
	again := moved.summoned(cmdReAuth)
	if from, _ := again.find(originHost); from.text() != "ocs2.ocs.test" || again.end != asked.end || again.flags&flagRetry == 0 {
		t.Errorf("RAR over the other server: got %v, want ocs2.ocs.test, End-to-End id %08x and T", again, asked.end)
	}
	moved.link.send(moved.link.answer(again, 2002))
	wantGrant(t, moved.update(1, service(100, reason(reasonForced), uses(30), wants(60))), 100, 60, false)
	second.gyro(t, "subscriber", "close", c.msisdn, "--reason", "left")
	moved.link.send(moved.link.answer(moved.summoned(cmdAbort), 2001))
	wantCode(t, moved.terminate(2, service(100, uses(60))), 2001)
	second.wantAccount(t, c.msisdn, 0, 0) // closing posted out what was left
}
