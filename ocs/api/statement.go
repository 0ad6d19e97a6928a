package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A StatementLine is one change of a balance: a debit of a call, a grant, a transfer, a fee, an expiry, a correction.
type StatementLine struct {
	At        time.Time    `json:"at"`
	Kind      string       `json:"kind" enum:"use,grant,refund,adjust,reserve,sale,rollover,expiry,transfer,reversal" doc:"use: what a call, a message or data took"`
	Unit      string       `json:"unit"`
	Change    rating.Units `json:"change" doc:"signed: what the balance gained"`
	Balance   rating.Units `json:"balance" doc:"in this unit, after this line"`
	Parts     []Hold       `json:"parts" nullable:"false" doc:"the change by bucket, signed"`
	Fee       rating.Units `json:"fee,omitempty" doc:"part of the change"`
	Movement  string       `json:"movement,omitempty" doc:"id of a grant or a correction"`
	Reference string       `json:"reference,omitempty" doc:"of a transfer"`
	MSISDN    string       `json:"msisdn,omitempty" doc:"the other side of a transfer"`
	Reason    string       `json:"reason,omitempty"`

	SessionID  string       `json:"session_id,omitempty" doc:"of a use: one of calls"`
	SubSession string       `json:"sub_session,omitempty"`
	Type       string       `json:"type,omitempty" doc:"of the request that reported it"`
	Number     uint32       `json:"number,omitempty" doc:"of the request"`
	Line       int          `json:"line,omitempty" doc:"which of the request's reports, from 0"`
	Tariff     string       `json:"tariff,omitempty"`
	Measure    string       `json:"measure,omitempty" doc:"what used counts"`
	Used       rating.Units `json:"used,omitempty"`
	Overrun    rating.Units `json:"overrun,omitempty" doc:"due, and no bucket could pay"`
	Late       bool         `json:"late,omitempty" doc:"reported after the end"`
}

// A StatementBalance is what there is of one unit.
type StatementBalance struct {
	Unit     string       `json:"unit"`
	Balance  rating.Units `json:"balance" doc:"the last line of the unit ends here"`
	Reserved rating.Units `json:"reserved" doc:"part of balance, held by open sessions"`
}

// A Statement tells where the units of a subscriber came from and went, newest first. The balances, the buckets and the
// lines are of one moment.
type Statement struct {
	Subscriber Subscriber         `json:"subscriber"`
	Balances   []StatementBalance `json:"balances" nullable:"false" doc:"now, not at the end of the period"`
	Buckets    []Bucket           `json:"buckets" nullable:"false" doc:"that hold anything"`
	Lines      []StatementLine    `json:"lines" nullable:"false"`
	Calls      []ExplainedCall    `json:"calls" nullable:"false" doc:"of the lines, with why each cost what it did"`
	Next       string             `json:"next,omitempty" doc:"to of the next page, older; absent on the last"`
}

func (s *server) handleStatements(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-statement", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/statement",
		Summary: "Tell where the units of a subscriber came from and went, and why, newest first, page by page",
		Errors:  []int{http.StatusNotFound},
	}), s.statement)
}

// mostLines bounds a page of a statement, whose calls are explained one by one.
const mostLines = 500

func (s *server) statement(ctx context.Context, in *struct {
	SubscriberInput
	PeriodInput
	Limit int `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"lines of one instant come together, so there may be a few more"`
}) (*struct{ Body Statement }, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	read, err := s.Store.Statement(ctx, postgres.StatementFilter{Subscriber: subscriber.ID, From: in.From, Before: in.To, Limit: min(in.Limit, mostLines)})
	if err != nil {
		return nil, s.storeFault(ctx, "read the statement", err)
	}
	names, err := s.names(ctx, subscriber)
	if err != nil {
		return nil, err
	}
	told := Statement{Subscriber: tellSubscriber(subscriber, names[subscriber.ID]), Balances: balancesOf(read.Buckets, now)}
	told.Buckets = tellBuckets(slices.DeleteFunc(slices.Clone(read.Buckets), func(b ocs.Bucket) bool { return b.Balance == 0 }), now)
	book := newStatementBook(read, in.From, in.To, now)
	told.Lines, told.Next = book.page(in.Limit)
	if err := s.nameOthers(ctx, subscriber.ID, told.Lines); err != nil {
		return nil, err
	}
	if told.Calls, err = s.explainCalls(ctx, subscriber, told.Lines); err != nil {
		return nil, err
	}
	return &struct{ Body Statement }{told}, nil
}

// counted is what of a bucket belongs to the balance: of an expired one only what running calls still hold.
func counted(b ocs.Bucket, now time.Time) rating.Units {
	if b.Expired(now) {
		return b.Reserved
	}
	return b.Balance
}

func balancesOf(buckets []ocs.Bucket, now time.Time) []StatementBalance {
	told := []StatementBalance{}
	for _, b := range buckets {
		i := slices.IndexFunc(told, func(t StatementBalance) bool { return t.Unit == string(b.Unit) })
		if i < 0 {
			told, i = append(told, StatementBalance{Unit: string(b.Unit)}), len(told)
		}
		told[i].Balance = rating.Add(told[i].Balance, counted(b, now))
		told[i].Reserved = rating.Add(told[i].Reserved, b.Reserved)
	}
	return told
}

// A statementBook puts what a store read into lines.
type statementBook struct {
	lines   []StatementLine // newest first
	since   time.Time       // lines after it are whole; zero: all are
	balance map[rating.Unit]rating.Units
}

