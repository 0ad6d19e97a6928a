package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	serverHost  = "ocs1.ocs.test"
	serverRealm = "ocs.test"
)

// buildDir is where the binary lies; it goes with the test run.
var buildDir string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "gyro-integration"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(buildDir) //nolint:errcheck // only binaries
		code := m.Run()
		if err := errors.Join(stopShared(), stopFixture()); err != nil {
			fmt.Fprintln(os.Stderr, "the server that the tests shared:", err)
			return 1
		}
		return code
	}())
}

var buildBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(buildDir, "gyro")
	out, err := exec.Command("go", "build", "-o", path, modulePath+"/cmd/gyro").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build gyro: %w\n%s", err, out)
	}
	return path, nil
})

// A server is a running gyro with its data directory.
type server struct {
	dir      string
	args     []string // of serve, without --data-dir
	endpoint endpoint

	cmd    *exec.Cmd
	output *log
	ended  chan struct{} // closed when the process is gone
	state  error         // of Wait
}

// endpoint is what the server leaves in its data directory for those who look for it.
type endpoint struct {
	URL      string   `json:"url"`
	Token    string   `json:"token"`
	PID      int      `json:"pid"`
	Diameter []string `json:"diameter"`
}

// log keeps what a process wrote.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// basicArgs are the arguments of a server that any client may connect to.
func basicArgs() []string {
	return []string{
		"--diameter-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
		"--origin-host", serverHost, "--origin-realm", serverRealm, "--accept-unknown-peers",
	}
}

// launch starts a server on dir and waits until it serves.
func launch(dir string, args []string) (*server, error) {
	s := &server{dir: dir, args: args}
	return s, s.start()
}

func (s *server) start() error {
	binary, err := buildBinary()
	if err != nil {
		return err
	}
	s.output, s.ended = &log{}, make(chan struct{})
	s.cmd = exec.Command(binary, append([]string{"serve", "--data-dir", s.dir}, s.args...)...) //nolint:noctx // ended by kill or stop
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	s.cmd.Env = environment()
	if err := startTied(s.cmd, syscall.SIGKILL); err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	go func() {
		s.state = s.cmd.Wait()
		close(s.ended)
	}()
	return s.awaitReady()
}

// awaitReady returns when the server has said where it listens and is ready to charge.
func (s *server) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if s.readEndpoint() && isReady(ctx, s.endpoint.URL) {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return fmt.Errorf("the server ended (%w) before it was ready:\n%s", s.state, s.output)
		case <-ctx.Done():
			s.kill()
			return fmt.Errorf("the server was not ready within a minute:\n%s", s.output)
		}
	}
}

// readEndpoint reports whether this process, and no earlier one, has left its addresses.
func (s *server) readEndpoint() bool {
	text, err := os.ReadFile(filepath.Join(s.dir, "server.json"))
	var found endpoint
	if err != nil || json.Unmarshal(text, &found) != nil || found.PID != s.cmd.Process.Pid {
		return false
	}
	s.endpoint = found
	return true
}

func isReady(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close() //nolint:errcheck // only the status counts
	return response.StatusCode == http.StatusOK
}

// kill ends the server as a power cut does.
func (s *server) kill() {
	s.cmd.Process.Kill() //nolint:errcheck // it may be gone already
	<-s.ended
}

// freeze has the server take and answer nothing until it is killed.
func (s *server) freeze(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

// stop ends the server as an operator does and says what went wrong with that.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.ended:
	case <-time.After(time.Minute):
		s.kill()
		return fmt.Errorf("the server did not stop within a minute:\n%s", s.output)
	}
	if s.state != nil {
		return fmt.Errorf("the server ended with %w:\n%s", s.state, s.output)
	}
	return nil
}

// environment is that of this process without what would reconfigure a server.
func environment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !bytes.HasPrefix([]byte(variable), []byte("GYRO_")) {
			kept = append(kept, variable)
		}
	}
	return kept
}

// startServer starts a server for one test. Its log is shown when the test fails.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	return startServerOn(t, dataDir(t), append(basicArgs(), args...)...)
}

