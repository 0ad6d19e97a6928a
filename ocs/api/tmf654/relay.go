package tmf654

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Worker does what no request waits for: it does and ends actions when they are due, and makes of every notice in the
// outbox the events that were subscribed to. Any number of servers may have one.
type Worker struct {
	Store  *postgres.Store
	Now    func() time.Time
	Logger *slog.Logger
	Every  time.Duration // between two looks; 0: a second
}

// The bounds of one look.
const (
	batch = 64
	lease = time.Minute
)

// Run works until ctx is done.
func (w *Worker) Run(ctx context.Context) {
	every := w.Every
	if every == 0 {
		every = time.Second
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		more := false
		for what, once := range map[string]func(context.Context) (int, error){"due actions": w.SweepOnce, "events": w.RelayOnce} {
			n, err := once(ctx)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				w.Logger.Warn("work was left for the next look", "work", what, "error", err)
			}
			more = more || err == nil && n == batch
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// SweepOnce does what actions are due for, and tells how many there were. One that goes wrong holds up no other.
func (w *Worker) SweepOnce(ctx context.Context) (found int, err error) {
	due, err := w.Store.DueActions(ctx, w.Now(), batch)
	if err != nil {
		return 0, err
	}
	for _, a := range due {
		if fault := w.sweep(ctx, a); fault != nil {
			err = errors.Join(err, fmt.Errorf("action %s: %w", a.ID, fault))
		}
	}
	return len(due), err
}

// sweep looks at an action anew under its lock: another server may have been here.
func (w *Worker) sweep(ctx context.Context, found postgres.Action) error {
	return w.Store.InTx(ctx, func(tx *postgres.Tx) error {
		now := w.Now().Truncate(time.Microsecond)
		work := &work{ctx: ctx, tx: tx, actor: "sweep", now: now}
		if err := work.lock(found.Subscriber); err != nil {
			return err
		}
		a, err := tx.LoadAction(ctx, found.Subscriber, found.ID)
		if err != nil || a.Due.IsZero() || a.Due.After(now) {
			return err
		}
		if a.Kind == postgres.ReserveAction {
			_, err := work.end(a, postgres.ActionCancelled)
			return err
		}
		before, event := a.Status, created
		if a, err = work.do(a); err != nil {
			return err
		}
		if a.Status == postgres.ActionFailed {
			event = failed
		}
		return work.save(a, before, event)
	})
}

// RelayOnce makes events of notices, and tells how many of those there were.
func (w *Worker) RelayOnce(ctx context.Context) (found int, err error) {
	now := w.Now()
	notices, err := w.Store.OutboxClaim(ctx, postgres.Notice, now, now.Add(lease), batch)
	if err != nil {
		return 0, err
	}
	var done []outbox.Result
	for _, n := range notices {
		result := outbox.Result{ID: n.ID, Tries: n.Tries, State: outbox.Sent, At: now}
		if fault := w.relay(ctx, n, now); fault != nil {
			err = errors.Join(err, fmt.Errorf("notice %s: %w", n.ID, fault))
			result.State, result.NextAt, result.Problem = outbox.Waiting, now.Add(lease), "not relayed"
		}
		done = append(done, result)
	}
	if len(done) == 0 {
		return 0, err
	}
	return len(notices), errors.Join(err, w.Store.OutboxDone(ctx, done))
}

// relay writes one event for each subscription that asks for it. Doing it again writes the same.
func (w *Worker) relay(ctx context.Context, n outbox.Message, now time.Time) error {
	event, err := w.event(ctx, n)
	if err != nil || event == nil {
		return err
	}
	return w.Store.InTx(ctx, func(tx *postgres.Tx) error {
		all, err := tx.Subscriptions(ctx)
		if err != nil {
			return err
		}
		var messages []outbox.Message
		for _, s := range all {
			if matches(s.Query, event) {
				messages = append(messages, outbox.Message{
					ID: uuid.NewSHA1(uuid.NameSpaceOID, []byte(n.ID+" "+s.ID)).String(), Kind: outbox.Event, To: s.Callback,
					Body: string(encoded(event)), Reference: n.Reference, CreatedAt: now,
				})
			}
		}
		return tx.AppendOutbox(ctx, messages)
	})
}

// event returns what a notice tells, as it is sent; nil: nothing that anybody is told.
func (w *Worker) event(ctx context.Context, n outbox.Message) (resource, error) {
	d := json.NewDecoder(strings.NewReader(n.Body))
	d.UseNumber()
	var body resource
	if err := d.Decode(&body); err != nil {
		return nil, err
	}
	if body["transfer"] == nil {
		return body, nil
	}
	var of postgres.TransferNotice
	if err := json.Unmarshal([]byte(n.Body), &of); err != nil {
		return nil, err
	}
	return w.transferEvent(ctx, n.ID, of)
}
