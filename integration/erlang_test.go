package integration

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The Diameter stack of Erlang/OTP places 200 calls at once, every request of them twice. Its decoder is strict, and every
// bucket ends at exactly what was put in, less what the client says it reported.
func TestErlangClientIsChargedToTheSecond(t *testing.T) {
	t.Parallel()
	needErlang(t)
	s := sharedServer(t)
	const calls, seconds = 200, 10_000
	var roster strings.Builder
	roster.WriteString("msisdn,imsi,plan,seconds\n")
	var numbers []string
	for range calls {
		numbers = append(numbers, newMSISDN())
		fmt.Fprintf(&roster, "%s,,demo,%d\n", numbers[len(numbers)-1], seconds)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "roster.csv"), roster.String())
	s.gyro(t, "subscriber", "import", filepath.Join(dir, "roster.csv"))

	tape := &tape{}
	host, port, err := net.SplitHostPort(tape.relay(t, s.endpoint.Diameter[0]))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "escript", append([]string{"erlang/gy_client.escript", "erlang/gy.dia", dir, host, port, serverRealm},
		numbers...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the client: %v\n%s\n%s", err, errs.Bytes(), tail(string(out), 2000))
	}
	if errs.Len() > 0 {
		t.Errorf("the client complained:\n%s", errs.Bytes())
	}

	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != calls+1 || lines[calls] != "disconnect ok" {
		t.Fatalf("the client printed %d lines, the last %q, want %d and disconnect ok", len(lines), lines[len(lines)-1], calls+1)
	}
	for _, line := range lines[:calls] {
		fields := strings.SplitN(line, " ", 3)
		reported, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil || fields[2] != "ok" {
			t.Errorf("call of %s: %s", fields[0], line)
			continue
		}
		s.wantAccount(t, fields[0], seconds-reported, 0)
	}
	tape.wantClean(t)
}

// needErlang skips, in words that nobody overlooks, where the foreign client cannot be had.
func needErlang(t *testing.T) {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "erl", "-noshell", "-eval", "io:put_chars(code:root_dir()), halt().").Output()
	headers, _ := filepath.Glob(filepath.Join(string(root), "lib/diameter-*/include/diameter_gen.hrl"))
	if err != nil || len(headers) == 0 {
		t.Skip("NOT TESTED against a foreign Diameter stack: erlang-base, erlang-dev and erlang-diameter are not installed (make test installs them)")
	}
}