// startServerOn starts a server with a data directory and arguments of the test's own.
func startServerOn(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s, err := launch(dir, args)
	t.Cleanup(func() {
		if s.cmd != nil && s.cmd.Process != nil {
			s.kill()
		}
		if t.Failed() && s.output != nil {
			t.Logf("the end of the server's log:\n%s", tail(s.output.String(), 4000))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dataDir returns a fresh data directory that also an unprivileged Postgres can reach, which t.TempDir is not when the
// tests run as root.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gyro-data") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // a dying Postgres may still hold a file
	return dir
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// restart starts the server again after kill or stop.
func (s *server) restart(t *testing.T) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// connect opens a connection of a client and exchanges capabilities.
func (s *server) connect(t *testing.T, host string) *link {
	t.Helper()
	return connect(t, s.endpoint.Diameter[0], host)
}

// run runs a command of the gyro binary against this server.
func (s *server) run(ctx context.Context, args ...string) (stdout, stderr string, code int, err error) {
	binary, err := buildBinary()
	if err != nil {
		return "", "", 0, err
	}
	cmd := exec.CommandContext(ctx, binary, append(args, "--data-dir", s.dir)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &out, &errs, environment()
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), errs.String(), exit.ExitCode(), nil
	}
	return out.String(), errs.String(), 0, err
}

// gyro runs a command that must succeed and returns what it printed.
func (s *server) gyro(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code, err := s.run(t.Context(), args...)
	if err != nil || code != 0 {
		t.Fatalf("gyro %v: exit %d, %v\n%s", args, code, err, stderr)
	}
	return stdout
}

// gyroJSON runs a command that must succeed with --json and reads what it printed into v.
func (s *server) gyroJSON(t *testing.T, v any, args ...string) {
	t.Helper()
	out := s.gyro(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		t.Fatalf("gyro %v printed no JSON: %v\n%s", args, err, out)
	}
}

// account is what `gyro subscriber show --json` prints.
type account struct {
	MSISDN   string `json:"msisdn"`
	State    string `json:"state"`
	Balance  int64  `json:"balance_seconds"`
	Reserved int64  `json:"reserved_seconds"`
}

func (s *server) account(t *testing.T, msisdn string) account {
	t.Helper()
	var a account
	s.gyroJSON(t, &a, "subscriber", "show", msisdn)
	return a
}

// wantAccount fails unless the subscriber has exactly balance and reserved seconds.
func (s *server) wantAccount(t *testing.T, msisdn string, balance, reserved int64) {
	t.Helper()
	if got := s.account(t, msisdn); got.Balance != balance || got.Reserved != reserved {
		t.Errorf("account of %s: got balance %d reserved %d, want balance %d reserved %d",
			msisdn, got.Balance, got.Reserved, balance, reserved)
	}
}

var lastSubscriber atomic.Int64

// newMSISDN returns a number that no other test has.
func newMSISDN() string { return fmt.Sprintf("49170%07d", lastSubscriber.Add(1)) }

// anyMSISDN finds what newMSISDN makes. Nothing that leaves the server unasked may hold one.
var anyMSISDN = regexp.MustCompile(`49170[0-9]{7}`)

// newSubscriber makes a subscriber of the plan demo with seconds in one bucket.
func (s *server) newSubscriber(t *testing.T, seconds int64) string {
	t.Helper()
	msisdn := newMSISDN()
	s.gyro(t, "subscriber", "create", msisdn, "--plan", "demo", "--seconds", fmt.Sprint(seconds))
	return msisdn
}

var shared struct {
	once   sync.Once
	server *server
	err    error
}

// sharedServer returns the server that all tests share which need none of their own.
func sharedServer(t *testing.T) *server {
	t.Helper()
	shared.once.Do(func() {
		dir := filepath.Join(buildDir, "shared")
		if shared.err = os.Chmod(buildDir, 0o755); shared.err == nil {
			shared.server, shared.err = launch(dir, basicArgs())
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

// stopShared stops it when the tests are done, and looks at everything that they have left in its database. That it stops in
// good order is part of what is tested.
func stopShared() error {
	if shared.server == nil || shared.err != nil {
		return nil
	}
	s := shared.server
	metrics, err := s.metrics()
	if err := errors.Join(err, s.stop()); err != nil {
		return err
	}
	for name, text := range map[string]string{"log": s.output.String(), "metrics": metrics} {
		for line := range strings.Lines(text) {
			if anyMSISDN.MatchString(line) {
				return fmt.Errorf("the %s tells who a subscriber is: %s", name, line)
			}
		}
	}
	return checkPrivateDatabase(context.Background(), s.dir, perhapsNothing)
}

// metrics returns what Prometheus would read.
func (s *server) metrics() (string, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.endpoint.URL+"/metrics", http.NoBody)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("/metrics: %s", response.Status)
	}
	text, err := io.ReadAll(response.Body)
	return string(text), err
}

var lastHost atomic.Int64

// newHost returns an Origin-Host that no other test has.
func newHost() string { return fmt.Sprintf("pgw%d.epc.test", lastHost.Add(1)) }

// client connects a client of its own.
func (s *server) client(t *testing.T) *link {
	t.Helper()
	return s.connect(t, newHost())
}

// connectAgain connects a client whose earlier connection was cut, as soon as the server has noticed that.
func (s *server) connectAgain(t *testing.T, host string) *link {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		l := dial(t, s.endpoint.Diameter[0], host)
		if l.accepted() {
			return l
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s could not come back", host)
		}
	}
}

// record is what `gyro cdr list --json` prints of a CDR.
type record struct {
	SessionID  string   `json:"session_id"`
	Number     int      `json:"number"`
	Cause      string   `json:"cause"`
	OtherParty string   `json:"other_party"`
	Used       int64    `json:"used_seconds"`
	Charged    int64    `json:"charged_seconds"`
	Overrun    int64    `json:"overrun_seconds"`
	Missing    []uint32 `json:"missing_numbers"`
}

func (s *server) records(t *testing.T, msisdn string) []record {
	t.Helper()
	var records []record
	s.gyroJSON(t, &records, "cdr", "list", "--msisdn", msisdn)
	return records
}

// onlyRecord returns the CDR of a subscriber who has one.
func (s *server) onlyRecord(t *testing.T, msisdn string) record {
	t.Helper()
	records := s.records(t, msisdn)
	if len(records) != 1 {
		t.Fatalf("CDRs of %s: got %+v, want one", msisdn, records)
	}
	return records[0]
}

// configured starts a server whose configuration file says what yaml says. %s in a value of yaml is the data directory.
func configured(t *testing.T, yaml string) *server {
	t.Helper()
	dir := dataDir(t)
	path := filepath.Join(dir, "gyro.yaml")
	writeFile(t, path, yaml)
	return startServerOn(t, filepath.Join(dir, "data"), "--config", path, "--diameter-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0",
		"--origin-host", serverHost, "--origin-realm", serverRealm)
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
