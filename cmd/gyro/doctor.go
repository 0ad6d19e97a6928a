package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver postgres
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/gyro-ocs/gyro/ocs/postgres/cluster"
)

// A finding is what the doctor found about one thing.
type finding struct {
	Check  string `json:"check"`
	Status health `json:"status"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"` // what to do
}

// health is how good a thing is.
type health string

const (
	healthy health = "ok"
	doubt   health = "warn"
	sick    health = "fail"
)

func ok(format string, args ...any) finding {
	return finding{Status: healthy, Detail: fmt.Sprintf(format, args...)}
}

func warn(remedy, format string, args ...any) finding {
	return finding{Status: doubt, Detail: fmt.Sprintf(format, args...), Remedy: remedy}
}

func fail(remedy, format string, args ...any) finding {
	return finding{Status: sick, Detail: fmt.Sprintf(format, args...), Remedy: remedy}
}

func doctorCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine and say what to do",
		Long: `Doctor checks what a server needs: its configuration and catalogue, Postgres, data directory, disk, ports, clock and
limits, and whether a server that runs is well. It changes nothing. It takes the same flags as serve.

Exit code 1 means that something must be done before a server can work.`,
		Example: "  gyro doctor\n  gyro doctor --config /etc/gyro/gyro.yaml --json",
		Args:    cobra.NoArgs,
	}
	flags := addConfigFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		d := &doctor{env: env}
		findings := d.examine(cmd.Context(), flags)
		if err := tellFindings(env, findings); err != nil {
			return err
		}
		if n := count(findings, sick); n > 0 {
			return failf(exitFailed, "%d of %d checks failed", n, len(findings))
		}
		return nil
	}
	return cmd
}

