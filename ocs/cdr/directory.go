package cdr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A directory is a destination on this machine.
type directory struct{ root *os.Root }

func openDirectory(path string) (Destination, error) {
	if err := os.MkdirAll(path, 0o750); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	root, err := os.OpenRoot(path) // names come from a manifest, too: none leads out of it
	if err != nil {
		return nil, err
	}
	return &directory{root}, nil
}

func (d *directory) Near() bool   { return true }
func (d *directory) Close() error { return d.root.Close() }

func (d *directory) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return d.root.Open(name)
}

func (d *directory) Size(_ context.Context, name string) (int64, error) {
	info, err := d.root.Stat(name)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d *directory) Remove(_ context.Context, name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Create writes beside the place. Whoever writes the same file at the same time has a name of its own.
func (d *directory) Create(_ context.Context, name string) (Upload, error) {
	for try := 0; ; try++ {
		part := fmt.Sprintf(".%s.%d.%d.part", filepath.Base(name), os.Getpid(), try)
		file, err := d.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
		if errors.Is(err, fs.ErrExist) && try < 1000 {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &localUpload{File: file, dir: d, part: part, name: name}, nil
	}
}

type localUpload struct {
	*os.File
	dir        *directory
	part, name string
}

// Commit makes the file durable before it appears, and its appearance durable before it returns.
func (u *localUpload) Commit() error {
	if err := errors.Join(u.Sync(), u.Close()); err != nil {
		return errors.Join(err, u.dir.root.Remove(u.part))
	}
	if err := u.dir.root.Rename(u.part, u.name); err != nil {
		return errors.Join(err, u.dir.root.Remove(u.part))
	}
	return u.dir.sync()
}

func (d *directory) sync() error {
	self, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(self.Sync(), self.Close())
}

func (u *localUpload) Abort() error {
	return errors.Join(u.Close(), u.dir.root.Remove(u.part))
}
