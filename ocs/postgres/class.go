package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// A Class tells what an error of the store means for the request behind it (spec/store H6).
type Class uint8

// The classes.
const (
	Unclassified Class = iota // not known: to be treated as a bug, and to be given a class
	Retryable                 // not applied; the same transaction may succeed at once: deadlock, serialization, lock timeout
	Unavailable               // not applied; the database cannot be reached, takes no writes or did not finish in time
	Unknown                   // COMMIT was sent and nobody knows whether it was done: never to be answered as success
	Full                      // not applied; disk or memory is full: refuse and alarm
	Bug                       // not applied; what we sent is wrong
	Refused                   // not applied; an error of this package says why: ErrNotFound and its like
)

// String is for logs and metrics.
func (c Class) String() string {
	names := [...]string{"unclassified", "retryable", "unavailable", "unknown", "full", "bug", "refused"}
	if int(c) < len(names) {
		return names[c]
	}
	return "unclassified"
}

// A commitError is an error that came after COMMIT was sent.
type commitError struct{ err error }

func (e *commitError) Error() string { return "commit: " + e.err.Error() }
func (e *commitError) Unwrap() error { return e.err }

// errUnreplicated is a COMMIT that returned although its synchronous standby has not confirmed it: after a failover the
// row may be gone (spec/store H3).
var errUnreplicated = errors.New("durable here, but the wait for the standby was cut short")

// unclassified counts answers of Postgres that no class was thought of for.
var unclassified atomic.Int64

// UnclassifiedErrors returns how many errors of Postgres were found to have no class. A test run in which there is one
// fails, so that it gets one.
func UnclassifiedErrors() int64 { return unclassified.Load() }

// Classify tells the class of an error that a method of this package returned. err is not nil.
func Classify(err error) Class {
	class := classify(err)
	if class == Unclassified && pq.As(err) != nil {
		unclassified.Add(1)
	}
	return class
}

func classify(err error) Class {
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return Refused
		}
	}
	if errors.Is(err, errForgotten) {
		return Retryable
	}
	_, committing := errors.AsType[*commitError](err)
	if errors.Is(err, errUnreplicated) {
		return Unknown
	}
	if errors.Is(err, errReadOnly) {
		return Unavailable
	}
	if pqError := pq.As(err); pqError != nil {
		if pqError.Code == pqerror.CheckViolation && pqError.Constraint == "" {
			return Retryable // no check of ours, which all have names: the row's partition was made while it was written
		}
		return classOf(pqError.Code, committing)
	}
	if errors.Is(err, errVanished) || errors.Is(err, errMalformed) {
		return Bug
	}
	if errors.Is(err, pq.ErrInFailedTransaction) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrNoRows) {
		return Bug // an error of a statement was overlooked
	}
	if lost(err) {
		return unfinished(committing)
	}
	if committing {
		return Unknown
	}
	return Unclassified
}

// Codes that lib/pq has no name for.
const (
	idleInTransactionTimeout pqerror.Code = "25P03"
	transactionTimeout       pqerror.Code = "25P04"
)

// classOf judges an error that Postgres itself reported.
func classOf(code pqerror.Code, committing bool) Class {
	switch code {
	case pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected, pqerror.TransactionRollback, pqerror.LockNotAvailable:
		return Retryable // also at COMMIT: the server says that it was rolled back
	case pqerror.CannotConnectNow, pqerror.TooManyConnections, pqerror.ReadOnlySQLTransaction,
		pqerror.SQLClientUnableToEstablishSQLConnection, pqerror.SQLServerRejectedEstablishmentOfSQLConnection,
		pqerror.InvalidAuthorizationSpecification, pqerror.InvalidPassword, pqerror.InvalidCatalogName:
		return Unavailable // said before a transaction begins, or instead of it
	case pqerror.DiskFull, pqerror.OutOfMemory, pqerror.InsufficientResources, pqerror.ConfigurationLimitExceeded:
		return Full
	case pqerror.TRStatementCompletionUnknown, idleInTransactionTimeout, transactionTimeout:
		return unfinished(committing)
	}
	if len(code) < 2 {
		return Unclassified
	}
	switch code.Class() {
	case "08", "57", "58": // connection, intervention of an operator, the machine
		return unfinished(committing)
	case "22", "23", "42", // data, constraints, names
		"0A", "21", "25", "26", "34", "40", "54", "55", "P0":
		return Bug
	case "XX": // internal error, corruption
		if committing {
			return Unknown
		}
		return Bug
	}
	if committing {
		return Unknown
	}
	return Unclassified
}

func unfinished(committing bool) Class {
	if committing {
		return Unknown
	}
	return Unavailable
}

// lost reports whether err is of the connection or of waiting, so that Postgres itself said nothing.
func lost(err error) bool {
	for _, known := range []error{
		driver.ErrBadConn, sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
		os.ErrDeadlineExceeded, os.ErrNotExist, // ErrNotExist: the socket of a private Postgres that is being started again
		context.DeadlineExceeded, context.Canceled, errClosed,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, ofNetwork := errors.AsType[net.Error](err)
	return ofNetwork
}
