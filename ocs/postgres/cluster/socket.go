package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// socketPrefix begins the name of every directory of a socket.
const socketPrefix = "gyro-pg-"

// longestSocketDir keeps the path of the socket within the 107 octets of a Unix address.
const longestSocketDir = 85

// socketName is the file of the socket; beside it postgres keeps one that ends in ".lock".
var socketName = fmt.Sprintf(".s.PGSQL.%d", port)

// makeSocketDir makes the directory of the socket, which only a and root may enter. It lies in the cluster's own directory;
// where that has too long a name, it is a new one among the temporary files.
func makeSocketDir(clusterDir string, a account) (string, error) {
	dir := filepath.Join(clusterDir, "run")
	err := os.MkdirAll(dir, 0o700)
	if len(dir) > longestSocketDir {
		parent := os.TempDir()
		if len(parent)+len(socketPrefix)+12 > longestSocketDir {
			parent = "/tmp"
		}
		dir, err = os.MkdirTemp(parent, socketPrefix)
	}
	if err != nil {
		return "", fmt.Errorf("directory for the socket of Postgres: %w", err)
	}
	removeSocket(dir)
	if err := a.give(dir); err != nil {
		return "", fmt.Errorf("directory for the socket of Postgres: %w", err)
	}
	return dir, nil
}

// removeSocket removes a socket that nobody listens on any more. Postgres would not start beside its lock if another
// program had got the number in it.
func removeSocket(dir string) {
	_ = os.Remove(filepath.Join(dir, socketName)) // what is not there need not be removed, and what cannot be, Postgres tells of
	_ = os.Remove(filepath.Join(dir, socketName+".lock"))
}

// removeOldSocketDir removes a directory among the temporary files, and nothing that could be anything else.
func removeOldSocketDir(dir string) {
	if !filepath.IsAbs(dir) || !strings.HasPrefix(filepath.Base(dir), socketPrefix) {
		return
	}
	removeSocket(dir)
	_ = os.Remove(dir)
}
