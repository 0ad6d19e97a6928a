package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/diameter/ctf"
)

// gyroBinary is the program as it is shipped, which TestServe builds: how it takes signals is part of the tests.
var gyroBinary string

// TestServe runs the real binary, each test with a data directory of its own.
func TestServe(t *testing.T) {
	t.Parallel()
	gyroBinary = filepath.Join(t.TempDir(), "gyro")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", gyroBinary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build gyro: %v\n%s", err, out)
	}
	t.Run("starts and stops", testStartStop)
	t.Run("survives a kill", testKill)
	t.Run("refuses a second start", testSecondStart)
	t.Run("says that a port is taken", testPortTaken)
	t.Run("demo", testDemo)
	t.Run("doctor", testDoctor)
	t.Run("refuses strangers", testRefusedPeer)
	t.Run("TLS", testTLS)
	t.Run("measures", testMetrics)
	t.Run("traces", testTraces)
	t.Run("checks", testCheck)
}

// reachableDir is a directory that also an unprivileged Postgres can reach, which t.TempDir is not when root runs the test.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gyro-serve") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // a dying Postgres may still hold a file
	return filepath.Join(dir, "data")
}

// A bench is where one test works: it has a data directory.
type bench struct{ dir string }

func newBench(t *testing.T) *bench {
	t.Helper()
	return &bench{dir: reachableDir(t)}
}

// A process is a running "gyro serve".
type process struct {
	*exec.Cmd
	ready string // the line that says so
	ended chan struct{}
	state error

	mu     sync.Mutex
	stdout bytes.Buffer
	stderr bytes.Buffer
}

// capture writes to b, which is read while it grows.
type capture struct {
	p *process
	b *bytes.Buffer
}

func (c capture) Write(text []byte) (int, error) {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.b.Write(text)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String() + p.stderr.String()
}

// begin starts "gyro serve" on free ports and returns its lines as they come.
func (b *bench) begin(t *testing.T, args ...string) (p *process, lines <-chan string) {
	t.Helper()
	args = append([]string{"serve", "--data-dir", b.dir, "--diameter-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0"}, args...)
	p = &process{Cmd: exec.Command(gyroBinary, args...), ended: make(chan struct{})} //nolint:noctx // ended by signals
	p.Env = cleanEnvironment()
	p.Stderr = capture{p, &p.stderr}
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan string, 1000)
	go func() {
		out := capture{p, &p.stdout}
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			_, _ = fmt.Fprintln(out, scanner.Text())
			told <- scanner.Text()
		}
		close(told)
		p.state = p.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill() // it has usually ended
		<-p.ended
		if t.Failed() {
			t.Logf("what the server said:\n%s", p.output())
		}
	})
	return p, told
}

// serve starts a server and returns when it is ready.
func (b *bench) serve(t *testing.T, args ...string) *process {
	t.Helper()
	p, lines := b.begin(t, args...)
	said := "gyro is ready"
	if slices.Contains(args, "--json") {
		said = "}"
	}
	p.ready = p.await(t, lines, said)
	return p
}

// await returns the first line that has text in it.
func (p *process) await(t *testing.T, lines <-chan string, text string) string {
	t.Helper()
	patience := time.After(time.Minute)
	for {
		select {
		case line, more := <-lines:
			if strings.Contains(line, text) {
				return line
			}
			if !more {
				<-p.ended
				t.Fatalf("the server ended with %v before it said %q", p.state, text)
			}
		case <-patience:
			t.Fatalf("the server did not say %q within a minute", text)
		}
	}
}

// stop asks for an orderly end and returns what Wait says.
func (p *process) stop(t *testing.T) error {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.ended:
		return p.state
	case <-time.After(time.Minute):
		t.Fatal("the server did not stop within a minute")
		return nil
	}
}

