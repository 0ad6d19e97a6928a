// Command bench measures gyro serve under load, beside a bare Diameter server: the ceiling.
//
// It builds gyro, starts it with a private Postgres (fsync on), imports subscribers, and has simulated switches make
// calls of four requests (initial, update, update, termination) over TCP, each answer awaited before the next request of
// its call. Then it kills the server, starts it again, and compares what the database holds with what was acknowledged.
// The same load on an echo server made with go-diameter shows what this machine, this generator and that library can do.
//
// Numbers from different machines do not compare; ratios to the echo of the same run do, roughly. Generator, server and
// Postgres share the processors.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	load
	duration, warmup time.Duration
	gyro             string   // binary; empty: built
	serveFlags       []string // more flags for gyro serve
	dir              string   // for the data directory; empty: a temporary one
	only             string   // echo or gyro; empty: both
	crash            bool
	json             bool
}

// progress tells whoever waits what is being done.
type progress func(format string, args ...any)

// echoCommand is the argument that makes this program the echo server of another one of it.
const echoCommand = "echo"

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 1 && args[0] == echoCommand {
		return serveEcho(ctx, stdin, stdout)
	}
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, format+"\n", args...) //nolint:errcheck // who closed stderr does not want to read it
	}
	var r report
	if o.only != "gyro" {
		if r.Echo, err = benchEcho(ctx, o, say); err != nil {
			return fmt.Errorf("echo: %w", err)
		}
	}
	if o.only != "echo" {
		if r.Gyro, err = benchGyro(ctx, o, say); err != nil {
			return fmt.Errorf("gyro: %w", err)
		}
	}
	if o.json {
		err = r.writeJSON(stdout)
	} else {
		err = r.writeText(stdout)
	}
	return errors.Join(err, r.Gyro.failed())
}

func parseFlags(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.duration, "duration", 20*time.Second, "`time` that is measured")
	flags.DurationVar(&o.warmup, "warmup", 5*time.Second, "`time` under load before that")
	flags.IntVar(&o.connections, "connections", 4, "switches, each with a connection of its own")
	flags.IntVar(&o.inFlight, "in-flight", 64, "calls at a time on each connection, each with one request under way")
	flags.IntVar(&o.subscribers, "subscribers", 10_000, "subscribers that call")
	flags.IntVar(&o.rate, "rate", 0, "requests a second of all connections; 0: the next as soon as one is answered")
	flags.Uint64Var(&o.seed, "seed", 1, "of the chance by which subscribers call")
	flags.StringVar(&o.gyro, "gyro", "", "`binary` to measure (default: build ./cmd/gyro)")
	flags.StringVar(&o.dir, "dir", "", "`directory` on the disk to measure (default: a temporary one)")
	flags.StringVar(&o.only, "only", "", "measure echo or gyro alone")
	flags.BoolVar(&o.crash, "crash", true, "kill the server before the books are compared")
	flags.BoolVar(&o.json, "json", false, "print JSON")
	flags.Func("serve-flag", "one more `flag` for gyro serve, such as --charging-lanes=2; may be repeated", func(text string) error {
		o.serveFlags = append(o.serveFlags, text)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(flags.NArg() > 0, "no arguments are taken: %s", strings.Join(flags.Args(), " "))
	fault(o.only != "" && o.only != "echo" && o.only != "gyro", "-only %s: echo or gyro", o.only)
	fault(o.duration < time.Second, "-duration %v: at least 1s, processor time is counted in hundredths", o.duration)
	fault(o.warmup < 0, "-warmup %v: not negative", o.warmup)
	fault(o.connections < 1 || o.connections > maxConnections, "-connections %d: 1 to %d", o.connections, maxConnections)
	fault(o.inFlight < 1 || o.inFlight > maxInFlight, "-in-flight %d: 1 to %d", o.inFlight, maxInFlight)
	fault(o.subscribers < 1 || o.subscribers > maxSubscribers, "-subscribers %d: 1 to %d", o.subscribers, maxSubscribers)
	fault(o.rate < 0, "-rate %d: not negative", o.rate)
	return o, errors.Join(faults...)
}

// The bounds of the flags: of sense for one machine, and of the places in a template.
const (
	maxConnections = 1000
	maxSubscribers = 1_000_000
)
