package integration

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// gyro trace shows a call in words as it happens, that of nobody else, and nothing that tells who somebody is. Who looked on is in the
// audit log.
func TestTraceTellsACallAsItHappens(t *testing.T) {
	t.Parallel()
	s := sharedServer(t)
	l := s.client(t)
	traced, other := l.newCall(s.newSubscriber(t, 10_000)), l.newCall(s.newSubscriber(t, 10_000))
	wantGrant(t, traced.initial(0, service(100, wants(60))), 100, 60, false)
	wantGrant(t, other.initial(0, service(100, wants(60))), 100, 60, false)

	binary, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	bySubscriber := startProgram(t, t.TempDir(), binary, "trace", traced.msisdn, "--data-dir", s.dir)
	bySession := startProgram(t, t.TempDir(), binary, "trace", traced.id, "--data-dir", s.dir)
	number := uint32(0)
	eventually(t, patience, func() string { // until both look on
		number++
		wantGrant(t, traced.update(number, service(100, uses(1), wants(60))), 100, 60, false)
		wantGrant(t, other.update(number, service(100, uses(1), wants(60))), 100, 60, false)
		for _, p := range []*program{bySubscriber, bySession} {
			if strings.Count(p.output.String(), "Credit-Control-Answer") == 0 {
				return "nothing is told yet"
			}
		}
		return ""
	})
	update := fmt.Sprintf("CC-Request-Number: %d\n", number)
	for name, p := range map[string]*program{"by subscriber": bySubscriber, "by session": bySession} {
		eventually(t, patience, func() string {
			if got := p.output.String(); strings.Count(got, update) < 2 {
				return fmt.Sprintf("%s: request and answer %d are not both told in\n%s", name, number, tail(got, 2000))
			}
			return ""
		})
		got := p.output.String()
		for _, want := range []string{"Credit-Control-Request (272)", "Session-Id: " + traced.id, "CC-Time: 60", "Subscription-Id-Data: (12 octets, redacted)"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not told in\n%s", name, want, tail(got, 2000))
			}
		}
		if strings.Contains(got, other.id) {
			t.Errorf("%s: the call of another subscriber is told", name)
		}
		if told := anyMSISDN.FindString(got); told != "" {
			t.Errorf("%s: %s is told", name, told)
		}
	}
	if r := s.http(t, "GET", "/care/v1/audit?action=look%20on&limit=1000&msisdn="+traced.msisdn, ""); r.status != 200 || !strings.Contains(r.body, `"look on"`) {
		t.Errorf("audit log: got %d %s, want who looked on", r.status, r.body)
	}
	if out, err := exec.CommandContext(t.Context(), binary, "trace", "491799999999", "--data-dir", s.dir).CombinedOutput(); err == nil {
		t.Errorf("a trace of nobody: got %s, want a failure", out)
	}
}
