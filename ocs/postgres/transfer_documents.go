package postgres

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// The documents of transfers. What was said of those of a session holds for them too: a key keeps its meaning for ever.

type moveDocument struct {
	From      ocs.BucketID `json:"from"`
	To        ocs.BucketID `json:"to,omitzero"`
	Units     rating.Units `json:"units"`
	Fee       bool         `json:"fee,omitzero"`
	Class     string       `json:"class,omitzero"`
	ExpiresAt time.Time    `json:"expires,omitzero"`
}

type shareDocument struct {
	Agent string       `json:"agent"`
	Units rating.Units `json:"units"`
}

type counterDocument struct {
	Subscriber ocs.SubscriberID `json:"sub"`
	Row        string           `json:"row"`
	Other      ocs.SubscriberID `json:"other,omitzero"`
	Start      time.Time        `json:"start"`
	Count      int64            `json:"n,omitzero"`
	Seconds    rating.Units     `json:"s,omitzero"`
}

type checkDocument struct {
	Rule   string    `json:"r"`
	Have   string    `json:"h,omitzero"`
	Want   string    `json:"w,omitzero"`
	Passed bool      `json:"ok,omitzero"`
	NextAt time.Time `json:"next,omitzero"`
}

type transferDocument struct {
	Operation    transfer.Operation `json:"op"`
	Channel      transfer.Channel   `json:"channel"`
	Caller       string             `json:"caller,omitzero"`
	ClientRef    string             `json:"ref,omitzero"`
	Counterparty string             `json:"to,omitzero"`
	Fee          rating.Units       `json:"fee,omitzero"`
	Bearer       transfer.Bearer    `json:"bearer,omitzero"`
	Note         string             `json:"note,omitzero"`
	Moves        []moveDocument     `json:"moves,omitempty"`
	Shares       []shareDocument    `json:"shares,omitempty"`
	Counted      []counterDocument  `json:"counted,omitempty"`
	Awaits       transfer.Awaits    `json:"awaits,omitzero"`
	Refusal      string             `json:"refusal,omitzero"`
	Policy       string             `json:"policy,omitzero"`
	PayoutHash   string             `json:"payout,omitzero"`
	WrongCodes   int                `json:"wrong_codes,omitzero"`
	Reverses     transfer.Reference `json:"reverses,omitzero"`
	ReversedBy   transfer.Reference `json:"reversed_by,omitzero"`
	Returned     rating.Units       `json:"returned,omitzero"`
	Claims       int                `json:"claims,omitzero"`
	HeldBy       []string           `json:"held_by,omitempty"`
	Maker        string             `json:"maker,omitzero"`
	Persons      []string           `json:"persons,omitempty"`
	Needed       int                `json:"needed,omitzero"`
	EndedAt      time.Time          `json:"ended,omitzero"`
}

type lotDocument struct {
	Seconds   rating.Units `json:"s"`
	ExpiresAt time.Time    `json:"expires,omitzero"`
	Class     string       `json:"class,omitzero"`
}

type keptDocument struct {
	Class  string              `json:"class"`
	Reason transfer.KeptReason `json:"why"`
	Units  rating.Units        `json:"units"`
}

type purseDocument struct {
	Total   rating.Units   `json:"total,omitzero"`
	Movable rating.Units   `json:"movable,omitzero"`
	InUse   rating.Units   `json:"in_use,omitzero"`
	Kept    []keptDocument `json:"kept,omitempty"`
}

type transferAnswerDocument struct {
	Refusal    string             `json:"refusal,omitzero"`
	Status     transfer.Status    `json:"status,omitzero"`
	RetryAfter time.Duration      `json:"retry_ns,omitzero"`
	Reference  transfer.Reference `json:"ref,omitzero"`
	QuoteID    string             `json:"quote,omitzero"`
	Original   transfer.Reference `json:"original,omitzero"`
	Kind       transfer.Kind      `json:"kind,omitzero"`
	Seconds    rating.Units       `json:"s,omitzero"`
	Fee        rating.Units       `json:"fee,omitzero"`
	Bearer     transfer.Bearer    `json:"bearer,omitzero"`
	ValidTo    time.Time          `json:"valid,omitzero"`
	Lots       []lotDocument      `json:"lots,omitempty"`
	Name       string             `json:"name,omitzero"`
	TriesLeft  int                `json:"tries,omitzero"`
	Short      rating.Units       `json:"short,omitzero"`
	Left       rating.Units       `json:"left,omitzero"`
	Purse      *purseDocument     `json:"purse,omitzero"`
	May        rating.Units       `json:"may,omitzero"`
}

