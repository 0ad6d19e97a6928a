package pin

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// attemptFor is an attempt for a request.
func attemptFor(pin Secret, key string) Attempt {
	a := attempt(pin)
	a.Key = key
	return a
}

// servers are two checkers on one store.
func servers(t *testing.T, w *world) [2]*Checker {
	t.Helper()
	second, err := New(Config{Store: w.store, Pepper: pepper, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	second.hasher.cost = cheap
	return [2]*Checker{w.Checker, second}
}

// Copies of one request with a wrong PIN, over two servers at once, count one try and are all told the same, also where that try
// is the last one and locks.
func TestCopiesCountOneTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	both := servers(t, w)
	for n, want := range []transfer.Credential{wrongWith(2), wrongWith(1), lockedUntil(w.clock().Add(24 * time.Hour))} {
		var asking sync.WaitGroup
		for i := range 10 {
			asking.Go(func() {
				got, err := both[i%2].Check(t.Context(), attemptFor(other, string(rune('a'+n))))
				if err != nil || got != want {
					t.Errorf("request %d: %+v, %v, want %+v", n, got, err, want)
				}
			})
		}
		asking.Wait()
		if r := w.store.get(); r.Tries != n+1 {
			t.Fatalf("%d tries after %d requests", r.Tries, n+1)
		}
	}
}

// Copies of one request with the right PIN all open, also as the last try before a lock.
func TestCopiesOfTheRightPIN(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	both := servers(t, w)
	w.expect(t, other, wrongWith(2))
	w.expect(t, other, wrongWith(1))
	var asking sync.WaitGroup
	for i := range 10 {
		asking.Go(func() {
			if got, err := both[i%2].Check(t.Context(), attemptFor(right, "a")); err != nil || got != verified {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	asking.Wait()
	if r := w.store.get(); r.Tries != 0 || r.Asked != (AskedList{}) {
		t.Errorf("left behind: %+v", r)
	}
}

// A request is no way to guess more often: whatever PIN comes under its reference later, it is told what the first was told.
func TestOneGuessForEachRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	for range 3 {
		for _, pin := range []Secret{other, right} {
			if got, err := w.Check(t.Context(), attemptFor(pin, "a")); err != nil || got != wrongWith(2) {
				t.Errorf("%+v, %v", got, err)
			}
		}
		other := "739105"
		if got, err := w.Check(t.Context(), attemptFor(Secret(other), "a")); err != nil || got != wrongWith(2) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := w.Check(t.Context(), attemptFor(right, "b")); err != nil || got != verified {
		t.Errorf("another request: %+v, %v", got, err)
	}
}

// The server that counted the try dies before anybody learns what came of it. A copy waits for it, then takes its place, and
// counts no other. The dead one, should it come back, tells nobody anything.
func TestDeadServerLeavesItsTry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	both := servers(t, w)
	var late error
	w.store.after = func() { // after the first server has counted the try
		w.store.after = nil
		ctx, cancel := context.WithTimeout(t.Context(), 3*againAfter)
		defer cancel()
		if _, err := both[1].Check(ctx, attemptFor(other, "a")); !errors.Is(err, ErrBusy) {
			t.Errorf("while the first is at it: %v, want ErrBusy", err)
		}
		w.move(claimLife)
		if got, err := both[1].Check(t.Context(), attemptFor(other, "a")); err != nil || got != wrongWith(2) {
			t.Errorf("in its place: %+v, %v", got, err)
		}
	}
	_, late = both[0].Check(t.Context(), attemptFor(right, "a"))
	if !errors.Is(late, ErrBusy) {
		t.Errorf("the one that was overtaken: %v, want ErrBusy", late)
	}
	if r := w.store.get(); r.Tries != 1 {
		t.Errorf("%d tries, want 1", r.Tries)
	}
}

// Only the latest are kept.
func TestAskedIsBounded(t *testing.T) {
	t.Parallel()
	var l AskedList
	now := time.Unix(0, 0)
	for n := range 3 * MostAsked {
		key := string(rune('a' + n))
		after, isNew, err := l.claim(key, "o", now)
		if err != nil || !isNew {
			t.Fatalf("claim %s: %v, %v", key, isNew, err)
		}
		if l, err = after.settle(key, "o", wrongWith(1)); err != nil {
			t.Fatal(err)
		}
	}
	if l[0].Key != "x" || l[MostAsked-1].Key != "q" {
		t.Errorf("kept %+v", l)
	}
	if _, err := l.settle("a", "o", wrongWith(1)); !errors.Is(err, errOvertaken) {
		t.Errorf("settle what is forgotten: %v", err)
	}
}
