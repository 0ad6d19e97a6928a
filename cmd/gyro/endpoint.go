package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// endpointFile is the file in the data directory by which commands find the server that runs on it.
const endpointFile = "server.json"

// endpoint is where a running server is reached, and the token that makes its bearer the operator. Only the owner of
// the data directory can read it.
type endpoint struct {
	URL         string    `json:"url"` // of the HTTP listener, http://127.0.0.1:8080
	Token       string    `json:"token"`
	PID         int       `json:"pid"`
	Diameter    []string  `json:"diameter"` // addresses of the Diameter listeners, HOST:PORT
	OriginHost  string    `json:"origin_host"`
	OriginRealm string    `json:"origin_realm"`
	Version     string    `json:"version"`
	StartedAt   time.Time `json:"started_at"`
}

// writeEndpoint leaves e in dataDir. A reader sees the old file or the new one, never half of one.
func writeEndpoint(dataDir string, e endpoint) error {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", endpointFile, err)
	}
	f, err := os.CreateTemp(dataDir, endpointFile+".*") // mode 0600: it holds the token
	if err != nil {
		return fmt.Errorf("write %s: %w", endpointFile, err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dataDir, endpointFile))
	}
	if err != nil {
		os.Remove(f.Name()) //nolint:errcheck // what is told is why it was not written
		return fmt.Errorf("write %s: %w", endpointFile, err)
	}
	return nil
}

// removeEndpoint takes away what the process pid left in dataDir, and nothing that another server left since.
func removeEndpoint(dataDir string, pid int) error {
	e, err := readEndpoint(dataDir)
	if err != nil || e.PID != pid {
		return nil //nolint:nilerr // nothing of ours is there
	}
	return os.Remove(filepath.Join(dataDir, endpointFile))
}

// readEndpoint returns what the server that runs on dataDir left there. A server that was killed leaves it too: only
// connecting shows whether one listens.
func readEndpoint(dataDir string) (endpoint, error) {
	f, err := os.Open(filepath.Join(dataDir, endpointFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return endpoint{}, noServer(dataDir)
	case err != nil:
		return endpoint{}, failf(exitUnavailable, "find the server of data directory %s: %w", dataDir, err)
	}
	defer f.Close() //nolint:errcheck // only read
	var e endpoint
	if err := json.NewDecoder(io.LimitReader(f, 1<<16)).Decode(&e); err != nil {
		return endpoint{}, failf(exitUnavailable, "read %s: %w: start the server again to have it written anew", f.Name(), err)
	}
	if e.URL == "" {
		return endpoint{}, failf(exitUnavailable, "%s names no url: start the server again to have it written anew", f.Name())
	}
	return e, nil
}

// noServer says that nothing serves dataDir, and what to do.
func noServer(dataDir string) error {
	return failf(exitUnavailable, "no server is running for data directory %s: start it with\n  gyro serve --data-dir %s", dataDir, dataDir)
}