type quoteDocument struct {
	Sender   ocs.SubscriberID   `json:"sender"`
	Receiver ocs.SubscriberID   `json:"receiver"`
	Kind     transfer.Kind      `json:"kind"`
	Channel  transfer.Channel   `json:"channel"`
	Seconds  rating.Units       `json:"s"`
	Fee      rating.Units       `json:"fee,omitzero"`
	Bearer   transfer.Bearer    `json:"bearer"`
	UsedBy   transfer.Reference `json:"used_by,omitzero"`
	Counted  []counterDocument  `json:"counted,omitempty"`
	Policy   string             `json:"policy,omitzero"`
}

// readJSON reads a document that this or an earlier version wrote. Keys that a later version added are skipped.
func readJSON[Document any](column string, text []byte) (document Document, err error) {
	if err := json.Unmarshal(text, &document); err != nil {
		return document, fmt.Errorf("column %s: %w: %w", column, errMalformed, err)
	}
	return document, nil
}

func counterToDocument(c transfer.Counter) counterDocument   { return counterDocument(c) }
func counterFromDocument(c counterDocument) transfer.Counter { return transfer.Counter(c) }

// Refusals are stored by their names: their numbers are nobody's business but this build's.
var refusalsByName = func() map[string]transfer.Refusal {
	names := map[string]transfer.Refusal{"": transfer.None}
	for _, r := range transfer.Refusals() {
		names[r.String()] = r
	}
	return names
}()

func refusalName(r transfer.Refusal) string {
	if r == transfer.None {
		return ""
	}
	return r.String()
}

func refusalOf(name string) (transfer.Refusal, error) {
	r, ok := refusalsByName[name]
	if !ok {
		return 0, fmt.Errorf("refusal %q: %w", name, errMalformed)
	}
	return r, nil
}

func transferToDocument(t *transfer.Transfer) transferDocument {
	return transferDocument{
		Operation: t.Operation, Channel: t.Channel, Caller: t.Caller, ClientRef: t.ClientRef, Counterparty: t.Counterparty,
		Fee: t.Fee, Bearer: t.Bearer, Note: t.Note,
		Moves:   each(t.Moves, func(m transfer.Move) moveDocument { return moveDocument(m) }),
		Shares:  each(t.Shares, func(s transfer.Share) shareDocument { return shareDocument(s) }),
		Counted: each(t.Counted, counterToDocument), Awaits: t.Awaits, Refusal: refusalName(t.Refusal), Policy: t.Policy,
		PayoutHash: t.PayoutHash, WrongCodes: t.WrongCodes, Reverses: t.Reverses, ReversedBy: t.ReversedBy, Returned: t.Returned,
		Claims: t.Claims, HeldBy: t.HeldBy, Maker: t.Maker, Persons: t.Persons, Needed: t.Needed, EndedAt: t.EndedAt,
	}
}

func checksToDocument(checks []transfer.Check) []checkDocument {
	return each(checks, func(c transfer.Check) checkDocument { return checkDocument(c) })
}

func transferAnswerToDocument(a *transfer.Answer) transferAnswerDocument {
	d := transferAnswerDocument{
		Refusal: refusalName(a.Refusal), Status: a.Status, RetryAfter: a.RetryAfter, Reference: a.Reference, QuoteID: a.QuoteID,
		Original: a.Original, Kind: a.Kind, Seconds: a.Seconds, Fee: a.Fee, Bearer: a.Bearer, ValidTo: a.ValidTo,
		Lots: each(a.Lots, func(l transfer.LotLine) lotDocument { return lotDocument(l) }), Name: a.Name, TriesLeft: a.TriesLeft,
		Short: a.Short, Left: a.Left, May: a.May,
	}
	if p := a.Purse; p != nil {
		d.Purse = &purseDocument{
			Total: p.Total, Movable: p.Movable, InUse: p.InUse,
			Kept: each(p.Kept, func(k transfer.Kept) keptDocument { return keptDocument(k) }),
		}
	}
	return d
}

func transferAnswerFromDocument(d transferAnswerDocument) (transfer.Answer, error) {
	refusal, err := refusalOf(d.Refusal)
	a := transfer.Answer{
		Refusal: refusal, Status: d.Status, RetryAfter: d.RetryAfter, Reference: d.Reference, QuoteID: d.QuoteID,
		Original: d.Original, Kind: d.Kind, Seconds: d.Seconds, Fee: d.Fee, Bearer: d.Bearer, ValidTo: d.ValidTo,
		Lots: each(d.Lots, func(l lotDocument) transfer.LotLine { return transfer.LotLine(l) }), Name: d.Name, TriesLeft: d.TriesLeft,
		Short: d.Short, Left: d.Left, May: d.May,
	}
	if p := d.Purse; p != nil {
		a.Purse = &transfer.Purse{
			Total: p.Total, Movable: p.Movable, InUse: p.InUse,
			Kept: each(p.Kept, func(k keptDocument) transfer.Kept { return transfer.Kept(k) }),
		}
	}
	return a, err
}
