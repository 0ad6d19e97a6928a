package ctf

import (
	"fmt"
	"strings"
	"time"
)

// A Message is one message of a call, sent or received, in a form to be printed: [Message.String] in words, and as JSON.
type Message struct {
	Time    time.Time `json:"time"`    // in the life of the call, which a simulated one does not wait for
	Sent    bool      `json:"sent"`    // by the switch
	Command string    `json:"command"` // CCR-I, CCA-I, …
	Number  uint32    `json:"number"`  // CC-Request-Number
	Session string    `json:"session"`
	Copy    bool      `json:"copy,omitempty"` // sent once more with the T flag, or the answer to that

	// Of a CCR.
	From   string  `json:"from,omitempty"`
	To     string  `json:"to,omitempty"`
	Action string  `json:"action,omitempty"`      // of a CCR-E
	Asks   bool    `json:"asks,omitempty"`        // for quota
	Asked  uint32  `json:"asked_units,omitempty"` // 0: as much as the server sees fit
	Used   *uint32 `json:"used_seconds,omitempty"`
	Reason string  `json:"reason,omitempty"` // Reporting-Reason
	Unit   Unit    `json:"unit,omitempty"`

	// Of a CCA.
	Code        uint32        `json:"result_code,omitempty"`
	ServiceCode uint32        `json:"service_result_code,omitempty"` // inside the MSCC
	Text        string        `json:"error_message,omitempty"`
	FailedAVP   uint32        `json:"failed_avp,omitempty"` // code of the AVP that is blamed
	Granted     *uint32       `json:"granted_units,omitempty"`
	Validity    uint32        `json:"validity_seconds,omitempty"`
	Threshold   uint32        `json:"threshold_seconds,omitempty"`
	Final       string        `json:"final_unit,omitempty"` // terminate, redirect, restrict access
	LowBalance  bool          `json:"low_balance,omitempty"`
	Covered     *bool         `json:"balance_covers,omitempty"` // Check-Balance-Result
	Cost        string        `json:"cost,omitempty"`           // Cost-Information
	Refund      string        `json:"refund,omitempty"`         // Refund-Information: names the debit, also in the CCR of its refund
	Took        time.Duration `json:"took_ns,omitempty"`        // from the CCR to this answer, on the clock of the wall
}

// Unit is what a quota counts.
type Unit string

// The units that a switch asks for.
const (
	Seconds Unit = "seconds"
	Events  Unit = "events"
)

func (u Unit) count(n uint32) string {
	switch {
	case u == Seconds:
		return fmt.Sprintf("%d s", n)
	case n == 1:
		return "1 unit"
	}
	return fmt.Sprintf("%d units", n)
}

// Result is the Result-Code that counts: of the MSCC when there is one and the command as a whole succeeded.
func (m Message) Result() uint32 {
	if success(m.Code) && m.ServiceCode != 0 {
		return m.ServiceCode
	}
	return m.Code
}

// String tells the message in words: "CCR-I 0  asks for quota to call +4930123456".
func (m Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d  ", m.Command, m.Number)
	if m.Copy && m.Sent {
		b.WriteString("once more (T): ")
	}
	if m.Sent {
		b.WriteString(m.request())
	} else {
		b.WriteString(m.answer())
	}
	return b.String()
}

func (m Message) request() string {
	switch m.Command {
	case "CCR-I":
		return m.asking() + " for " + m.From + " to call " + m.To
	case "CCR-U":
		return m.report() + ", " + m.asking()
	case "CCR-T":
		return m.report() + ", the call is over"
	}
	wish, known := wishes[m.Action]
	if !known {
		wish = m.Action + " of"
	}
	return fmt.Sprintf("%s %s, from %s to %s", wish, m.Unit.count(max(m.Asked, 1)), m.From, m.To)
}

// wishes are what a CCR-E says, by action.
var wishes = map[string]string{
	Debit.String():        "debits",
	Refund.String():       "gives back",
	CheckBalance.String(): "asks whether the balance covers",
	AskPrice.String():     "asks what it costs to send",
}

func (m Message) asking() string {
	if m.Asked > 0 {
		return "asks for " + m.Unit.count(m.Asked)
	}
	return "asks for quota"
}

func (m Message) report() string {
	if m.Used == nil {
		return "reports nothing"
	}
	text := "used " + m.Unit.count(*m.Used)
	if m.Reason != "" {
		text += " (" + m.Reason + ")"
	}
	return text
}

func (m Message) answer() string {
	if !success(m.Code) {
		return m.refusal(m.Code)
	}
	if m.ServiceCode != 0 && !success(m.ServiceCode) {
		return fmt.Sprintf("%d but for this service %s", m.Code, m.refusal(m.ServiceCode))
	}
	return strings.Join(append([]string{m.success()}, m.remarks()...), ", ")
}

func (m Message) refusal(code uint32) string {
	return strings.Join(append([]string{CodeText(code)}, m.remarks()...), ", ")
}

// success says what a good answer gives.
func (m Message) success() string {
	switch {
	case m.Granted != nil && m.Action != "":
		return fmt.Sprintf("%d done for %s", m.Code, m.Unit.count(*m.Granted))
	case m.Granted != nil:
		return fmt.Sprintf("%d granted %s", m.Code, m.Unit.count(*m.Granted))
	case m.ServiceCode != 0:
		return fmt.Sprintf("%d nothing granted", m.Code)
	}
	return CodeText(m.Code)
}

// remarks are what an answer says beside its result.
func (m Message) remarks() (all []string) {
	add := func(when bool, format string, args ...any) {
		if when {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	add(m.Refund != "" && !m.Sent, "to be given back by %s", m.Refund)
	add(m.Final != "", "the last of the balance (then %s)", m.Final)
	add(m.Validity > 0, "valid %d s", m.Validity)
	add(m.Threshold > 0, "threshold %d s", m.Threshold)
	add(m.LowBalance, "the balance is low")
	add(m.Covered != nil && *m.Covered, "the balance covers it")
	add(m.Covered != nil && !*m.Covered, "the balance does not cover it")
	add(m.Cost != "", "it costs %s", m.Cost)
	add(m.FailedAVP != 0, "because of AVP %d", m.FailedAVP)
	add(m.Text != "", "“%s”", m.Text)
	return all
}
