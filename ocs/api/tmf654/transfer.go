package tmf654

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/charging"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

const (
	transferPath = "transferBalance"
	transferType = "TransferBalance"
	reversalType = "TransferBalanceReversal"
)

func transferHref(id string) string { return Base + "/" + transferPath + "/" + id }

// statusOf tells the status of a transfer in the words of the description. A reversal is a transfer of its own, and does
// not change what was done.
func statusOf(s transfer.Status) postgres.ActionStatus {
	switch s {
	case transfer.Pending:
		return postgres.ActionCreated
	case transfer.Failed:
		return postgres.ActionFailed
	case transfer.Cancelled, transfer.Expired:
		return postgres.ActionCancelled
	case transfer.Completed, transfer.Reversed, transfer.ReversalPending:
	}
	return postgres.ActionCompleted
}

// tellTransfer tells a transfer. Whoever may ask here is the operator, or acts for the sender.
func tellTransfer(t transfer.Transfer, sender ocs.Subscriber, receiver ocs.Subscriber) resource {
	id := string(t.Reference)
	other := strings.TrimPrefix(t.Counterparty, "tel:")
	if t.Reverses != "" || other == "" {
		other = receiver.MSISDN
	}
	reason := t.Note
	if reason == "" {
		reason = string(t.Kind)
	}
	r := resource{
		"id": id, "href": transferHref(id), "@type": transferType, "reason": reason, "status": string(statusOf(t.Status)),
		"channel": resource{"id": string(t.Channel)}, "requestedDate": moment(t.CreatedAt),
		"amount": quantity(rating.Seconds, t.Seconds), "usageType": voice, "bucket": resource{"id": auto},
		"logicalResource": logicalResource(sender.MSISDN), "partyAccount": partyAccount(t.Sender),
		"receiverLogicalResource": resource{"id": other, "@referredType": "LogicalResource"},
		"receiverBucket":          resource{"id": auto}, "receiverBucketUsageType": voice,
		"transferCost":         resource{"unit": "XXX", "value": json.Number(fixedMinutes(t.Fee))},
		"transferCostQuantity": quantity(rating.Seconds, t.Fee),
	}
	if t.Bearer != "" {
		r["costOwner"] = string(t.Bearer)
	}
	if !t.EndedAt.IsZero() {
		r["confirmationDate"] = moment(t.EndedAt)
	}
	if t.Refusal != transfer.None {
		r["description"] = t.Refusal.Code().TMF + ": " + t.Refusal.String()
	}
	if end := validTo(t); end != "" {
		r["validFor"] = resource{"startDateTime": moment(t.CreatedAt), "endDateTime": end}
	}
	if t.Reverses != "" {
		r["@type"], r["@baseType"] = reversalType, transferType
		r["reversalOf"] = resource{"id": string(t.Reverses), "href": transferHref(string(t.Reverses))}
	}
	return r
}

// fixedMinutes tells seconds in minutes, as money of no currency has to: with two decimals at most, rounded up.
func fixedMinutes(n rating.Units) string {
	if n%60 == 0 {
		return whole(n / 60)
	}
	return fixed((n*100+59)/60, 2)
}

// validTo tells until when t waits or, of one that is done, when the first of what was moved dies; empty: never.
func validTo(t transfer.Transfer) (end string) {
	if !t.DueAt.IsZero() {
		return moment(t.DueAt)
	}
	first := t.DueAt
	for _, m := range t.Moves {
		if !m.Fee && !m.ExpiresAt.IsZero() && (first.IsZero() || m.ExpiresAt.Before(first)) {
			first = m.ExpiresAt
		}
	}
	if first.IsZero() {
		return ""
	}
	return moment(first)
}

// tellTransfers tells transfers with the numbers of both sides.
func tellTransfers(ctx context.Context, store *postgres.Store, all []transfer.Transfer) ([]resource, error) {
	var ids []ocs.SubscriberID
	for _, t := range all {
		ids = append(ids, t.Sender)
		if t.Receiver != "" {
			ids = append(ids, t.Receiver)
		}
	}
	known := map[ocs.SubscriberID]ocs.Subscriber{}
	if len(ids) > 0 {
		found, err := store.Subscribers(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			known[s.ID] = s
		}
	}
	told := make([]resource, len(all))
	for i, t := range all {
		told[i] = tellTransfer(t, known[t.Sender], known[t.Receiver])
	}
	return told, nil
}

