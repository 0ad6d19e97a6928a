package policy

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// maxSize is how long a policy may be, in octets.
const maxSize = 1 << 20

// Load reads the policy in a file.
func Load(name string) (*Policy, error) {
	data, err := readFile(name)
	if err != nil {
		return nil, fmt.Errorf("load policy: %w", err)
	}
	return Parse(name, data)
}

// readFile reads a regular file, and one octet more than it may have. A pipe could keep us waiting for ever.
func readFile(name string) (data []byte, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}
