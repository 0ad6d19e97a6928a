package cdr

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// sshKey writes a new private key and returns the public one.
func sshKey(t *testing.T, path string) ssh.PublicKey {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sshd starts OpenSSH on a free port of this machine and returns its address, its key and the key file that it lets in.
func sshd(t *testing.T) (address string, host ssh.PublicKey, identity string) {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
			t.Skip("NOT TESTED against a foreign SFTP server: openssh-server is not installed (make test installs it)")
		}
		program = "/usr/sbin/sshd"
	}
	dir := t.TempDir()
	identity = filepath.Join(dir, "id")
	client := sshKey(t, identity)
	host = sshKey(t, filepath.Join(dir, "host"))
	if err := os.WriteFile(filepath.Join(dir, "authorized"), ssh.MarshalAuthorizedKey(client), 0o600); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // only to learn of a port that is free
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	config := fmt.Sprintf("ListenAddress 127.0.0.1\nPort %s\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nPidFile none\nStrictModes no\n"+
		"UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n", port, dir, dir)
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server := exec.CommandContext(t.Context(), program, "-D", "-e", "-f", filepath.Join(dir, "config"))
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Wait() }) // the context of the test has ended it
	for start := time.Now(); ; {
		conn, err := net.DialTimeout("tcp", address, time.Second) //nolint:noctx // it has a bound
		if err == nil {
			_ = conn.Close()
			return address, host, identity
		}
		if time.Since(start) > 20*time.Second {
			t.Fatalf("sshd does not answer: %v\n%s", err, log.String())
		}
	}
}

func TestSFTP(t *testing.T) {
	t.Parallel()
	address, host, identity := sshd(t)
	w := newWorld(t, 6)
	for range 60 {
		w.call(w.within(september))
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(t.TempDir(), "in")
	known := filepath.Join(t.TempDir(), "known")
	out := "sftp://" + me.Username + "@" + address + place
	access := Access{Getenv: func(string) string { return "" }, KnownHosts: known, Identity: identity}
	trust := func(key ssh.PublicKey) {
		if err := os.WriteFile(known, []byte(knownhosts.Line([]string{knownhosts.Normalize(address)}, key)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust(sshKey(t, filepath.Join(t.TempDir(), "other")))
	if _, err := OpenDestination(t.Context(), out, access); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Fatalf("a host with another key: %v", err)
	}
	if err := os.WriteFile(known, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDestination(t.Context(), out, access); err == nil || !strings.Contains(err.Error(), "is not known") {
		t.Fatalf("a host that is not known: %v", err)
	}
	trust(host)
	exportTo(t, w, out, access, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(place, name)) })
	entries, err := os.ReadDir(place)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".done") || strings.HasPrefix(e.Name(), ".") {
			t.Errorf("left over: %s", e.Name())
		}
	}
	if _, err := OpenDestination(t.Context(), "sftp://me:secret@"+address+"/x", access); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a password in the URL: %v", err)
	}
}
