package main

import (
	"strings"
	"testing"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	o, err := parseFlags([]string{"-duration", "3s", "--connections=2", "-serve-flag=--lanes=2", "-serve-flag=--log-level=warn"}, &told)
	if err != nil || o.duration.Seconds() != 3 || o.connections != 2 || len(o.serveFlags) != 2 || o.subscribers != 10_000 {
		t.Errorf("%+v, %v %s", o, err, told.String())
	}
	_, err = parseFlags([]string{"-duration=1ms", "-connections=0", "-in-flight=2000", "-subscribers=-1", "-rate=-1", "-only=x", "more"}, &told)
	if err == nil {
		t.Fatal("all faults are accepted")
	}
	for _, want := range []string{"-duration 1ms", "-connections 0: 1 to 1000", "-in-flight 2000", "-subscribers -1", "-rate -1", "-only x", "more"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s\n%v", want, err)
		}
	}
}

// The report names every figure that was asked for, and whether the aims were met.
func TestReport(t *testing.T) {
	t.Parallel()
	books := goodBooks()
	r := report{
		Echo: result{Requests: 50_000, Server: 15},
		Gyro: result{Requests: 10_000, Server: 30, Postgres: 35, Calls: 2, Results: map[uint32]uint64{2001: 8}, Books: &books},
	}
	var text strings.Builder
	if err := r.writeText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"requests a second  50000  10000       0.20",
		"both, us of processor a request   15.0   65.0       4.33",
		"update p99.9, ms",
		"aim: 0.15 of the echo: 0.20, met",
		"aim: 90 us of server and Postgres a request: 65.0, met",
		"300 s reported, 300 s rated, 300 s debited from 2 subscribers; 2 calls ended, 2 CDRs; 0 s reserved; fsync on",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	var machine strings.Builder
	if err := r.writeJSON(&machine); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ratio": 0.2`, `"server_and_postgres_us_per_request": 65`, `"reported_seconds": 300`} {
		if !strings.Contains(machine.String(), want) {
			t.Errorf("no %s in\n%s", want, machine.String())
		}
	}
}
