package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// The documents are the parts of a session that are only ever read and written whole. Their keys are short because there
// are many of them, and readable because people look at them. A key keeps its meaning for ever: rows outlive versions of
// this program, and two versions may serve one database (spec/store I15). New keys must be optional.

type holdDocument struct {
	Bucket ocs.BucketID `json:"bucket"`
	Units  rating.Units `json:"units"`
}

type tariffDocument struct {
	Name     string       `json:"name,omitzero"`
	Measures rating.Unit  `json:"measures,omitzero"`
	Pays     rating.Unit  `json:"pays,omitzero"`
	Setup    rating.Units `json:"setup,omitzero"`
	First    rating.Units `json:"first,omitzero"`
	Next     rating.Units `json:"next,omitzero"`
	Price    rating.Units `json:"price,omitzero"`
	Per      rating.Units `json:"per,omitzero"`
	Buckets  []string     `json:"buckets,omitempty"`
	Barred   bool         `json:"barred,omitzero"`
}

type quotaDocument struct {
	RatingGroup *uint32        `json:"rg,omitzero"`
	ServiceIDs  []uint32       `json:"sids,omitempty"`
	Tariff      tariffDocument `json:"tariff"`
	Plan        string         `json:"plan,omitzero"`
	Catalog     string         `json:"catalog,omitzero"`
	Used        rating.Units   `json:"used,omitzero"`
	Charged     rating.Units   `json:"charged,omitzero"`
	Overrun     rating.Units   `json:"overrun,omitzero"`
	Taken       []holdDocument `json:"taken,omitempty"`
	Granted     rating.Units   `json:"granted,omitzero"`
	Validity    time.Duration  `json:"validity_ns,omitzero"`
	Held        []holdDocument `json:"held,omitempty"`
	Final       bool           `json:"final,omitzero"`
	AskedBy     uint32         `json:"asked_by,omitzero"`
	Asked       bool           `json:"asked,omitzero"`
}

type lineDocument struct {
	RatingGroup *uint32        `json:"rg,omitzero"`
	ServiceIDs  []uint32       `json:"sids,omitempty"`
	Tariff      string         `json:"tariff,omitzero"`
	Plan        string         `json:"plan,omitzero"`
	Catalog     string         `json:"catalog,omitzero"`
	Measure     rating.Unit    `json:"measure,omitzero"`
	Used        rating.Units   `json:"used,omitzero"`
	Unit        rating.Unit    `json:"unit,omitzero"`
	Charged     rating.Units   `json:"charged,omitzero"`
	Overrun     rating.Units   `json:"overrun,omitzero"`
	Taken       []holdDocument `json:"taken,omitempty"`
}

type conditionsDocument struct {
	Direction     rating.Direction `json:"direction,omitzero"`
	RoleGiven     bool             `json:"role_given,omitzero"`
	Calling       string           `json:"calling,omitzero"`
	Called        string           `json:"called,omitzero"`
	Dialled       string           `json:"dialled,omitzero"`
	Recipients    []string         `json:"recipients,omitempty"`
	Network       string           `json:"network,omitzero"`
	ICID          string           `json:"icid,omitzero"`
	APN           string           `json:"apn,omitzero"`
	CallStart     time.Time        `json:"call_start,omitzero"`
	Answered      time.Time        `json:"answered,omitzero"`
	CauseCode     *int32           `json:"cause_code,omitzero"`
	DeliverReport bool             `json:"delivery_report,omitzero"`
	MessageCount  uint32           `json:"messages,omitzero"`
	ServingNode   string           `json:"serving_node,omitzero"`
}

type memoryDocument struct {
	Seen    [][3]uint32          `json:"seen,omitempty"` // type, first, last
	Answers []rememberedDocument `json:"answers,omitempty"`
}

type rememberedDocument struct {
	Type   ocs.RequestType `json:"t"`
	Number uint32          `json:"n"`
	At     time.Time       `json:"at,omitzero"`
	Answer answerDocument  `json:"a"`
}

