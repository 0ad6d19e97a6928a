package main

import (
	"context"
	"errors"
	"fmt"
)

// The exit codes, which scripts rely on.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2 // the command line is wrong
	exitNotFound    = 3 // no such subscriber, session, …
	exitRefused     = 4 // understood, and not allowed
	exitUnavailable = 5 // no server, or a server that cannot serve now: try again later
)

// A failure is an error that chose its exit code.
type failure struct {
	code  int
	cause error
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// failf makes a failure; format is as for fmt.Errorf.
func failf(code int, format string, args ...any) error {
	return &failure{code: code, cause: fmt.Errorf(format, args...)}
}

func usagef(format string, args ...any) error { return failf(exitUsage, format, args...) }

// exitCode returns the code that the process ends with after err.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.code
	}
	return exitFailed
}

// explain returns err as it is told to a person.
func explain(ctx context.Context, err error) string {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return err.Error()
}
