package cluster

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
)

// small keeps many clusters at once from filling the machine.
var small = map[string]string{"shared_buffers": "16MB", "max_wal_size": "64MB", "min_wal_size": "32MB"}

// tempDir is t.TempDir, but one that another user can reach: t.TempDir makes its parents 0700 under some TMPDIRs.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pg")
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), Options{Dir: dir, Scratch: true, Settings: small})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func query(t *testing.T, dsn, statement string) string {
	t.Helper()
	result, err := tryQuery(t.Context(), dsn, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return result
}

func tryQuery(ctx context.Context, dsn, statement string) (result string, err error) {
	connector, err := pq.NewConnector(dsn)
	if err != nil {
		return "", err
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	err = db.QueryRowContext(ctx, statement).Scan(&result)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return result, err
}

// eventually asks until it is told yes. What it waits for is the work of another process, of which nothing tells us.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestKeepsDataOverARestart(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	c := start(t, dir)
	query(t, c.DSN(), `CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)`)
	stop(t, c)
	if _, err := tryQuery(t.Context(), c.DSN(), `SELECT 1`); err == nil {
		t.Error("still answers after Stop")
	}
	if left, err := os.ReadDir(c.socket); err != nil || len(left) > 0 {
		t.Errorf("beside the socket is left over: %v, %v", left, err)
	}
	c = start(t, dir)
	if got := query(t, c.DSN(), `SELECT n FROM kept`); got != "42" {
		t.Errorf("kept %q, want 42", got)
	}
}

// The path of a Unix socket has 107 octets at most.
func TestLongDirectory(t *testing.T) {
	t.Parallel()
	c := start(t, filepath.Join(tempDir(t), strings.Repeat("long", 30)))
	if got := query(t, c.DSN(), `SELECT 1`); got != "1" {
		t.Error("does not answer")
	}
	stop(t, c)
	if _, err := os.Stat(c.socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory of the socket is left over: %v", err)
	}
}

func TestIsDurableAndPrivate(t *testing.T) {
	t.Parallel()
	settings := map[string]string{"fsync": "off", "listen_addresses": "*"}
	c, err := Start(t.Context(), Options{Dir: tempDir(t), Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	for name, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on",
		"listen_addresses": "", "unix_socket_permissions": "0700", "server_encoding": "UTF8", "lc_collate": "C",
	} {
		statement := `SELECT current_setting('` + name + `')`
		if name == "lc_collate" {
			statement = `SELECT datcollate FROM pg_database WHERE datname = current_database()`
		}
		if got := query(t, c.DSN(), statement); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for _, d := range []string{c.socket, c.data()} {
		info, err := os.Stat(d)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v, want 0700", d, info.Mode().Perm())
		}
	}
}

func TestSecondStartNamesTheFirst(t *testing.T) {
	t.Parallel()
	c := start(t, tempDir(t))
	_, err := Start(t.Context(), Options{Dir: c.dir})
	inUse, ok := errors.AsType[*InUseError](err)
	if !ok || !errors.Is(err, ErrInUse) || inUse.PID != os.Getpid() {
		t.Errorf("got %v, want ErrInUse with process %d", err, os.Getpid())
	}
	if got := query(t, c.DSN(), `SELECT 1`); got != "1" {
		t.Error("the first one was disturbed")
	}
}

func TestComesBackAfterKill(t *testing.T) {
	t.Parallel()
	c := start(t, tempDir(t))
	query(t, c.DSN(), `CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)`)
	before := c.PID()
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "postgres to come back", func() bool {
		got, err := tryQuery(t.Context(), c.DSN(), `SELECT n FROM kept`)
		return err == nil && got == "42" && c.PID() != before
	})
	select {
	case <-c.Done():
		t.Error("Done is closed although it came back")
	default:
	}
}

func TestGivesUpWhenItCannotComeBack(t *testing.T) {
	t.Parallel()
	c := start(t, tempDir(t))
	if err := os.WriteFile(filepath.Join(c.data(), settingsFile), []byte("port = nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Done():
	case <-time.After(time.Minute):
		t.Fatal("Done is not closed")
	}
	if err := c.Err(); err == nil || !strings.Contains(err.Error(), "gyro.conf") {
		t.Errorf("Err() = %v, want what Postgres said of gyro.conf", err)
	}
}

// TestMain lets the binary of the tests be the server that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CLUSTER_TEST_SERVER"); dir != "" {
		c, err := Start(context.Background(), Options{Dir: dir, Settings: small})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("%d %s\n", c.PID(), c.DSN())
		select {}
	}
	os.Exit(m.Run())
}

