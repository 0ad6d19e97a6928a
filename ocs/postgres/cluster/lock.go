package cluster

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ErrInUse says that another server runs the cluster of this directory.
var ErrInUse = errors.New("another server is running")

// An InUseError is ErrInUse with the process that holds the directory.
type InUseError struct{ PID int }

func (e *InUseError) Error() string {
	return fmt.Sprintf("%v, process %d: stop it, or choose another data directory", ErrInUse, e.PID)
}

// Unwrap makes errors.Is(err, ErrInUse) true.
func (e *InUseError) Unwrap() error { return ErrInUse }

// A lockFile says who runs the cluster. What counts is the lock, which the kernel gives back when its holder dies; the
// content only tells people and the next start: process id and directory of the socket.
type lockFile struct {
	file   *os.File
	socket string // that the holder before wrote
}

func takeLock(name string) (*lockFile, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(file, 4096))
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	pid, socket, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		holder, _ := strconv.Atoi(pid)
		return nil, &InUseError{PID: holder}
	}
	l := &lockFile{file: file, socket: socket}
	if err := l.write(""); err != nil { // so that who comes second is told the right process from now on
		l.release()
		return nil, err
	}
	return l, nil
}

func (l *lockFile) write(socket string) error {
	content := []byte(strconv.Itoa(os.Getpid()) + "\n" + socket + "\n")
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt(content, 0)
	return err
}

// release leaves the file where it is: removing it would let two starts lock two files of one name. It unlocks before it
// closes: a child that is just being started has the file open for a moment, and with it the lock.
func (l *lockFile) release() {
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	_ = l.file.Close()
}
