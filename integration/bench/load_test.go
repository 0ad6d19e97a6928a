package main

import (
	"context"
	"net"
	"testing"
	"time"
)

// startEcho serves the echo in this process.
func startEcho(t *testing.T) (address string) {
	t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		newEcho().Serve(listener) //nolint:errcheck // it ends with its listener
	}()
	t.Cleanup(func() {
		listener.Close() //nolint:errcheck // nothing is under way
		<-ended
	})
	return listener.Addr().String()
}

// The generator against a real server of another make: every call ends, and the books say what was reported.
func TestLoadOnEcho(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		rate int
	}{
		{"as fast as it goes", 0},
		{"at a rate", 2000},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := load{address: startEcho(t), connections: 2, inFlight: 8, subscribers: 10, rate: test.rate, seed: 1}
			b := runLoad(t, l, 200*time.Millisecond)
			if b.calls == 0 || b.ended != b.calls {
				t.Errorf("%d calls begun, %d ended", b.calls, b.ended)
			}
			if len(b.results) != 1 || b.results[resultSuccess] != b.calls*uint64(steps) {
				t.Errorf("answers %v, want %d of 2001", b.results, b.calls*uint64(steps))
			}
			var used uint64
			for _, n := range b.used {
				used += n
			}
			if least, most := b.calls*120, b.calls*180; used < least || used > most {
				t.Errorf("%d s reported in %d calls, want %d to %d", used, b.calls, least, most)
			}
			if test.rate > 0 {
				return
			}
			if n := b.latency[0].total; n == 0 || b.latency[1].quantile(0.5) == 0 {
				t.Errorf("%d initial requests measured, median of updates %v", n, b.latency[1].quantile(0.5))
			}
		})
	}
}

func runLoad(t *testing.T, l load, d time.Duration) books {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	g, err := l.start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.during(ctx, measuring, d); err != nil {
		t.Fatal(err)
	}
	b, err := g.drain()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