type answerDocument struct {
	Verdict         ocs.Verdict       `json:"v,omitzero"`
	Fault           ocs.Fault         `json:"fault,omitzero"`
	Services        []serviceDocument `json:"s,omitempty"`
	CommandLevel    bool              `json:"command,omitzero"`
	LowBalance      bool              `json:"low,omitzero"`
	BalanceCovers   *bool             `json:"covers,omitzero"`
	Cost            *costDocument     `json:"cost,omitzero"`
	FailureHandling *uint8            `json:"ccfh,omitzero"`
	Failover        bool              `json:"failover,omitzero"`
	Refund          string            `json:"refund,omitzero"`
}

type serviceDocument struct {
	RatingGroup *uint32       `json:"rg,omitzero"`
	ServiceIDs  []uint32      `json:"sids,omitempty"`
	Verdict     ocs.Verdict   `json:"v,omitzero"`
	Fault       ocs.Fault     `json:"fault,omitzero"`
	Measure     rating.Unit   `json:"measure,omitzero"`
	Granted     rating.Units  `json:"granted,omitzero"`
	Validity    time.Duration `json:"validity_ns,omitzero"`
	Threshold   rating.Units  `json:"threshold,omitzero"`
	Final       bool          `json:"final,omitzero"`
}

type costDocument struct {
	Units    rating.Units `json:"units"`
	Unit     rating.Unit  `json:"unit"`
	Exponent int32        `json:"exponent,omitzero"`
}

// encode writes a document. The documents are made of types that always can be written; a list without elements is
// written as one.
func encode(document any) []byte {
	text, err := json.Marshal(document)
	if err != nil {
		panic(fmt.Sprintf("postgres: document %T: %v", document, err))
	}
	if string(text) == "null" {
		return []byte("[]")
	}
	return text
}

// errMalformed can only be our bug, or the work of somebody who edited a row by hand.
var errMalformed = errors.New("malformed document")

// decode reads a document that this or an earlier version wrote. Keys that a later version added are skipped.
func decode[T any](column string, text []byte) (document T, err error) {
	if err := json.Unmarshal(text, &document); err != nil {
		return document, fmt.Errorf("column %s: %w: %w", column, errMalformed, err)
	}
	return document, nil
}

// each converts a list. No elements are nil in both directions.
func each[From, To any](from []From, convert func(From) To) []To {
	if len(from) == 0 {
		return nil
	}
	to := make([]To, len(from))
	for i, f := range from {
		to[i] = convert(f)
	}
	return to
}

func holdToDocument(h ocs.Hold) holdDocument   { return holdDocument(h) }
func holdFromDocument(h holdDocument) ocs.Hold { return ocs.Hold(h) }

func tariffToDocument(t rating.Tariff) tariffDocument {
	return tariffDocument{
		Name: t.Name, Measures: t.Measures, Pays: t.Pays, Setup: t.Setup, First: t.First, Next: t.Next,
		Price: t.Price.Units, Per: t.Price.Per, Buckets: t.Buckets, Barred: t.Barred,
	}
}

func tariffFromDocument(t tariffDocument) rating.Tariff {
	return rating.Tariff{
		Name: t.Name, Measures: t.Measures, Pays: t.Pays, Setup: t.Setup, First: t.First, Next: t.Next,
		Price: rating.Price{Units: t.Price, Per: t.Per}, Buckets: t.Buckets, Barred: t.Barred,
	}
}

func quotaToDocument(q ocs.Quota) quotaDocument {
	return quotaDocument{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Tariff: tariffToDocument(q.Tariff), Plan: q.Plan,
		Catalog: q.Catalog, Used: q.Used, Charged: q.Charged, Overrun: q.Overrun, Taken: each(q.Taken, holdToDocument),
		Granted: q.Granted, Validity: q.Validity, Held: each(q.Held, holdToDocument), Final: q.Final,
		AskedBy: q.AskedBy, Asked: q.Asked,
	}
}

func quotaFromDocument(q quotaDocument) ocs.Quota {
	return ocs.Quota{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Tariff: tariffFromDocument(q.Tariff), Plan: q.Plan,
		Catalog: q.Catalog, Used: q.Used, Charged: q.Charged, Overrun: q.Overrun, Taken: each(q.Taken, holdFromDocument),
		Granted: q.Granted, Validity: q.Validity, Held: each(q.Held, holdFromDocument), Final: q.Final,
		AskedBy: q.AskedBy, Asked: q.Asked,
	}
}

