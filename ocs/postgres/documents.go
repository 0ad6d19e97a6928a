package postgres

import (
	"errors"
	"fmt"
	"time"

	"github.com/mailru/easyjson"
	"github.com/mailru/easyjson/jwriter"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// The documents are the parts of a session that are only ever read and written whole. Their keys are short because there
// are many of them, and readable because people look at them. A key keeps its meaning for ever: rows outlive versions of
// this program, and two versions may serve one database (spec/store I15). New keys must be optional.
//
// encoding/json spent a tenth of the server's time on them: it looks at types again for every value. easyjson does that
// once, when it writes documents_easyjson.go.

//go:generate go tool -modfile=../../.ci/tools/go.mod easyjson documents.go

//easyjson:json
type holdDocument struct {
	Bucket ocs.BucketID `json:"bucket"`
	Units  rating.Units `json:"units"`
}

type tariffDocument struct {
	Name     string          `json:"name,omitempty"`
	Measures rating.Unit     `json:"measures,omitempty"`
	Pays     rating.Unit     `json:"pays,omitempty"`
	Setup    rating.Units    `json:"setup,omitempty"`
	First    rating.Units    `json:"first,omitempty"`
	Next     rating.Units    `json:"next,omitempty"`
	Price    rating.Units    `json:"price,omitempty"`
	Per      rating.Units    `json:"per,omitempty"`
	Buckets  []string        `json:"buckets,omitempty"`
	Then     []payerDocument `json:"then,omitempty"`
	Barred   bool            `json:"barred,omitempty"`
}

type payerDocument struct {
	Pays    rating.Unit  `json:"pays,omitempty"`
	Setup   rating.Units `json:"setup,omitempty"`
	First   rating.Units `json:"first,omitempty"`
	Next    rating.Units `json:"next,omitempty"`
	Price   rating.Units `json:"price,omitempty"`
	Per     rating.Units `json:"per,omitempty"`
	Buckets []string     `json:"buckets,omitempty"`
}

//easyjson:json
type quotaDocument struct {
	RatingGroup *uint32        `json:"rg,omitempty"`
	ServiceIDs  []uint32       `json:"sids,omitempty"`
	Tariff      tariffDocument `json:"tariff"`
	Plan        string         `json:"plan,omitempty"`
	Catalog     string         `json:"catalog,omitempty"`
	Payer       int            `json:"payer,omitempty"`
	Used        rating.Units   `json:"used,omitempty"`
	Carried     rating.Units   `json:"carried,omitempty"`
	Continues   bool           `json:"continues,omitempty"`
	Until       int64          `json:"until_us,omitempty"` // microseconds since 1970
	Since       int64          `json:"since_us,omitempty"`
	Through     int64          `json:"through_us,omitempty"`
	Charged     rating.Units   `json:"charged,omitempty"`
	Overrun     rating.Units   `json:"overrun,omitempty"`
	Taken       []holdDocument `json:"taken,omitempty"`
	Granted     rating.Units   `json:"granted,omitempty"`
	Validity    time.Duration  `json:"validity_ns,omitempty"`
	Held        []holdDocument `json:"held,omitempty"`
	Final       bool           `json:"final,omitempty"`
	Restricted  bool           `json:"restricted,omitempty"`
	AskedBy     uint32         `json:"asked_by,omitempty"`
	Asked       bool           `json:"asked,omitempty"`
	Given       rating.Units   `json:"given,omitempty"`
	Reasons     ocs.Reasons    `json:"why,omitempty"` // bit Reporting-Reason, TS 32.299
	Network     string         `json:"network,omitempty"`
}

//easyjson:json
type lineDocument struct {
	RatingGroup *uint32        `json:"rg,omitempty"`
	ServiceIDs  []uint32       `json:"sids,omitempty"`
	Tariff      string         `json:"tariff,omitempty"`
	Plan        string         `json:"plan,omitempty"`
	Catalog     string         `json:"catalog,omitempty"`
	Measure     rating.Unit    `json:"measure,omitempty"`
	Used        rating.Units   `json:"used,omitempty"`
	Unit        rating.Unit    `json:"unit,omitempty"`
	Charged     rating.Units   `json:"charged,omitempty"`
	Overrun     rating.Units   `json:"overrun,omitempty"`
	Taken       []holdDocument `json:"taken,omitempty"`
	Granted     rating.Units   `json:"granted,omitempty"`
	Reasons     ocs.Reasons    `json:"why,omitempty"`
	Network     string         `json:"network,omitempty"`
	From        int64          `json:"from_us,omitempty"` // microseconds since 1970
}

//easyjson:json
type conditionsDocument struct {
	Direction     rating.Direction `json:"direction,omitempty"`
	RoleGiven     bool             `json:"role_given,omitempty"`
	Calling       string           `json:"calling,omitempty"`
	Called        string           `json:"called,omitempty"`
	Dialled       string           `json:"dialled,omitempty"`
	Recipients    []string         `json:"recipients,omitempty"`
	Network       string           `json:"network,omitempty"`
	ICID          string           `json:"icid,omitempty"`
	APN           string           `json:"apn,omitempty"`
	CallStart     int64            `json:"call_start_us,omitempty"` // microseconds since 1970
	Answered      int64            `json:"answered_us,omitempty"`
	CauseCode     *int32           `json:"cause_code,omitempty"`
	DeliverReport bool             `json:"delivery_report,omitempty"`
	MessageCount  uint32           `json:"messages,omitempty"`
	ServingNode   string           `json:"serving_node,omitempty"`
	Routes        []string         `json:"routes,omitempty"`
	IMSI          string           `json:"imsi,omitempty"`    // of a CDR only
	Verdict       ocs.Verdict      `json:"verdict,omitempty"` // of a CDR only: what its session ended with
}

//easyjson:json
type memoryDocument struct {
	Seen    [][3]uint32          `json:"seen,omitempty"` // type, first, last
	Answers []rememberedDocument `json:"answers,omitempty"`
}

type rememberedDocument struct {
	Type   ocs.RequestType `json:"t"`
	Number uint32          `json:"n"`
	At     int64           `json:"at_us,omitempty"`
	Answer *answerDocument `json:"a,omitempty"` // absent: the same as the one before
}

//easyjson:json
type answerDocument struct {
	Verdict         ocs.Verdict       `json:"v,omitempty"`
	Fault           ocs.Fault         `json:"fault,omitempty"`
	Services        []serviceDocument `json:"s,omitempty"`
	CommandLevel    bool              `json:"command,omitempty"`
	LowBalance      bool              `json:"low,omitempty"`
	BalanceCovers   *bool             `json:"covers,omitempty"`
	Cost            *costDocument     `json:"cost,omitempty"`
	Balance         *costDocument     `json:"balance,omitempty"`
	FailureHandling *uint8            `json:"ccfh,omitempty"`
	Failover        bool              `json:"failover,omitempty"`
	Refund          string            `json:"refund,omitempty"`
	Notes           ocs.Notes         `json:"notes,omitempty"`
}

type serviceDocument struct {
	RatingGroup *uint32       `json:"rg,omitempty"`
	ServiceIDs  []uint32      `json:"sids,omitempty"`
	Verdict     ocs.Verdict   `json:"v,omitempty"`
	Fault       ocs.Fault     `json:"fault,omitempty"`
	Measure     rating.Unit   `json:"measure,omitempty"`
	Granted     rating.Units  `json:"granted,omitempty"`
	Validity    time.Duration `json:"validity_ns,omitempty"`
	Threshold   rating.Units  `json:"threshold,omitempty"`
	Final       bool          `json:"final,omitempty"`
	Change      int64         `json:"change_us,omitempty"` // microseconds since 1970

	FinalUnits *finalDocument  `json:"final_units,omitempty"`
	Extras     *extrasDocument `json:"extras,omitempty"`
}

type finalDocument struct {
	Action  ocs.FinalAction `json:"action,omitempty"`
	To      string          `json:"to,omitempty"`
	Rules   []string        `json:"rules,omitempty"`
	Filters []string        `json:"filters,omitempty"`
	QoS     bool            `json:"qos,omitempty"`
}

type extrasDocument struct {
	HoldingTime     *uint32                `json:"qht,omitempty"`
	ConsumptionTime uint32                 `json:"qct,omitempty"`
	Arm             bool                   `json:"arm,omitempty"`
	Triggers        []uint32               `json:"triggers,omitempty"`
	Announcements   []announcementDocument `json:"say,omitempty"`
}

type announcementDocument struct {
	ID       uint32  `json:"id"`
	Before   *uint32 `json:"before,omitempty"`
	Minutes  *uint32 `json:"minutes,omitempty"`
	Language string  `json:"language,omitempty"`
}

type costDocument struct {
	Units    rating.Units `json:"units"`
	Unit     rating.Unit  `json:"unit"`
	Exponent int32        `json:"exponent,omitempty"`
}

// sessionDocument is all of a session that no statement asks for, and that changes. Its conditions have a column of their own;
// sessions of before that have them in here.
//
//easyjson:json
type sessionDocument struct {
	Cause      ocs.EndCause        `json:"cause,omitempty"`
	Service    string              `json:"service,omitempty"`
	Realm      string              `json:"realm,omitempty"`
	Peer       string              `json:"peer,omitempty"`
	ReportedAt int64               `json:"reported_us,omitempty"` // microseconds since 1970
	EndedAt    int64               `json:"ended_us,omitempty"`
	LowTold    bool                `json:"low_told,omitempty"`
	Refunds    []refundDocument    `json:"refunds,omitempty"`
	Refunded   bool                `json:"refunded,omitempty"`
	Records    int                 `json:"records,omitempty"`
	Conditions *conditionsDocument `json:"conditions,omitempty"`
	Quotas     []quotaDocument     `json:"quotas"`
	Segments   []lineDocument      `json:"segments"`
	Told       []lineDocument      `json:"told,omitempty"`
	ToldAt     int64               `json:"told_us,omitempty"`
	Memory     memoryDocument      `json:"memory"`
}

type refundDocument struct {
	Quota int            `json:"q"`
	Units rating.Units   `json:"units"`
	Given []holdDocument `json:"given"`
}

// Lists of documents.
type (
	//easyjson:json
	holdDocuments []holdDocument
	//easyjson:json
	lineDocuments []lineDocument
	//easyjson:json
	numberDocuments []uint32
)

// separator stands between the documents of a column in a batch. JSON never contains it, so nothing is escaped a second
// time, as it would be in an array of Postgres; string_to_array($n, chr(30)) takes them apart again.
const separator = 0x1e

// documents are the values of a json column for the rows of a batch.
type documents struct {
	writer jwriter.Writer
	any    bool
}

func (d *documents) add(document easyjson.Marshaler) {
	d.next()
	d.writer.Flags = jwriter.NilSliceAsEmpty
	d.writer.NoEscapeHTML = true
	document.MarshalEasyJSON(&d.writer)
}

// addJSON adds what encoding/json writes: documents of transfers, which are fewer.
func (d *documents) addJSON(document any) { d.addText(encode(document)) }

func (d *documents) addText(text []byte) {
	d.next()
	d.writer.Raw(text, nil)
}

// addNull leaves a row without a document: string_to_array($n, chr(30), ”) makes null of nothing.
func (d *documents) addNull() { d.next() }

func (d *documents) next() {
	if d.any {
		d.writer.RawByte(separator)
	}
	d.any = true
}

// value is what is bound to a parameter. The documents are made of types that always can be written.
func (d *documents) value() []byte {
	text, err := d.writer.BuildBytes()
	if err != nil {
		panic(fmt.Sprintf("postgres: documents: %v", err))
	}
	return text
}

// errMalformed can only be our bug, or the work of somebody who edited a row by hand.
var errMalformed = errors.New("malformed document")

// decode reads a document that this or an earlier version wrote. Keys that a later version added are skipped.
func decode[Document any, Pointer interface {
	*Document
	easyjson.Unmarshaler
}](column string, text []byte) (document Document, err error) {
	if err := easyjson.Unmarshal(text, Pointer(&document)); err != nil {
		return document, fmt.Errorf("column %s: %w: %w", column, errMalformed, err)
	}
	return document, nil
}

// microseconds writes an instant that may be absent.
func microseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicroseconds(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
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
		Price: t.Price.Units, Per: t.Price.Per, Buckets: t.Buckets, Then: each(t.Then, payerToDocument), Barred: t.Barred,
	}
}

