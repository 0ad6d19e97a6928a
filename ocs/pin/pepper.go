package pin

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pepperLength is in octets, the output of the HMAC that it is for.
const pepperLength = 32

// ParsePepper reads a pepper as it stands in a file or a configuration: at least 64 hexadecimal digits. An error holds nothing
// of it.
func ParsePepper(text string) ([]byte, error) {
	pepper, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(pepper) < pepperLength {
		return nil, fmt.Errorf("a pepper is %d hexadecimal digits or more; make one with: openssl rand -hex %d", 2*pepperLength, pepperLength)
	}
	return pepper, nil
}

// PepperFile reads the pepper in a file, which it makes at the first start, readable by its owner alone. Whoever makes it first
// wins: several servers that start at once have one. A file that others may read is refused.
func PepperFile(name string) ([]byte, error) {
	pepper, err := readPepper(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makePepper(name); err == nil || errors.Is(err, fs.ErrExist) {
			pepper, err = readPepper(name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("pepper of the PINs: %w", err)
	}
	return pepper, nil
}

func readPepper(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: not a regular file", name)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: others may read it (%v); chmod 600 it", name, info.Mode().Perm())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pepper, err := ParsePepper(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return pepper, nil
}

// makePepper writes a new pepper under another name and links it to its own when it is on the disk: nobody reads half of it,
// and a crash leaves none that PINs were hashed with and that is lost.
func makePepper(name string) (err error) {
	pepper := make([]byte, pepperLength)
	rand.Read(pepper)
	f, err := os.CreateTemp(filepath.Dir(name), ".pepper-*") // 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, writeErr := f.WriteString(hex.EncodeToString(pepper) + "\n")
	if err := errors.Join(writeErr, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(name))
}

func syncDirectory(name string) (err error) {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.Sync()
}