func TestKilledServerLeavesNoPostgres(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	server := exec.Command(os.Args[0]) //nolint:noctx // it is killed below
	server.Env = append(os.Environ(), "CLUSTER_TEST_SERVER="+dir)
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1000)
	n, err := out.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	first, dsn, _ := strings.Cut(strings.TrimSpace(string(buffer[:n])), " ")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatalf("server said %s", buffer[:n])
	}
	query(t, dsn, `CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)`)
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = server.Wait()

	c := start(t, dir) // at once: it has to cope with one that still stops
	if got := query(t, c.DSN(), `SELECT n FROM kept`); got != "42" {
		t.Errorf("kept %q, want 42", got)
	}
	if isPostmasterOf(pid, c.data()) {
		t.Errorf("postgres of the killed server, process %d, is still there", pid)
	}
}

func TestStopsALeftOver(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	c := start(t, dir)
	orphan := c.PID()
	c.mu.Lock()
	c.stopping = true // so that it is not started again when the other one stops it
	c.mu.Unlock()
	c.lock.release() // as if its server were gone and the kernel had not stopped it
	var said bytes.Buffer
	second, err := Start(t.Context(), Options{Dir: dir, Settings: small, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, second) })
	if second.PID() == orphan || !strings.Contains(said.String(), strconv.Itoa(orphan)) {
		t.Errorf("left-over process %d: said %s", orphan, &said)
	}
	if got := query(t, second.DSN(), `SELECT 1`); got != "1" {
		t.Error("the second does not answer")
	}
}

// After a crash another program of the same user may have got the number in postmaster.pid. Postgres would refuse to start.
func TestStalePIDOfAnotherProgram(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	c := start(t, dir)
	query(t, c.DSN(), `CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)`)
	pidFile, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)

	other := exec.Command("cat") //nolint:noctx // ended below
	other.SysProcAttr = c.account.attributes()
	other.Dir = "/"
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cat, err := startChild(other)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close(); <-cat.done }()
	_, rest, _ := bytes.Cut(pidFile, []byte("\n"))
	stale := append([]byte(strconv.Itoa(cat.pid())+"\n"), rest...)
	name := filepath.Join(c.data(), "postmaster.pid")
	if err := os.WriteFile(name, stale, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.account.give(name); err != nil {
		t.Fatal(err)
	}

	c = start(t, dir)
	if got := query(t, c.DSN(), `SELECT n FROM kept`); got != "42" {
		t.Errorf("kept %q, want 42", got)
	}
	select {
	case <-cat.done:
		t.Error("the other program was stopped")
	default:
	}
}

func TestHalfMadeDirectoryIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	half := filepath.Join(dir, unfinished+"123")
	if err := os.MkdirAll(filepath.Join(half, "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half-made directory is still there: %v", err)
	}
	if got := query(t, c.DSN(), `SELECT 1`); got != "1" {
		t.Error("does not answer")
	}
}

func TestForeignDirectoryIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	precious := filepath.Join(dir, "data", "precious")
	if err := os.MkdirAll(filepath.Dir(precious), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "nothing was touched") {
		t.Errorf("got %v, want a refusal", err)
	}
	if _, err := os.Stat(precious); err != nil {
		t.Error(err)
	}
}

func TestOtherVersionIsExplained(t *testing.T) {
	t.Parallel()
	dir := tempDir(t)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "PostgreSQL 9") || !strings.Contains(err.Error(), "pg_upgrade") {
		t.Errorf("got %v, want an explanation", err)
	}
}

func TestNoBinaries(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Dir: tempDir(t), BinDir: t.TempDir()})
	if !errors.Is(err, ErrNoBinaries) || !strings.Contains(err.Error(), "apt install") {
		t.Errorf("got %v, want what to install", err)
	}
}

// Below a directory that only root may enter, user postgres cannot work.
func TestRootOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root has such a directory")
	}
	parent := t.TempDir()
	if err := os.Chmod(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "pg")
	c, err := Start(t.Context(), Options{Dir: dir, Settings: small})
	if err != nil {
		if strings.Contains(err.Error(), "user namespace") && strings.Contains(err.Error(), "chmod o+x") {
			t.Skip("no user namespaces on this machine; that is explained: ", err)
		}
		t.Fatal(err)
	}
	if !c.account.namespace {
		t.Errorf("runs as %v, want a namespace", c.account)
	}
	query(t, c.DSN(), `CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)`)
	stop(t, c)
	c = start(t, dir)
	if got := query(t, c.DSN(), `SELECT n FROM kept`); got != "42" {
		t.Errorf("kept %q, want 42", got)
	}
}

func TestLogIsShortened(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, make([]byte, longestLog), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := shortenLog(name); err != nil {
		t.Fatal(err)
	}
	now, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.Stat(name + ".old")
	if err != nil {
		t.Fatal(err)
	}
	if now.Size() != 0 || old.Size() != longestLog {
		t.Errorf("log has %d octets and the old one %d, want 0 and %d", now.Size(), old.Size(), longestLog)
	}
}