func payerToDocument(p rating.Payer) payerDocument {
	return payerDocument{
		Pays: p.Pays, Setup: p.Setup, First: p.First, Next: p.Next, Price: p.Price.Units, Per: p.Price.Per, Buckets: p.Buckets,
	}
}

func payerFromDocument(p payerDocument) rating.Payer {
	return rating.Payer{
		Pays: p.Pays, Setup: p.Setup, First: p.First, Next: p.Next, Price: rating.Price{Units: p.Price, Per: p.Per}, Buckets: p.Buckets,
	}
}

func tariffFromDocument(t tariffDocument) rating.Tariff {
	return rating.Tariff{
		Name: t.Name, Measures: t.Measures, Pays: t.Pays, Setup: t.Setup, First: t.First, Next: t.Next,
		Price: rating.Price{Units: t.Price, Per: t.Per}, Buckets: t.Buckets, Then: each(t.Then, payerFromDocument), Barred: t.Barred,
	}
}

func quotaToDocument(q ocs.Quota) quotaDocument {
	return quotaDocument{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Tariff: tariffToDocument(q.Tariff), Plan: q.Plan,
		Catalog: q.Catalog, Used: q.Used, Charged: q.Charged, Overrun: q.Overrun, Taken: each(q.Taken, holdToDocument),
		Granted: q.Granted, Validity: q.Validity, Held: each(q.Held, holdToDocument), Final: q.Final,
		AskedBy: q.AskedBy, Asked: q.Asked, Given: q.Given, Reasons: q.Reasons, Network: q.Network, Restricted: q.Restricted,
		Payer: q.Payer, Carried: q.Carried, Continues: q.Continues,
		Until: microseconds(q.Until), Since: microseconds(q.Since), Through: microseconds(q.Through),
	}
}

