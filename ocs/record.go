package ocs

import (
	"slices"
	"time"
)

// maxMissing bounds the list of request numbers that never came, in a CDR.
const maxMissing = 20

// line tells of q in a CDR.
func (q *Quota) line() RecordLine {
	return RecordLine{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Tariff: q.Tariff.Name, Plan: q.Plan, Catalog: q.Catalog,
		Measure: q.Tariff.Measures, Used: q.Used, Unit: q.Unit(), Charged: q.Charged, Overrun: q.Overrun, Taken: q.Taken, From: q.Since,
		Granted: q.Given, Reasons: q.Reasons, Network: q.Network,
	}
}

// lines tells of the session as far as it came. The lines that tell of no usage are left out where there are others.
func (d *decision) lines() []RecordLine {
	lines := slices.Clone(d.session.Segments)
	for i := range d.session.Quotas {
		if q := &d.session.Quotas[i]; q.Used > 0 || len(d.session.Segments) == 0 {
			lines = append(lines, q.line())
		}
	}
	return lines
}

// used reports whether lines tell of any usage.
func used(lines []RecordLine) bool {
	return slices.ContainsFunc(lines, func(l RecordLine) bool { return l.Used > 0 })
}

// record writes the CDR of the session, which has just ended.
func (d *decision) record() {
	lines := d.lines()
	if d.rules.Records.NoUnanswered && !used(lines) {
		return
	}
	r := d.newRecord(d.session.Cause, d.session.EndedAt)
	r.Lines = untold(lines, d.session.Told)
	memory := d.session.Memory
	if d.request.Type != 0 {
		memory = memory.with(Remembered{Type: d.request.Type, Number: d.request.Number})
	}
	r.MissingNumbers = memory.Missing(maxMissing)
	d.records = append(d.records, r)
}

// recordRefusal writes a CDR of what never began.
func (d *decision) recordRefusal() {
	d.records = append(d.records, d.newRecord(ByDenial, d.session.EndedAt))
}

// recordLate amends the CDR with what was reported after the end.
func (d *decision) recordLate() {
	r := d.newRecord(d.session.Cause, d.session.EndedAt)
	for _, e := range d.events {
		r.Lines = append(r.Lines, RecordLine{
			RatingGroup: e.RatingGroup, Tariff: e.Tariff, Plan: e.Plan, Catalog: e.Catalog,
			Measure: e.Measure, Used: e.Used, Unit: e.Unit, Charged: e.Charged, Overrun: e.Overrun, Taken: e.Taken,
		})
	}
	d.records = append(d.records, r)
}

// endMonth writes a partial CDR when a request is the first one after the end of a month: what was reported until then
// belongs to that month, and what is reported now to the new one. So do the rated events.
func (d *decision) endMonth() {
	if at := d.session.ReportedAt; !at.IsZero() && d.monthOf(at) != d.monthOf(d.now) {
		d.recordPart(ByMonth, at)
	}
}

// endInterval writes a partial CDR of a session that is long, so that not all of it is told only at its end.
func (d *decision) endInterval() {
	since := d.session.StartedAt
	if d.session.ToldAt.After(since) {
		since = d.session.ToldAt
	}
	if d.service.Partial > 0 && d.session.State == Open && d.now.Sub(since) >= d.service.Partial {
		d.recordPart(ByInterval, d.now)
	}
}

func (d *decision) monthOf(t time.Time) [2]int {
	zone := d.rules.Records.Zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, _ := t.In(zone).Date()
	return [2]int{year, int(month)}
}

// recordPart writes a CDR of what was used until at and not told yet, if anything. The session goes on.
func (d *decision) recordPart(cause EndCause, at time.Time) {
	lines := d.lines()
	part := untold(lines, d.session.Told)
	if !used(part) {
		return
	}
	r := d.newRecord(cause, at)
	r.Lines = part
	d.session.Told, d.session.ToldAt = joined(lines), at
	d.records = append(d.records, r)
}

// joined returns lines with those that differ only in amounts made one.
func joined(lines []RecordLine) (sum []RecordLine) {
	for _, l := range lines {
		sum = addLine(sum, l)
	}
	return sum
}

// untold returns what lines tell beyond told, which an earlier sum of the same lines was. Amounts only ever grow.
func untold(lines, told []RecordLine) []RecordLine {
	if len(told) == 0 {
		return lines
	}
	rest := joined(lines)
	for _, t := range told {
		for i := range rest {
			if rest[i].sameBut(t) {
				rest[i] = rest[i].less(t)
			}
		}
	}
	return slices.DeleteFunc(rest, func(l RecordLine) bool { return l.Used == 0 })
}

// sameBut reports whether l and m differ in amounts only.
func (l RecordLine) sameBut(m RecordLine) bool {
	return equalGroup(l.RatingGroup, m.RatingGroup) && equalSet(l.ServiceIDs, m.ServiceIDs) && l.Tariff == m.Tariff &&
		l.Plan == m.Plan && l.Catalog == m.Catalog && l.Measure == m.Measure && l.Unit == m.Unit && l.Network == m.Network
}

func (l RecordLine) less(told RecordLine) RecordLine {
	l.Used -= told.Used
	l.Charged -= told.Charged
	l.Overrun -= told.Overrun
	l.Granted -= told.Granted
	l.From = time.Time{} // that was told
	holds := make([]Hold, 0, len(l.Taken))
	for _, h := range l.Taken {
		for _, t := range told.Taken {
			if t.Bucket == h.Bucket {
				h.Units -= t.Units
			}
		}
		if h.Units > 0 {
			holds = append(holds, h)
		}
	}
	l.Taken = holds
	return l
}

func (d *decision) newRecord(cause EndCause, endedAt time.Time) Record {
	d.session.Records++
	_, other, _ := d.otherParty()
	r := Record{
		Subscriber: d.account.Subscriber.ID, MSISDN: d.account.Subscriber.MSISDN, IMSI: d.account.Subscriber.IMSI,
		Session: d.session.Key, Number: d.session.Records, Cause: cause, Service: d.service.Name, Origin: d.session.Origin,
		Conditions: d.session.Conditions, OtherParty: other, StartedAt: d.session.StartedAt, EndedAt: endedAt,
		TerminationCause: d.request.TerminationCause,
	}
	if d.answer.Verdict != Granted {
		r.Verdict = d.answer.Verdict
	}
	return r
}
