package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tshark reads everything that a few calls and refusals put on the wire: no malformed packet, no AVP that it does not know, no flag
// that it objects to.
func TestCaptureIsCleanForWireshark(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("NOT TESTED with a foreign decoder: tshark is not installed (make test installs it)")
	}
	s := sharedServer(t)
	tape := &tape{}
	l := connectNoted(t, s.endpoint.Diameter[0], newHost(), tape)
	messages := 2
	say := func(m message) {
		messages += 2
		l.call(m)
	}

	rich, poor, last := l.newCall(s.newSubscriber(t, 600)), l.newCall(s.newSubscriber(t, 0)), l.newCall(s.newSubscriber(t, 40))
	say(l.dwr())
	say(rich.ccr(typeInitial, 0, service(100, wants(60)), service(200, wants(30))))
	u := rich.ccr(typeUpdate, 1, service(100, uses(45), wants(60))).with(group(proxyInfo, text(proxyHost, "dra.test"), octets(proxyState, 7)))
	say(u)
	say(u.resent())
	say(rich.ccr(typeTermination, 2, service(100, uses(5)), u32(terminationCause, 1)))
	say(last.ccr(typeInitial, 0, wants(60)))                                         // at command level, final
	say(poor.ccr(typeInitial, 0, service(100, wants(60))))                           // 4012
	say(poor.ccr(typeUpdate, 1, service(100, uses(1))))                              // 5002
	say(rich.ccr(typeInitial, 9).without(ccRequestNumber))                           // 5005 with Failed-AVP
	say(l.newCall("491799999999").ccr(typeInitial, 0, service(100, wants(60))))      // 5030
	say(rich.ccr(typeInitial, 10).replacing(text(destinationRealm, "nowhere.test"))) // 3003
	event := l.newCall(rich.msisdn)
	event.context = "32274@3gpp.org"
	say(event.ccr(typeEvent, 0, u32(requestedAction, 2), toRecipient("4930123456"))) // balance check
	say(l.dpr(0))

	capture := filepath.Join(t.TempDir(), "calls.pcap")
	tape.write(t, capture)
	read := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "tshark", append([]string{"-n", "-r", capture}, args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("tshark %v: %v\n%s", args, err, errs.Bytes())
		}
		return string(out)
	}
	seen := strings.Fields(strings.ReplaceAll(read("-Y", "diameter", "-T", "fields", "-e", "diameter.cmd.code"), ",", " "))
	if len(seen) != messages {
		t.Errorf("tshark sees %d Diameter messages, want %d", len(seen), messages)
	}
	// Warnings and errors. It warns of an empty group, so none is sent here; an empty Requested-Service-Unit is right all the same.
	if faults := read("-Y", "_ws.malformed || _ws.expert.severity >= 0x600000", "-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message"); faults != "" {
		t.Errorf("tshark objects:\n%s", faults)
	}
	for line := range strings.Lines(read("-V", "-Y", "diameter")) {
		if strings.Contains(line, "Unknown") {
			t.Errorf("tshark does not know: %s", strings.TrimSpace(line))
		}
	}
	if t.Failed() {
		if kept, err := os.CreateTemp("", "gyro-*.pcap"); err == nil { //nolint:usetesting // it is to stay
			kept.Close() //nolint:errcheck // nothing is written yet
			tape.write(t, kept.Name())
			t.Logf("the capture is kept in %s", kept.Name())
		}
	}
}
