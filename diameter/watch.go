package diameter

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// A Watch looks on at the CCRs and CCAs of one session, or of one subscriber. While nobody watches, a request pays for it with one
// look at a pointer.
type Watch struct {
	Session    string         // Session-Id; empty: of any
	Identities []ocs.Identity // of the subscriber
	// Seen is told of every message, a copy of its own. It is called in the path of charging, from any goroutine, and must not wait.
	Seen func(Sighting)

	mu       sync.Mutex
	sessions map[string]bool // in which the subscriber was seen: a CCR-U need not repeat who pays
}

// A Sighting is a message that a watch has seen.
type Sighting struct {
	At      time.Time
	Peer    string // Origin-Host of the connection
	Message []byte
}

// mostWatched bounds the sessions of a subscriber that a watch remembers.
const mostWatched = 10_000

// Watch has w look on until stop is called. A message may still be seen while stop runs, none after it.
func (s *Server) Watch(w *Watch) (stop func()) {
	w.sessions = make(map[string]bool)
	s.watchers.Lock()
	defer s.watchers.Unlock()
	s.setWatches(append(s.watchList(), w))
	return func() {
		s.watchers.Lock()
		s.setWatches(slices.DeleteFunc(s.watchList(), func(other *Watch) bool { return other == w }))
		s.watchers.Unlock()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.Seen = nil
	}
}

// watchList returns a copy of those that look on.
func (s *Server) watchList() []*Watch {
	if all := s.watches.Load(); all != nil {
		return slices.Clone(*all)
	}
	return nil
}

func (s *Server) setWatches(all []*Watch) {
	if len(all) == 0 {
		s.watches.Store(nil)
		return
	}
	s.watches.Store(&all)
}

// watchedBy returns who looks on at a request, and shows it to them.
func (x *exchange) watchedBy(all []*Watch, request ocs.Request) []*Watch {
	var by []*Watch
	for _, w := range all {
		if w.wants(request) {
			by = append(by, w)
			w.see(x.c.peerHost(), x.question.frame)
		}
	}
	return by
}

// showAnswer shows an answer to those who saw its request.
func (x *exchange) showAnswer(answer []byte) {
	for _, w := range x.watched {
		w.see(x.c.peerHost(), answer)
	}
}

func (w *Watch) wants(r ocs.Request) bool {
	if w.Session != "" {
		return r.Session.ID == w.Session
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.sessions[r.Session.ID]
	if !known && slices.ContainsFunc(r.Identities, func(id ocs.Identity) bool { return slices.Contains(w.Identities, id) }) {
		known = true
		if len(w.sessions) < mostWatched {
			w.sessions[r.Session.ID] = true
		}
	}
	if r.Type == ocs.Termination || r.Type == ocs.Event {
		delete(w.sessions, r.Session.ID)
	}
	return known
}

func (w *Watch) see(peer string, message []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Seen != nil {
		w.Seen(Sighting{At: time.Now(), Peer: peer, Message: bytes.Clone(message)})
	}
}
