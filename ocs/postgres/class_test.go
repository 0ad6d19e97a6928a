package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	code := func(c pqerror.Code) error { return &pq.Error{Code: c} }
	tests := []struct {
		what       string
		err        error
		want       Class // before COMMIT
		committing Class // after it was sent
	}{
		{"serialization failure", code("40001"), Retryable, Retryable},
		{"deadlock", code("40P01"), Retryable, Retryable},
		{"lock timeout", code("55P03"), Retryable, Retryable},
		{"starting up", code("57P03"), Unavailable, Unavailable},
		{"too many connections", code("53300"), Unavailable, Unavailable},
		{"standby", code("25006"), Unavailable, Unavailable},
		{"cannot connect", code("08001"), Unavailable, Unavailable},
		{"server rejects", code("08004"), Unavailable, Unavailable},
		{"refused", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, Unavailable, Unknown},
		{"socket is gone", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENOENT)}, Unavailable, Unknown},
		{"admin shutdown", code("57P01"), Unavailable, Unknown},
		{"crash shutdown", code("57P02"), Unavailable, Unknown},
		{"connection failure", code("08006"), Unavailable, Unknown},
		{"connection does not exist", code("08003"), Unavailable, Unknown},
		{"query canceled", code("57014"), Unavailable, Unknown},
		{"idle in transaction", code("25P03"), Unavailable, Unknown},
		{"transaction timeout", code("25P04"), Unavailable, Unknown},
		{"io error", code("58030"), Unavailable, Unknown},
		{"bad connection", driver.ErrBadConn, Unavailable, Unknown},
		{"end of file", io.EOF, Unavailable, Unknown},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, Unavailable, Unknown},
		{"i/o timeout", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, Unavailable, Unknown},
		{"deadline", context.DeadlineExceeded, Unavailable, Unknown},
		{"closed", errClosed, Unavailable, Unknown},
		{"disk full", code("53100"), Full, Full},
		{"out of memory", code("53200"), Full, Full},
		{"not UTF-8", code("22021"), Bug, Bug},
		{"bad text", code("22P02"), Bug, Bug},
		{"check violation", &pq.Error{Code: "23514", Constraint: "bucket_reserved_within_balance"}, Bug, Bug},
		{"partition made meanwhile", code("23514"), Retryable, Retryable}, // it names no constraint
		{"unique violation", code("23505"), Bug, Bug},
		{"undefined column", code("42703"), Bug, Bug},
		{"row twice", code("21000"), Bug, Bug},
		{"index row too long", code("54000"), Bug, Bug},
		{"corruption", code("XX001"), Bug, Unknown},
		{"overlooked error", pq.ErrInFailedTransaction, Bug, Bug},
		{"transaction is over", sql.ErrTxDone, Bug, Bug},
		{"bucket vanished", errVanished, Bug, Bug},
		{"not found", ErrNotFound, Refused, Refused},
		{"identity taken", &IdentityTakenError{Row: 7}, Refused, Refused},
		{"movement differs", ErrMovementDiffers, Refused, Refused},
		{"standby did not confirm", errUnreplicated, Unknown, Unknown},
		{"of somebody else", errors.New("whatever"), Unclassified, Unknown},
		{"code of the future", code("ZZ999"), Unclassified, Unknown},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			if got := classify(fmt.Errorf("save: %w", test.err)); got != test.want {
				t.Errorf("%v is %v, want %v", test.err, got, test.want)
			}
			if got := classify(fmt.Errorf("batch: %w", &commitError{test.err})); got != test.committing {
				t.Errorf("%v at COMMIT is %v, want %v", test.err, got, test.committing)
			}
		})
	}
}
