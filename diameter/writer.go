package diameter

import (
	"errors"
	"net"
	"runtime"
	"sync"
	"time"
)

// A writer sends on one connection, from one goroutine: all that waits leaves in one Write. Nobody waits for it. What
// is urgent leaves before what merely waits, so that a DWA never stands behind a thousand CCAs (spec/gy 1.4).
type writer struct {
	conn    net.Conn
	limit   int           // octets that may wait; beyond it the peer does not read and is given up
	timeout time.Duration // of one Write

	wake chan struct{} // one element: there is something to do
	quit chan struct{} // closed: stop at once

	mu     sync.Mutex
	urgent []byte
	queue  []byte
	last   bool // nothing more is taken; close after what waits
}

// What ends a writer other than its connection's end.
var (
	errPeerDoesNotRead = errors.New("peer does not read: too many octets wait to be sent")
	errWriterEnded     = errors.New("connection is closing")
)

func newWriter(conn net.Conn, limit int, timeout time.Duration) *writer {
	return &writer{conn: conn, limit: limit, timeout: timeout, wake: make(chan struct{}, 1), quit: make(chan struct{})}
}

// send queues a whole message, which it copies. An error means that the message will not leave; after
// errPeerDoesNotRead none will, and the caller closes the connection.
func (w *writer) send(message []byte, urgent bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.last:
		return errWriterEnded
	case len(w.urgent)+len(w.queue)+len(message) > w.limit:
		w.last = true
		return errPeerDoesNotRead
	case urgent:
		w.urgent = append(w.urgent, message...)
	default:
		w.queue = append(w.queue, message...)
	}
	w.signal()
	return nil
}

// finish lets what waits leave, and then ends run.
func (w *writer) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = true
	w.signal()
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // it is awake already
	}
}

// run sends until the connection fails or quit is closed, which is an error, or until all has left after finish.
func (w *writer) run() error {
	var batch []byte
	for {
		select {
		case <-w.wake:
		case <-w.quit:
			return errWriterEnded
		}
		runtime.Gosched() // whoever woke us may have more answers, which then leave in the same Write
		var last bool
		batch, last = w.take(batch[:0])
		if len(batch) > 0 {
			if err := w.write(batch); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// keptBuffer is the largest buffer that is kept once a peer that was slow has caught up.
const keptBuffer = 256 << 10

// take moves all that waits to the end of batch.
func (w *writer) take(batch []byte) (_ []byte, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if cap(batch) > keptBuffer {
		batch = nil
	}
	batch = append(append(batch, w.urgent...), w.queue...)
	w.urgent, w.queue = w.urgent[:0], w.queue[:0]
	if cap(w.queue) > keptBuffer {
		w.queue = nil
	}
	return batch, w.last
}

func (w *writer) write(b []byte) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	_, err := w.conn.Write(b)
	return err
}
