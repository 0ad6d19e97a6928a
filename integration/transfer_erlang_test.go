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

// The Diameter stack of Erlang/OTP moves minutes for eight pairs of subscribers at once, over two connections, by profile A of
// docs/spec/transfer.md. Its decoder is strict, and both accounts of every pair are what the client was told, to the second.
func TestErlangClientMovesMinutesToTheSecond(t *testing.T) {
	t.Parallel()
	needErlang(t)
	s := configured(t, `
accept_unknown_peers: true
peers:
  - {name: erlang.gw.test, security: none, instances: 2, transfers: [quote, send, enquire]}
transfer:
  diameter:
    contexts: [minute-transfer.v1@ocs.example]
    operations: []
`)
	const pairs, seconds = 8, 6000
	host, port, err := net.SplitHostPort(s.endpoint.Diameter[0])
	if err != nil {
		t.Fatal(err)
	}
	dir, stranger := t.TempDir(), newMSISDN()
	args := []string{"erlang/transfer_client.escript", "erlang/gy.dia", dir, host, port, serverRealm, stranger}
	receiverOf, roster := map[string]string{}, "msisdn,imsi,plan,seconds\n"
	for range pairs {
		sender, receiver := newMSISDN(), newMSISDN()
		roster += fmt.Sprintf("%s,,demo,%d\n%s,,demo,0\n", sender, seconds, receiver)
		receiverOf[sender] = receiver
		args = append(args, sender, receiver)
	}
	writeFile(t, filepath.Join(dir, "roster.csv"), roster)
	s.gyro(t, "subscriber", "import", filepath.Join(dir, "roster.csv"))
	for _, receiver := range receiverOf {
		if r := s.http(t, "PUT", "/care/v1/subscribers/"+receiver+"/profile", `{"name":"KIM MINSU"}`); r.status != 200 {
			t.Fatalf("profile: %d %s", r.status, r.body)
		}
	}
	cmd := exec.CommandContext(t.Context(), "escript", args...)
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
	if len(lines) != pairs+1 || lines[pairs] != "disconnect ok" {
		t.Fatalf("the client printed %d lines, the last %q, want %d and disconnect ok", len(lines), lines[len(lines)-1], pairs+1)
	}
	for _, line := range lines[:pairs] {
		fields := strings.SplitN(line, " ", 5)
		if fields[4] != "ok" {
			t.Errorf("transfer of %s: %s", fields[0], fields[4])
			continue
		}
		moved, fault := strconv.ParseInt(fields[1], 10, 64)
		left, wrong := strconv.ParseInt(fields[2], 10, 64)
		if fault != nil || wrong != nil || left != seconds-moved {
			t.Errorf("the client was told that %s moved and %s remain, want %d in all", fields[1], fields[2], seconds)
		}
		s.wantAccount(t, fields[0], seconds-moved, 0)
		s.wantAccount(t, receiverOf[fields[0]], moved, 0)
		var stored storedTransfer
		s.gyroJSON(t, &stored, "transfer", "show", fields[3])
		if stored.Status != "completed" || stored.From != fields[0] || stored.To != receiverOf[fields[0]] || stored.Seconds != moved {
			t.Errorf("gyro transfer show %s: got %+v, want %d s from %s", fields[3], stored, moved, fields[0])
		}
	}
	s.wantTransfersSound(t)
}

// storedTransfer is what `gyro transfer show --json` prints.
type storedTransfer struct {
	Reference string `json:"reference"`
	Status    string `json:"status"`
	From      string `json:"from"`
	To        string `json:"to"`
	Seconds   int64  `json:"seconds"`
}