func quotaFromDocument(q quotaDocument) ocs.Quota {
	return ocs.Quota{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Tariff: tariffFromDocument(q.Tariff), Plan: q.Plan,
		Catalog: q.Catalog, Used: q.Used, Charged: q.Charged, Overrun: q.Overrun, Taken: each(q.Taken, holdFromDocument),
		Granted: q.Granted, Validity: q.Validity, Held: each(q.Held, holdFromDocument), Final: q.Final,
		AskedBy: q.AskedBy, Asked: q.Asked, Given: q.Given, Reasons: q.Reasons, Network: q.Network, Restricted: q.Restricted,
		Payer: q.Payer, Carried: q.Carried, Continues: q.Continues,
		Until: fromMicroseconds(q.Until), Since: fromMicroseconds(q.Since), Through: fromMicroseconds(q.Through),
	}
}

func lineToDocument(l ocs.RecordLine) lineDocument {
	return lineDocument{
		RatingGroup: l.RatingGroup, ServiceIDs: l.ServiceIDs, Tariff: l.Tariff, Plan: l.Plan, Catalog: l.Catalog,
		Measure: l.Measure, Used: l.Used, Unit: l.Unit, Charged: l.Charged, Overrun: l.Overrun,
		Taken: each(l.Taken, holdToDocument), Granted: l.Granted, Reasons: l.Reasons, Network: l.Network,
		From: microseconds(l.From),
	}
}