func lineToDocument(l ocs.RecordLine) lineDocument {
	return lineDocument{
		RatingGroup: l.RatingGroup, ServiceIDs: l.ServiceIDs, Tariff: l.Tariff, Plan: l.Plan, Catalog: l.Catalog,
		Measure: l.Measure, Used: l.Used, Unit: l.Unit, Charged: l.Charged, Overrun: l.Overrun,
		Taken: each(l.Taken, holdToDocument),
	}
}

func lineFromDocument(l lineDocument) ocs.RecordLine {
	return ocs.RecordLine{
		RatingGroup: l.RatingGroup, ServiceIDs: l.ServiceIDs, Tariff: l.Tariff, Plan: l.Plan, Catalog: l.Catalog,
		Measure: l.Measure, Used: l.Used, Unit: l.Unit, Charged: l.Charged, Overrun: l.Overrun,
		Taken: each(l.Taken, holdFromDocument),
	}
}

func memoryToDocument(m ocs.Memory) memoryDocument {
	return memoryDocument{
		Seen: each(m.Seen, func(s ocs.Span) [3]uint32 { return [3]uint32{uint32(s.Type), s.First, s.Last} }),
		Answers: each(m.Answers, func(r ocs.Remembered) rememberedDocument {
			return rememberedDocument{Type: r.Type, Number: r.Number, At: r.At, Answer: answerToDocument(r.Answer)}
		}),
	}
}

func memoryFromDocument(m memoryDocument) ocs.Memory {
	return ocs.Memory{
		Seen: each(m.Seen, func(s [3]uint32) ocs.Span {
			return ocs.Span{Type: ocs.RequestType(s[0]), First: s[1], Last: s[2]} //nolint:gosec // G115: written from a RequestType
		}),
		Answers: each(m.Answers, func(r rememberedDocument) ocs.Remembered {
			return ocs.Remembered{Type: r.Type, Number: r.Number, At: r.At, Answer: answerFromDocument(r.Answer)}
		}),
	}
}

func answerToDocument(a ocs.Answer) answerDocument {
	d := answerDocument{
		Verdict: a.Verdict, Fault: a.Fault, CommandLevel: a.CommandLevel, LowBalance: a.LowBalance,
		BalanceCovers: a.BalanceCovers, FailureHandling: a.FailureHandling, Failover: a.Failover, Refund: a.Refund,
		Services: each(a.Services, func(s ocs.ServiceAnswer) serviceDocument { return serviceDocument(s) }),
	}
	if a.Cost != nil {
		d.Cost = new(costDocument(*a.Cost))
	}
	return d
}

func answerFromDocument(d answerDocument) ocs.Answer {
	a := ocs.Answer{
		Verdict: d.Verdict, Fault: d.Fault, CommandLevel: d.CommandLevel, LowBalance: d.LowBalance,
		BalanceCovers: d.BalanceCovers, FailureHandling: d.FailureHandling, Failover: d.Failover, Refund: d.Refund,
		Services: each(d.Services, func(s serviceDocument) ocs.ServiceAnswer { return ocs.ServiceAnswer(s) }),
	}
	if d.Cost != nil {
		a.Cost = new(ocs.Cost(*d.Cost))
	}
	return a
}

func conditionsToDocument(c ocs.Conditions) conditionsDocument {
	return conditionsDocument{
		Direction: c.Direction, RoleGiven: c.RoleGiven, Calling: c.Calling, Called: c.Called, Dialled: c.Dialled,
		Recipients: c.Recipients, Network: c.Network, ICID: c.ICID, APN: c.APN, CallStart: c.CallStart,
		Answered: c.Answered, CauseCode: c.CauseCode, DeliverReport: c.DeliverReport, MessageCount: c.MessageCount,
		ServingNode: c.ServingNode,
	}
}

func conditionsFromDocument(c conditionsDocument) ocs.Conditions {
	return ocs.Conditions{
		Direction: c.Direction, RoleGiven: c.RoleGiven, Calling: c.Calling, Called: c.Called, Dialled: c.Dialled,
		Recipients: c.Recipients, Network: c.Network, ICID: c.ICID, APN: c.APN, CallStart: c.CallStart,
		Answered: c.Answered, CauseCode: c.CauseCode, DeliverReport: c.DeliverReport, MessageCount: c.MessageCount,
		ServingNode: c.ServingNode,
	}
}
