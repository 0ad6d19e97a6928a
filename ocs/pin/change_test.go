package pin

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// A PIN that somebody else set opens nothing until its owner has chosen another.
func TestDefaultPINOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Set(t.Context(), anna, "000000"); err != nil {
		t.Fatal(err)
	}
	w.expect(t, "000000", mustChange)
	w.expect(t, other, wrongWith(2))
	for _, weak := range []Secret{"000000", "123456"} {
		if _, err := w.Change(t.Context(), attempt("000000"), weak); err == nil {
			t.Errorf("%q was accepted", string(weak))
		}
	}
	if c, err := w.Change(t.Context(), attempt(other), right); err != nil || c != wrongWith(1) {
		t.Errorf("with a wrong old one: %+v, %v", c, err)
	}
	if c, err := w.Change(t.Context(), attempt(""), right); err != nil || c != (transfer.Credential{}) {
		t.Errorf("without an old one: %+v, %v", c, err)
	}
	w.expect(t, "000000", mustChange)
	if c, err := w.Change(t.Context(), attempt("000000"), right); err != nil || c != verified {
		t.Fatalf("change: %+v, %v", c, err)
	}
	w.expect(t, right, verified)
	w.expect(t, "000000", wrongWith(2))
	if _, err := w.Change(t.Context(), attempt(right), right); !errors.Is(err, WeakError{SameAsLast, 6}) {
		t.Errorf("to the same: %v", err)
	}
}

func TestSetNeedsALength(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, pin := range []Secret{"", "12345", "1234567", "12345x", "１２３４５６"} {
		if err := w.Set(t.Context(), anna, pin); err == nil {
			t.Errorf("%q was accepted", string(pin))
		}
	}
}

func TestResetQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	for range 3 {
		if _, err := w.Check(t.Context(), attempt(other)); err != nil {
			t.Fatal(err)
		}
	}
	drawn, err := w.Reset(t.Context(), anna)
	if err != nil {
		t.Fatal(err)
	}
	w.expect(t, right, wrongWith(2)) // the lock is gone, and so is the old PIN
	w.expect(t, drawn, mustChange)
	if _, err := w.Reset(t.Context(), anna); !errors.Is(err, ErrNoReset) {
		t.Errorf("a second: %v", err)
	}
	w.move(30*24*time.Hour - 1)
	if _, err := w.Reset(t.Context(), anna); !errors.Is(err, ErrNoReset) {
		t.Errorf("just before the time is over: %v", err)
	}
	w.move(1)
	if _, err := w.Reset(t.Context(), anna); err != nil {
		t.Errorf("when the time is over: %v", err)
	}
}

// Unlocking lets the owner try again, and leaves the next lock as long as it would be.
func TestUnlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.choose(t)
	for range 3 {
		if _, err := w.Check(t.Context(), attempt(other)); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := w.State(t.Context(), anna); err != nil || !s.IsSet || s.TriesLeft != 0 || !s.LockedUntil.Equal(w.clock().Add(24*time.Hour)) {
		t.Errorf("state %+v, %v", s, err)
	}
	if err := w.Unlock(t.Context(), anna); err != nil {
		t.Fatal(err)
	}
	if s, err := w.State(t.Context(), anna); err != nil || s.TriesLeft != 3 || !s.LockedUntil.IsZero() {
		t.Errorf("state %+v, %v", s, err)
	}
	w.expect(t, other, wrongWith(2))
	w.expect(t, other, wrongWith(1))
	w.expect(t, other, lockedUntil(w.clock().Add(48*time.Hour)))
}

// Whatever prints an attempt, no PIN is in it, and none in errors.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	a := attempt(right)
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("attempt", "pin", a.PIN, "attempt", a, "pointer", &a)
	document, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	_, weak := w.Change(t.Context(), attempt(""), "123456")
	w.store.failing = errStore
	_, failed := w.Check(t.Context(), a)
	for _, text := range []string{
		fmt.Sprint(a), fmt.Sprintf("%+v %#v %v %s %q %x %d", a, a, &a, a.PIN, a.PIN, a.PIN, a.PIN), log.String(), string(document),
		fmt.Sprint(weak), fmt.Sprint(failed),
	} {
		if strings.Contains(text, string(right)) || strings.Contains(text, "123456") || strings.Contains(text, fmt.Sprintf("%x", string(right))) {
			t.Errorf("the PIN is in %s", text)
		}
	}
	if !strings.Contains(log.String(), Hidden) {
		t.Errorf("no %s in %s", Hidden, log.String())
	}
}

// The first PIN is no change, by whom ever: there was nothing that somebody could have wanted to lock out. Every later one is.
func TestFirstPINIsNoChange(t *testing.T) {
	t.Parallel()
	changed := func(w *world) time.Time { return w.store.get().ChangedAt }
	w := newWorld(t)
	w.choose(t)
	if at := changed(w); !at.IsZero() {
		t.Errorf("chosen first, changed at %v", at)
	}
	w.move(time.Hour)
	if c, err := w.Change(t.Context(), attempt(right), other); err != nil || c != verified || !changed(w).Equal(w.clock()) {
		t.Errorf("changed: %+v, %v, at %v", c, err, changed(w))
	}
	w.move(time.Hour)
	if _, err := w.Reset(t.Context(), anna); err != nil || !changed(w).Equal(w.clock()) {
		t.Errorf("reset: %v, at %v", err, changed(w))
	}
	given := newWorld(t)
	if err := given.Set(t.Context(), anna, "000000"); err != nil || !changed(given).IsZero() {
		t.Errorf("given first: %v, at %v", err, changed(given))
	}
	if c, err := given.Change(t.Context(), attempt("000000"), right); err != nil || c != verified || !changed(given).Equal(given.clock()) {
		t.Errorf("in place of one that somebody else knew: %+v, %v, at %v", c, err, changed(given))
	}
}
