package tmf654

import (
	"errors"
	"maps"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/transfer"
)

const historyType = "BalanceActionHistory"

// inHistory tells a resource as an entry of the history, which has all of them in one form. Its href is that of the entry; the
// action itself is found by @type and id. A receiver is required of every entry: of what has none, an empty one.
func inHistory(r resource) resource {
	entry := maps.Clone(r)
	entry["href"] = Base + "/balanceActionHistory/" + text(r, "id")
	if entry["receiverLogicalResource"] == nil {
		entry["receiverLogicalResource"] = resource{"id": ""}
	}
	return entry
}

func (h *handler) listHistory(c *call) (reply, error) {
	q, fault := parseQuery(c.r.URL.Query(), named(historyType))
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
	f.Kind = ""
	transfers := postgres.TransferFilter{Sender: f.Subscriber, From: f.From, To: f.To}
	return h.list(q, source{
		count: func() (int64, error) {
			n, err := h.Store.CountActions(c.ctx, f)
			if err != nil {
				return 0, err
			}
			m, err := h.Store.CountTransfers(c.ctx, transfers)
			return n + m, err
		},
		page: func(offset, limit int) ([]resource, error) { return h.historyPage(c, f, transfers, offset, limit) },
	})
}

// historyPage reads the places of a page first, and then what stands there.
func (h *handler) historyPage(c *call, f postgres.ActionFilter, t postgres.TransferFilter, offset, limit int) ([]resource, error) {
	places, err := h.Store.History(c.ctx, f, t, offset, limit)
	if err != nil {
		return nil, err
	}
	var actionIDs []string
	var references []transfer.Reference
	for _, p := range places {
		if p.Transfer {
			references = append(references, transfer.Reference(p.ID))
		} else {
			actionIDs = append(actionIDs, p.ID)
		}
	}
	told := map[string]resource{}
	actions, err := h.Store.ActionsByID(c.ctx, actionIDs)
	if err != nil {
		return nil, err
	}
	some, err := h.tellActions(c, actions)
	if err != nil {
		return nil, err
	}
	all, err := h.Store.Transfers(c.ctx, references)
	if err != nil {
		return nil, err
	}
	others, err := tellTransfers(c.ctx, h.Store, all)
	if err != nil {
		return nil, err
	}
	for _, r := range append(some, others...) {
		told[text(r, "id")] = inHistory(r)
	}
	page := make([]resource, 0, len(places))
	for _, p := range places {
		if r := told[p.ID]; r != nil {
			page = append(page, r)
		}
	}
	return page, nil
}

func (h *handler) getHistory(c *call) (reply, error) {
	r, err := h.entry(c)
	if err != nil {
		return reply{}, err
	}
	return one(c, named(historyType), inHistory(r))
}

func (h *handler) entry(c *call) (resource, error) {
	id, err := uuid.Parse(c.id)
	if err != nil {
		t, err := h.transfer(c.ctx, c.id)
		if _, ok := errors.AsType[*Fault](err); ok {
			return nil, unknown("balanceActionHistory")
		}
		if err != nil {
			return nil, err
		}
		told, err := tellTransfers(c.ctx, h.Store, []transfer.Transfer{t})
		if err != nil {
			return nil, err
		}
		return told[0], nil
	}
	a, err := h.Store.Action(c.ctx, id.String())
	if errors.Is(err, postgres.ErrNotFound) {
		return nil, unknown("balanceActionHistory")
	}
	if err != nil {
		return nil, err
	}
	told, err := h.tellActions(c, []postgres.Action{a})
	if err != nil {
		return nil, err
	}
	return told[0], nil
}
