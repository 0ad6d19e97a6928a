package pin

import (
	"fmt"
	"testing"
	"time"
)

func TestTokensComeBack(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(Rate{Burst: 2, Every: time.Second})
	s := source{"ussd", "gw"}
	take := func(want bool) {
		t.Helper()
		if _, ok := l.take(s, now); ok != want {
			t.Fatalf("at %v: %v, want %v", now, ok, want)
		}
	}
	take(true)
	take(true)
	take(false)
	now = now.Add(999 * time.Millisecond)
	if wait, ok := l.take(s, now); ok || wait != time.Millisecond {
		t.Errorf("wait %v, %v", wait, ok)
	}
	now = now.Add(time.Millisecond)
	take(true)
	take(false)
	now = now.Add(-time.Hour) // the clock is put back
	take(false)
	now = now.Add(100 * time.Hour)
	take(true)
	take(true)
	take(false)
	l.giveBack(s)
	take(true)
}

// Names without end do not fill the memory, and gain nothing.
func TestSourcesAreBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l := newLimiter(Rate{Burst: 2, Every: time.Second})
	taken := 0
	for n := range 10 * maxSources {
		if _, ok := l.take(source{"ussd", fmt.Sprint(n)}, now); ok {
			taken++
		}
	}
	if len(l.buckets) > maxSources+1 || taken > maxSources+2 {
		t.Errorf("%d sources, %d tokens", len(l.buckets), taken)
	}
	now = now.Add(time.Hour)
	if _, ok := l.take(source{"ussd", "new"}, now); !ok || len(l.buckets) > 2 {
		t.Errorf("an hour later: %v, %d sources", ok, len(l.buckets))
	}
}
