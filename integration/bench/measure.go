package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// serverRealm is the realm of the servers that are measured.
const serverRealm = "ocs.bench.test"

// A result is what was measured of one server.
type result struct {
	Requests  float64       `json:"requests_per_second"`
	Server    float64       `json:"server_us_per_request"` // processor time
	Postgres  float64       `json:"postgres_us_per_request"`
	Generator float64       `json:"generator_us_per_request"`
	Latency   []percentiles `json:"latency"`

	Calls   uint64            `json:"calls"` // of the whole run
	Results map[uint32]uint64 `json:"answers_by_result_code"`
	Books   *comparison       `json:"books,omitempty"`
}

// together is the processor time of server and Postgres.
func (r result) together() float64 { return r.Server + r.Postgres }

// of returns the percentiles of a type of request, zeros when nothing was measured.
func (r result) of(i int) percentiles {
	if i < len(r.Latency) {
		return r.Latency[i]
	}
	return percentiles{Type: typeNames[i]}
}

// percentiles are of the time from a request to its answer, as the switch sees it.
type percentiles struct {
	Type   string        `json:"type"`
	Count  uint64        `json:"count"`
	Median time.Duration `json:"p50_ns"`
	P99    time.Duration `json:"p99_ns"`
	P999   time.Duration `json:"p99_9_ns"`
}

// under puts the load on a server and measures it and the processes below pid.
func (o options) under(ctx context.Context, address string, pid int) (r result, b books, err error) {
	l := o.load
	l.address = address
	g, err := l.start(ctx)
	if err != nil {
		return r, b, err
	}
	if err := g.during(ctx, warming, o.warmup); err != nil {
		return r, b, err
	}
	before, err := measure(pid)
	if err != nil {
		return r, b, err
	}
	began, answeredBefore := time.Now(), g.answered()
	if err := g.during(ctx, measuring, o.duration); err != nil {
		return r, b, err
	}
	answered, took := float64(g.answered()-answeredBefore), time.Since(began)
	after, err := measure(pid)
	if err != nil {
		return r, b, err
	}
	if b, err = g.drain(); err != nil {
		return r, b, err
	}
	if answered == 0 {
		return r, b, fmt.Errorf("no request was answered within %v", o.duration)
	}
	used := after.since(before)
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / answered }
	r = result{
		Requests:  answered / took.Seconds(),
		Server:    each(used.server),
		Postgres:  each(used.postgres),
		Generator: each(used.generator),
		Calls:     b.calls,
		Results:   b.results,
	}
	for i, name := range typeNames {
		h := &b.latency[i]
		r.Latency = append(r.Latency, percentiles{name, h.total, h.quantile(0.5), h.quantile(0.99), h.quantile(0.999)})
	}
	return r, b, nil
}

// benchEcho measures the echo server, which runs in a process of its own as gyro does.
func benchEcho(ctx context.Context, o options, say progress) (r result, err error) {
	program, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, program, echoCommand)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return r, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, stdin.Close(), cmd.Wait()) }()
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return r, fmt.Errorf("read its address: %w", err)
	}
	say("echo: %v of load and %v measured", o.warmup, o.duration)
	r, _, err = o.under(ctx, strings.TrimSpace(address), cmd.Process.Pid)
	return r, err
}

// benchGyro measures gyro serve and compares its books.
func benchGyro(ctx context.Context, o options, say progress) (r result, err error) {
	s, err := newServer(ctx, o, say)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.remove()) }()
	if err := s.start(ctx); err != nil {
		return r, err
	}
	if err := s.importSubscribers(ctx, o.subscribers); err != nil {
		return r, err
	}
	say("gyro: %v of load and %v measured", o.warmup, o.duration)
	r, b, err := o.under(ctx, s.endpoint.Diameter[0], s.pid())
	if err != nil {
		return r, err
	}
	if o.crash {
		say("gyro: killed and started again")
		if err := s.crash(); err != nil {
			return r, err
		}
		if err := s.start(ctx); err != nil {
			return r, fmt.Errorf("start again: %w", err)
		}
	}
	c, err := s.compare(ctx, b, o.subscribers)
	c.AfterCrash = o.crash
	r.Books = &c
	return r, err
}

// failed returns what makes the run worth nothing: answers that were no success, or books that differ.
func (r result) failed() error {
	var faults []error
	for code, n := range r.Results {
		if code != resultSuccess {
			faults = append(faults, fmt.Errorf("%d answers with Result-Code %d", n, code))
		}
	}
	if r.Books != nil {
		faults = append(faults, r.Books.differences()...)
	}
	return errors.Join(faults...)
}