func cleanEnvironment() (kept []string) {
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "GYRO_") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// run runs a command on the data directory.
func (b *bench) run(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), gyroBinary, append(args, "--data-dir", b.dir)...)
	cmd.Env = cleanEnvironment()
	text, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState.ExitCode() < 1 {
		t.Fatalf("gyro %v: %v\n%s", args, err, text)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func (b *bench) must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := b.run(t, args...)
	if code != 0 {
		t.Fatalf("gyro %v: exit %d\n%s", args, code, out)
	}
	return out
}

// balance returns what "subscriber show --json" says.
func (b *bench) balance(t *testing.T, msisdn string) (balance, reserved int64) {
	t.Helper()
	var account struct {
		Balance  int64 `json:"balance_seconds"`
		Reserved int64 `json:"reserved_seconds"`
	}
	if err := json.Unmarshal([]byte(b.must(t, "subscriber", "show", msisdn, "--json")), &account); err != nil {
		t.Fatal(err)
	}
	return account.Balance, account.Reserved
}

func wantText(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Fatalf("told:\n%s", text)
	}
}

// A call is charged to the second, and the end is orderly: no file of a running server is left.
func testStartStop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.serve(t, "--accept-unknown-peers", "--origin-host", "ocs1.ocs.test", "--origin-realm", "ocs.test")
	e, err := readEndpoint(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	if e.PID != p.Process.Pid || len(e.Diameter) != 1 || e.OriginRealm != "ocs.test" {
		t.Errorf("endpoint %+v, want process %d, one address, realm ocs.test", e, p.Process.Pid)
	}
	wantText(t, p.ready, "diameter "+e.Diameter[0], "http "+e.URL, "data "+b.dir)
	if info, err := os.Stat(filepath.Join(b.dir, endpointFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v, want mode 0600: it holds a token", endpointFile, info.Mode(), err)
	}
	b.must(t, "subscriber", "create", "491700000001", "--plan", "demo", "--seconds", "600")
	out := b.must(t, "call", "--from", "491700000001", "--to", "+4930123456", "--seconds", "75", "--answer-delay", "4", "--repeat-each")
	wantText(t, out, "-> CCR-I 0  asks for quota for +491700000001 to call +4930123456", "<- CCA-I 0  2001 granted 60 s, ",
		"once more (T)", "completed after 1:15 min of talk")
	if balance, reserved := b.balance(t, "491700000001"); balance != 525 || reserved != 0 {
		t.Errorf("after 75 of 600 s: balance %d, reserved %d", balance, reserved)
	}
	out = b.must(t, "call", "--from", "491700000001", "--to", "+4930123456", "--seconds", "10", "--count", "20", "--parallel", "5", "--quiet")
	wantText(t, out, "20 calls, 40 requests", "20 completed", "200 s talked")
	if balance, _ := b.balance(t, "491700000001"); balance != 325 {
		t.Errorf("after 20 calls of 10 s more: balance %d, want 325", balance)
	}
	out, code := b.run(t, "call", "--from", "491799999999", "--to", "100", "--seconds", "1")
	if code != exitNotFound {
		t.Errorf("a stranger's call: exit %d, want %d\n%s", code, exitNotFound, out)
	}
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
	for _, left := range []string{endpointFile, "postgres/data/postmaster.pid"} {
		if _, err := os.Stat(filepath.Join(b.dir, left)); err == nil {
			t.Errorf("%s was left behind", left)
		}
	}
	out, code = b.run(t, "subscriber", "show", "491700000001")
	if code != exitUnavailable || !strings.Contains(out, "gyro serve --data-dir") {
		t.Errorf("without a server: exit %d\n%s", code, out)
	}
}

// What was answered is there after a kill, and no Postgres is left over.
func testKill(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.serve(t, "--accept-unknown-peers")
	b.must(t, "subscriber", "create", "491700000001", "--plan", "demo", "--seconds", "600")
	b.must(t, "call", "--from", "491700000001", "--to", "+4930123456", "--seconds", "75")
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-first.ended
	if _, code := b.run(t, "subscriber", "show", "491700000001"); code != exitUnavailable {
		t.Errorf("with a killed server: exit %d, want %d", code, exitUnavailable)
	}
	second := b.serve(t, "--accept-unknown-peers")
	if balance, reserved := b.balance(t, "491700000001"); balance != 525 || reserved != 0 {
		t.Errorf("after the kill: balance %d, reserved %d, want 525, 0", balance, reserved)
	}
	if err := second.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func testSecondStart(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.serve(t)
	second, lines := b.begin(t)
	for range lines { // it says nothing on stdout
	}
	<-second.ended
	if second.ProcessState.ExitCode() != exitFailed {
		t.Errorf("exit %d, want %d", second.ProcessState.ExitCode(), exitFailed)
	}
	wantText(t, second.output(), fmt.Sprintf("(process %d) runs already on data directory %s", first.Process.Pid, b.dir))
	if err := first.stop(t); err != nil {
		t.Errorf("the first stopped with %v", err)
	}
}

func testPortTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at once
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // the test is over
	address := taken.Addr().String()
	p, lines := b.begin(t, "--http-listen", address)
	for range lines {
	}
	<-p.ended
	wantText(t, p.output(), "listen on "+address+" (--http-listen): the port is taken")
	if _, err := os.Stat(filepath.Join(b.dir, "postgres")); err == nil {
		t.Error("Postgres was started all the same")
	}
}

// The demo tells the exchange, the bucket after each answer, and the CDR; a second run says what it gives back.
func testDemo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p, lines := b.begin(t, "--demo")
	p.await(t, lines, "The server stays up")
	told := p.output()
	wantText(t, told, "gyro is ready", "switch -> gyro   CCR-I 0  asks for quota for +491700000001 to call +4930123456",
		"switch <- gyro   CCA-I 0  2001 granted 60 s", "bucket of Anna: 200:00 min, 1:00 of it reserved",
		"bucket of Anna: 199:00 min, 1:00 of it reserved", "bucket of Anna: 198:00 min, 1:00 of it reserved",
		"bucket of Anna: 197:30 min\n", "switch -> gyro   CCR-T 3  used 30 s", "charged      2:30 min (150 s)",
		"15 min to Ben O*** ..0002. Left 182 min 30 s. PIN:", "  Sent. Ref ", "text to +491700000002: 15 min from Anna V*** ..0001.",
		"Anna  has 182:30 min", "Ben   has 35:00 min", " <-  491700000002  plan   15:00   0:00  never")
	command := p.await(t, lines, "subscriber show 491700000001") // as it is told
	text, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil || !strings.Contains(string(text), "182:30") {
		t.Errorf("%s: %v\n%s", command, err, text)
	}
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
	p, lines = b.begin(t, "--demo")
	p.await(t, lines, "The server stays up")
	wantText(t, p.output(), "had 182:30 left from an earlier run, 17:30 granted", "bucket of Anna: 197:30 min\n", "Ben   has 50:00 min")
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func testDoctor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	examine := func() (code int, byCheck map[string]finding) {
		out, code := b.run(t, "doctor", "--json", "--diameter-listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0")
		var report struct {
			Checks []finding `json:"checks"`
		}
		if err := json.Unmarshal([]byte(out[:strings.LastIndexByte(out, '}')+1]), &report); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		byCheck = make(map[string]finding)
		for _, f := range report.Checks {
			byCheck[f.Check] = f
		}
		return code, byCheck
	}
	code, before := examine()
	if code != exitOK || before["postgres"].Status != healthy || before["server"].Detail != "none runs on "+b.dir {
		t.Errorf("before: exit %d, %+v", code, before)
	}
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		t.Errorf("the doctor made %s: %v", b.dir, err)
	}
	p := b.serve(t)
	if code, now := examine(); code != exitOK || !strings.HasSuffix(now["server"].Detail, "is ready") {
		t.Errorf("with a server: exit %d, %+v", code, now["server"])
	}
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if out, code := b.run(t, "doctor", "--catalog", filepath.Join(b.dir, "none.yaml"), "--http-listen", "127.0.0.1:0"); code != exitFailed || !strings.Contains(out, "none.yaml") {
		t.Errorf("with a catalogue that is missing: exit %d\n%s", code, out)
	}
}