func lineFromDocument(l lineDocument) ocs.RecordLine {
	return ocs.RecordLine{
		RatingGroup: l.RatingGroup, ServiceIDs: l.ServiceIDs, Tariff: l.Tariff, Plan: l.Plan, Catalog: l.Catalog,
		Measure: l.Measure, Used: l.Used, Unit: l.Unit, Charged: l.Charged, Overrun: l.Overrun,
		Taken: each(l.Taken, holdFromDocument), Granted: l.Granted, Reasons: l.Reasons, Network: l.Network,
		From: fromMicroseconds(l.From),
	}
}

func memoryToDocument(m ocs.Memory) memoryDocument {
	return memoryDocument{
		Seen:    each(m.Seen, func(s ocs.Span) [3]uint32 { return [3]uint32{uint32(s.Type), s.First, s.Last} }),
		Answers: answersToDocument(m.Answers),
	}
}

// answersToDocument tells an answer once where the next ones are the same: in a long call nearly all of them are.
func answersToDocument(answers []ocs.Remembered) []rememberedDocument {
	list := make([]rememberedDocument, len(answers))
	for i, r := range answers {
		list[i] = rememberedDocument{Type: r.Type, Number: r.Number, At: microseconds(r.At)}
		if i == 0 || !r.Answer.Equal(answers[i-1].Answer) {
			list[i].Answer = new(answerToDocument(r.Answer))
		}
	}
	return list
}