// newStatementBook makes the lines of [from, before). What expired and is not posted out yet is a line of its own, at the
// instant of the expiry, so that the lines end at the balance that is shown.
func newStatementBook(read postgres.Statement, from, before, now time.Time) *statementBook {
	b := &statementBook{since: read.Since, balance: map[rating.Unit]rating.Units{}}
	for _, bucket := range read.Buckets {
		b.balance[bucket.Unit] += counted(bucket, now)
		lost := bucket.Balance - counted(bucket, now)
		switch {
		case lost == 0 || bucket.ExpiresAt.Before(from):
		case !before.IsZero() && !bucket.ExpiresAt.Before(before):
			b.balance[bucket.Unit] += lost // it was there until after the period
		default:
			b.lines = append(b.lines, StatementLine{
				At: bucket.ExpiresAt.UTC(), Kind: string(ocs.ExpiryPosting), Unit: string(bucket.Unit), Change: -lost,
				Parts: []Hold{{string(bucket.ID), -lost}},
			})
		}
	}
	for unit, units := range read.Later {
		b.balance[unit] -= units
	}
	for _, e := range read.Events {
		b.use(e)
	}
	b.movements(read.Postings)
	slices.SortStableFunc(b.lines, newestFirst)
	return b
}

// newestFirst compares lines for their order. Within one instant what was gained comes before what was spent of it.
func newestFirst(x, y StatementLine) int {
	return cmp.Or(y.At.Compare(x.At), cmp.Compare(min(1, max(-1, x.Change)), min(1, max(-1, y.Change))), cmp.Compare(y.Number, x.Number), cmp.Compare(y.Line, x.Line))
}

func (b *statementBook) use(e ocs.RatedEvent) {
	if e.Used == 0 && e.Charged == 0 && e.Overrun == 0 {
		return
	}
	line := StatementLine{
		At: e.At.UTC(), Kind: useLine, Unit: string(e.Unit), Change: -e.Charged, Parts: []Hold{}, SessionID: e.Session.ID, SubSession: e.Session.Sub,
		Type: typeWord(e.Type), Number: e.Number, Line: e.Line, Tariff: e.Tariff, Measure: string(e.Measure), Used: e.Used, Overrun: e.Overrun, Late: e.Late,
	}
	for _, hold := range e.Taken {
		line.Parts = append(line.Parts, Hold{string(hold.Bucket), -hold.Units})
	}
	b.lines = append(b.lines, line)
}

// useLine is the kind of what a call, a message or data took.
const useLine = "use"

// movements makes a line of the legs of each movement that lie in buckets of the subscriber.
func (b *statementBook) movements(postings []ocs.Posting) {
	slices.SortStableFunc(postings, func(x, y ocs.Posting) int {
		return cmp.Or(y.At.Compare(x.At), cmp.Compare(x.Movement, y.Movement), cmp.Compare(x.Leg, y.Leg))
	})
	for len(postings) > 0 {
		first, n := postings[0], 1
		for n < len(postings) && postings[n].Movement == first.Movement && postings[n].At.Equal(first.At) && postings[n].Unit == first.Unit {
			n++
		}
		line := StatementLine{At: first.At, Kind: string(first.Kind), Unit: string(first.Unit), Parts: []Hold{}, Reason: first.Reason, Movement: first.Movement}
		if reference, ok := strings.CutPrefix(first.Movement, transferMovement); ok {
			line.Reference, line.Movement = reference, ""
		}
		for _, p := range postings[:n] {
			switch {
			case p.Bucket != "":
				line.Change += p.Units
				line.Parts = append(line.Parts, Hold{string(p.Bucket), p.Units})
			case p.Account == "fee" || strings.HasPrefix(p.Account, "commission:"):
				line.Fee += p.Units
			}
		}
		if len(line.Parts) > 0 {
			b.lines = append(b.lines, line)
		}
		postings = postings[n:]
	}
}

// transferMovement begins the movement of a transfer.
const transferMovement = "transfer:"

// page returns the newest lines, at least limit where there are as many, and where the next page begins. It never parts the
// lines of one instant.
func (b *statementBook) page(limit int) (lines []StatementLine, next string) {
	lines = b.lines
	if !b.since.IsZero() {
		lines = slices.DeleteFunc(lines, func(l StatementLine) bool { return !l.At.After(b.since) })
	}
	more := len(lines) < len(b.lines) || !b.since.IsZero()
	if len(lines) > limit {
		end := limit
		for end < len(lines) && lines[end].At.Equal(lines[end-1].At) {
			end++
		}
		more = more || end < len(lines)
		lines = lines[:end]
	}
	for i := range lines {
		unit := rating.Unit(lines[i].Unit)
		lines[i].Balance = b.balance[unit]
		b.balance[unit] -= lines[i].Change
	}
	if more && len(lines) > 0 {
		next = lines[len(lines)-1].At.Format(time.RFC3339Nano)
	}
	return lines, next
}

// nameOthers fills in the other sides of the transfers.
func (s *server) nameOthers(ctx context.Context, id ocs.SubscriberID, lines []StatementLine) error {
	numbers := s.msisdns()
	for i := range lines {
		if lines[i].Reference == "" {
			continue
		}
		t, err := s.findTransfer(ctx, lines[i].Reference)
		if err != nil {
			return err
		}
		other := t.Sender
		if other == id {
			other = t.Receiver
		}
		if lines[i].MSISDN, err = numbers.of(ctx, other); err != nil {
			return err
		}
	}
	return nil
}
