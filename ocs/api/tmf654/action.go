package tmf654

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A kind is one of the actions that are kept as [postgres.Action].
type kind struct {
	stored postgres.ActionKind
	path   string // its collection, and its name in an event
	typ    string // its type in the description
}

var (
	topup   = kind{postgres.TopupAction, "topupBalance", "TopupBalance"}
	adjust  = kind{postgres.AdjustAction, "adjustBalance", "AdjustBalance"}
	reserve = kind{postgres.ReserveAction, "reserveBalance", "ReserveBalance"}
)

func kindOf(k postgres.ActionKind) kind {
	switch k {
	case postgres.TopupAction:
		return topup
	case postgres.AdjustAction:
		return adjust
	case postgres.ReserveAction:
		return reserve
	}
	panic("tmf654: no kind of action " + string(k)) // a constraint says which there are
}

func (k kind) href(id string) string { return Base + "/" + k.path + "/" + id }

// actions is the route of one kind.
func (h *handler) actions(k kind) route {
	return route{
		list:   func(c *call) (reply, error) { return h.listActions(c, k) },
		get:    func(c *call) (reply, error) { return h.getAction(c, k) },
		create: func(c *call) (reply, error) { return h.createAction(c, k) },
		patch:  func(c *call) (reply, error) { return h.patchAction(c, k) },
		remove: func(c *call) (reply, error) { return h.removeAction(c, k) },
	}
}

// A document is what an action keeps of what its client said.
type document struct {
	Said   map[string]any `json:"said"`             // by type of the description, without what decides something
	Refuse *refusal       `json:"refuse,omitempty"` // why it failed
}

type refusal struct {
	HTTP   int    `json:"http"`
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// readDocument reads back what an action keeps.
func readDocument(a postgres.Action) (document, error) {
	var d document
	decoder := json.NewDecoder(strings.NewReader(string(a.Document)))
	decoder.UseNumber()
	err := decoder.Decode(&d)
	return d, err
}

// tell tells an action as its resource.
func (k kind) tell(a postgres.Action, msisdn string) (resource, error) {
	d, err := readDocument(a)
	if err != nil {
		return nil, err
	}
	r := resource{}
	maps.Copy(r, d.Said)
	r["id"], r["href"], r["@type"] = a.ID, k.href(a.ID), k.typ
	r["status"], r["usageType"] = string(a.Status), usageOf(a.Unit)
	r["requestedDate"] = moment(a.Requested)
	if !a.Ended.IsZero() {
		r["confirmationDate"] = moment(a.Ended)
	}
	if r["amount"] == nil {
		r["amount"] = quantity(a.Unit, a.Units)
	}
	if r["logicalResource"] == nil {
		r["logicalResource"] = logicalResource(msisdn)
	}
	if r["partyAccount"] == nil {
		r["partyAccount"] = partyAccount(a.Subscriber)
	}
	if d.Refuse != nil {
		r["description"] = d.Refuse.Code + ": " + d.Refuse.Reason
	}
	return r, nil
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// tellActions tells actions of any kinds, with the numbers of their subscribers.
func (h *handler) tellActions(c *call, all []postgres.Action) ([]resource, error) {
	var ids []ocs.SubscriberID
	for _, a := range all {
		ids = append(ids, a.Subscriber)
	}
	known, err := h.names(c.ctx, ids)
	if err != nil {
		return nil, err
	}
	told := make([]resource, len(all))
	for i, a := range all {
		if told[i], err = kindOf(a.Kind).tell(a, known[a.Subscriber].MSISDN); err != nil {
			return nil, err
		}
	}
	return told, nil
}

// limits takes out of q what the database can look for. none means that nothing can match.
func (h *handler) limits(c *call, q *query, names ...string) (f postgres.ActionFilter, none bool, err error) {
	for _, name := range names {
		values := q.take(name)
		if values == nil {
			continue
		}
		if len(values) > 1 || f.Subscriber != "" {
			q.conditions = append(q.conditions, condition{name, "eq", values})
			continue
		}
		s, err := h.subscriber(c.ctx, values[0])
		if fault, ok := errors.AsType[*Fault](err); ok && fault.HTTP == http.StatusConflict {
			return f, true, nil
		}
		if err != nil {
			return f, false, err
		}
		f.Subscriber = s.ID
	}
	for _, cond := range q.conditions {
		if cond.path != "requestedDate" || len(cond.values) != 1 {
			continue
		}
		t, err := time.Parse(time.RFC3339, cond.values[0])
		if err != nil {
			return f, false, malformed("requestedDate", "a time as in 2026-03-01T12:00:00Z")
		}
		switch cond.op { // a first selection: the condition itself stays
		case "gt", "gte":
			f.From = t
		case "lt", "lte":
			f.To = t.Add(time.Microsecond)
		}
	}
	return f, false, nil
}

func (h *handler) listActions(c *call, k kind) (reply, error) {
	q, fault := parseQuery(c.r.URL.Query(), named(k.typ))
	if fault != nil {
		return reply{}, fault
	}
	f, none, err := h.limits(c, &q, "logicalResource.id", "partyAccount.id")
	if err != nil {
		return reply{}, err
	}
	if none {
		return h.list(q, nothing())
	}
	f.Kind = k.stored
	return h.list(q, source{
		count: func() (int64, error) { return h.Store.CountActions(c.ctx, f) },
		page: func(offset, limit int) ([]resource, error) {
			all, err := h.Store.Actions(c.ctx, f, offset, limit)
			if err != nil {
				return nil, err
			}
			return h.tellActions(c, all)
		},
	})
}

// action finds the action that the path names.
func (h *handler) action(c *call, k kind) (postgres.Action, error) {
	id, err := uuid.Parse(c.id)
	if err != nil {
		return postgres.Action{}, unknown(k.path)
	}
	a, err := h.Store.Action(c.ctx, id.String())
	if errors.Is(err, postgres.ErrNotFound) || err == nil && a.Kind != k.stored {
		return postgres.Action{}, unknown(k.path)
	}
	return a, err
}

func (h *handler) getAction(c *call, k kind) (reply, error) {
	a, err := h.action(c, k)
	if err != nil {
		return reply{}, err
	}
	told, err := h.tellActions(c, []postgres.Action{a})
	if err != nil {
		return reply{}, err
	}
	return one(c, named(k.typ), told[0])
}

// periods are how far apart a recurring top-up is made.
func period(word string, from time.Time, n int) time.Time {
	switch word {
	case "weekly":
		return from.AddDate(0, 0, 7*n)
	case "fortnightly":
		return from.AddDate(0, 0, 14*n)
	}
	at := from.AddDate(0, n, 0) // the 31st of a short month is its last day
	if at.Day() != from.Day() {
		at = at.AddDate(0, 0, -at.Day())
	}
	return at
}

// count reads a whole number of a body; absent: 0.
func count(body map[string]any, name string) (int, *Fault) {
	n, ok := body[name].(json.Number)
	if !ok {
		return 0, nil
	}
	i, err := strconv.Atoi(n.String())
	if err != nil || i < 1 || i > 1000 {
		return 0, malformed(name, "from 1 to 1000")
	}
	return i, nil
}
