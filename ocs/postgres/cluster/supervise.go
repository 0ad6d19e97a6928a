package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// A cluster that dies more often than this is broken and not unlucky.
const (
	maxRestarts    = 5
	restartsWithin = time.Minute
)

// keepRunning starts Postgres again whenever it dies, until it is stopped or dies too often.
func (c *Cluster) keepRunning() {
	defer close(c.done)
	var deaths []time.Time
	for c.waitForEnd() {
		now := time.Now()
		deaths = append(deaths, now)
		if len(deaths) > maxRestarts {
			deaths = deaths[1:]
			if now.Sub(deaths[0]) < restartsWithin {
				c.fail(fmt.Errorf("postgres died %d times within %v, see %s", maxRestarts, restartsWithin, c.logFile()))
				return
			}
		}
		c.log.Error("private Postgres died, starting it again", "log", c.logFile())
		if err := c.run(context.Background()); err != nil {
			c.fail(fmt.Errorf("start postgres again: %w", err))
			return
		}
	}
}

// waitForEnd waits until Postgres has ended, keeping its log short meanwhile. It reports whether that was a surprise.
func (c *Cluster) waitForEnd() bool {
	c.mu.Lock()
	running := c.child
	c.mu.Unlock()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-running.done:
			c.mu.Lock()
			defer c.mu.Unlock()
			return !c.stopping
		case <-tick.C:
			if err := shortenLog(c.logFile()); err != nil {
				c.log.Warn("shorten the log of Postgres", "error", err)
			}
		}
	}
}

func (c *Cluster) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopping {
		c.failure = err
	}
}

// longestLog is the size, in octets, at which the log becomes the old log and starts anew.
const longestLog = 32 << 20

// shortenLog moves the log aside by copying: Postgres holds it open and appends.
func shortenLog(name string) error {
	info, err := os.Stat(name)
	if err != nil || info.Size() < longestLog {
		return err
	}
	from, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(name+".old", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(to, from); err != nil {
		_ = to.Close()
		return err
	}
	if err := to.Close(); err != nil {
		return err
	}
	return os.Truncate(name, 0)
}
