package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say where the cluster lies.
type Options struct {
	Dir      string            // its own directory, made when missing: data, log and lock lie in it
	BinDir   string            // where postgres and initdb are; empty: they are looked for
	Settings map[string]string // over the settings that are chosen by the machine, not over those that keep data safe
	Scratch  bool              // for tests: what it holds may be lost with the machine, though not with a process
	Logger   *slog.Logger      // nil: nothing is logged
}

// A Cluster is a running Postgres of our own.
type Cluster struct {
	options  Options
	dir      string // absolute
	binaries binaries
	account  account
	lock     *lockFile
	socket   string // directory of the Unix socket
	log      *slog.Logger

	mu       sync.Mutex
	child    *child
	stopping bool
	failure  error

	supervised bool // keepRunning runs, and closes done
	done       chan struct{}
}

// databaseName is the database of the server and the name of the role that owns it.
const databaseName = "gyro"

// Start makes the cluster when there is none, recovers it when it was not stopped, and returns when it takes connections.
// Recovery takes as long as it takes; ctx ends the wait.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("directory of the private Postgres: %w", err)
	}
	c := &Cluster{options: o, dir: dir, log: o.Logger, done: make(chan struct{})}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if err := c.start(ctx); err != nil {
		if stopErr := c.Stop(context.WithoutCancel(ctx)); stopErr != nil {
			err = errors.Join(err, stopErr)
		}
		return nil, fmt.Errorf("private Postgres in %s: %w", dir, err)
	}
	c.supervised = true
	go c.keepRunning()
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	lock, err := takeLock(filepath.Join(c.dir, "lock"))
	if err != nil {
		return err
	}
	c.lock = lock
	if c.binaries, err = findBinaries(ctx, c.options.BinDir, c.data()); err != nil {
		return err
	}
	if c.account, err = chooseAccount(ctx, c.dir, c.data(), c.binaries); err != nil {
		return err
	}
	if err := stopLeftOver(ctx, c.data(), c.log); err != nil {
		return err
	}
	removeOldSocketDir(lock.socket)
	if c.socket, err = makeSocketDir(c.dir, c.account); err != nil {
		return err
	}
	if err := lock.write(c.socket); err != nil {
		return err
	}
	if err := c.initialise(ctx); err != nil {
		return err
	}
	if err := c.writeSettings(); err != nil {
		return err
	}
	if err := c.run(ctx); err != nil {
		return err
	}
	return c.createDatabase(ctx)
}

func (c *Cluster) data() string    { return filepath.Join(c.dir, "data") }
func (c *Cluster) logFile() string { return filepath.Join(c.dir, "postgres.log") }

// DSN names the database for package postgres. It stays the same as long as c runs.
func (c *Cluster) DSN() string { return c.dsn(databaseName) }

func (c *Cluster) dsn(database string) string {
	return fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable connect_timeout=5",
		quote(c.socket), port, databaseName, database)
}

// quote writes a value of a key=value connection string.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

// Done is closed when Postgres ended and could not be brought back, or was stopped. Err tells which.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Err tells, after Done, why Postgres could not be brought back; nil when it was stopped.
func (c *Cluster) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// PID is the process id of the postmaster; 0 when none runs.
func (c *Cluster) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.child == nil {
		return 0
	}
	select {
	case <-c.child.done:
		return 0
	default:
		return c.child.pid()
	}
}

// Version is the major version of Postgres that runs.
func (c *Cluster) Version() int { return c.binaries.major }

// Stop ends Postgres, cutting what is still connected, and waits for its last checkpoint. When ctx ends first it stops
// without checkpoint, which the next start recovers from. It may be called again.
func (c *Cluster) Stop(ctx context.Context) error {
	c.mu.Lock()
	c.stopping = true
	running := c.child
	c.mu.Unlock()
	var err error
	if running != nil {
		err = running.stop(ctx)
	}
	if err == nil && c.supervised {
		<-c.done
	}
	removeOldSocketDir(c.socket)
	if c.lock != nil {
		c.lock.release()
	}
	return err
}

// patience is how long an end that was ordered to be immediate may take.
const patience = 10 * time.Second

// stop asks for a fast shutdown and, when ctx ends, for an immediate one. See "Server Shutdown Modes" of the manual.
func (p *child) stop(ctx context.Context) error {
	p.signal(syscall.SIGINT)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.signal(syscall.SIGQUIT)
	select {
	case <-p.done:
		return fmt.Errorf("stopped without a checkpoint: %w", ctx.Err())
	case <-time.After(patience):
		return fmt.Errorf("postgres, process %d, does not stop", p.pid())
	}
}