func count(findings []finding, status health) (n int) {
	for _, f := range findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

func tellFindings(env *environment, findings []finding) error {
	if env.json {
		return env.printJSON(struct {
			Healthy bool      `json:"healthy"`
			Checks  []finding `json:"checks"`
		}{count(findings, sick) == 0, findings})
	}
	t := newTable(env.stdout)
	for _, f := range findings {
		t.row(string(f.Status), f.Check, f.Detail)
		if f.Remedy != "" {
			t.row(" ", " ", "-> "+f.Remedy)
		}
	}
	return t.flush()
}

// doctor examines the machine for one configuration.
type doctor struct {
	env     *environment
	config  *config
	running *endpoint // the server on the data directory; nil: none
}

// examine makes every check. Without a configuration that can be read, the others have nothing to check.
func (d *doctor) examine(ctx context.Context, flags *configFlags) []finding {
	var findings []finding
	add := func(check string, f finding) {
		f.Check = check
		findings = append(findings, f)
	}
	c, err := flags.load(d.env)
	if err != nil {
		add("configuration", fail("correct what is named; deploy/gyro.yaml explains every key", "%v", err))
		c = defaultConfig() // the machine can be looked at all the same
		if c.DataDir, err = d.env.dataDir(); err != nil {
			return findings
		}
	} else {
		add("configuration", d.configuration(c))
	}
	d.config = c
	d.findServer(ctx)
	add("catalogue", d.catalogue())
	add("data directory", d.dataDirectory())
	add("disk", d.disk())
	add("postgres", d.postgres(ctx))
	for _, l := range d.listeners() {
		add("port", d.port(ctx, l))
	}
	add("clock", checkClock(time.Now()))
	add("open files", checkFileLimit())
	add("server", d.server(ctx))
	return findings
}

func (d *doctor) configuration(c *config) finding {
	if !c.AcceptUnknownPeers && len(c.Peers) == 0 {
		return warn("name some under peers, or set accept_unknown_peers", "good, but no peer may connect")
	}
	if _, err := c.Diameter.TLS.load(); err != nil {
		return fail("correct the file that is named", "%v", err)
	}
	return ok("good")
}

func (d *doctor) catalogue() finding {
	tariffs, err := loadCatalog(d.config)
	if err != nil {
		return fail("correct what is named; gyro serve --check tells it again", "%v", err)
	}
	return ok("version %s, plans: %s", tariffs.Version(), words(slices.Sorted(maps.Keys(tariffs.Plans()))))
}

// nearestExisting returns dir or the nearest directory above it that is there.
func nearestExisting(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || filepath.Dir(dir) == dir {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func (d *doctor) dataDirectory() finding {
	dir := d.config.DataDir
	info, err := os.Stat(dir)
	missing := errors.Is(err, os.ErrNotExist)
	at := nearestExisting(dir)
	switch {
	case err != nil && !missing:
		return fail("choose another --data-dir", "%v", err)
	case !missing && !info.IsDir():
		return fail("choose another --data-dir", "%s is not a directory", dir)
	case unix.Access(at, unix.W_OK) != nil:
		return fail("run as its owner or choose another --data-dir", "%s cannot be written", at)
	case missing:
		return ok("%s is not there yet and can be made", dir)
	}
	return ok("%s", dir)
}

// The free space at which a warning is due, and at which nothing works for long: a server that cannot write its log
// stops charging.
const (
	littleSpace = 10 << 30
	noSpace     = 1 << 30
)

func (d *doctor) disk() finding {
	at := nearestExisting(d.config.DataDir)
	var fs unix.Statfs_t
	if err := unix.Statfs(at, &fs); err != nil {
		return warn("", "%s: %v", at, err)
	}
	free := fs.Bavail * uint64(fs.Bsize) //nolint:gosec // G115: a block size is small and not negative
	const gib = 1 << 30
	text := fmt.Sprintf("%d.%d GiB free at %s", free/gib, free%gib*10/gib, at)
	switch {
	case free < noSpace:
		return fail("make room: a full disk stops charging", "%s", text)
	case free < littleSpace:
		return warn("make room: 100 calls a second write about 10 GiB a day", "%s", text)
	}
	return ok("%s", text)
}

// postgres starts a private Postgres in a temporary directory and stops it again, which shows more than looking at
// files does. Where a server runs, or another database is named, that one is looked at instead.
func (d *doctor) postgres(ctx context.Context) finding {
	switch {
	case d.config.Database != "":
		return checkDatabase(ctx, d.config.Database)
	case d.running != nil:
		return ok("private, in use by the server that runs")
	}
	dir, err := os.MkdirTemp("", "gyro-doctor")
	if err != nil {
		return fail("make room for temporary files", "%v", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	trial, err := cluster.Start(ctx, cluster.Options{Dir: filepath.Join(dir, "postgres")})
	switch {
	case errors.Is(err, cluster.ErrNoBinaries):
		return fail("apt install postgresql (Debian, Ubuntu), brew install postgresql (macOS), or name a server with --database", "%v", err)
	case err != nil:
		return fail("see the message; or name a server with --database", "a private one does not start: %v", err)
	}
	major := trial.Version()
	if err := trial.Stop(ctx); err != nil {
		return warn("see the message", "a private one started and did not stop in good order: %v", err)
	}
	made, err := os.ReadFile(filepath.Join(d.config.DataDir, "postgres", "data", "PG_VERSION"))
	if version := strings.TrimSpace(string(made)); err == nil && version != fmt.Sprint(major) {
		return warn("keep version "+version+" installed, or move the data with pg_upgrade",
			"version %d starts here, but the data was made by version %s", major, version)
	}
	return ok("version %d: a private one starts and stops here", major)
}

// checkDatabase looks at the settings that the promise of durability rests on.
func checkDatabase(ctx context.Context, dsn string) finding {
	const remedy = "check --database or GYRO_DATABASE, that the server runs, and that it lets this user in"
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	db, err := sql.Open("postgres", dsn)
	if err != nil {
		return fail(remedy, "the DSN cannot be read") // the error may repeat its password
	}
	defer db.Close() //nolint:errcheck // nothing was written
	var version, fsync, synchronous, full string
	var standby bool
	const settings = `
		SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
		       current_setting('full_page_writes'), pg_is_in_recovery()`
	if err := db.QueryRowContext(ctx, settings).Scan(&version, &fsync, &synchronous, &full, &standby); err != nil {
		return fail(remedy, "the database does not answer: %v", err)
	}
	switch {
	case standby:
		return fail("name the primary; with target_session_attrs=read-write and several hosts it is found", "version %s is a standby, which cannot be written", version)
	case fsync != "on" || full != "on":
		return fail("set fsync and full_page_writes to on", "version %s has fsync %s and full_page_writes %s: a power cut loses what was answered", version, fsync, full)
	case synchronous == "off":
		return fail("set synchronous_commit to on", "version %s has synchronous_commit off: a crash loses what was answered", version)
	}
	return ok("version %s, fsync %s, synchronous_commit %s", version, fsync, synchronous)
}

// A listener is an address that the server would take.
type wantedListener struct{ key, address string }

func (d *doctor) listeners() (all []wantedListener) {
	for _, address := range d.config.Diameter.Listen {
		all = append(all, wantedListener{"diameter-listen", address})
	}
	for _, address := range d.config.Diameter.TLS.Listen {
		all = append(all, wantedListener{"diameter-tls-listen", address})
	}
	return append(all, wantedListener{"http-listen", d.config.HTTP.Listen})
}

func (d *doctor) port(ctx context.Context, l wantedListener) finding {
	var config net.ListenConfig
	socket, err := config.Listen(ctx, "tcp", l.address)
	switch {
	case err == nil:
		_ = socket.Close()
		return ok("%s is free (--%s)", l.address, l.key)
	case d.running != nil && errors.Is(err, syscall.EADDRINUSE):
		return ok("%s is in use, and a server runs on this data directory", l.address)
	}
	return fail("choose another address with --"+l.key+" or stop what listens there", "%v", listenError(l.key, l.address, err))
}

// buildYear is a year in which this program was there already: a clock before it was never set.
const buildYear = 2026

// checkFileLimit looks at how many connections the process may have.
func checkFileLimit() finding {
	const enough = 4096
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return warn("", "%v", err)
	}
	if limit.Max < enough { // Go raises its own limit to Max
		return warn("raise it, for example LimitNOFILE=65536 in the systemd unit", "at most %d, which bounds the connections", limit.Max)
	}
	return ok("up to %d", limit.Max)
}

// findServer looks for a server on the data directory that answers.
func (d *doctor) findServer(ctx context.Context) {
	e, err := readEndpoint(d.config.DataDir)
	if err != nil {
		return
	}
	if _, _, err := fetch(ctx, e.URL+"/healthz"); err == nil {
		d.running = &e
	}
}

func (d *doctor) server(ctx context.Context) finding {
	if d.running == nil {
		return ok("none runs on %s", d.config.DataDir)
	}
	status, text, err := fetch(ctx, d.running.URL+"/readyz")
	about := fmt.Sprintf("process %d, version %s, at %s", d.running.PID, d.running.Version, d.running.URL)
	switch {
	case err != nil:
		return fail("look at its log; restart it", "%s does not answer: %v", about, err)
	case status != http.StatusOK:
		return fail("look at its log", "%s: %s", about, text)
	case d.running.Version != buildVersion():
		return warn("restart it to use this version", "%s is ready, but this program is %s", about, buildVersion())
	}
	return ok("%s is ready", about)
}

// fetch returns the status and the first line that a server of ours answers.
func fetch(ctx context.Context, url string) (status int, text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1024))
	line, _, _ := strings.Cut(string(body), "\n")
	return answer.StatusCode, line, err
}
