package charging

import (
	"encoding/json"

	"github.com/gyro-ocs/gyro/ocs/outbox"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// tell writes receipts to the outbox, in the words of their receivers.
func (l *ledger) tell(texts []transfer.Text) {
	for _, x := range texts {
		h := l.of[x.To]
		if h == nil || h.subscriber.MSISDN == "" {
			continue
		}
		l.texts = append(l.texts, outbox.Message{
			ID: newID(), Kind: outbox.Text, To: h.subscriber.MSISDN, Body: x.Render(l.policy.Zone), Reference: string(x.Reference),
			CreatedAt: l.now,
		})
	}
}

// auditState is what the audit tells of a transfer, before and after an act.
type auditState struct {
	Status  transfer.Status `json:"status,omitzero"`
	Kind    transfer.Kind   `json:"kind,omitzero"`
	Seconds rating.Units    `json:"seconds,omitzero"`
	Fee     rating.Units    `json:"fee,omitzero"`
	Refusal string          `json:"refusal,omitzero"`
	Left    rating.Units    `json:"left,omitzero"`    // free at the sender
	Alerts  []string        `json:"alerts,omitempty"` // the risk rules that applied
}

// auditOf is the entry of one act, done or refused. It tells no number and no secret.
func auditOf(l *ledger, s transfer.State, r transfer.Request, o transfer.Outcome) postgres.AuditEntry {
	e := postgres.AuditEntry{
		ID: newID(), At: l.now, Role: string(r.By), Channel: string(r.Channel), Action: "transfer " + r.Operation.String(),
		Subject: string(s.Acting(r.By)), Reference: string(o.Answer.Reference), Policy: l.policy.Version,
	}
	switch r.By {
	case transfer.ByOperator:
		e.Actor = r.Person
	case transfer.BySystem:
		e.Actor = "sweep"
	case transfer.BySender, transfer.ByReceiver:
		e.Actor = e.Subject
	}
	if before := s.Original; before != nil {
		e.Before = document(auditState{Status: before.Status, Kind: before.Kind, Seconds: before.Seconds, Fee: before.Fee})
	}
	a := o.Answer
	after := auditState{Status: a.Status, Kind: a.Kind, Seconds: a.Seconds, Fee: a.Fee, Left: a.Left, Alerts: o.Alerts}
	if a.Refusal != transfer.None {
		after.Refusal = a.Refusal.String()
	}
	e.After = document(after)
	return e
}

// document writes a value of ours, which always can be written.
func document(value any) json.RawMessage {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return text
}