// transferEvent is the event that a notice about a transfer becomes; nil: a reversal tells of it.
func (w *Worker) transferEvent(ctx context.Context, id string, n postgres.TransferNotice) (resource, error) {
	e := created
	switch n.Status {
	case transfer.Failed:
		e = failed
	case transfer.Cancelled, transfer.Expired:
		e = cancelled
	case transfer.Reversed, transfer.ReversalPending:
		return nil, nil
	case transfer.Pending, transfer.Completed:
	}
	t, err := w.Store.TransferByReference(ctx, n.Transfer)
	if err != nil {
		return nil, err
	}
	told, err := tellTransfers(ctx, w.Store, []transfer.Transfer{t})
	if err != nil {
		return nil, err
	}
	told[0]["status"] = string(statusOf(n.Status)) // as it was then
	return envelope(id, transferType+string(e)+"Event", transferPath, told[0], string(n.Transfer), n.At), nil
}

func (h *handler) listTransfers(c *call) (reply, error) {
	q, fault := parseQuery(c.r.URL.Query(), named(transferType))
	if fault != nil {
		return reply{}, fault
	}
	f, none, err := h.limits(c, &q, "logicalResource.id", "partyAccount.id")
	if err != nil {
		return reply{}, err
	}
	receiver := ocs.SubscriberID("")
	if f.Subscriber == "" && !none {
		var to postgres.ActionFilter
		if to, none, err = h.limits(c, &q, "receiverLogicalResource.id"); err != nil {
			return reply{}, err
		}
		receiver = to.Subscriber
	}
	if none {
		return h.list(q, nothing())
	}
	filter := postgres.TransferFilter{Sender: f.Subscriber, Receiver: receiver, From: f.From, To: f.To}
	return h.list(q, source{
		count: func() (int64, error) { return h.Store.CountTransfers(c.ctx, filter) },
		page: func(offset, limit int) ([]resource, error) {
			all, err := h.Store.TransferPage(c.ctx, filter, offset, limit)
			if err != nil {
				return nil, err
			}
			return tellTransfers(c.ctx, h.Store, all)
		},
	})
}

// transfer finds the transfer that an id names, in any form that a person might type.
func (h *handler) transfer(ctx context.Context, id string) (transfer.Transfer, error) {
	reference, ok := transfer.ParseReference(id)
	if !ok {
		return transfer.Transfer{}, unknown(transferPath)
	}
	t, err := h.Store.TransferByReference(ctx, reference)
	if errors.Is(err, postgres.ErrNotFound) {
		err = unknown(transferPath)
	}
	return t, err
}

func (h *handler) getTransfer(c *call) (reply, error) {
	t, err := h.transfer(c.ctx, c.id)
	if err != nil {
		return reply{}, err
	}
	told, err := tellTransfers(c.ctx, h.Store, []transfer.Transfer{t})
	if err != nil {
		return reply{}, err
	}
	return one(c, extended(named(transferType)), told[0])
}

// extended lets fields name what the description has not.
func extended(s schema) schema {
	properties := maps.Clone(s.Properties)
	for _, name := range []string{"transferCostQuantity", "reversalOf"} {
		properties[name] = schema{Type: "object"}
	}
	s.Properties = properties
	return s
}

// request reads what a body wants of the engine. What cannot be judged without its meaning is left to that.
func (h *handler) request(c *call, body map[string]any) (charging.Transfer, error) {
	from, err := h.Identity(text(body, "logicalResource", "id"))
	if err != nil {
		return charging.Transfer{}, malformed("logicalResource", "the number of the sender: "+err.Error())
	}
	kind, to, err := h.counterparty(text(body, "receiverLogicalResource", "id"))
	if err != nil {
		return charging.Transfer{}, err
	}
	for _, name := range []string{"usageType", "receiverBucketUsageType"} {
		if u := text(body, name); u != "" && u != voice {
			return charging.Transfer{}, malformed(name, "voice: only minutes are transferred")
		}
	}
	for _, name := range []string{"bucket", "receiverBucket"} {
		if bucketID(body, name) != "" {
			return charging.Transfer{}, newFault(http.StatusBadRequest, codeFormat, "%s.id must be auto: the policy says which minutes move", name)
		}
	}
	channel, fault := channelOf(text(body, "channel", "id"))
	if fault != nil {
		return charging.Transfer{}, fault
	}
	_, units, fault := parseQuantity(object(body, "amount"), voice)
	if fault != nil {
		return charging.Transfer{}, fault
	}
	if units < 1 {
		return charging.Transfer{}, malformed("amount.amount", "above 0")
	}
	return charging.Transfer{
		Acting: from, PIN: c.r.Header.Get("X-User-Credential-1"),
		Request: transfer.Request{
			Operation: transfer.OpSend, Kind: kind, Channel: channel, By: transfer.BySender, Caller: "tmf654:" + c.actor,
			Counterparty: to, Seconds: units, Bearer: transfer.Bearer(text(body, "costOwner")), Note: text(body, "reason"), Confirmed: true,
		},
	}, nil
}

