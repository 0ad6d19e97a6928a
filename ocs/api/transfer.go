package api

import (
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// A TransferAnswer is what a request for a transfer came to.
type TransferAnswer struct {
	Reference  string       `json:"reference" doc:"of the transfer, for people; empty where nothing was made"`
	Status     string       `json:"status" doc:"of the transfer: pending, completed, failed, reversed, reversal-pending, cancelled, expired"`
	Kind       string       `json:"kind"`
	Seconds    rating.Units `json:"seconds" doc:"moved or held, or what would be"`
	Fee        rating.Units `json:"fee_seconds"`
	Bearer     string       `json:"bearer,omitempty"`
	QuoteID    string       `json:"quote_id,omitempty"`
	Original   string       `json:"original,omitempty" doc:"of a reversal"`
	ValidTo    *time.Time   `json:"valid_to" doc:"end of the quote, the hold or the claim"`
	Lots       []LotLine    `json:"lots" nullable:"false" doc:"as the receiver gets them"`
	Name       string       `json:"name,omitempty" doc:"of the other side, masked"`
	Short      rating.Units `json:"short_seconds,omitempty" doc:"of a reversal: what is already spent"`
	Left       rating.Units `json:"left_seconds" doc:"free at the sender after it"`
	Purse      *Purse       `json:"purse,omitempty"`
	May        rating.Units `json:"may_seconds,omitempty" doc:"of an allowance: the most that may be sent in one transfer now"`
	PayoutCode string       `json:"payout_code,omitempty" doc:"of a cash-out: the trader confirms with it"`
	Repeated   bool         `json:"repeated" doc:"the answer is that of an earlier request, and nothing was done now"`
	Receipts   []Receipt    `json:"receipts" nullable:"false" doc:"texts that go to both sides"`
}

// A LotLine is a part of moved minutes that dies as one.
type LotLine struct {
	Seconds   rating.Units `json:"seconds"`
	Class     string       `json:"class"`
	ExpiresAt *time.Time   `json:"expires_at"`
}

// A Purse tells what a sender has: total = movable + in use + kept.
type Purse struct {
	Total   rating.Units `json:"total_seconds"`
	Movable rating.Units `json:"movable_seconds"`
	InUse   rating.Units `json:"in_use_seconds" doc:"held by calls and by what is pending"`
	Kept    []Kept       `json:"kept" nullable:"false"`
}

// Kept is a part of a purse that is not for sending.
type Kept struct {
	Class   string       `json:"class"`
	Reason  string       `json:"reason" enum:"class,hops,expiry"`
	Seconds rating.Units `json:"seconds"`
}

// A Receipt is a text to one side.
type Receipt struct {
	To   string `json:"to" doc:"MSISDN"`
	Text string `json:"text"`
}

// A Check is one rule as it was looked at.
type Check struct {
	Rule   string     `json:"rule"`
	Have   string     `json:"have"`
	Want   string     `json:"want"`
	Passed bool       `json:"passed"`
	NextAt *time.Time `json:"next_at" doc:"when it would pass next, if nothing else happens"`
}

func tellAnswer(o transfer.Outcome) TransferAnswer {
	a := o.Answer
	return TransferAnswer{
		Reference: string(a.Reference), Status: string(a.Status), Kind: string(a.Kind), Seconds: a.Seconds, Fee: a.Fee,
		Bearer: string(a.Bearer), QuoteID: a.QuoteID, Original: string(a.Original), ValidTo: optionalTime(a.ValidTo),
		Lots: tellLots(a.Lots), Name: a.Name, Short: a.Short, Left: a.Left, Purse: tellPurse(a.Purse), May: a.May,
		Repeated: o.Repeated, Receipts: []Receipt{},
	}
}

func tellLots(lots []transfer.LotLine) []LotLine {
	told := make([]LotLine, 0, len(lots))
	for _, l := range lots {
		told = append(told, LotLine{l.Seconds, l.Class, optionalTime(l.ExpiresAt)})
	}
	return told
}

func tellPurse(p *transfer.Purse) *Purse {
	if p == nil {
		return nil
	}
	told := &Purse{Total: p.Total, Movable: p.Movable, InUse: p.InUse, Kept: make([]Kept, 0, len(p.Kept))}
	for _, k := range p.Kept {
		told.Kept = append(told.Kept, Kept{k.Class, string(k.Reason), k.Units})
	}
	return told
}

func tellChecks(checks []transfer.Check) []Check {
	told := make([]Check, 0, len(checks))
	for _, c := range checks {
		told = append(told, Check{c.Rule, c.Have, c.Want, c.Passed, optionalTime(c.NextAt)})
	}
	return told
}

// A StoredTransfer is the record of a transfer.
type StoredTransfer struct {
	Reference    string       `json:"reference"`
	Operation    string       `json:"operation" doc:"how it began: send, prepare, solicit, reverse"`
	Kind         string       `json:"kind"`
	Channel      string       `json:"channel"`
	Caller       string       `json:"caller" doc:"the client that asked"`
	ID           string       `json:"id" doc:"the client's reference"`
	From         string       `json:"from" doc:"MSISDN or short code"`
	To           string       `json:"to" doc:"MSISDN or short code; as it was named where nobody has it"`
	Seconds      rating.Units `json:"seconds"`
	Fee          rating.Units `json:"fee_seconds"`
	Bearer       string       `json:"bearer"`
	Note         string       `json:"note"`
	Status       string       `json:"status"`
	Awaits       string       `json:"awaits,omitempty" doc:"while pending: confirm, payout, receipt, sender, consent"`
	Refusal      string       `json:"refusal,omitempty"`
	Policy       string       `json:"policy" doc:"version that it was decided by"`
	Reverses     string       `json:"reverses,omitempty"`
	ReversedBy   string       `json:"reversed_by,omitempty"`
	Returned     rating.Units `json:"returned_seconds,omitempty"`
	Persons      []string     `json:"persons" nullable:"false" doc:"of the operator, who spoke for a claim, or for what awaits review"`
	Needed       int          `json:"needed,omitempty" doc:"how many of them it takes"`
	Shares       []Share      `json:"shares" nullable:"false" doc:"commissions out of the fee"`
	Lots         []LotLine    `json:"lots" nullable:"false"`
	CreatedAt    time.Time    `json:"created_at"`
	DueAt        *time.Time   `json:"due_at" doc:"while pending: from when on it has lapsed"`
	EndedAt      *time.Time   `json:"ended_at"`
	counterparty string
}

// A Share is what an agent earns.
type Share struct {
	Agent   string       `json:"agent"`
	Seconds rating.Units `json:"seconds"`
}

// TransferList is the last transfers of a subscriber, newest first.
type TransferList struct {
	Transfers []StoredTransfer `json:"transfers" nullable:"false"`
}

// An Explanation is every rule of the decision that a transfer was decided by.
type Explanation struct {
	Transfer StoredTransfer `json:"transfer"`
	Checks   []Check        `json:"checks" nullable:"false"`
	NextAt   *time.Time     `json:"next_at" doc:"of a refused one: when every rule that failed would pass, if nothing else happens; null: now, or never"`
}

func tellStored(t transfer.Transfer) StoredTransfer {
	told := StoredTransfer{
		Reference: string(t.Reference), Operation: t.Operation.String(), Kind: string(t.Kind), Channel: string(t.Channel),
		Caller: t.Caller, ID: t.ClientRef, Seconds: t.Seconds, Fee: t.Fee, Bearer: string(t.Bearer), Note: t.Note,
		Status: string(t.Status), Awaits: string(t.Awaits), Policy: t.Policy, Reverses: string(t.Reverses),
		ReversedBy: string(t.ReversedBy), Returned: t.Returned, Persons: notNull(t.Persons), Needed: t.Needed,
		Shares: make([]Share, 0, len(t.Shares)), Lots: []LotLine{},
		CreatedAt: t.CreatedAt.UTC(), DueAt: optionalTime(t.DueAt), EndedAt: optionalTime(t.EndedAt), counterparty: t.Counterparty,
	}
	if t.Refusal != transfer.None {
		told.Refusal = t.Refusal.String()
	}
	for _, s := range t.Shares {
		told.Shares = append(told.Shares, Share{s.Agent, s.Units})
	}
	for _, m := range t.Moves {
		if !m.Fee {
			told.Lots = append(told.Lots, LotLine{m.Units, m.Class, optionalTime(m.ExpiresAt)})
		}
	}
	return told
}

// nextAt is when the last of the rules that failed would pass; zero when one of them never will by time alone.
func nextAt(checks []transfer.Check) (next time.Time) {
	for _, c := range checks {
		switch {
		case c.Passed:
		case c.NextAt.IsZero():
			return time.Time{}
		case c.NextAt.After(next):
			next = c.NextAt
		}
	}
	return next
}
