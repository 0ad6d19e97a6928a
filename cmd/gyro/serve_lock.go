package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// lockName is the file that says that a server runs on the data directory. The lock on it ends with the process, however
// that ends; the file stays.
const lockName = "gyro.lock"

// lockDataDir makes the data directory, when missing, and keeps every other server out of it until release.
func lockDataDir(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close() //nolint:errcheck // only read
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, failf(exitFailed, "a server%s runs already on data directory %s; stop it first, or give this one "+
				"another --data-dir and, to share its data, the same --database", holder(f), dir)
		}
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if err := writePID(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data directory: %w", err), f.Close())
	}
	return func() {
		_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // closing alone would leave it to a child that is just being started
		_ = f.Close()
	}, nil
}

func holder(f io.Reader) string {
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if pid := strings.TrimSpace(string(text)); err == nil && pid != "" {
		return " (process " + printable(pid) + ")"
	}
	return ""
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}
