package charging

import (
	"context"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// quoteRest is how long an expired quote is kept, so that who comes too late is told so.
const quoteRest = 24 * time.Hour

// counterRest is how long the counters of a window are kept after its begin. No policy counts longer, and one that was in force
// before may be loaded again: it must find what it counted.
const counterRest = transfer.MaxWindow + 32*24*time.Hour

// forgetEvery is how often what nobody looks at any more is forgotten.
const forgetEvery = time.Hour

// forgetTransfers forgets what no decision looks at any more, a part of it at a time. Several servers may do this at once: each
// leaves to the others what they are at. It reports whether all of it is gone.
func (e *Engine) forgetTransfers(ctx context.Context) (all bool, err error) {
	now := e.config.Clock()
	if err := e.config.Store.ForgetQuotes(ctx, now.Add(-quoteRest)); err != nil {
		return false, err
	}
	forgotten, err := e.config.Store.ForgetCounters(ctx, now.Add(-counterRest), sweepLimit)
	return err == nil && forgotten < sweepLimit, err
}