// counterparty reads who is on the other side: a number, or the code of a shop.
func (h *handler) counterparty(id string) (transfer.Kind, string, error) {
	if strings.HasPrefix(id, "merchant:") {
		return transfer.Merchant, id, nil
	}
	identity, err := h.Identity(strings.TrimPrefix(id, "tel:"))
	if err != nil || identity.Kind != ocs.E164 {
		return "", "", malformed("receiverLogicalResource", "a number, or merchant: and the code of a shop")
	}
	return transfer.P2P, "tel:" + identity.Value, nil
}

func channelOf(id string) (transfer.Channel, *Fault) {
	if channel := transfer.Channel(strings.ToLower(id)); slices.Contains(transfer.Channels(), channel) {
		return channel, nil
	}
	return "", malformed("channel.id", "one of ussd, sms, ivr, app, agent, api")
}

// createTransfer has minutes moved. The key is claimed first, so that it stands for one body whoever the sender is; what is
// done under it is done once, because the engine knows it as the reference.
func (h *handler) createTransfer(c *call) (reply, error) {
	body, raw, err := h.conform(c, transferType+"_Create")
	if err != nil {
		return reply{}, err
	}
	var request charging.Transfer
	if text(body, "@type") == reversalType {
		request, err = h.reversal(c, body, raw)
	} else {
		request, err = h.request(c, body)
	}
	if err != nil {
		return reply{}, err
	}
	key, err := c.key()
	if err != nil {
		return reply{}, err
	}
	if key.Key == "" {
		request.Request.Reference = uuid.Must(uuid.NewV7()).String()
		return h.send(c, request)
	}
	request.Request.Reference = key.Key
	var known []byte
	err = h.Store.InTx(c.ctx, func(tx *postgres.Tx) (err error) {
		_, known, err = tx.ClaimKey(c.ctx, key, fingerprint(transferPath, raw), c.now)
		return err
	})
	if err != nil {
		return reply{}, err
	}
	if known != nil {
		return recall(known)
	}
	answer, err := h.send(c, request)
	if kept, ok := remember(answer, err); ok && forGood(err) {
		if err := h.Store.InTx(c.ctx, func(tx *postgres.Tx) error { return tx.AnswerKey(c.ctx, key, kept) }); err != nil {
			return reply{}, err
		}
	}
	return answer, err
}

// forGood reports whether an answer of the engine stays what it is. What the engine could not decide it may decide yet.
func forGood(err error) bool {
	f, isFault := errors.AsType[*Fault](err)
	return err == nil || isFault && f.Code != codeBusy && f.Code != codeInternal
}

// reversal reads the body of a transfer that undoes another. Who received gives back, anybody else claims; which of the two
// logicalResource is, the engine finds.
func (h *handler) reversal(c *call, body, raw map[string]any) (charging.Transfer, error) {
	original, ok := transfer.ParseReference(text(raw, "reversalOf", "id"))
	if !ok {
		return charging.Transfer{}, malformed("reversalOf.id", "the id of a transfer")
	}
	request, err := h.request(c, body)
	if err != nil {
		return charging.Transfer{}, err
	}
	r := &request.Request
	r.Operation, r.Original, r.Counterparty, r.Kind, r.Bearer = transfer.OpReverse, string(original), "", "", ""
	return request, nil
}

// decide has the engine decide.
func (h *handler) decide(ctx context.Context, request charging.Transfer) (transfer.Outcome, error) {
	outcome, err := h.Transfer(ctx, request)
	switch {
	case errors.Is(err, charging.ErrUnknownOutcome):
		return outcome, newFault(http.StatusInternalServerError, codeInternal, "nobody knows whether it was done; repeat it with the same X-Idempotency-Key")
	case errors.Is(err, charging.ErrBusy):
		return outcome, newFault(http.StatusServiceUnavailable, codeBusy, "nothing was done; try again")
	}
	return outcome, err
}

func (h *handler) send(c *call, request charging.Transfer) (reply, error) {
	outcome, err := h.decide(c.ctx, request)
	if err != nil {
		return reply{}, err
	}
	a := outcome.Answer
	if a.Refusal != transfer.None {
		return reply{}, refused(a)
	}
	t, err := h.transfer(c.ctx, string(a.Reference))
	if err != nil {
		return reply{}, err
	}
	told, err := tellTransfers(c.ctx, h.Store, []transfer.Transfer{t})
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusCreated, location: transferHref(string(a.Reference)), body: told[0]}, nil
}

// act does something with a transfer that waits, for the operator. Its reference follows from what it does, so that doing it
// again does nothing.
func (h *handler) act(c *call, t transfer.Transfer, do transfer.Operation) error {
	outcome, err := h.decide(c.ctx, charging.Transfer{Request: transfer.Request{
		Operation: do, Channel: transfer.API, By: transfer.ByOperator, Person: c.actor, Caller: "tmf654:" + c.actor,
		Reference: do.String() + ":" + string(t.Reference), Original: string(t.Reference),
	}})
	if err != nil {
		return err
	}
	if outcome.Answer.Refusal != transfer.None {
		return refused(outcome.Answer)
	}
	return nil
}

