package ussd

import (
	"strconv"
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
)

// words are the screens of one language.
type words map[string]string

func (d Dialogue) words(s Session) words {
	if strings.HasPrefix(s.Language, "ko") {
		return korean
	}
	return english
}

// say returns a screen that is always the same. There is one for every name, which a test proves.
func (w words) say(name string) string { return w[name] }

func (w words) fill(name string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(w[name])
}

// clause is a part that is there or not.
func (w words) clause(name string, there bool, value string) string {
	if !there {
		return ""
	}
	return w.fill(name, "{}", value)
}

// fit puts two texts on one screen: the first is told as long as both have room.
func fit(first, second string) string {
	if both := first + "\n" + second; transfer.FitsUSSD(both) {
		return both
	}
	return second
}

// fitting returns the first of some screens that fits, or the last.
func fitting(screens ...string) string {
	for _, s := range screens {
		if transfer.FitsUSSD(s) {
			return s
		}
	}
	return screens[len(screens)-1]
}

// mayLine tells what may be sent, and what keeps the rest: "You may send 42 of 170, 30 are in use, 98 are bonus."
func (w words) mayLine(a transfer.Answer) string {
	p, minutes := *a.Purse, func(n rating.Units) string { return strconv.FormatInt(int64(n/60), 10) }
	var kept strings.Builder
	for _, k := range p.Kept {
		if k.Reason == transfer.ByClass {
			class := k.Class
			if known := w["class "+class]; known != "" {
				class = known
			}
			kept.WriteString(w.fill("kept", "{}", minutes(k.Units), "{class}", class))
		}
	}
	in := w.clause("in use", p.InUse >= 60, minutes(p.InUse))
	head := w.fill("may", "{may}", minutes(a.May), "{total}", minutes(p.Total))
	ask := " " + w["minutes"]
	for _, line := range []string{head + in + kept.String() + ".", head + in + ".", head + "."} {
		if transfer.FitsUSSD(line + ask) {
			return line
		}
	}
	return head + "."
}

func (w words) balance(language string, a transfer.Answer) string {
	return fitting(w.fill("balance", "{left}", transfer.SayMinutes(language, a.Left))+" "+w.mayLine(a), w.mayLine(a))
}

// consent tells what will happen when the PIN is typed.
func (w words) consent(s Session, a transfer.Answer, zone *time.Location) string {
	var first time.Time
	for _, l := range a.Lots {
		if !l.ExpiresAt.IsZero() && (first.IsZero() || l.ExpiresAt.Before(first)) {
			first = l.ExpiresAt
		}
	}
	screen := func(name string, valid bool) string {
		return w.fill("consent",
			"{minutes}", transfer.SayMinutes(s.Language, a.Seconds),
			"{name}", name,
			"{fee}", w.clause("fee", a.Fee > 0, transfer.SayMinutes(s.Language, a.Fee)),
			"{left}", transfer.SayMinutes(s.Language, a.Left),
			"{valid}", w.clause("valid", valid && !first.IsZero(), transfer.SayDay(s.Language, first, zone)),
		)
	}
	return fitting(screen(s.Name, true), screen(s.Name, false), screen(s.Number, true), screen(s.Number, false))
}

func (w words) asking(s Session) string {
	screen := func(name string) string {
		return w.fill("asking", "{minutes}", transfer.SayMinutes(s.Language, s.Seconds), "{name}", name)
	}
	return fitting(screen(s.Name), screen(s.Number))
}

func (w words) claiming(reference string) string { return w.fill("claiming", "{ref}", reference) }

// ended is the last screen of what was done, or waits.
func (w words) ended(s Session, r Result, zone *time.Location) string {
	a := r.Answer
	name := "sent"
	switch {
	case s.Item == cashItem:
		name = "cash"
	case s.Item == askItem:
		name = "asked"
	case s.Item == claimItem:
		name = "claimed"
	case s.Item == answerItem && !s.Yes:
		name = "declined"
	case s.Item == answerItem:
		name = "accepted"
	case a.Status == transfer.Pending:
		name = "waits"
	}
	return w.fill(name,
		"{ref}", string(a.Reference),
		"{left}", transfer.SayMinutes(s.Language, a.Left),
		"{minutes}", transfer.SayMinutes(s.Language, a.Seconds),
		"{due}", transfer.SayHour(s.Language, a.ValidTo, zone),
		"{code}", r.Code,
	)
}

// list tells transfers, one a line, as many as there is room for.
func list(lines []Line, say func(int, Line) string) (screen string, shown int) {
	for i, l := range lines {
		line := say(i, l)
		if i > 0 {
			line = "\n" + line
		}
		if !transfer.FitsUSSD(screen + line) {
			return screen, i
		}
		screen += line
	}
	return screen, len(lines)
}
