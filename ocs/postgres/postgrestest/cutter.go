package postgrestest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// A Cutter stands between a server and Postgres and kills the server, as far as Postgres can tell, at a statement of the test's
// choice: all of its connections end at once, and new ones are refused until it is mended. What was sent of that statement is
// exactly known, which a signal sent from outside never is.
//
// A step is one statement that runs: BEGIN, COMMIT and what lies between. That a statement is prepared is no step.
type Cutter struct {
	dsn, upstream string
	listener      net.Listener
	ended         sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	dead  bool
	armed bool
	at    int // the step to die at, from 1
	after bool
	steps int
	cut   chan string
}

// NewCutter returns a cutter before the database of a DSN of [DSN].
func NewCutter(t testing.TB, dsn string) *Cutter {
	t.Helper()
	host, port := parameter(t, dsn, `host='([^']*)'`), parameter(t, dsn, `port=(\d+)`)
	socket := ".s.PGSQL." + port
	dir, err := os.MkdirTemp("", "cut-") //nolint:usetesting // the name of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	c := &Cutter{
		dsn: strings.Replace(dsn, host, dir, 1), upstream: filepath.Join(host, socket), conns: map[net.Conn]bool{},
	}
	if c.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	c.ended.Go(c.accept)
	t.Cleanup(func() {
		err := c.listener.Close()
		c.kill()
		c.ended.Wait()
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return c
}

func parameter(t testing.TB, dsn, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(dsn)
	if found == nil {
		t.Fatalf("DSN %q has no %s", dsn, pattern)
	}
	return found[1]
}

// DSN leads through the cutter.
func (c *Cutter) DSN() string { return c.dsn }

// Arm lets the server die at a step, counted from now on: before Postgres has read the statement, or after it has run it, its
// answer unread. The channel tells the statement when that has happened.
func (c *Cutter) Arm(step int, after bool) (cut <-chan string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.at, c.after, c.steps, c.cut = true, step, after, 0, make(chan string, 1)
	return c.cut
}

// Mend lets connections through again.
func (c *Cutter) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.dead = false, false
}

func (c *Cutter) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
	for conn := range c.conns {
		_ = conn.Close()
	}
}

func (c *Cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.ended.Go(func() { c.serve(client) })
	}
}

// keep notes a connection, to be cut. It is not kept when the server is dead.
func (c *Cutter) keep(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead {
		c.conns[conn] = true
	}
	return !c.dead
}

func (c *Cutter) drop(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
	_ = conn.Close()
}

func (c *Cutter) serve(client net.Conn) {
	defer c.drop(client)
	server, err := net.Dial("unix", c.upstream) //nolint:noctx // ends with the cutter
	if err != nil || !c.keep(client) {
		return
	}
	defer c.drop(server)
	if !c.keep(server) {
		return
	}
	l := &link{cutter: c, client: client, server: server, statements: map[string]string{}}
	var both sync.WaitGroup
	for _, half := range []func() error{l.toServer, l.toClient} {
		both.Go(func() {
			_ = half() // a connection ends
			_, _ = client.Close(), server.Close()
		})
	}
	both.Wait()
}

// A link is one connection through the cutter.
type link struct {
	cutter         *Cutter
	client, server net.Conn
	statements     map[string]string // what was prepared, by its name

	mu    sync.Mutex
	dying string // the statement whose answer nobody reads
}

// message reads one message of the protocol; the first one of a client has no type.
func message(from io.Reader, typed bool) ([]byte, error) {
	n := 4
	if typed {
		n = 5
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint32(head[n-4:])) - 4
	if length < 0 || length > 1<<28 {
		return nil, fmt.Errorf("message of %d octets", length)
	}
	whole := append(head, make([]byte, length)...)
	_, err := io.ReadFull(from, whole[n:])
	return whole, err
}

// toServer hands on what the client says, one exchange at a time, and dies where it should.
func (l *link) toServer() error {
	var exchange bytes.Buffer
	statement := ""
	for typed := false; ; typed = true {
		m, err := message(l.client, typed)
		if err != nil {
			return err
		}
		exchange.Write(m)
		if typed {
			switch m[0] {
			case 'P':
				name, sql := text(m[5:])
				l.statements[name], _ = text(sql)
				continue
			case 'B':
				_, name := text(m[5:])
				prepared, _ := text(name)
				statement = l.statements[prepared]
				continue
			case 'Q':
				statement, _ = text(m[5:])
			case 'S', 'X', 'p':
			default:
				continue
			}
		}
		if statement != "" && l.cutter.dies(l, statement) {
			return errors.New("cut before a statement")
		}
		statement = ""
		if _, err := l.server.Write(exchange.Bytes()); err != nil {
			return err
		}
		exchange.Reset()
	}
}

// text reads a string that ends with a zero, and returns what follows it.
func text(b []byte) (s string, rest []byte) {
	before, after, _ := bytes.Cut(b, []byte{0})
	return string(before), after
}

// dies counts a step, and reports whether the server dies before it. When it dies after it, the link is told.
func (c *Cutter) dies(l *link, statement string) bool {
	c.mu.Lock()
	c.steps++
	now := c.armed && c.steps == c.at
	after, cut := c.after, c.cut
	if now {
		c.armed = false
	}
	c.mu.Unlock()
	switch {
	case !now:
		return false
	case after:
		l.mu.Lock()
		l.dying = statement
		l.mu.Unlock()
		return false
	}
	c.kill()
	cut <- statement
	return true
}

// toClient hands on what Postgres says, until it has done the statement that nobody hears of.
func (l *link) toClient() error {
	for {
		m, err := message(l.server, true)
		if err != nil {
			return err
		}
		l.mu.Lock()
		dying := l.dying
		l.mu.Unlock()
		if dying != "" {
			if m[0] == 'Z' { // ready for the next: this one is done
				l.cutter.kill()
				l.cutter.cut <- dying
				return errors.New("cut after a statement")
			}
			continue
		}
		if _, err := l.client.Write(m); err != nil {
			return err
		}
	}
}
