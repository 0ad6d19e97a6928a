package integration

import (
	"bytes"
	"context"
	"fmt"
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
	needPrograms(t, "a foreign decoder", "tshark")
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

	if seen := tape.wantClean(t); seen != messages {
		t.Errorf("tshark sees %d Diameter messages, want %d", seen, messages)
	}
}

// wantClean has tshark read everything on the tape: no malformed packet, no AVP that it does not know, no flag that it objects to, in
// what the server has said. What clients say is theirs; some of it is wrong on purpose. It returns how many messages tshark saw in
// both directions. Without tshark it looks at nothing and returns what the tape has.
func (p *tape) wantClean(t *testing.T) (messages int) {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Log("NOT TESTED with a foreign decoder: tshark is not installed (make test installs it)")
		return len(p.messages(t))
	}
	capture := filepath.Join(t.TempDir(), "calls.pcap")
	p.write(t, capture)
	faults, messages, err := readByTshark(context.WithoutCancel(t.Context()), capture)
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) > 0 {
		t.Errorf("tshark objects:\n%s", strings.Join(faults[:min(len(faults), 20)], "\n"))
		if kept, err := os.CreateTemp("", "gyro-*.pcap"); err == nil { //nolint:usetesting // it is to stay
			kept.Close() //nolint:errcheck // nothing is written yet
			p.write(t, kept.Name())
			t.Logf("the capture is kept in %s", kept.Name())
		}
	}
	return messages
}

// readByTshark returns what tshark objects to in what the server said, and how many messages it saw in both directions.
func readByTshark(ctx context.Context, capture string) (faults []string, messages int, err error) {
	read := func(args ...string) string {
		cmd := exec.CommandContext(ctx, "tshark", append([]string{"-n", "-r", capture}, args...)...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, failed := cmd.Output()
		if failed != nil && err == nil {
			err = fmt.Errorf("tshark %v: %w\n%s", args, failed, errs.Bytes())
		}
		return string(out)
	}
	messages = len(strings.Fields(strings.ReplaceAll(read("-Y", "diameter", "-T", "fields", "-e", "diameter.cmd.code"), ",", " ")))
	// Warnings and errors. It warns of an empty group, which an empty Requested-Service-Unit of a client is.
	const fromServer = "tcp.srcport == 3868"
	for line := range strings.Lines(read("-Y", fromServer+" && (_ws.malformed || _ws.expert.severity >= 0x600000)",
		"-T", "fields", "-e", "frame.number", "-e", "_ws.expert.message")) {
		faults = append(faults, strings.TrimSpace(line))
	}
	for line := range strings.Lines(read("-V", "-Y", fromServer+" && diameter")) {
		if strings.Contains(line, "Unknown") {
			faults = append(faults, "it does not know "+strings.TrimSpace(line))
		}
	}
	return faults, messages, err
}
