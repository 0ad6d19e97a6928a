package cdr

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A spool holds a file on disk until its end is known: where its head tells its length, or where it is read back first. It
// has no name that anybody else could find, and is gone with the process.
type spool struct{ *os.File }

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "gyro-cdr-")
	if err != nil {
		return nil, fmt.Errorf("a place to gather a file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("a place to gather a file: %w", err), file.Close())
	}
	return &spool{file}, nil
}

func (s *spool) size() (int64, error) { return s.Seek(0, io.SeekEnd) }

// pass writes all of it to w.
func (s *spool) pass(w io.Writer) error {
	if _, err := s.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.File)
	return err
}
