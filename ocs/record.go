package ocs

// maxMissing bounds the list of request numbers that never came, in a CDR.
const maxMissing = 20

// line tells of q in a CDR.
func (q *Quota) line() RecordLine {
	return RecordLine{
		RatingGroup: q.RatingGroup, ServiceIDs: q.ServiceIDs, Tariff: q.Tariff.Name, Plan: q.Plan, Catalog: q.Catalog,
		Measure: q.Tariff.Measures, Used: q.Used, Unit: q.Tariff.Pays, Charged: q.Charged, Overrun: q.Overrun, Taken: q.Taken,
	}
}

// record writes the CDR of the session, which has just ended.
func (d *decision) record() {
	r := d.newRecord(d.session.Cause)
	r.Lines = append(r.Lines, d.session.Segments...)
	for i := range d.session.Quotas {
		if q := &d.session.Quotas[i]; q.Used > 0 || len(d.session.Segments) == 0 {
			r.Lines = append(r.Lines, q.line())
		}
	}
	memory := d.session.Memory
	if d.request.Type != 0 {
		memory = memory.with(Remembered{Type: d.request.Type, Number: d.request.Number})
	}
	r.MissingNumbers = memory.Missing(maxMissing)
	d.records = append(d.records, r)
}

// recordLate amends the CDR with what was reported after the end.
func (d *decision) recordLate() {
	r := d.newRecord(d.session.Cause)
	for _, e := range d.events {
		r.Lines = append(r.Lines, RecordLine{
			RatingGroup: e.RatingGroup, Tariff: e.Tariff, Plan: e.Plan, Catalog: e.Catalog,
			Measure: e.Measure, Used: e.Used, Unit: e.Unit, Charged: e.Charged, Overrun: e.Overrun, Taken: e.Taken,
		})
	}
	d.records = append(d.records, r)
}

func (d *decision) newRecord(cause EndCause) Record {
	d.session.Records++
	_, other, _ := d.otherParty()
	return Record{
		Subscriber: d.account.Subscriber.ID, MSISDN: d.account.Subscriber.MSISDN, Session: d.session.Key,
		Number: d.session.Records, Cause: cause, Service: d.service.Name, Origin: d.session.Origin,
		Conditions: d.session.Conditions, OtherParty: other, StartedAt: d.session.StartedAt, EndedAt: d.session.EndedAt,
		TerminationCause: d.request.TerminationCause,
	}
}
