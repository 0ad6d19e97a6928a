package cdr

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// A Row is a record as files tell it. Fields that a record of its kind does not have are zero and left out. The tags name
// the columns of all formats.
type Row struct {
	Sequence   int64  `json:"sequence" parquet:"sequence"`
	Kind       string `json:"kind" parquet:"kind,dict"`
	Correction bool   `json:"correction,omitzero" parquet:"correction"`
	MSISDN     string `json:"msisdn" parquet:"msisdn"`
	IMSI       string `json:"imsi,omitzero" parquet:"imsi"`

	Session    string `json:"session,omitzero" parquet:"session"`
	SubSession string `json:"sub_session,omitzero" parquet:"sub_session"`
	Part       int64  `json:"part,omitzero" parquet:"part"`
	Cause      string `json:"cause,omitzero" parquet:"cause,dict"`
	Result     string `json:"result,omitzero" parquet:"result,dict"`
	Service    string `json:"service,omitzero" parquet:"service,dict"`

	Direction   string `json:"direction,omitzero" parquet:"direction,dict"`
	Calling     string `json:"calling,omitzero" parquet:"calling"`
	Called      string `json:"called,omitzero" parquet:"called"`
	Dialled     string `json:"dialled,omitzero" parquet:"dialled"`
	OtherParty  string `json:"other_party,omitzero" parquet:"other_party"`
	Recipients  string `json:"recipients,omitzero" parquet:"recipients"`
	Messages    int64  `json:"messages,omitzero" parquet:"messages"`
	Network     string `json:"network,omitzero" parquet:"network,dict"`
	ServingNode string `json:"serving_node,omitzero" parquet:"serving_node,dict"`
	ICID        string `json:"icid,omitzero" parquet:"icid"`
	APN         string `json:"apn,omitzero" parquet:"apn,dict"`

	CallStart time.Time `json:"call_start,omitzero" parquet:"call_start,timestamp(microsecond),optional"`
	Answered  time.Time `json:"answered,omitzero" parquet:"answered,timestamp(microsecond),optional"`
	StartedAt time.Time `json:"started_at,omitzero" parquet:"started_at,timestamp(microsecond),optional"`
	EndedAt   time.Time `json:"ended_at" parquet:"ended_at,timestamp(microsecond)"`

	TerminationCause *uint32 `json:"termination_cause,omitempty" parquet:"termination_cause,optional"`
	CauseCode        *int32  `json:"cause_code,omitempty" parquet:"cause_code,optional"`

	UsedSeconds    int64  `json:"used_seconds,omitzero" parquet:"used_seconds"`
	UsedOctets     int64  `json:"used_octets,omitzero" parquet:"used_octets"`
	UsedEvents     int64  `json:"used_events,omitzero" parquet:"used_events"`
	ChargedSeconds int64  `json:"charged_seconds,omitzero" parquet:"charged_seconds"`
	ChargedOctets  int64  `json:"charged_octets,omitzero" parquet:"charged_octets"`
	ChargedEvents  int64  `json:"charged_events,omitzero" parquet:"charged_events"`
	ChargedMoney   int64  `json:"charged_money,omitzero" parquet:"charged_money"`
	Currency       string `json:"currency,omitzero" parquet:"currency,dict"`
	OverrunSeconds int64  `json:"overrun_seconds,omitzero" parquet:"overrun_seconds"`
	OverrunOctets  int64  `json:"overrun_octets,omitzero" parquet:"overrun_octets"`
	OverrunMoney   int64  `json:"overrun_money,omitzero" parquet:"overrun_money"`

	RatingGroups string `json:"rating_groups,omitzero" parquet:"rating_groups,dict"`
	Tariffs      string `json:"tariffs,omitzero" parquet:"tariffs,dict"`
	Plan         string `json:"plan,omitzero" parquet:"plan,dict"`
	Catalog      string `json:"catalog,omitzero" parquet:"catalog,dict"`
	Reasons      string `json:"reasons,omitzero" parquet:"reasons,dict"`
	Missing      string `json:"missing,omitzero" parquet:"missing"`
	OriginHost   string `json:"origin_host,omitzero" parquet:"origin_host,dict"`
	OriginRealm  string `json:"origin_realm,omitzero" parquet:"origin_realm,dict"`
	Routes       string `json:"routes,omitzero" parquet:"routes,dict"`

	Movement string `json:"movement,omitzero" parquet:"movement"`
	Account  string `json:"account,omitzero" parquet:"account,dict"`
	Reason   string `json:"reason,omitzero" parquet:"reason,dict"`
	Unit     string `json:"unit,omitzero" parquet:"unit,dict"`
	Units    int64  `json:"units,omitzero" parquet:"units"`

	Lines []Line `json:"lines,omitempty" parquet:"lines,list"`
}

// A Line is a part of a row: of a call what one tariff priced, of a posted record one bucket.
type Line struct {
	RatingGroup *uint32 `json:"rating_group,omitempty" parquet:"rating_group,optional"`
	Services    string  `json:"services,omitzero" parquet:"services,dict"` // Service-Identifiers
	Tariff      string  `json:"tariff,omitzero" parquet:"tariff,dict"`
	Network     string  `json:"network,omitzero" parquet:"network,dict"`
	Measure     string  `json:"measure,omitzero" parquet:"measure,dict"`
	Granted     int64   `json:"granted,omitzero" parquet:"granted"`
	Used        int64   `json:"used,omitzero" parquet:"used"`
	Unit        string  `json:"unit,omitzero" parquet:"unit,dict"`
	Charged     int64   `json:"charged,omitzero" parquet:"charged"`
	Overrun     int64   `json:"overrun,omitzero" parquet:"overrun"`
	Buckets     string  `json:"buckets,omitzero" parquet:"buckets"` // bucket=units
}

