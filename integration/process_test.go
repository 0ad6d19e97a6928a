package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// killPostgres kills the private Postgres of the server, the postmaster and with it all that it runs.
func (s *server) killPostgres(t *testing.T) {
	t.Helper()
	var found []string
	err := filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Name() == "postmaster.pid" {
			found = append(found, path)
		}
		return nil // what comes and goes while Postgres works is of no interest
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("postmaster.pid below %s: got %v, %v, want one", s.dir, found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 1 {
		t.Fatalf("first line of %s: %q", found[0], line)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatalf("kill Postgres, process %d: %v", pid, err)
	}
}
