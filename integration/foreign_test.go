package integration

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What network elements that are not ours need around them: to be there, to have ports, and to end when the test ends.

// needPrograms skips, in words that nobody overlooks, where a program that make test installs could not be had.
func needPrograms(t *testing.T, what string, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("NOT TESTED with %s: %s is not installed (make test installs it)", what, program)
		}
	}
}

// fill returns the text of a file with its @KEYS@ replaced. pairs is KEY, value, KEY, value.
func fill(t *testing.T, path string, pairs ...string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	marked := make([]string, len(pairs))
	for i := range pairs {
		marked[i] = pairs[i]
		if i%2 == 0 {
			marked[i] = "@" + pairs[i] + "@"
		}
	}
	return strings.NewReplacer(marked...).Replace(string(text))
}

// freePort returns a port of the loopback interface that nobody has now, for programs that cannot be told to take any.
func freePort(t *testing.T, network string) string {
	t.Helper()
	var address net.Addr
	if network == "udp" {
		conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // only its number counts
		address = conn.LocalAddr()
	} else {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() //nolint:errcheck // only its number counts
		address = listener.Addr()
	}
	_, port, err := net.SplitHostPort(address.String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A program is a network element that runs beside the server.
type program struct {
	name   string
	cmd    *exec.Cmd
	output *log
	ended  chan struct{} // closed when it is gone
	err    error         // of Wait
}

// startProgram starts a program in a process group of its own, and ends it with the test. What it said is shown when the test fails.
func startProgram(t *testing.T, dir, name string, args ...string) *program {
	t.Helper()
	p := &program{name: name, output: &log{}, ended: make(chan struct{})}
	p.cmd = exec.Command(name, args...) //nolint:noctx // ended by stop
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.output, p.output
	if err := startTied(p.cmd, syscall.SIGTERM); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the end of what %s said:\n%s", name, tail(p.output.String(), 4000))
		}
	})
	return p
}

// stop ends the program and all that it has started, with SIGTERM first.
func (p *program) stop() {
	group := -p.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM) //nolint:errcheck // it may be gone already
	select {
	case <-p.ended:
	case <-time.After(10 * time.Second):
	}
	syscall.Kill(group, syscall.SIGKILL) //nolint:errcheck // that is what is hoped for
	<-p.ended
}

// await waits for the program to end by itself and returns its exit status.
func (p *program) await(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Fatalf("%s still ran after %v", p.name, within)
	}
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok {
		return exit.ExitCode()
	}
	if p.err != nil {
		t.Fatalf("%s: %v", p.name, p.err)
	}
	return 0
}

// awaitPeer waits until the server has an open connection of a peer.
func (s *server) awaitPeer(t *testing.T, host string) {
	t.Helper()
	eventually(t, patience, func() string {
		var status struct {
			Peers []struct {
				OriginHost string `json:"origin_host"`
			} `json:"peers"`
		}
		s.gyroJSON(t, &status, "status")
		for _, peer := range status.Peers {
			if peer.OriginHost == host {
				return ""
			}
		}
		return fmt.Sprintf("%s is not connected", host)
	})
}