func testRefusedPeer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.serve(t, "--peers", `[{name: "*.known.test", security: none}]`)
	b.must(t, "subscriber", "create", "491700000001", "--plan", "demo", "--seconds", "600")
	call := []string{"call", "--from", "491700000001", "--to", "100", "--seconds", "1"}
	if out, code := b.run(t, call...); code != exitRefused || !strings.Contains(out, "it knows no peer call-") {
		t.Errorf("a stranger: exit %d\n%s", code, out)
	}
	b.must(t, append(call, "--origin-host", "tas1.known.test", "--origin-realm", "known.test")...)
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

func TestLockDataDir(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := lockDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDataDir(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("(process %d)", os.Getpid())) {
		t.Errorf("a second lock: got %v, want our process named", err)
	}
	release()
	release, err = lockDataDir(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	release()
	if info, err := os.Stat(dir); err != nil || info.Mode()&fs.ModePerm&0o007 != 0 {
		t.Errorf("data directory: %v, %v, want nothing for others", info.Mode(), err)
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"491700000001": "*********001", "112": "***", "": ""} {
		if got := masked(in); got != want {
			t.Errorf("masked(%q): got %q, want %q", in, got, want)
		}
	}
	var log bytes.Buffer
	newLogger(telemetryConfig{LogLevel: "info", LogFormat: "json"}, &log).Info("x", "msisdn", "491700000001")
	if strings.Contains(log.String(), "491700000001") || !strings.Contains(log.String(), "001") {
		t.Errorf("log: %s", log.String())
	}
}

// With TLS the client shows a certificate of its name, and no plain listener is needed.
func testTLS(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	authority := newAuthority(t)
	dir := t.TempDir()
	ca := authority.write(t, dir)
	certificate, key := authority.issue(t, dir, "ocs1.ocs.test")
	p := b.serve(t, "--diameter-listen", "", "--diameter-tls-listen", "127.0.0.1:0", "--diameter-tls-certificate", certificate,
		"--diameter-tls-key", key, "--diameter-tls-client-ca", ca, "--peers", "[{name: tas1.ims.test}]", "--json")
	var ready struct {
		TLS []string `json:"diameter_tls"`
	}
	p.decode(t, &ready)
	connect := func(host, name string) error {
		certificate, key := authority.issue(t, dir, name)
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := ctf.Dial(t.Context(), ready.TLS[0], ctf.Config{Host: host, Realm: "ims.test", TLS: &tls.Config{
			MinVersion: tls.VersionTLS12, ServerName: "ocs1.ocs.test", RootCAs: authority.pool, Certificates: []tls.Certificate{pair},
		}})
		if err == nil {
			err = conn.Close()
		}
		return err
	}
	if err := connect("tas1.ims.test", "tas1.ims.test"); err != nil {
		t.Errorf("a peer with its certificate: %v", err)
	}
	if err := connect("tas1.ims.test", "other.ims.test"); err == nil {
		t.Error("a peer with the certificate of another was let in")
	}
	if out, code := b.run(t, "call", "--from", "491700000001", "--to", "100"); code != exitUnavailable || !strings.Contains(out, "no plain Diameter listener") {
		t.Errorf("call: exit %d\n%s", code, out)
	}
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// What is measured has no subscriber and no scope in it.
func testMetrics(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.serve(t, "--accept-unknown-peers", "--telemetry-log-format", "json", "--telemetry-log-level", "debug")
	b.must(t, "subscriber", "create", "491700000001", "--plan", "demo", "--seconds", "600")
	b.must(t, "call", "--from", "491700000001", "--to", "+4930123456", "--seconds", "75")
	e, err := readEndpoint(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(e.URL + "/metrics") //nolint:noctx // on this machine
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, string(text), `gyro_diameter_requests_total{result="2001",type="initial"} 1`, "gyro_sessions_open 0", "gyro_commits_total",
		"gyro_diameter_request_duration_seconds_bucket", "gyro_batch_size_bucket", "gyro_queue_depth", "gyro_reserved", "go_goroutines")
	for _, secret := range []string{"otel_scope", "491700000001", "4930123456"} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is among the metrics", secret)
		}
	}
	if err := p.stop(t); err != nil {
		t.Errorf("stopped with %v", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
		if strings.Contains(line, "491700000001") || strings.Contains(line, "4930123456") || strings.Contains(line, e.Token) {
			t.Errorf("a number or the token is in the log: %s", line)
		}
	}
}

// A traced request reaches the collector, and says nothing about who was called.
func testTraces(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var mu sync.Mutex
	var paths []string
	var sent []byte
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		paths, sent = append(paths, r.URL.Path), append(sent, body...)
	}))
	defer collector.Close()
	p := b.serve(t, "--accept-unknown-peers", "--telemetry-traces", collector.URL, "--telemetry-trace-every", "1")
	b.must(t, "subscriber", "create", "491700000001", "--plan", "demo", "--seconds", "600")
	b.must(t, "call", "--from", "491700000001", "--to", "+4930123456", "--seconds", "75")
	if err := p.stop(t); err != nil { // which sends what is left
		t.Errorf("stopped with %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(paths) == 0 || paths[0] != "/v1/traces" {
		t.Errorf("asked for %q, want /v1/traces", paths)
	}
	for text, want := range map[string]bool{"CCR": true, "charging batch": true, "491700000001": false, "4930123456": false} {
		if got := bytes.Contains(sent, []byte(text)); got != want {
			t.Errorf("%q among the traces: %v, want %v", text, got, want)
		}
	}
}

