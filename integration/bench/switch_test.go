package main

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// newTestSwitch returns a switch with one call begun; what it would send is in link.out.
func newTestSwitch(t *testing.T) (s *callingSwitch, sent func() (requestType, flags byte, hopByHop uint32)) {
	t.Helper()
	l := load{connections: 1, inFlight: 2, subscribers: 3, seed: 1}
	s = newSwitch(0, &link{host: "a.test", realm: "test", peerRealm: "b.test"}, l, new(atomic.Int32), 1)
	s.calls, s.idle = s.calls[:1], s.idle[:1]
	s.begin(time.Unix(1, 0))
	return s, func() (byte, byte, uint32) {
		frame := s.link.out
		length, err := frameLength(frame)
		if err != nil || length != len(frame) {
			t.Fatalf("%d octets to be sent, want one request: %v", len(frame), err)
		}
		s.link.out = s.link.out[:0]
		var requestType byte
		for code, content := range avps(frame[headerSize:]) {
			if code == 416 {
				requestType = content[3]
			}
		}
		return requestType, frame[4], binary.BigEndian.Uint32(frame[12:])
	}
}

// answer encodes a CCA.
func answer(hopByHop, result, granted uint32) []byte {
	parts := [][]byte{avp(avpResultCode, 0, number(result))}
	if granted > 0 {
		parts = append(parts, avp(avpMultipleServices, 0, avp(avpGrantedUnit, 0, avp(avpCCTime, 0, number(granted)))))
	}
	frame := request(commandCC, 0, 4, parts...)
	frame[4] = flagProxiable
	binary.BigEndian.PutUint32(frame[12:], hopByHop)
	return frame
}

func TestCallFollowsItsAnswers(t *testing.T) {
	t.Parallel()
	s, sent := newTestSwitch(t)
	for i, want := range []byte{1, 2, 2, 3} {
		requestType, _, hopByHop := sent()
		if requestType != want {
			t.Fatalf("request %d has type %d, want %d", i, requestType, want)
		}
		granted := uint32(60)
		if want == 3 {
			granted = 0
		}
		if _, err := s.take(answer(hopByHop, 2001, granted), time.Unix(2, 0), true); err != nil {
			t.Fatal(err)
		}
	}
	used := s.books.used[0] + s.books.used[1] + s.books.used[2]
	if s.books.ended != 1 || used < 120 || used > 180 || s.books.results[2001] != 4 || len(s.idle) != 1 {
		t.Errorf("books %d ended, %d s used, answers %v; %d idle", s.books.ended, used, s.books.results, len(s.idle))
	}
	if n := s.books.latency[typeOf[firstUpdate]].total; n != 2 {
		t.Errorf("%d updates measured, want 2", n)
	}
}

func TestCallRepeatsWhatWasNotDone(t *testing.T) {
	t.Parallel()
	s, sent := newTestSwitch(t)
	_, _, first := sent()
	if _, err := s.take(answer(first, resultBusy, 0), time.Unix(2, 0), false); err != nil {
		t.Fatal(err)
	}
	requestType, flags, again := sent()
	if requestType != 1 || flags&flagRepeated == 0 || again == first {
		t.Errorf("after 3004: type %d, flags %#x, Hop-by-Hop %#x after %#x; want the initial request with T", requestType, flags, again, first)
	}
}

func TestRefusedCallEnds(t *testing.T) {
	t.Parallel()
	s, sent := newTestSwitch(t)
	_, _, hopByHop := sent()
	if _, err := s.take(answer(hopByHop, 4012, 0), time.Unix(2, 0), false); err != nil {
		t.Fatal(err)
	}
	if len(s.link.out) != 0 || len(s.idle) != 1 || s.books.ended != 0 || s.books.results[4012] != 1 {
		t.Errorf("%d octets to be sent, %d idle, books %d ended %v", len(s.link.out), len(s.idle), s.books.ended, s.books.results)
	}
	r := result{Results: s.books.results}
	if err := r.failed(); err == nil || !strings.Contains(err.Error(), "1 answers with Result-Code 4012") {
		t.Errorf("the run passes: %v", err)
	}
}

func TestAnswersThatFitNothing(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		frame func(hopByHop uint32) []byte
		want  string
	}{
		{"another Hop-by-Hop id", func(h uint32) []byte { return answer(h+1<<16, 2001, 60) }, "which no request under way has"},
		{"a call that does not exist", func(h uint32) []byte { return answer(h+1, 2001, 60) }, "which no request under way has"},
		{"no Result-Code", func(h uint32) []byte { f := answer(h, 2001, 0); return f[:headerSize] }, "without Result-Code"},
		{"another command", func(h uint32) []byte { f := answer(h, 2001, 0); f[7] = 0; return f }, "not asked for"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s, sent := newTestSwitch(t)
			_, _, hopByHop := sent()
			_, err := s.take(test.frame(hopByHop), time.Unix(2, 0), false)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestWatchdogIsAnswered(t *testing.T) {
	t.Parallel()
	s, sent := newTestSwitch(t)
	sent()
	question := request(commandDW, 0, 0)
	binary.BigEndian.PutUint32(question[12:], 0xabcdef01)
	if isAnswer, err := s.take(question, time.Unix(2, 0), false); isAnswer || err != nil {
		t.Fatal(isAnswer, err)
	}
	if _, flags, hopByHop := sent(); flags != 0 || hopByHop != 0xabcdef01 {
		t.Errorf("flags %#x, Hop-by-Hop %#x", flags, hopByHop)
	}
}
