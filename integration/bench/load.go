package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// A load is what the generator puts on a server: calls over several connections, each a switch of its own.
type load struct {
	address     string
	connections int
	inFlight    int // calls at a time and connection; each has one request under way
	subscribers int
	rate        int // requests a second of all connections; 0: as many as the server answers
	seed        uint64
}

// phase is a part of a run. Only what is answered in the middle one is measured; all of it counts in the books.
type phase = int32

const (
	warming phase = iota
	measuring
	draining // calls under way go on to their end, none begins
)

// A generator runs a load.
type generator struct {
	switches    []*callingSwitch
	subscribers int
	phase       atomic.Int32
	wait        sync.WaitGroup
	failed      chan error // the first failure of each switch
}

// start connects all switches and has them call.
func (l load) start(ctx context.Context) (*generator, error) {
	g := &generator{subscribers: l.subscribers, failed: make(chan error, l.connections)}
	run := uint32(time.Now().Unix()) //nolint:gosec // G115: tells runs apart, whatever becomes of it in 2106
	for i := range l.connections {
		link, err := dial(ctx, l.address, switchHost(i), switchRealm)
		if err != nil {
			return nil, fmt.Errorf("connection %d: %w", i+1, err)
		}
		g.switches = append(g.switches, newSwitch(i, link, l, &g.phase, run))
	}
	for _, s := range g.switches {
		g.wait.Go(func() {
			if err := s.run(); err != nil {
				g.failed <- fmt.Errorf("connection %d: %w", s.number+1, err)
			}
		})
	}
	return g, nil
}

// answered returns how many requests were answered so far.
func (g *generator) answered() (n uint64) {
	for _, s := range g.switches {
		n += s.answered.Load()
	}
	return n
}