// --check tells every fault and starts nothing.
func testCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	out := b.must(t, "serve", "--check", "--config", "../../deploy/gyro.yaml")
	wantText(t, out, "the configuration is good")
	out, code := b.run(t, "serve", "--check", "--origin-host", "a b", "--http-listen", "nowhere")
	if code != exitUsage {
		t.Errorf("exit %d, want %d", code, exitUsage)
	}
	wantText(t, out, "--origin-host: origin_host: ", "--http-listen: http.listen: ")
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		t.Errorf("%s was made: %v", b.dir, err)
	}
}

// decode reads the JSON that the server printed so far.
func (p *process) decode(t *testing.T, into any) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := json.Unmarshal(p.stdout.Bytes(), into); err != nil {
		t.Fatalf("%v\n%s", err, p.stdout.String())
	}
}

// An authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pool        *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{pool: x509.NewCertPool()}
	template := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.certificate, a.key = sign(t, template, nil)
	a.pool.AddCert(a.certificate)
	return a
}

// sign makes a certificate of template; a nil issuer signs itself.
func sign(t *testing.T, template *x509.Certificate, issuer *authority) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, parentKey := template, key
	if issuer != nil {
		parent, parentKey = issuer.certificate, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, key
}

// issue makes a certificate for name, with its key, in dir.
func (a *authority) issue(t *testing.T, dir, name string) (certificate, key string) {
	t.Helper()
	made, private, err := issued(t, a, name)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	writePEM(t, certificate, "CERTIFICATE", made)
	writePEM(t, key, "PRIVATE KEY", private)
	return certificate, key
}

func issued(t *testing.T, a *authority, name string) (certificate, key []byte, err error) {
	t.Helper()
	made, private := sign(t, &x509.Certificate{
		DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, a)
	key, err = x509.MarshalPKCS8PrivateKey(private)
	return made.Raw, key, err
}

func (a *authority) write(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "ca.pem")
	writePEM(t, path, "CERTIFICATE", a.certificate.Raw)
	return path
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
