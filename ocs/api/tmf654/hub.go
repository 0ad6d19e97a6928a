package tmf654

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// maxSubscriptions bounds what one event can cost.
const maxSubscriptions = 100

// subscribe stores who wants to be told of events. The same callback and query again get the same subscription.
func (h *handler) subscribe(c *call) (reply, error) {
	body, _, err := h.conform(c, "EventSubscriptionInput")
	if err != nil {
		return reply{}, err
	}
	s := postgres.Subscription{
		ID: uuid.Must(uuid.NewV7()).String(), Caller: c.actor, Callback: text(body, "callback"), Query: text(body, "query"), CreatedAt: c.now,
	}
	u, err := url.Parse(s.Callback)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return reply{}, malformed("callback", "an http or https URL without user")
	}
	if _, fault := parseSubscriptionQuery(s.Query); fault != nil {
		return reply{}, fault
	}
	err = h.Store.InTx(c.ctx, func(tx *postgres.Tx) error {
		all, err := tx.Subscriptions(c.ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(o postgres.Subscription) bool {
			return o.Caller == s.Caller && o.Callback == s.Callback && o.Query == s.Query
		})
		if i >= 0 {
			s = all[i]
			return nil
		}
		if len(all) >= maxSubscriptions {
			return newFault(http.StatusConflict, codeTooMany, "there are %d subscriptions, which is all that there may be", len(all))
		}
		return tx.Subscribe(c.ctx, s)
	})
	if err != nil {
		return reply{}, err
	}
	told := resource{"id": s.ID, "callback": s.Callback}
	if s.Query != "" {
		told["query"] = s.Query
	}
	return reply{status: http.StatusCreated, location: Base + "/hub/" + s.ID, body: told}, nil
}

func (h *handler) unsubscribe(c *call) (reply, error) {
	id, err := uuid.Parse(c.id)
	if err != nil {
		return reply{}, unknown("subscription")
	}
	err = h.Store.Unsubscribe(c.ctx, id.String())
	if errors.Is(err, postgres.ErrNotFound) {
		return reply{}, unknown("subscription")
	}
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusNoContent}, nil
}

// eventTypes are the twelve of the description.
func eventTypes() (all []string) {
	for _, typ := range []string{topup.typ, adjust.typ, transferType, reserve.typ} {
		for _, e := range []eventKind{created, cancelled, failed} {
			all = append(all, typ+string(e)+"Event")
		}
	}
	return all
}

// parseSubscriptionQuery reads the query of a subscription: conditions as of a list, on the envelope and what is in it.
func parseSubscriptionQuery(query string) ([]condition, *Fault) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, malformed("query", "names and values as in eventType=TransferBalanceCreateEvent")
	}
	var all []condition
	for _, name := range sortedNames(values) {
		c := condition{path: name, op: "eq", values: splitAll(values[name])}
		if i := strings.LastIndexByte(name, '.'); i >= 0 && slices.Contains(operators, name[i+1:]) {
			c.path, c.op = name[:i], name[i+1:]
		}
		known := slices.ContainsFunc(eventTypes(), func(t string) bool { return named(t).has(c.path) })
		if !known {
			return nil, malformed("query", "conditions on attributes of events")
		}
		if c.path == "eventType" && slices.ContainsFunc(c.values, func(v string) bool { return !slices.Contains(eventTypes(), v) }) {
			return nil, malformed("query", "for an eventType that there is")
		}
		all = append(all, c)
	}
	return all, nil
}