// during lets a phase last, or ends early with the error of a switch or of ctx.
func (g *generator) during(ctx context.Context, p phase, d time.Duration) error {
	g.phase.Store(p)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-g.failed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drain has every call end and returns the books of the whole run.
func (g *generator) drain() (books, error) {
	g.phase.Store(draining)
	g.wait.Wait()
	select {
	case err := <-g.failed:
		return books{}, err
	default:
	}
	total := newBooks(g.subscribers)
	for _, s := range g.switches {
		total.add(&s.books)
	}
	return total, nil
}

// books are what a run did.
type books struct {
	latency [len(typeNames)]histogram // of the measured phase
	calls   uint64                    // begun
	ended   uint64                    // as they should
	used    []uint64                  // seconds reported and acknowledged, by subscriber
	results map[uint32]uint64         // answers by Result-Code
}

func newBooks(subscribers int) books {
	return books{used: make([]uint64, subscribers), results: map[uint32]uint64{}}
}

func (b *books) add(other *books) {
	for i := range b.latency {
		b.latency[i].merge(&other.latency[i])
	}
	b.calls += other.calls
	b.ended += other.ended
	for i, n := range other.used {
		b.used[i] += n
	}
	for code, n := range other.results {
		b.results[code] += n
	}
}

// A callingSwitch makes calls over one connection. One goroutine does everything: it reads what answers are there, writes
// the requests that follow from them together, and waits for more.
type callingSwitch struct {
	number    int
	link      *link
	load      load
	phase     *atomic.Int32
	templates [steps]template
	random    *rand.Rand
	answered  atomic.Uint64
	books     books

	calls    []call
	idle     []uint16 // calls that are none at the moment
	endToEnd uint32
	sequence uint32        // makes Hop-by-Hop ids differ
	due      time.Time     // when the next call begins, with a rate
	interval time.Duration // between the beginnings of calls, with a rate
	begun    uint64
}

// A call is one of those that a switch has at a time.
type call struct {
	step       step
	subscriber uint32
	number     uint64
	hopByHop   uint32 // of the request under way
	used       uint32 // reported by the request under way
	granted    uint32 // by the last answer
	sent       time.Time
}

func newSwitch(number int, link *link, l load, phase *atomic.Int32, run uint32) *callingSwitch {
	s := &callingSwitch{
		number:    number,
		link:      link,
		load:      l,
		phase:     phase,
		templates: newTemplates(link.host, link.realm, link.peerRealm, run),
		random:    rand.New(rand.NewPCG(l.seed, uint64(number))), //nolint:gosec // G115: not negative
		books:     newBooks(l.subscribers),
		calls:     make([]call, l.inFlight),
		endToEnd:  run<<20 | uint32(number)<<14, //nolint:gosec // G115: as RFC 6733 §3 proposes
	}
	for i := range s.calls {
		s.idle = append(s.idle, uint16(i)) // below maxInFlight
	}
	if l.rate > 0 {
		s.interval = time.Duration(float64(time.Second) * float64(steps) * float64(l.connections) / float64(l.rate))
	}
	return s
}

// maxInFlight is bound by the 16 bits of a Hop-by-Hop id that tell the call, and by what sockets hold while one side
// does not read.
const maxInFlight = 1024

func (s *callingSwitch) run() error {
	s.due = time.Now().Add(time.Duration(s.number) * s.interval / time.Duration(s.load.connections))
	for {
		now := time.Now()
		s.begin(now)
		if err := s.link.flush(); err != nil {
			return err
		}
		if len(s.idle) == len(s.calls) && s.phase.Load() == draining {
			return s.link.disconnect()
		}
		if err := s.wait(now); err != nil {
			return err
		}
	}
}

// begin starts the calls that are due.
func (s *callingSwitch) begin(now time.Time) {
	if s.phase.Load() == draining {
		return
	}
	for len(s.idle) > 0 && (s.interval == 0 || !s.due.After(now)) {
		last := len(s.idle) - 1
		index := s.idle[last]
		s.idle = s.idle[:last]
		s.begun++
		s.calls[index] = call{
			subscriber: s.random.Uint32N(uint32(s.load.subscribers)), //nolint:gosec // G115: checked with the flags
			number:     s.begun,
		}
		due := now
		if s.interval > 0 {
			due = s.due // a switch that is late does not make the server look quicker
			s.due = s.due.Add(s.interval)
		}
		s.books.calls++
		s.send(index, now, due, false)
	}
}

// send gathers the request that a call has come to. Its time runs from due.
func (s *callingSwitch) send(index uint16, now, due time.Time, repeated bool) {
	c := &s.calls[index]
	s.sequence++
	s.endToEnd++
	c.hopByHop = s.sequence<<16 | uint32(index)
	c.sent = due
	s.link.out = s.templates[c.step].append(s.link.out, ids{
		hopByHop:   c.hopByHop,
		endToEnd:   s.endToEnd,
		connection: s.number,
		call:       c.number,
		subscriber: c.subscriber,
		used:       c.used,
		at:         now,
		repeated:   repeated,
	})
}

// wait reads once and does what follows from all that is there then. With a rate it waits no longer than to the next call.
func (s *callingSwitch) wait(now time.Time) error {
	deadline, isPaced := now.Add(patience), false
	if s.interval > 0 && len(s.idle) > 0 && s.phase.Load() != draining {
		deadline, isPaced = s.due, true
	}
	if err := s.link.fill(deadline); err != nil {
		if isPaced && errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		return err
	}
	now = time.Now()
	measured := s.phase.Load() == measuring
	answers := uint64(0)
	for {
		frame, err := s.link.buffered()
		if err != nil {
			return err
		}
		if frame == nil {
			s.answered.Add(answers)
			return nil
		}
		isAnswer, err := s.take(frame, now, measured)
		if err != nil {
			return err
		}
		if isAnswer {
			answers++
		}
	}
}

// take handles one message.
func (s *callingSwitch) take(frame []byte, now time.Time, measured bool) (isAnswer bool, err error) {
	switch word := binary.BigEndian.Uint32(frame[4:]); word & (flagRequest<<24 | 0xffffff) {
	case commandCC:
	case flagRequest<<24 | commandDW:
		s.link.answerWatchdog(frame)
		return false, nil
	default:
		return false, fmt.Errorf("a message that was not asked for: command %d, flags %#x", word&0xffffff, word>>24)
	}
	hopByHop := binary.BigEndian.Uint32(frame[12:])
	index := uint16(hopByHop & 0xffff)
	if int(index) >= len(s.calls) || s.calls[index].hopByHop != hopByHop {
		return false, fmt.Errorf("an answer with the Hop-by-Hop id %#x, which no request under way has", hopByHop)
	}
	answer, err := readCCA(frame)
	if err != nil {
		return false, err
	}
	c := &s.calls[index]
	if measured {
		s.books.latency[typeOf[c.step]].add(now.Sub(c.sent))
	}
	s.books.results[answer.resultCode]++
	s.follow(index, answer, now)
	return true, nil
}

// The Result-Codes that the generator tells apart.
const (
	resultSuccess = 2001
	resultElse    = 3002 // not done: try elsewhere, or again
	resultBusy    = 3004
)

// follow does what a switch does with an answer.
func (s *callingSwitch) follow(index uint16, answer answered, now time.Time) {
	c := &s.calls[index]
	switch answer.resultCode {
	case resultBusy, resultElse:
		s.send(index, now, now, true)
		return
	case resultSuccess:
	default:
		s.release(index) // the call is refused or cut
		return
	}
	if c.step != initial {
		s.books.used[c.subscriber] += uint64(c.used)
	}
	if c.step == termination {
		s.books.ended++
		s.release(index)
		return
	}
	c.granted = answer.granted
	c.step++
	c.used = c.granted
	if c.step == termination {
		c.used = s.random.Uint32N(c.granted + 1) // hung up on the way
	}
	s.send(index, now, now, false)
}

func (s *callingSwitch) release(index uint16) {
	s.calls[index].hopByHop = 0
	s.idle = append(s.idle, index)
}
