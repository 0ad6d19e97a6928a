package charging

import (
	"context"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// AdvanceAll does what is due for subscribers, in one transaction of the caller's.
func AdvanceAll(ctx context.Context, p *Plans, tx *postgres.Tx, ids []ocs.SubscriberID) error {
	locked, err := tx.LockSubscribers(ctx, ids)
	if err != nil {
		return err
	}
	accounts, err := tx.LoadLives(ctx, locked)
	if err != nil {
		return err
	}
	outcomes, err := decideLives(p.rules(), accounts, p.Clock())
	if err != nil {
		return err
	}
	return save(ctx, tx, locked, outcomes, p.Clock())
}
