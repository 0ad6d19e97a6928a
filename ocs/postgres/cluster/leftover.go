package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leftOverPatience is how long processes of an earlier run may take to end.
const leftOverPatience = time.Minute

// stopLeftOver stops the postmaster of an earlier run that still works in data. Whoever calls it holds the lock, so that
// the server that started it is gone.
func stopLeftOver(ctx context.Context, data string, log *slog.Logger) error {
	pid, err := postmasterPID(data)
	if err != nil || pid == 0 {
		return err
	}
	if !isPostmasterOf(pid, data) {
		return disownPID(data, pid)
	}
	log.Warn("a Postgres of an earlier run is still there, stopping it", "pid", pid)
	deadline := time.Now().Add(leftOverPatience)
	stop := syscall.SIGINT
	for isPostmasterOf(pid, data) {
		if err := syscall.Kill(pid, stop); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop postgres of an earlier run, process %d: %w", pid, err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres of an earlier run, process %d, does not stop: stop it by hand", pid)
		}
		if time.Until(deadline) < leftOverPatience/2 {
			stop = syscall.SIGQUIT // no checkpoint: the next start recovers
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// disownPID changes the number in a postmaster.pid whose process is another program by now: postgres would not start beside
// it. It knows the number of its parent, which is ours, to be stale. The file itself stays, because its last lines tell
// postgres of backends that may still be alive.
func disownPID(data string, pid int) error {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil // postgres sees that by itself
	}
	name := filepath.Join(data, "postmaster.pid")
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(string(content), "\n")
	return os.WriteFile(name, []byte(strconv.Itoa(os.Getpid())+"\n"+rest), 0o600)
}

// postmasterPID reads the first line of postmaster.pid; 0 when there is no such file or no number in it.
func postmasterPID(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 1 {
		return 0, nil //nolint:nilerr // half-written: postgres sees that by itself
	}
	return pid, nil
}