func answersFromDocument(list []rememberedDocument) []ocs.Remembered {
	if len(list) == 0 {
		return nil
	}
	answers := make([]ocs.Remembered, len(list))
	for i, r := range list {
		answers[i] = ocs.Remembered{Type: r.Type, Number: r.Number, At: fromMicroseconds(r.At)}
		switch {
		case r.Answer != nil:
			answers[i].Answer = answerFromDocument(*r.Answer)
		case i > 0:
			answers[i].Answer = answers[i-1].Answer
		}
	}
	return answers
}

func memoryFromDocument(m memoryDocument) ocs.Memory {
	return ocs.Memory{
		Seen: each(m.Seen, func(s [3]uint32) ocs.Span {
			return ocs.Span{Type: ocs.RequestType(s[0]), First: s[1], Last: s[2]} //nolint:gosec // G115: written from a RequestType
		}),
		Answers: answersFromDocument(m.Answers),
	}
}

func serviceToDocument(s ocs.ServiceAnswer) serviceDocument {
	return serviceDocument{
		RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs, Verdict: s.Verdict, Fault: s.Fault, Measure: s.Measure, Granted: s.Granted,
		Validity: s.Validity, Threshold: s.Threshold, Final: s.Final, Change: microseconds(s.TariffChange),
		FinalUnits: (*finalDocument)(s.FinalUnits), Extras: extrasToDocument(s.Extras),
	}
}

func extrasToDocument(e *ocs.Extras) *extrasDocument {
	if e == nil {
		return nil
	}
	return &extrasDocument{
		HoldingTime: e.HoldingTime, ConsumptionTime: e.ConsumptionTime, Arm: e.Arm, Triggers: e.Triggers,
		Announcements: each(e.Announcements, func(a ocs.Announcement) announcementDocument { return announcementDocument(a) }),
	}
}

func extrasFromDocument(e *extrasDocument) *ocs.Extras {
	if e == nil {
		return nil
	}
	return &ocs.Extras{
		HoldingTime: e.HoldingTime, ConsumptionTime: e.ConsumptionTime, Arm: e.Arm, Triggers: e.Triggers,
		Announcements: each(e.Announcements, func(a announcementDocument) ocs.Announcement { return ocs.Announcement(a) }),
	}
}

func serviceFromDocument(s serviceDocument) ocs.ServiceAnswer {
	return ocs.ServiceAnswer{
		RatingGroup: s.RatingGroup, ServiceIDs: s.ServiceIDs, Verdict: s.Verdict, Fault: s.Fault, Measure: s.Measure, Granted: s.Granted,
		Validity: s.Validity, Threshold: s.Threshold, Final: s.Final, TariffChange: fromMicroseconds(s.Change),
		FinalUnits: (*ocs.FinalUnits)(s.FinalUnits), Extras: extrasFromDocument(s.Extras),
	}
}

func answerToDocument(a ocs.Answer) answerDocument {
	d := answerDocument{
		Verdict: a.Verdict, Fault: a.Fault, CommandLevel: a.CommandLevel, LowBalance: a.LowBalance,
		BalanceCovers: a.BalanceCovers, FailureHandling: a.FailureHandling, Failover: a.Failover, Refund: a.Refund, Notes: a.Notes,
		Services: each(a.Services, serviceToDocument),
	}
	if a.Cost != nil {
		d.Cost = new(costDocument(*a.Cost))
	}
	if a.Balance != nil {
		d.Balance = new(costDocument(*a.Balance))
	}
	return d
}

