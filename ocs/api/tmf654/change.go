package tmf654

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// patchAction changes the status of an action that waits, and what is said of it.
func (h *handler) patchAction(c *call, k kind) (reply, error) {
	found, err := h.action(c, k)
	if err != nil {
		return reply{}, err
	}
	body, _, err := h.conform(c, k.typ+"_Update")
	if err != nil {
		return reply{}, err
	}
	var told resource
	err = h.change(c, found, func(w *work, a postgres.Action) error {
		before, err := k.tell(a, w.subscriber.MSISDN)
		if err != nil {
			return err
		}
		a, err = w.patch(k, a, body, before)
		if err != nil {
			return err
		}
		told, err = k.tell(a, w.subscriber.MSISDN)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusOK, body: told}, nil
}

// removeAction cancels an action that waits. Cancelling it again changes nothing.
func (h *handler) removeAction(c *call, k kind) (reply, error) {
	found, err := h.action(c, k)
	if err != nil {
		return reply{}, err
	}
	err = h.change(c, found, func(w *work, a postgres.Action) error {
		switch a.Status {
		case postgres.ActionCancelled:
			return nil
		case postgres.ActionCreated:
			_, err := w.end(a, postgres.ActionCancelled)
			return err
		case postgres.ActionFailed, postgres.ActionCompleted:
		}
		return settled(a)
	})
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, nil
}

// change loads an action anew, under the lock of its subscriber.
func (h *handler) change(c *call, found postgres.Action, do func(*work, postgres.Action) error) error {
	return h.Store.InTx(c.ctx, func(tx *postgres.Tx) error {
		w := &work{ctx: c.ctx, tx: tx, actor: c.actor, now: c.now}
		if err := w.lock(found.Subscriber); err != nil {
			return err
		}
		a, err := tx.LoadAction(c.ctx, found.Subscriber, found.ID)
		if err != nil {
			return err
		}
		return do(w, a)
	})
}

func settled(a postgres.Action) *Fault {
	return newFault(http.StatusConflict, codeState, "it is %s, which never changes", a.Status)
}

// patch applies a body to a. What decides something cannot be changed, only told again.
func (w *work) patch(k kind, a postgres.Action, body map[string]any, before resource) (postgres.Action, error) {
	spent := rating.Units(0)
	for name, v := range body {
		if name == "status" || a.Status == postgres.ActionCreated && (name == "reason" || name == "description") {
			continue
		}
		if name == "amount" && k == reserve && text(body, "status") == string(postgres.ActionCompleted) && a.Status == postgres.ActionCreated {
			unit, units, fault := parseQuantity(object(body, "amount"), usageOf(a.Unit))
			if fault != nil {
				return a, fault
			}
			if unit != a.Unit || units < 1 {
				return a, malformed("amount", "of what was reserved, and above 0")
			}
			spent = units
			continue
		}
		if !reflect.DeepEqual(plain(v), plain(before[name])) {
			return a, newFault(http.StatusConflict, codeState, "%s cannot be changed", name)
		}
	}
	status := postgres.ActionStatus(text(body, "status"))
	if a.Status != postgres.ActionCreated {
		if status != a.Status {
			return a, settled(a)
		}
		return a, nil
	}
	d, err := readDocument(a)
	if err != nil {
		return a, err
	}
	for _, name := range []string{"reason", "description"} {
		if v, ok := body[name]; ok {
			d.Said[name] = v
		}
	}
	if a.Document, err = json.Marshal(d); err != nil {
		return a, err
	}
	switch status {
	case postgres.ActionCreated:
		return a, w.save(a, a.Status, "")
	case postgres.ActionCancelled, postgres.ActionFailed:
		return w.end(a, status)
	case postgres.ActionCompleted:
	}
	return w.complete(a, spent)
}

// plain makes values of JSON comparable, whatever they were made of.
func plain(v any) any {
	d := json.NewDecoder(strings.NewReader(string(encoded(v))))
	d.UseNumber()
	var p any
	if err := d.Decode(&p); err != nil {
		return v
	}
	return p
}

// end gives an action up.
func (w *work) end(a postgres.Action, status postgres.ActionStatus) (postgres.Action, error) {
	before, event := a.Status, cancelled
	if status == postgres.ActionFailed {
		event = failed
	}
	a, err := w.giveUp(a, status)
	if err != nil {
		return a, err
	}
	return a, w.save(a, before, event)
}

// complete does what waits: spends a reservation, makes a top-up before its time, or for the last time.
func (w *work) complete(a postgres.Action, spent rating.Units) (postgres.Action, error) {
	before := a.Status
	var err error
	switch {
	case a.Kind == postgres.ReserveAction:
		a, err = w.spend(a, spent)
	case a.Done > 0: // of a series that is to end
		a.Status, a.Ended, a.Due = postgres.ActionCompleted, w.now, time.Time{}
	default:
		a, err = w.do(a)
	}
	if err != nil {
		return a, err
	}
	event := created
	if a.Status == postgres.ActionFailed {
		event = failed
	}
	return a, w.save(a, before, event)
}
