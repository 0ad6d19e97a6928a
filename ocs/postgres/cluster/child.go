package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// port is only a part of the name of the socket: nothing listens on it.
const port = 5432

// A child is one run of postgres.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // of the end; valid after done
}

func (p *child) pid() int { return p.cmd.Process.Pid }

// signal is lost on a process that ended, which is what we would want.
func (p *child) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// startChild starts cmd on a thread that lives as long as the child: the kernel sends Pdeathsig when the thread that
// started a process ends, not when its process does.
func startChild(cmd *exec.Cmd) (*child, error) {
	p := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// environment is that of every program of Postgres: none of ours, messages in English because we read them.
func environment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// run starts postgres and waits until it takes connections. Backends of a postmaster that was killed may hold the shared
// memory for a moment more; then it tries again.
func (c *Cluster) run(ctx context.Context) error {
	deadline := time.Now().Add(leftOverPatience)
	for {
		err := c.runOnce(ctx)
		if err == nil || !errors.Is(err, errMemoryInUse) || time.Now().After(deadline) {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

var errMemoryInUse = errors.New("processes of an earlier run still end")

func (c *Cluster) runOnce(ctx context.Context) error {
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	if err := c.account.give(c.logFile()); err != nil {
		return err
	}
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	arguments := []string{"-D", c.data()}
	for _, s := range c.safety() {
		arguments = append(arguments, "-c", s.name+"="+s.value)
	}
	cmd := exec.Command(c.binaries.path("postgres"), arguments...) //nolint:noctx // it lives longer than ctx
	cmd.Dir = c.dir
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = c.account.attributes()
	p, err := c.startUnlessStopping(cmd)
	if err != nil {
		return err
	}
	if err := c.waitUntilReady(ctx, p); err != nil {
		return c.explain(err, begin)
	}
	return nil
}

var errStopping = errors.New("stopped meanwhile")

func (c *Cluster) startUnlessStopping(cmd *exec.Cmd) (*child, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return nil, errStopping
	}
	p, err := startChild(cmd)
	if err != nil {
		return nil, err
	}
	c.child = p
	return p, nil
}

var errEnded = errors.New("postgres ended while it started")

// waitUntilReady asks for a connection until one is given.
func (c *Cluster) waitUntilReady(ctx context.Context, p *child) error {
	connector, err := pq.NewConnector(c.dsn("postgres"))
	if err != nil {
		return err
	}
	begin, told := time.Now(), false
	for {
		conn, err := connector.Connect(ctx)
		if err == nil {
			return conn.Close()
		}
		if !told && time.Since(begin) > 5*time.Second && pq.As(err, pqerror.CannotConnectNow) != nil {
			c.log.Info("private Postgres recovers from a crash")
			told = true
		}
		select {
		case <-p.done:
			return errors.Join(errEnded, p.err)
		case <-ctx.Done():
			return fmt.Errorf("wait for postgres: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// explain adds what Postgres wrote to its log from offset begin on.
func (c *Cluster) explain(err error, begin int64) error {
	written, readErr := readFrom(c.logFile(), begin)
	if readErr != nil || len(written) == 0 {
		return err
	}
	if strings.Contains(written, "is still in use") {
		return errMemoryInUse
	}
	return fmt.Errorf("%w; its log %s ends:\n%s", err, c.logFile(), written)
}

// readFrom returns the end of what a log holds from offset begin on.
func readFrom(name string, begin int64) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	if _, err := file.Seek(begin, io.SeekStart); err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.LimitReader(file, 1<<20))
	if err != nil {
		return "", err
	}
	const enough = 2000
	if len(content) > enough {
		content = content[len(content)-enough:]
	}
	return strings.TrimSpace(string(content)), nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
