// Command gyro is the whole of Gyro in one binary: the server, the customer-care commands that talk to it, a simulated
// switch and a doctor. It is the only place that reads configuration.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a minimal container has no time zones of its own
)

func main() {
	// The first signal asks for an orderly end through the context. Then the signals mean again what they mean to any
	// process, so that a second one ends it at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
