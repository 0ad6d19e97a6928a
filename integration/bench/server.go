package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// A server is gyro serve on a data directory of its own, in a process of its own.
type server struct {
	dir      string // holds the binary, the data directory and the log
	isOurs   bool   // dir is temporary
	gyro     string
	flags    []string
	progress progress
	cmd      *exec.Cmd
	log      *os.File
	ended    chan error
	endpoint endpoint
}

// endpoint is what the running server leaves in its data directory.
type endpoint struct {
	PID      int      `json:"pid"`
	Diameter []string `json:"diameter"`
}

// newServer builds gyro and makes a place for its data.
func newServer(ctx context.Context, o options, say progress) (*server, error) {
	s := &server{dir: o.dir, gyro: o.gyro, flags: o.serveFlags, progress: say}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "gyro-bench-")
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			return nil, err
		}
		s.dir, s.isOurs = dir, true
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, err
	}
	if isMemory(s.dir) {
		say("gyro: WARNING: %s is in memory, where fsync costs nothing; name a disk with -dir", s.dir)
	}
	if _, err := os.Stat(s.dataDir()); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is there already, and its books would not start at zero; name another -dir", s.dataDir())
	}
	if s.gyro != "" {
		return s, nil
	}
	s.gyro = filepath.Join(s.dir, "gyro")
	say("gyro: build")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", s.gyro, "./cmd/gyro")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("build gyro (in the folder of go.mod, or name one with -gyro): %w\n%s", err, out), s.remove())
	}
	return s, nil
}

func (s *server) dataDir() string { return filepath.Join(s.dir, "data") }

func (s *server) pid() int { return s.cmd.Process.Pid }

// start runs gyro serve until it is ready.
func (s *server) start(ctx context.Context) error {
	args := append([]string{
		"serve",
		"--data-dir", s.dataDir(),
		"--diameter-listen", "127.0.0.1:0",
		"--http-listen", "127.0.0.1:0",
		"--origin-host", "ocs1." + serverRealm,
		"--origin-realm", serverRealm,
		"--accept-unknown-peers",
	}, s.flags...)
	var err error
	s.log, err = os.OpenFile(filepath.Join(s.dir, "serve.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s.cmd = exec.Command(s.gyro, args...) //nolint:noctx // it is ended by stop, in good order
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = ownGroup()
	if err := s.cmd.Start(); err != nil {
		return errors.Join(err, s.log.Close())
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.cmd.Wait() }()
	return s.awaitReady(ctx)
}

// readyWithin is how long a start may take: making the database, or recovering it.
const readyWithin = 2 * time.Minute

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-s.ended:
			s.ended <- err
			return fmt.Errorf("gyro serve ended before it was ready: %w; %s", err, s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("gyro serve is not ready: %w; %s", context.Cause(ctx), s.logTail())
		case <-look.C:
		}
		text, err := os.ReadFile(filepath.Join(s.dataDir(), "server.json"))
		if err != nil {
			continue // not yet
		}
		s.endpoint = endpoint{}
		if err := json.Unmarshal(text, &s.endpoint); err != nil {
			return fmt.Errorf("server.json: %w", err)
		}
		if s.endpoint.PID == s.pid() && len(s.endpoint.Diameter) > 0 { // else it is from before the crash
			return nil
		}
	}
}

// logTail returns the last lines that the server wrote.
func (s *server) logTail() string {
	text, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return "its log ends with:\n" + string(text[max(0, len(text)-2000):])
}

// stop ends the server in good order.
func (s *server) stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return errors.Join(<-s.ended, s.log.Close())
}

// crash ends the server as a power failure would end its processes. What the kernel has taken, it keeps: only a power
// failure itself shows that fsync was called.
func (s *server) crash() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	if err := <-s.ended; err == nil {
		return errors.New("gyro serve ended by itself before it was killed")
	}
	return s.log.Close()
}

// remove stops the server and takes away its data, if the place was ours.
func (s *server) remove() error {
	err := s.stop()
	if err != nil {
		err = fmt.Errorf("stop the server: %w; see %s", err, s.dir)
	} else if s.isOurs {
		err = os.RemoveAll(s.dir)
	}
	return err
}

// openingSeconds is what each subscriber can call for: more than a run can use.
const openingSeconds = 10_000_000

// importSubscribers creates the subscribers with gyro subscriber import.
func (s *server) importSubscribers(ctx context.Context, n int) error {
	name := filepath.Join(s.dir, "subscribers.csv")
	var csv bytes.Buffer
	csv.WriteString("msisdn,imsi,plan,seconds\n")
	for i := range n {
		fmt.Fprintf(&csv, "%s,%s,demo,%d\n", msisdn(i), imsi(i), openingSeconds)
	}
	if err := os.WriteFile(name, csv.Bytes(), 0o600); err != nil {
		return err
	}
	began := time.Now()
	cmd := exec.CommandContext(ctx, s.gyro, "subscriber", "import", name, "--data-dir", s.dataDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import %d subscribers: %w\n%s", n, err, out)
	}
	s.progress("gyro: %d subscribers imported in %v", n, time.Since(began).Round(10*time.Millisecond))
	return nil
}
