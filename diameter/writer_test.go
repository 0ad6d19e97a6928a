package diameter

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A gate is a connection whose Writes wait to be let through.
type gate struct {
	net.Conn
	mu     sync.Mutex
	writes [][]byte
	pass   chan struct{}
}

func (g *gate) SetWriteDeadline(time.Time) error { return nil }

func (g *gate) Write(b []byte) (int, error) {
	<-g.pass
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes = append(g.writes, bytes.Clone(b))
	return len(b), nil
}

// What gathers during a Write leaves in the next one, what is urgent first. Then finish ends the writer.
func TestWriterCoalesces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := &gate{pass: make(chan struct{})}
		w := newWriter(g, 1000, time.Second)
		ended := make(chan error, 1)
		go func() { ended <- w.run() }()
		send := func(s string, urgent bool) {
			if err := w.send([]byte(s), urgent); err != nil {
				t.Errorf("send %s: %v", s, err)
			}
		}
		send("first ", false)
		synctest.Wait() // it is being written
		send("cca1 ", false)
		send("cca2 ", false)
		send("dwa ", true)
		g.pass <- struct{}{}
		synctest.Wait()
		send("last", false)
		w.finish()
		close(g.pass)
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		if err := w.send([]byte("late"), false); !errors.Is(err, errWriterEnded) {
			t.Errorf("send after finish: %v, want %v", err, errWriterEnded)
		}
		want := [][]byte{[]byte("first "), []byte("dwa cca1 cca2 "), []byte("last")}
		if len(g.writes) != len(want) {
			t.Fatalf("%d writes %q, want %q", len(g.writes), g.writes, want)
		}
		for i := range want {
			if !bytes.Equal(g.writes[i], want[i]) {
				t.Errorf("write %d is %q, want %q", i, g.writes[i], want[i])
			}
		}
	})
}

func TestWriterGivesUpOnAPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	w := newWriter(&gate{}, 10, time.Second) // nobody runs it
	if err := w.send(make([]byte, 10), false); err != nil {
		t.Fatalf("the queue is not full yet: %v", err)
	}
	if err := w.send(make([]byte, 1), true); !errors.Is(err, errPeerDoesNotRead) {
		t.Errorf("send to a full queue: %v, want %v", err, errPeerDoesNotRead)
	}
	if err := w.send(nil, false); !errors.Is(err, errWriterEnded) {
		t.Errorf("send after that: %v, want %v", err, errWriterEnded)
	}
}

// A Write that does not end is given up after its time.
func TestWriterTimesOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _ = far.Close() }()
		w := newWriter(near, 1000, writeTimeout)
		start, ended := time.Now(), make(chan error, 1)
		go func() { ended <- w.run() }()
		if err := w.send([]byte("x"), false); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Error("the writer ended without an error")
		}
		if got := time.Since(start); got != writeTimeout {
			t.Errorf("given up after %v, want %v", got, writeTimeout)
		}
	})
}
