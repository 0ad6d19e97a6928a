package tmf654

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// optionalBuckets are what may be absent unless the interface is strict.
var optionalBuckets = []string{"bucket", "bucket.id", "receiverBucket", "receiverBucket.id", "receiverBucketUsageType"}

func (h *handler) lax(path string) bool { return !h.Strict && slices.Contains(optionalBuckets, path) }

// conform reads the body of a request that must be of a type. It returns it as it came, too.
func (h *handler) conform(c *call, typ string) (body, raw map[string]any, err error) {
	raw, err = c.body()
	if err != nil {
		return nil, nil, err
	}
	kept, fault := named(typ).conform(raw, "", h.lax)
	if fault != nil {
		return nil, nil, fault
	}
	return kept.(map[string]any), raw, nil
}

// A key names a request, so that it can be repeated. It is empty where the client gave none.
func (c *call) key() (postgres.RequestKey, error) {
	given := c.r.Header.Get("X-Idempotency-Key")
	if given == "" {
		given = c.r.Header.Get("X-CorrelationID")
	}
	if len(given) > 64 || strings.ContainsFunc(given, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return postgres.RequestKey{}, malformed("X-Idempotency-Key", "1 to 64 visible ASCII characters")
	}
	return postgres.RequestKey{Caller: "tmf654:" + c.actor, Key: given}, nil
}

// fingerprint tells whether two requests ask for the same.
func fingerprint(path string, raw map[string]any) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(path+"\n"), encoded(raw)...))
}

// A remembered answer is told again, word by word.
type remembered struct {
	Status   int             `json:"status"`
	Location string          `json:"location,omitempty"`
	Body     json.RawMessage `json:"body"`
	Refuse   *refusal        `json:"refuse,omitempty"`
}

func remember(r reply, err error) (json.RawMessage, bool) {
	m := remembered{Status: r.status, Location: r.location, Body: json.RawMessage("null")}
	if err != nil {
		f, ok := err.(*Fault) //nolint:errorlint // one that was made here
		if !ok {
			return nil, false
		}
		m.Refuse = &refusal{f.HTTP, f.Code, f.Reason}
	} else {
		m.Body = encoded(r.body)
	}
	return encoded(m), true
}

func recall(answer json.RawMessage) (reply, error) {
	var m remembered
	if err := json.Unmarshal(answer, &m); err != nil {
		return reply{}, err
	}
	if m.Refuse != nil {
		return reply{}, newFault(m.Refuse.HTTP, m.Refuse.Code, "%s", m.Refuse.Reason)
	}
	return reply{status: m.Status, location: m.Location, body: m.Body}, nil
}

func (h *handler) createAction(c *call, k kind) (reply, error) {
	body, raw, err := h.conform(c, k.typ+"_Create")
	if err != nil {
		return reply{}, err
	}
	key, err := c.key()
	if err != nil {
		return reply{}, err
	}
	a, fault := k.plan(body, c.now)
	if fault != nil {
		return reply{}, fault
	}
	a.ID, a.Caller = uuid.Must(uuid.NewV7()).String(), c.actor
	if a.Document, err = json.Marshal(document{Said: body}); err != nil {
		return reply{}, err
	}
	owner, err := h.owner(c.ctx, body)
	if err != nil {
		return reply{}, err
	}
	a.Subscriber = owner.ID
	var answer reply
	var refuse error
	err = h.Store.InTx(c.ctx, func(tx *postgres.Tx) error {
		answer, refuse = reply{}, nil
		if key.Key != "" {
			known, before, err := tx.ClaimKey(c.ctx, key, fingerprint(k.path, raw), c.now)
			if err != nil {
				return err
			}
			if known {
				answer, refuse = recall(before)
				return nil
			}
		}
		w := work{ctx: c.ctx, tx: tx, actor: c.actor, now: c.now}
		done, err := w.begin(a)
		if err != nil {
			return err
		}
		told, err := k.tell(done, w.subscriber.MSISDN)
		if err != nil {
			return err
		}
		answer = reply{status: http.StatusCreated, location: k.href(done.ID), body: told}
		if d, _ := readDocument(done); d.Refuse != nil {
			refuse = newFault(d.Refuse.HTTP, d.Refuse.Code, "%s", d.Refuse.Reason)
		}
		if key.Key == "" {
			return nil
		}
		kept, _ := remember(answer, refuse)
		return tx.AnswerKey(c.ctx, key, kept)
	})
	if err != nil {
		return reply{}, err
	}
	return answer, refuse
}

