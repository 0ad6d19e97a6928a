package integration

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// Real telephone calls: SIPp calls SIPp over Kamailio, whose ims_charging asks the server about every call. A call is charged for
// what it lasted, refused when nobody pays for it, and hung up on both sides when the minutes run out.
func TestTelephoneCallsOverKamailio(t *testing.T) {
	t.Parallel()
	needPrograms(t, "telephone calls over Kamailio", "kamailio", "sipp")
	s, tape := sharedServer(t), &tape{}
	x := startExchange(t, s, tape)
	t.Cleanup(func() { tape.wantClean(t) })

	t.Run("hung up when the minutes run out", func(t *testing.T) {
		t.Parallel()
		msisdn := s.newSubscriber(t, 6)
		callee := startCallee(t, "callee.xml")
		began := time.Now()
		x.call(t, msisdn, callee.address, "caller.xml", "END", isHungUp)
		if lasted := time.Since(began); lasted < 5*time.Second {
			t.Errorf("a call with six seconds of credit was over after %v", lasted)
		}
		callee.wantSuccess(t)
		s.awaitRelease(t, msisdn)
		s.wantAccount(t, msisdn, 0, 0)
		if r := s.onlyRecord(t, msisdn); r.Charged != 6 || r.Cause != "termination" || r.OtherParty != dialled {
			t.Errorf("CDR: got %+v, want six seconds charged for a call of %s that was terminated", r, dialled)
		}
	})
	t.Run("charged for as long as it lasts", func(t *testing.T) {
		t.Parallel()
		msisdn := s.newSubscriber(t, 600)
		callee := startCallee(t, "callee.xml")
		x.call(t, msisdn, callee.address, "caller.xml", "END", hangsUp)
		callee.wantSuccess(t)
		s.awaitRelease(t, msisdn)
		r := s.onlyRecord(t, msisdn)
		if r.Used < 5 || r.Used > 15 || r.Charged != r.Used || r.Overrun != 0 {
			t.Errorf("CDR: got %+v, want five seconds or little more used, and as many charged", r)
		}
		s.wantAccount(t, msisdn, 600-r.Charged, 0)
	})
	t.Run("refused without credit", func(t *testing.T) {
		t.Parallel()
		msisdn := s.newSubscriber(t, 0)
		x.call(t, msisdn, nobody, "refused.xml", "STATUS", "402")
		s.wantAccount(t, msisdn, 0, 0)
		if records := s.records(t, msisdn); len(records) != 0 {
			t.Errorf("CDRs: got %+v, want none", records)
		}
	})
	t.Run("refused to a stranger", func(t *testing.T) {
		t.Parallel()
		x.call(t, newMSISDN(), nobody, "refused.xml", "STATUS", "403")
	})
	t.Run("busy costs nothing", func(t *testing.T) {
		t.Parallel()
		msisdn := s.newSubscriber(t, 600)
		callee := startCallee(t, "busy.xml")
		x.call(t, msisdn, callee.address, "refused.xml", "STATUS", "486")
		callee.wantSuccess(t)
		s.awaitRelease(t, msisdn)
		s.wantAccount(t, msisdn, 600, 0)
	})
}

const (
	dialled = "+4930123456"
	nobody  = "127.0.0.1:9" // is not asked: the call is refused before

	// How a call ends, in the words of SIPp. A phone takes a moment to answer a BYE: Kamailio hangs up on the caller and then on the
	// called one, and forgets the second when the first has answered meanwhile.
	isHungUp = `<recv request="BYE"/>
  <pause milliseconds="200"/>
  <send>
    <![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]>
  </send>`
	hangsUp = `<pause milliseconds="5000"/>
  <send retrans="500">
    <![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[routes]
From: <sip:[field0]@ims.test>;tag=[pid]caller[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]>
  </send>
  <recv response="200"/>`
)

// An exchange is a Kamailio that asks a server about every call.
type exchange struct{ address string }

// startExchange starts it and waits until it is connected. It asks for four seconds at a time, so that a call of a few seconds has
// every kind of request in it.
func startExchange(t *testing.T, s *server, tape *tape) *exchange {
	t.Helper()
	ocs, port, err := net.SplitHostPort(tape.relay(t, s.endpoint.Diameter[0]))
	if err != nil {
		t.Fatal(err)
	}
	dir, sip := t.TempDir(), freePort(t, "udp")
	diameter := filepath.Join(dir, "diameter.xml")
	writeFile(t, diameter, fill(t, "kamailio/diameter.xml", "OCS", ocs, "PORT", port, "REALM", serverRealm))
	config := filepath.Join(dir, "kamailio.cfg")
	writeFile(t, config, fill(t, "kamailio/kamailio.cfg", "OCS", ocs, "REALM", serverRealm, "SIP", sip, "QUOTA", "4", "DIAMETER", diameter))
	startProgram(t, dir, "kamailio", "-f", config, "-DD", "-E", "-m", "32", "-M", "4", "-Y", dir)
	s.awaitPeer(t, "kamailio.ims.test")
	return &exchange{address: "127.0.0.1:" + sip}
}

// call has msisdn call a number that is at callee. The caller follows a scenario, in which pairs are put, and has to come to its end.
func (x *exchange) call(t *testing.T, msisdn, callee, scenario string, pairs ...string) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "caller.xml"), fill(t, "kamailio/"+scenario, pairs...))
	writeFile(t, filepath.Join(dir, "calls.csv"), fmt.Sprintf("SEQUENTIAL\n+%s;%s;%s\n", msisdn, dialled, callee))
	p := startProgram(t, dir, "sipp", x.address, "-sf", "caller.xml", "-inf", "calls.csv", "-i", "127.0.0.1", "-p", freePort(t, "udp"),
		"-m", "1", "-nostdin", "-trace_err", "-error_file", "errors.txt")
	if code := p.await(t, time.Minute); code != 0 {
		t.Errorf("the caller ended with status %d:\n%s", code, fill(t, filepath.Join(dir, "errors.txt")))
	}
}

// A phone is a SIPp that is called once.
type phone struct {
	*program
	address string
}

func startCallee(t *testing.T, scenario string) *phone {
	t.Helper()
	path, err := filepath.Abs("kamailio/" + scenario)
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t, "udp")
	return &phone{
		program: startProgram(t, t.TempDir(), "sipp", "-sf", path, "-i", "127.0.0.1", "-p", port, "-m", "1", "-nostdin"),
		address: "127.0.0.1:" + port,
	}
}

// wantSuccess fails unless the phone has seen the call through to the end of its scenario.
func (p *phone) wantSuccess(t *testing.T) {
	t.Helper()
	if code := p.await(t, patience); code != 0 {
		t.Errorf("the phone that was called ended with status %d", code)
	}
}
