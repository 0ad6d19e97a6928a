package tmf654

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

// An eventKind is what an event tells of an action. With the four actions there are the twelve events of the description.
type eventKind string

const (
	created   eventKind = "Create" // and, of one that waited, that it was done
	cancelled eventKind = "Cancel"
	failed    eventKind = "Failure"
)

// announce writes that something happened to an action, in the transaction of it. [Relay] makes events of that.
func (w *work) announce(k kind, e eventKind, a postgres.Action, told resource) error {
	listens, err := w.tx.AnyoneListens(w.ctx)
	if err != nil || !listens {
		return err
	}
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte("gyro action "+a.ID+" "+string(a.Status)+" "+movement(a))).String()
	return w.tx.AppendOutbox(w.ctx, []outbox.Message{{
		ID: id, Kind: postgres.Notice, Reference: a.ID, CreatedAt: w.now,
		Body: string(encoded(envelope(id, k.typ+string(e)+"Event", k.path, told, a.ID, w.now))),
	}})
}

// envelope is the event as it is sent. timeOcurred is spelled as in the description.
func envelope(id, eventType, name string, told resource, correlation string, at time.Time) resource {
	return resource{
		"eventId": id, "eventTime": moment(at), "timeOcurred": moment(at), "eventType": eventType, "correlationId": correlation,
		"domain": "prepayBalanceManagement", "title": eventType, "priority": "normal", "event": resource{name: told},
	}
}

// matches reports whether an event is one that a subscription asks for.
func matches(query string, event resource) bool {
	conditions, fault := parseSubscriptionQuery(query)
	if fault != nil {
		return false // it was checked when it was stored
	}
	for _, c := range conditions {
		if !c.holds(event) {
			return false
		}
	}
	return true
}

// TransferEvents writes down what became of transfers, in their transaction, when anyone listens: it is for the charging
// engine (Config.Events). [Worker] makes events of that.
func TransferEvents(ctx context.Context, tx *postgres.Tx, made []transfer.Transfer, now time.Time) ([]outbox.Message, error) {
	listens, err := tx.AnyoneListens(ctx)
	if err != nil || !listens {
		return nil, err
	}
	notices := make([]outbox.Message, len(made))
	for i := range made {
		notices[i] = postgres.NoticeOf(&made[i], now)
	}
	return notices, nil
}