// rowOf tells of a CDR.
func rowOf(r *ocs.Record, sequence int64, correction bool) Row {
	c := &r.Conditions
	row := Row{
		Sequence: sequence, Kind: string(Call), Correction: correction, MSISDN: r.MSISDN, IMSI: r.IMSI,
		Session: r.Session.ID, SubSession: r.Session.Sub, Part: int64(r.Number), Cause: string(r.Cause), Result: resultWord(r.Verdict),
		Service: r.Service, Direction: c.Direction.Word(), Calling: c.Calling, Called: c.Called, Dialled: c.Dialled,
		OtherParty: r.OtherParty, Recipients: strings.Join(c.Recipients, " "), Messages: int64(c.MessageCount), Network: c.Network,
		ServingNode: c.ServingNode, ICID: c.ICID, APN: c.APN, CallStart: c.CallStart, Answered: c.Answered, StartedAt: r.StartedAt,
		EndedAt: r.EndedAt, TerminationCause: r.TerminationCause, CauseCode: c.CauseCode, OriginHost: r.Origin.Host,
		OriginRealm: r.Origin.Realm, Routes: strings.Join(c.Routes, " "),
	}
	if r.Cause == ocs.ByEvent {
		row.Kind = string(Event)
	}
	var reasons ocs.Reasons
	var groups, tariffs words
	for i := range r.Lines {
		l := &r.Lines[i]
		row.add(l)
		reasons |= l.Reasons
		tariffs.add(l.Tariff)
		if l.RatingGroup != nil {
			groups.add(strconv.FormatUint(uint64(*l.RatingGroup), 10))
		}
	}
	row.RatingGroups, row.Tariffs, row.Reasons = groups.text, tariffs.text, reasonWords(reasons)
	for _, n := range r.MissingNumbers {
		row.Missing = joinWord(row.Missing, strconv.FormatUint(uint64(n), 10))
	}
	return row
}

// add takes a line into the sums of the row.
func (r *Row) add(l *ocs.RecordLine) {
	line := Line{
		RatingGroup: l.RatingGroup, Tariff: l.Tariff, Network: l.Network, Measure: string(l.Measure), Granted: int64(l.Granted),
		Used: int64(l.Used), Unit: string(l.Unit), Charged: int64(l.Charged), Overrun: int64(l.Overrun), Buckets: holdWords(l.Taken),
	}
	for _, id := range l.ServiceIDs {
		line.Services = joinWord(line.Services, strconv.FormatUint(uint64(id), 10))
	}
	r.Lines = append(r.Lines, line)
	if r.Plan == "" {
		r.Plan, r.Catalog = l.Plan, l.Catalog
	}
	switch l.Measure {
	case rating.Seconds:
		r.UsedSeconds += line.Used
	case rating.Octets:
		r.UsedOctets += line.Used
	case rating.Events:
		r.UsedEvents += line.Used
	}
	switch l.Unit {
	case rating.Seconds:
		r.ChargedSeconds, r.OverrunSeconds = r.ChargedSeconds+line.Charged, r.OverrunSeconds+line.Overrun
	case rating.Octets:
		r.ChargedOctets, r.OverrunOctets = r.ChargedOctets+line.Charged, r.OverrunOctets+line.Overrun
	case rating.Events:
		r.ChargedEvents += line.Charged
	case "": // usage that nothing priced
	default: // a currency; a second one in one record is told in its line only
		if r.Currency == "" || r.Currency == line.Unit {
			r.Currency = line.Unit
			r.ChargedMoney, r.OverrunMoney = r.ChargedMoney+line.Charged, r.OverrunMoney+line.Overrun
		}
	}
}

// rowOfPosted tells of what was posted.
func rowOfPosted(p *posted, who told, sequence int64, correction bool) Row {
	row := Row{
		Sequence: sequence, Kind: string(p.kind), Correction: correction, MSISDN: who.MSISDN, OtherParty: who.Other,
		EndedAt: p.key.At, Movement: p.movement, Account: p.account, Reason: p.reason, Unit: string(p.unit), Units: int64(p.units),
	}
	for _, h := range p.lots {
		row.Lines = append(row.Lines, Line{Unit: string(p.unit), Buckets: holdWords([]ocs.Hold{h})})
	}
	return row
}

// words are put together with spaces, each once.
type words struct{ text string }

func (w *words) add(word string) {
	if word == "" || w.text == word {
		return
	}
	if strings.Contains(" "+w.text+" ", " "+word+" ") {
		return
	}
	w.text = joinWord(w.text, word)
}

func joinWord(text, word string) string {
	if text == "" {
		return word
	}
	return text + " " + word
}

func holdWords(holds []ocs.Hold) string {
	if len(holds) == 0 {
		return ""
	}
	text := make([]byte, 0, 48*len(holds))
	for i, h := range holds {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(append(text, h.Bucket...), '=')
		text = strconv.AppendInt(text, int64(h.Units), 10)
	}
	return string(text)
}

// resultWord names what ended a session otherwise than well.
func resultWord(v ocs.Verdict) string {
	if v == 0 || v == ocs.Granted {
		return ""
	}
	return cmp.Or(v.Word(), strconv.Itoa(int(v)))
}

// reasonNames are the values of Reporting-Reason (TS 32.299 §7.2.175), in their order.
var reasonNames = []string{
	"threshold", "holding-time", "final", "exhausted", "validity", "other-quota", "condition-change", "reauthorisation",
	"pool-exhausted", "unused-timer",
}

func reasonWords(set ocs.Reasons) string {
	text := ""
	for i, name := range reasonNames {
		if set.Has(ocs.Reason(i + 1)) {
			text = joinWord(text, name)
		}
	}
	return text
}
