package cdr

import (
	"context"
	"io"
	"strings"
)

// A Destination is where files go. A file appears under its name when it is whole, and replaces one that was there.
type Destination interface {
	// Create begins a file.
	Create(ctx context.Context, name string) (Upload, error)
	// Open reads a file; the error is fs.ErrNotExist when there is none.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Size returns how long a file is, in octets; the error is fs.ErrNotExist when there is none.
	Size(ctx context.Context, name string) (int64, error)
	// Remove takes a file away. It is no error when there is none.
	Remove(ctx context.Context, name string) error
	// Near reports whether reading a file back costs little.
	Near() bool
	Close() error
}

// An Upload is a file that is being written. It ends with one of Commit, after which it is there for good, and Abort.
type Upload interface {
	io.Writer
	Commit() error
	Abort() error
}

// Access is what a destination beyond this machine needs. Secrets come from the environment, never from an argument.
type Access struct {
	Getenv     func(string) string
	KnownHosts string // file with the keys of hosts for sftp; empty: ~/.ssh/known_hosts
	Identity   string // file with the private key for sftp; empty: the usual ones
}

// OpenDestination opens what --out names: a directory, s3://BUCKET/PREFIX, sftp://USER@HOST/PATH.
func OpenDestination(ctx context.Context, out string, access Access) (Destination, error) {
	switch {
	case strings.HasPrefix(out, "s3://"):
		return openS3(ctx, out, access)
	case strings.HasPrefix(out, "sftp://"):
		return openSFTP(ctx, out, access)
	}
	return openDirectory(out)
}