// plan reads what a client wants. What it says of the future is checked against now.
func (k kind) plan(body map[string]any, now time.Time) (postgres.Action, *Fault) {
	a := postgres.Action{Kind: k.stored, Status: postgres.ActionCreated, Requested: now, Bucket: bucketID(body, "bucket")}
	if id := a.Bucket; id != "" {
		u, err := uuid.Parse(string(id))
		if err != nil {
			return a, newFault(http.StatusConflict, codeIdentifier, "there is no such bucket; auto lets the server choose")
		}
		a.Bucket = ocs.BucketID(u.String())
	}
	usage := text(body, "usageType")
	if usage == "other" {
		return a, malformed("usageType", "one of voice, data, sms, monetary")
	}
	amount := object(body, "amount")
	var fault *Fault
	switch {
	case amount != nil:
		a.Unit, a.Units, fault = parseQuantity(amount, usage)
	case usage == monetary:
		fault = newFault(http.StatusBadRequest, codeIncomplete, "amount is missing")
	default: // only a reservation gets here: the description requires it elsewhere
		a.Unit = measures[usage][map[string]string{voice: "s", data: "B", sms: "sms"}[usage]].unit
	}
	if fault != nil {
		return a, fault
	}
	switch {
	case amount != nil && a.Units == 0:
		return a, malformed("amount.amount", "other than 0")
	case a.Units < 0 && k != adjust:
		return a, malformed("amount.amount", "above 0")
	}
	if fault := setPeriod(&a, body, now); fault != nil {
		return a, fault
	}
	return a, k.checkRest(a, body)
}

// setPeriod reads validFor: when a begins, and when what it brings or holds is over.
func setPeriod(a *postgres.Action, body map[string]any, now time.Time) *Fault {
	if s := text(body, "validFor", "startDateTime"); s != "" {
		a.Starts, _ = time.Parse(time.RFC3339, s) // conform has read it
		if !a.Starts.After(now) {
			a.Starts = time.Time{}
		}
	}
	if s := text(body, "validFor", "endDateTime"); s != "" {
		a.Expires, _ = time.Parse(time.RFC3339, s)
		if !a.Expires.After(now) || !a.Expires.After(a.Starts) || a.Expires.UTC().Year() > 9999 {
			return malformed("validFor.endDateTime", "later than now and than startDateTime")
		}
	}
	return nil
}

// checkRest refuses what cannot be done, rather than do half of it.
func (k kind) checkRest(a postgres.Action, body map[string]any) *Fault {
	recurs := text(body, "recurringPeriod") != ""
	periods, fault := count(body, "numberOfPeriods")
	if fault != nil {
		return fault
	}
	automatic, _ := body["isAutoTopup"].(bool)
	named := a.Bucket != ""
	switch {
	case text(body, "voucher") != "":
		return newFault(http.StatusBadRequest, codeFormat, "vouchers are not redeemed here")
	case (automatic || periods > 1) && !recurs:
		return newFault(http.StatusBadRequest, codeIncomplete, "recurringPeriod is missing")
	case text(body, "adjustType") == "recurring":
		return newFault(http.StatusBadRequest, codeFormat, "adjustType must be oneTime: nothing says how often it should recur")
	case k == reserve && !a.Starts.IsZero():
		return newFault(http.StatusBadRequest, codeFormat, "a reservation begins at once, without validFor.startDateTime")
	case k == topup && named && !a.Expires.IsZero():
		return newFault(http.StatusBadRequest, codeFormat, "the end of a bucket never changes: validFor.endDateTime goes with bucket auto")
	case k == adjust && !a.Expires.IsZero() && (named || a.Units < 0):
		return newFault(http.StatusBadRequest, codeFormat, "validFor.endDateTime goes with an adjustment upwards of bucket auto")
	}
	return nil
}
