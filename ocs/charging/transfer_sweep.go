package charging

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// sweepTransfers makes pending transfers lapse when their time is over. Several servers may do this at once: each transfer
// is looked at again under the locks of its parties. Once an hour it forgets what is over.
func (e *Engine) sweepTransfers(ctx context.Context) {
	var forgot time.Time
	e.lookAgain(ctx, "due transfers were not looked for", func(ctx context.Context) (found int, err error) {
		found, err = e.sweepTransfersOnce(ctx)
		if err == nil && time.Since(forgot) > forgetEvery {
			all, failed := e.forgetTransfers(ctx)
			if err = failed; all || err != nil {
				forgot = time.Now()
			}
		}
		return found, err
	})
}

// sweepTransfersOnce finds due transfers and returns when all of them were decided.
func (e *Engine) sweepTransfersOnce(ctx context.Context) (found int, err error) {
	due, err := e.config.Store.DueTransfers(ctx, e.config.Clock(), sweepLimit)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	failures := make([]error, len(due))
	for i, reference := range due {
		all.Go(func() {
			_, failures[i] = e.decideTransfer(ctx, Transfer{Request: transfer.Request{
				Operation: transfer.OpLapse, By: transfer.BySystem, Original: string(reference),
			}})
		})
	}
	all.Wait()
	return len(due), errors.Join(failures...)
}
