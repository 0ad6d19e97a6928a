package main

import (
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	p, err := parseStat([]byte("4711 (post) gres (1)) S 12 4711 4711 0 -1 4194560 1 2 3 4 250 50 7 3 20 0 1 0 100 1 1\n"))
	want := process{pid: 4711, parent: 12, name: "post) gres (1)", own: 3 * time.Second, ended: 100 * time.Millisecond}
	if err != nil || p != want {
		t.Errorf("got %+v, %v\nwant %+v", p, err, want)
	}
	for _, text := range []string{"", "1 (x", "1 (x) S 1 2", "1 (x) S one 1 1 0 -1 0 1 2 3 4 5 6 7 8 20"} {
		if p, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, p)
		}
	}
}

func TestProcessTreeFindsChildren(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc on this system: processor time is not measured")
	}
	cmd := exec.CommandContext(t.Context(), "cat")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()    //nolint:errcheck // it ends with its stdin
	defer stdin.Close() //nolint:errcheck // it was opened to be closed
	below, err := processTree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if below[0].pid != os.Getpid() {
		t.Errorf("the tree begins with %+v", below[0])
	}
	for _, p := range below {
		if p.pid == cmd.Process.Pid {
			return
		}
	}
	t.Errorf("no process %d in %+v", cmd.Process.Pid, below)
}
