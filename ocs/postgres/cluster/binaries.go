package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// binaries are the programs of one version of Postgres.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// oldestMajor is the oldest version that the statements of the store run on.
const oldestMajor = 13

// ErrNoBinaries says that no usable Postgres is installed.
var ErrNoBinaries = errors.New("no PostgreSQL server programs found")

// ErrVersion says that the data needs programs of another version than those that are installed.
var ErrVersion = errors.New("data of another PostgreSQL version")

// findBinaries returns the newest version installed, or for existing data the version that made it.
func findBinaries(ctx context.Context, dir, data string) (binaries, error) {
	places := []string{dir}
	if dir == "" {
		places = usualPlaces(ctx)
	}
	found := inspect(ctx, places)
	needed, err := dataVersion(data)
	if err != nil {
		return binaries{}, err
	}
	if needed == 0 {
		if len(found) == 0 || found[0].major < oldestMajor {
			return binaries{}, fmt.Errorf("%w of version %d or newer: install them (Debian, Ubuntu: apt install postgresql; macOS: "+
				"brew install postgresql@17) or name a database with --database", ErrNoBinaries, oldestMajor)
		}
		return found[0], nil
	}
	for _, b := range found {
		if b.major == needed {
			return b, nil
		}
	}
	return binaries{}, fmt.Errorf("%w: %s was made by PostgreSQL %d and only that version can read it, found %s: install "+
		"postgresql-%[3]d again, or move the data with pg_upgrade or pg_dump", ErrVersion, data, needed, list(found))
}

func list(found []binaries) string {
	if len(found) == 0 {
		return "none"
	}
	names := make([]string, len(found))
	for i, b := range found {
		names[i] = fmt.Sprintf("%d in %s", b.major, b.dir)
	}
	return strings.Join(names, ", ")
}

// usualPlaces lists the directories in which packages put the server's programs. Debian keeps them out of PATH.
func usualPlaces(ctx context.Context) []string {
	var places []string
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		places = append(places, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // packages of postgresql.org for Red Hat
		"/usr/libexec/postgresql*",          // Alpine
		"/opt/homebrew/opt/postgresql*/bin", // Homebrew on Apple silicon
		"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		matches, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		places = append(places, matches...)
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		places = append(places, filepath.Dir(path))
	}
	return places
}

var majorVersion = regexp.MustCompile(`\) (\d+)`)

// inspect returns what is in places, newest first, each once.
func inspect(ctx context.Context, places []string) []binaries {
	var found []binaries
	for _, place := range places {
		b := binaries{dir: place}
		if _, err := os.Stat(b.path("initdb")); err != nil {
			continue // only clients there
		}
		out, err := exec.CommandContext(ctx, b.path("postgres"), "--version").Output()
		if err != nil {
			continue
		}
		match := majorVersion.FindSubmatch(out)
		if match == nil {
			continue
		}
		b.major, err = strconv.Atoi(string(match[1]))
		if err == nil && !slices.Contains(found, b) {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return b.major - a.major })
	return found
}

// dataVersion returns the major version that made data, 0 when there is none yet.
func dataVersion(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, err
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("%s/PG_VERSION does not hold a version: %w", data, err)
	}
	return version, nil
}
