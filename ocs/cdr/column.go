package cdr

import (
	"strconv"
	"time"
)

// A cell is a value before it is written: of one of the kinds that columns have.
type cell struct {
	kind cellKind
	text string
	n    int64
	at   time.Time
}

type cellKind uint8

const (
	nothing cellKind = iota
	textCell
	numberCell
	timeCell
)

// A column is one of those that a CSV may have.
type column struct {
	name  string
	about string // with its unit
	kind  string // text, seconds, octets, money, number, time: what "as" may do with it
	value func(*Row) cell
}

func textColumn(name, about string, value func(*Row) string) column {
	return column{name, about, "text", func(r *Row) cell { return cell{kind: textCell, text: value(r)} }}
}

func amountColumn(name, kind, about string, value func(*Row) int64) column {
	return column{name, about, kind, func(r *Row) cell { return cell{kind: numberCell, n: value(r)} }}
}

func timeColumn(name, about string, value func(*Row) time.Time) column {
	return column{name, about, "time", func(r *Row) cell {
		if at := value(r); !at.IsZero() {
			return cell{kind: timeCell, at: at}
		}
		return cell{}
	}}
}

// columns are all columns of a CSV, in their usual order.
var columns = []column{
	amountColumn("sequence", "number", "number of the record: without a gap over all files and months", func(r *Row) int64 { return r.Sequence }),
	textColumn("kind", "call, event, grant, transfer, fee, reversal, refund, adjust, reserve, expiry", func(r *Row) string { return r.Kind }),
	textColumn("correction", "yes: it belongs to a month that had been closed before", func(r *Row) string {
		if r.Correction {
			return "yes"
		}
		return ""
	}),
	textColumn("msisdn", "the subscriber, as it was when the call ended; of posted records when the month was closed", func(r *Row) string { return r.MSISDN }),
	textColumn("imsi", "likewise", func(r *Row) string { return r.IMSI }),
	textColumn("session", "Session-Id", func(r *Row) string { return r.Session }),
	textColumn("sub_session", "CC-Sub-Session-Id", func(r *Row) string { return r.SubSession }),
	amountColumn("part", "number", "which record of the session, from 1; each counts only what is new", func(r *Row) int64 { return r.Part }),
	textColumn("cause", "why the record was written", func(r *Row) string { return r.Cause }),
	textColumn("result", "what ended the session, if that was a refusal", func(r *Row) string { return r.Result }),
	textColumn("service", "service context", func(r *Row) string { return r.Service }),
	textColumn("direction", "originating, terminating, forwarding", func(r *Row) string { return r.Direction }),
	textColumn("calling", "Calling-Party-Address, as sent", func(r *Row) string { return r.Calling }),
	textColumn("called", "Called-Party-Address, as sent", func(r *Row) string { return r.Called }),
	textColumn("dialled", "Requested-Party-Address, when it differs", func(r *Row) string { return r.Dialled }),
	textColumn("other_party", "the number that was rated; of a transfer the other subscriber", func(r *Row) string { return r.OtherParty }),
	textColumn("recipients", "of a message, with spaces between them", func(r *Row) string { return r.Recipients }),
	amountColumn("messages", "number", "Number-Of-Messages-Sent", func(r *Row) int64 { return r.Messages }),
	textColumn("network", "serving PLMN; empty: home", func(r *Row) string { return r.Network }),
	textColumn("serving_node", "digits of the serving VLR or MSC", func(r *Row) string { return r.ServingNode }),
	textColumn("icid", "IMS-Charging-Identifier, or call reference and MSC", func(r *Row) string { return r.ICID }),
	textColumn("apn", "Called-Station-Id", func(r *Row) string { return r.APN }),
	timeColumn("call_start", "when the call was set up, as the network told it", func(r *Row) time.Time { return r.CallStart }),
	timeColumn("answered", "when it was answered, as the network told it", func(r *Row) time.Time { return r.Answered }),
	timeColumn("started_at", "first request of the session", func(r *Row) time.Time { return r.StartedAt }),
	timeColumn("ended_at", "end of what the record tells of; of posted records when it was done", func(r *Row) time.Time { return r.EndedAt }),
	{"termination_cause", "Termination-Cause, RFC 6733 §8.15", "number", func(r *Row) cell {
		if r.TerminationCause == nil {
			return cell{}
		}
		return cell{kind: numberCell, n: int64(*r.TerminationCause)}
	}},
	{"cause_code", "Cause-Code of TS 32.299, or of ISUP", "number", func(r *Row) cell {
		if r.CauseCode == nil {
			return cell{}
		}
		return cell{kind: numberCell, n: int64(*r.CauseCode)}
	}},
	amountColumn("used_seconds", "seconds", "seconds reported", func(r *Row) int64 { return r.UsedSeconds }),
	amountColumn("used_octets", "octets", "octets reported", func(r *Row) int64 { return r.UsedOctets }),
	amountColumn("used_events", "number", "messages or events", func(r *Row) int64 { return r.UsedEvents }),
	amountColumn("charged_seconds", "seconds", "taken from buckets of seconds", func(r *Row) int64 { return r.ChargedSeconds }),
	amountColumn("charged_octets", "octets", "taken from buckets of octets", func(r *Row) int64 { return r.ChargedOctets }),
	amountColumn("charged_events", "number", "taken from buckets of events", func(r *Row) int64 { return r.ChargedEvents }),
	amountColumn("charged_money", "money", "taken from buckets of money, in minor units", func(r *Row) int64 { return r.ChargedMoney }),
	textColumn("currency", "of the money, ISO 4217", func(r *Row) string { return r.Currency }),
	amountColumn("overrun_seconds", "seconds", "due and in no bucket of seconds", func(r *Row) int64 { return r.OverrunSeconds }),
	amountColumn("overrun_octets", "octets", "due and in no bucket of octets", func(r *Row) int64 { return r.OverrunOctets }),
	amountColumn("overrun_money", "money", "due and in no bucket of money", func(r *Row) int64 { return r.OverrunMoney }),
	textColumn("rating_groups", "with spaces between them", func(r *Row) string { return r.RatingGroups }),
	textColumn("tariffs", "with spaces between them", func(r *Row) string { return r.Tariffs }),
	textColumn("plan", "that priced the first of it", func(r *Row) string { return r.Plan }),
	textColumn("catalog", "version of the catalogue of that", func(r *Row) string { return r.Catalog }),
	textColumn("reasons", "why the client reported", func(r *Row) string { return r.Reasons }),
	textColumn("missing", "request numbers that never came, the first few", func(r *Row) string { return r.Missing }),
	textColumn("origin_host", "the client", func(r *Row) string { return r.OriginHost }),
	textColumn("origin_realm", "its realm", func(r *Row) string { return r.OriginRealm }),
	textColumn("routes", "agents on the way", func(r *Row) string { return r.Routes }),
	textColumn("movement", "names what was posted", func(r *Row) string { return r.Movement }),
	textColumn("account", "the other side of what was posted", func(r *Row) string { return r.Account }),
	textColumn("reason", "why it was posted", func(r *Row) string { return r.Reason }),
	textColumn("unit", "of units", func(r *Row) string { return r.Unit }),
	amountColumn("units", "number", "what the subscriber gained by it; less than 0: lost", func(r *Row) int64 { return r.Units }),
	textColumn("buckets", "bucket=units, what each paid or gained", func(r *Row) string { return bucketsOf(r) }),
}

