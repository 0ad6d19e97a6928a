package charging

import (
	"context"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
)

// sweepLimit is how many silent sessions one look finds at most; the next look comes at once when there were as many.
const sweepLimit = 256

// sweep closes sessions of which nothing was heard until their time was up (Tcc, RFC 8506 §13). Several servers may do
// this at once: each session is looked at again under the lock of its subscriber.
func (e *Engine) sweep(ctx context.Context) {
	e.lookAgain(ctx, "silent sessions were not looked for", e.sweepOnce)
}

// lookAgain calls look once for every tick of the sweep, and again at once after it has found as many as it may, until
// ctx ends. It logs complaint when look fails.
func (e *Engine) lookAgain(ctx context.Context, complaint string, look func(context.Context) (found int, err error)) {
	tick := time.NewTicker(e.config.Sweep)
	defer tick.Stop()
	for {
		found, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			e.config.Logger.Warn(complaint, "error", err)
		case found == sweepLimit:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweepOnce finds silent sessions and returns when all of them were decided.
func (e *Engine) sweepOnce(ctx context.Context) (found int, err error) {
	due, err := e.config.Store.Sweep(ctx, e.config.Clock(), sweepLimit)
	if err != nil {
		return 0, err
	}
	e.closeAll(due, ocs.BySupervision)
	return len(due), nil
}