func answerFromDocument(d answerDocument) ocs.Answer {
	a := ocs.Answer{
		Verdict: d.Verdict, Fault: d.Fault, CommandLevel: d.CommandLevel, LowBalance: d.LowBalance,
		BalanceCovers: d.BalanceCovers, FailureHandling: d.FailureHandling, Failover: d.Failover, Refund: d.Refund, Notes: d.Notes,
		Services: each(d.Services, serviceFromDocument),
	}
	if d.Cost != nil {
		a.Cost = new(ocs.Cost(*d.Cost))
	}
	if d.Balance != nil {
		a.Balance = new(ocs.Cost(*d.Balance))
	}
	return a
}

func conditionsToDocument(c ocs.Conditions) conditionsDocument {
	return conditionsDocument{
		Direction: c.Direction, RoleGiven: c.RoleGiven, Calling: c.Calling, Called: c.Called, Dialled: c.Dialled,
		Recipients: c.Recipients, Network: c.Network, ICID: c.ICID, APN: c.APN, CallStart: microseconds(c.CallStart),
		Answered: microseconds(c.Answered), CauseCode: c.CauseCode, DeliverReport: c.DeliverReport, MessageCount: c.MessageCount,
		ServingNode: c.ServingNode, Routes: c.Routes,
	}
}

func conditionsFromDocument(c conditionsDocument) ocs.Conditions {
	return ocs.Conditions{
		Direction: c.Direction, RoleGiven: c.RoleGiven, Calling: c.Calling, Called: c.Called, Dialled: c.Dialled,
		Recipients: c.Recipients, Network: c.Network, ICID: c.ICID, APN: c.APN, CallStart: fromMicroseconds(c.CallStart),
		Answered: fromMicroseconds(c.Answered), CauseCode: c.CauseCode, DeliverReport: c.DeliverReport, MessageCount: c.MessageCount,
		ServingNode: c.ServingNode, Routes: c.Routes,
	}
}

func sessionToDocument(s *ocs.Session) sessionDocument {
	return sessionDocument{
		Cause: s.Cause, Service: s.Service, Realm: s.Origin.Realm, Peer: s.Origin.Peer,
		ReportedAt: microseconds(s.ReportedAt), EndedAt: microseconds(s.EndedAt),
		LowTold: s.LowTold, Refunds: each(s.Refunds, refundToDocument), Refunded: s.Refunded, Records: s.Records,
		Quotas: each(s.Quotas, quotaToDocument), Segments: each(s.Segments, lineToDocument), Memory: memoryToDocument(s.Memory),
		Told: each(s.Told, lineToDocument), ToldAt: microseconds(s.ToldAt),
	}
}

// sessionFromDocument leaves out what stands in columns of its own.
func sessionFromDocument(d sessionDocument) ocs.Session {
	return ocs.Session{
		Cause: d.Cause, Service: d.Service, Origin: ocs.Origin{Realm: d.Realm, Peer: d.Peer},
		ReportedAt: fromMicroseconds(d.ReportedAt), EndedAt: fromMicroseconds(d.EndedAt),
		LowTold: d.LowTold, Refunds: each(d.Refunds, refundFromDocument), Refunded: d.Refunded, Records: d.Records,
		Quotas: each(d.Quotas, quotaFromDocument), Segments: each(d.Segments, lineFromDocument), Memory: memoryFromDocument(d.Memory),
		Told: each(d.Told, lineFromDocument), ToldAt: fromMicroseconds(d.ToldAt),
	}
}

func refundToDocument(r ocs.Refund) refundDocument {
	return refundDocument{Quota: r.Quota, Units: r.Units, Given: each(r.Given, holdToDocument)}
}

func refundFromDocument(d refundDocument) ocs.Refund {
	return ocs.Refund{Quota: d.Quota, Units: d.Units, Given: each(d.Given, holdFromDocument)}
}