// bucketsOf puts the buckets of all lines together.
func bucketsOf(r *Row) string {
	if len(r.Lines) == 1 {
		return r.Lines[0].Buckets
	}
	text := ""
	for i := range r.Lines {
		if b := r.Lines[i].Buckets; b != "" {
			text = joinWord(text, b)
		}
	}
	return text
}

// Columns tells every column of a CSV: name and meaning.
func Columns() [][2]string {
	all := make([][2]string, len(columns))
	for i, c := range columns {
		all[i] = [2]string{c.name, c.about}
	}
	return all
}

func columnNamed(name string) (column, bool) {
	for _, c := range columns {
		if c.name == name {
			return c, true
		}
	}
	return column{}, false
}

// appendHMS writes seconds as hours, minutes and seconds.
func appendHMS(to []byte, seconds int64) []byte {
	if seconds < 0 {
		to, seconds = append(to, '-'), -seconds
	}
	two := func(n int64) {
		if n < 10 {
			to = append(to, '0')
		}
		to = strconv.AppendInt(to, n, 10)
	}
	two(seconds / 3600)
	to = append(to, ':')
	two(seconds / 60 % 60)
	to = append(to, ':')
	two(seconds % 60)
	return to
}

// ceil returns n in units of size, begun ones counted.
func ceil(n, size int64) int64 {
	if n < 0 {
		return -ceil(-n, size)
	}
	return n/size + min(1, n%size)
}

// exponents of the currencies whose minor unit is not a hundredth (ISO 4217).
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0,
	"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// appendMajor writes minor units of a currency as major ones.
func appendMajor(to []byte, n int64, currency, point string) []byte {
	exponent, known := exponents[currency]
	if !known {
		exponent = 2
	}
	if n < 0 {
		to, n = append(to, '-'), -n
	}
	digits := strconv.AppendInt(nil, n, 10)
	for len(digits) <= exponent {
		digits = append([]byte{'0'}, digits...)
	}
	to = append(to, digits[:len(digits)-exponent]...)
	if exponent > 0 {
		to = append(append(to, point...), digits[len(digits)-exponent:]...)
	}
	return to
}
