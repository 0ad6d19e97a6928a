package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEndpointIsReadBackAndPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	want := endpoint{
		URL: "http://127.0.0.1:8080", Token: "secret", PID: 17, Diameter: []string{"127.0.0.1:3868"}, OriginHost: "ocs.example",
		OriginRealm: "example", Version: "1.0", StartedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	for range 2 { // the second replaces the first
		if err := writeEndpoint(dir, want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := readEndpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != want.URL || got.Token != want.Token || got.PID != want.PID || got.Diameter[0] != want.Diameter[0] || !got.StartedAt.Equal(want.StartedAt) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	info, err := os.Stat(filepath.Join(dir, endpointFile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600: the file holds a token", info.Mode().Perm())
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the directory: %v, %v", entries, err)
	}
}

func TestReadEndpointSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, content, want string }{
		{"no file", "", "start it with\n  gyro serve --data-dir "},
		{"half a file", `{"url": "http://127`, "start the server again"},
		{"no url", `{"token": "x"}`, "start the server again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if test.content != "" {
				if err := os.WriteFile(filepath.Join(dir, endpointFile), []byte(test.content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := readEndpoint(dir)
			if err == nil || !strings.Contains(err.Error(), test.want) || exitCode(err) != exitUnavailable {
				t.Errorf("%v (exit %d), want %q and exit %d", err, exitCode(err), test.want, exitUnavailable)
			}
		})
	}
}

func TestRemoveEndpointLeavesThatOfAnotherServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := writeEndpoint(dir, endpoint{URL: "http://127.0.0.1:1", PID: 17}); err != nil {
		t.Fatal(err)
	}
	if err := removeEndpoint(dir, 18); err != nil {
		t.Fatal(err)
	}
	if _, err := readEndpoint(dir); err != nil {
		t.Fatalf("process 18 removed the file of process 17: %v", err)
	}
	if err := removeEndpoint(dir, 17); err != nil {
		t.Fatal(err)
	}
	if _, err := readEndpoint(dir); err == nil {
		t.Error("process 17 left its file")
	}
}
