package cluster

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/lib/pq"
)

// unfinished begins the name of a directory that initdb has not finished. No server ever ran in one.
const unfinished = "initdb-"

// initialise makes the data directory where there is none. It is made under another name and renamed when it is whole and
// on the disk, so that a data directory that exists is one that can be started.
func (c *Cluster) initialise(ctx context.Context) error {
	version, err := dataVersion(c.data())
	if err != nil {
		return err
	}
	if version != 0 {
		return nil
	}
	if entries, err := os.ReadDir(c.data()); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty and not a data directory of Postgres: nothing was touched", c.data())
	}
	old, err := filepath.Glob(filepath.Join(c.dir, unfinished+"*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp(c.dir, unfinished)
	if err != nil {
		return err
	}
	if err := c.account.give(dir); err != nil {
		return err
	}
	c.log.Info("making a new private Postgres", "dir", c.data(), "version", c.binaries.major, "account", c.account.String())
	if err := c.initdb(ctx, dir); err != nil {
		return err
	}
	if err := os.Rename(dir, c.data()); err != nil {
		return err
	}
	return syncDir(c.dir)
}

func (c *Cluster) initdb(ctx context.Context, dir string) error {
	arguments := []string{
		"--pgdata", dir,
		"--username", databaseName,
		"--encoding", "UTF8", "--locale", "C",
		"--data-checksums",
		"--auth-local", "trust", "--auth-host", "reject", // the directory of the socket is the lock on the door
	}
	if c.options.Scratch {
		arguments = append(arguments, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, c.binaries.path("initdb"), arguments...)
	cmd.Dir = c.dir
	cmd.Env = environment()
	cmd.SysProcAttr = c.account.attributes()
	if out, err := runLocked(cmd); err != nil {
		return fmt.Errorf("initdb: %w:\n%s", err, strings.TrimSpace(out))
	}
	include := "\n# written by gyro at every start; ALTER SYSTEM overrides it\ninclude_if_exists = '" + settingsFile + "'\n"
	return appendTo(filepath.Join(dir, "postgresql.conf"), include)
}

// runLocked runs a program on a thread of its own, like startChild, and returns what it said.
func runLocked(cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := startChild(cmd)
	if err != nil {
		return "", err
	}
	<-p.done
	return out.String(), p.err
}

func appendTo(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(text); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Sync()
}

// createDatabase makes the database of the server where there is none.
func (c *Cluster) createDatabase(ctx context.Context) error {
	connector, err := pq.NewConnector(c.dsn("postgres"))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() { _ = db.Close() }()
	var exists bool
	const find = `SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)`
	if err := db.QueryRowContext(ctx, find, databaseName).Scan(&exists); err != nil {
		return fmt.Errorf("look for database %s: %w", databaseName, err)
	}
	if exists {
		return nil
	}
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+pq.QuoteIdentifier(databaseName)); err != nil {
		return fmt.Errorf("create database %s: %w", databaseName, err)
	}
	return nil
}