// removeTransfer cancels one that waits. Cancelling it again changes nothing.
func (h *handler) removeTransfer(c *call) (reply, error) {
	t, err := h.transfer(c.ctx, c.id)
	if err != nil {
		return reply{}, err
	}
	switch statusOf(t.Status) {
	case postgres.ActionCreated:
		if err := h.act(c, t, transfer.OpCancel); err != nil {
			return reply{}, err
		}
	case postgres.ActionCancelled:
	case postgres.ActionFailed, postgres.ActionCompleted:
		return reply{}, newFault(http.StatusConflict, codeState, "it is %s, which never changes", statusOf(t.Status))
	}
	return reply{status: http.StatusNoContent}, nil
}

// patchTransfer confirms or cancels a transfer that waits. All else of it never changes, and may only be told again.
func (h *handler) patchTransfer(c *call) (reply, error) {
	t, err := h.transfer(c.ctx, c.id)
	if err != nil {
		return reply{}, err
	}
	body, raw, err := h.conform(c, transferType+"_Update")
	if err != nil {
		return reply{}, err
	}
	told, err := tellTransfers(c.ctx, h.Store, []transfer.Transfer{t})
	if err != nil {
		return reply{}, err
	}
	for name, v := range body {
		if !says(told[0][name], v) {
			return reply{}, newFault(http.StatusConflict, codeState, "%s cannot be changed", name)
		}
	}
	now, wanted := statusOf(t.Status), postgres.ActionStatus(text(raw, "status"))
	switch {
	case wanted == "" || wanted == now:
	case now != postgres.ActionCreated:
		return reply{}, newFault(http.StatusConflict, codeState, "it is %s, which never changes", now)
	case wanted == postgres.ActionCompleted:
		err = h.act(c, t, transfer.OpConfirm)
	case wanted == postgres.ActionCancelled:
		err = h.act(c, t, transfer.OpCancel)
	default:
		return reply{}, malformed("status", "completed or cancelled")
	}
	if err != nil {
		return reply{}, err
	}
	return h.getTransfer(&call{ctx: c.ctx, r: withoutQuery(c.r), actor: c.actor, id: c.id, now: c.now})
}

func withoutQuery(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.URL.RawQuery = ""
	return r
}

// says reports whether what is known says everything that given says; it may say more.
func says(known, given any) bool {
	known, given = plain(known), plain(given)
	k, isObject := known.(map[string]any)
	g, both := given.(map[string]any)
	if isObject && both {
		for name, v := range g {
			if !says(k[name], v) {
				return false
			}
		}
		return true
	}
	kl, isList := known.([]any)
	gl, both := given.([]any)
	if isList && both && len(kl) == len(gl) {
		for i := range kl {
			if !says(kl[i], gl[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(known, given)
}

// quote tells what a transfer would cost, and promises it for a while.
func (h *handler) quote(c *call) (reply, error) {
	raw, err := c.body()
	if err != nil {
		return reply{}, err
	}
	kept, fault := named(transferType+"_Create").conform(raw, "", func(path string) bool { return h.lax(path) || path == "reason" })
	if fault != nil {
		return reply{}, fault
	}
	request, err := h.request(c, kept.(map[string]any))
	if err != nil {
		return reply{}, err
	}
	request.Request.Operation, request.PIN = transfer.OpQuote, ""
	outcome, err := h.decide(c.ctx, request)
	if err != nil {
		return reply{}, err
	}
	a := outcome.Answer
	if a.Refusal != transfer.None {
		return reply{}, refused(a)
	}
	lots := make([]any, len(a.Lots))
	for i, l := range a.Lots {
		lot := resource{"amount": quantity(rating.Seconds, l.Seconds), "name": l.Class}
		if !l.ExpiresAt.IsZero() {
			lot["endDateTime"] = moment(l.ExpiresAt)
		}
		lots[i] = lot
	}
	return reply{status: http.StatusOK, body: resource{
		"id": a.QuoteID, "@type": "TransferQuote", "amount": quantity(rating.Seconds, a.Seconds),
		"transferCost":         resource{"unit": "XXX", "value": json.Number(fixedMinutes(a.Fee))},
		"transferCostQuantity": quantity(rating.Seconds, a.Fee), "costOwner": string(a.Bearer), "receiverName": a.Name,
		"remainingValue": quantity(rating.Seconds, a.Left), "validFor": resource{"startDateTime": moment(c.now), "endDateTime": moment(a.ValidTo)},
		"receivedLot": lots,
	}}, nil
}
