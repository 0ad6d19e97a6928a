package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/transfer"
)

// Notice is the kind of a message of the outbox that nobody is sent: that something happened, written with it. It becomes
// one event for each subscription that asks for it.
const Notice outbox.Kind = "notice"

// A TransferNotice is the body of a notice about a transfer. One about anything else is the event itself.
type TransferNotice struct {
	Transfer transfer.Reference `json:"transfer"`
	Status   transfer.Status    `json:"status"`
	At       time.Time          `json:"at"`
}

// NoticeOf tells that a transfer became what it is now. Its id follows from that.
func NoticeOf(t *transfer.Transfer, at time.Time) outbox.Message {
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte("gyro transfer "+string(t.Reference)+" "+string(t.Status)))
	body, err := json.Marshal(TransferNotice{Transfer: t.Reference, Status: t.Status, At: at.UTC()})
	if err != nil {
		panic("postgres: notice of a transfer: " + err.Error()) // texts and a time
	}
	return outbox.Message{ID: id.String(), Kind: Notice, Body: string(body), Reference: string(t.Reference), CreatedAt: at}
}

const anySubscription = `SELECT EXISTS (SELECT 1 FROM subscription)`

// AnyoneListens reports whether there is a subscription. Without one, notices need not be written.
func (tx *Tx) AnyoneListens(ctx context.Context) (bool, error) {
	var yes []bool
	if err := tx.selectInto(ctx, &yes, anySubscription); err != nil {
		return false, fmt.Errorf("look for subscriptions: %w", err)
	}
	return yes[0], nil
}
