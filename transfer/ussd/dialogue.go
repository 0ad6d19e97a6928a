package ussd

import (
	"strings"
	"time"

	"github.com/gyro-ocs/gyro/transfer"
)

// A Dialogue is the service behind one code.
type Dialogue struct {
	Service   string           // the code: *999
	Channel   transfer.Channel // that its requests come by
	Zone      *time.Location   // of dates on screens; nil: UTC
	PINInDial bool             // *999*minutes*number*PIN# is accepted: the PIN then stays in the handset's list of calls
}

// Begin answers the dialled string: its parts after the service code, joined by "*" ("" for *999#).
func (d Dialogue) Begin(s Session, dialled string) Turn {
	s = s.forget()
	if dialled == "" {
		return d.menu(s)
	}
	dial, err := transfer.ParseDialled(strings.Split(dialled, "*"))
	switch {
	case err != nil:
		return d.end(s, d.words(s).fill("dial", "{service}", d.Service))
	case dial.Item > 0:
		s.At = AtMenu
		return d.choose(s, dial.Item)
	case dial.PIN != "" && !d.PINInDial:
		return d.end(s, d.words(s).fill("no PIN in dial", "{service}", d.Service))
	}
	s.Item, s.Number, s.Seconds = sendItem, dial.Number, dial.Seconds
	if code, ok := transfer.ParseShortCode(dial.Number); ok {
		s.Item, s.Number = payItem, code
	}
	if dial.PIN != "" {
		return d.do(s, dial.PIN)
	}
	return d.quote(s)
}

// Input answers what a person typed.
func (d Dialogue) Input(s Session, typed string) Turn {
	if s.Ended {
		return Turn{Session: s, Screen: s.Screen, End: true}
	}
	typed = strings.TrimSpace(typed)
	if typed == "0" {
		return d.back(s)
	}
	switch s.At {
	case AtMenu:
		return d.choose(s, choice(typed, settingsItem))
	case AtNumber:
		return d.number(s, typed)
	case AtMinutes:
		return d.minutes(s, typed)
	case AtBill:
		return d.bill(s, typed)
	case AtAgain:
		s.Again = typed == "1"
		if !s.Again {
			return d.end(s, d.words(s).say("nothing sent"))
		}
		return d.quote(s)
	case AtPIN:
		return d.do(s, typed)
	case AtYesNo:
		return d.yesNo(s, typed)
	case AtClaims:
		return d.claims(s, choice(typed, 2))
	case AtList:
		return d.list(s, choice(typed, len(s.Offered)))
	case AtReference:
		return d.reference(s, typed)
	case AtSettings:
		return d.settings(s, choice(typed, 3))
	case AtNewPIN:
		return d.newPIN(s, typed)
	}
	return d.menu(s.forget())
}

// Resume goes on with what came of the [Want] of the last turn.
func (d Dialogue) Resume(s Session, r Result) Turn {
	switch s.At {
	case AtNumber:
		return d.recipient(s, r)
	case AtMinutes, AtBill, AtAgain:
		return d.quoted(s, r)
	case AtPIN, AtYesNo:
		return d.done(s, r)
	case AtClaims:
		return d.offer(s, r)
	case AtMenu:
		return d.told(s, r)
	case AtNewPIN:
		return d.pinChanged(s, r)
	case AtList, AtReference, AtSettings:
	}
	return d.end(s, d.words(s).say("try again"))
}

// choice reads an item of 1 to most; 0: none of them.
func choice(typed string, most int) int {
	if len(typed) == 1 && typed[0] >= '1' && int(typed[0]-'0') <= most {
		return int(typed[0] - '0')
	}
	return 0
}

// show shows a screen and waits at a node.
func (d Dialogue) show(s Session, at Node, screen string) Turn {
	s.At, s.Prompt, s.Screen = at, screen, screen
	return Turn{Session: s, Screen: screen}
}

func (d Dialogue) end(s Session, screen string) Turn {
	s.Ended, s.Screen = true, screen
	return Turn{Session: s, Screen: screen, End: true}
}

func (d Dialogue) want(s Session, at Node, w Want) Turn {
	s.At = at
	return Turn{Session: s, Want: &w}
}

// mistake shows the screen again that the input did not fit, for a while.
func (d Dialogue) mistake(s Session, why string) Turn {
	if s.Mistakes++; s.Mistakes >= maxMistakes {
		return d.end(s, d.words(s).say("try again"))
	}
	s.Screen = fit(why, s.Prompt)
	return Turn{Session: s, Screen: s.Screen}
}

// back goes one step back: to the menu, from wherever a person is. What was typed is forgotten.
func (d Dialogue) back(s Session) Turn { return d.menu(s.forget()) }

func (d Dialogue) menu(s Session) Turn { return d.show(s, AtMenu, d.words(s).say("menu")) }

// choose goes on with an item of the menu.
func (d Dialogue) choose(s Session, item int) Turn {
	s.Item = item
	w := d.words(s)
	switch item {
	case sendItem, askItem:
		return d.show(s, AtNumber, w.say("number"))
	case payItem:
		return d.show(s, AtNumber, w.say("shop"))
	case cashItem:
		return d.show(s, AtNumber, w.say("trader"))
	case balanceItem:
		return d.want(s, AtMenu, Want{Do: Decide, Request: d.request(s, transfer.OpAllowance)})
	case recentItem:
		return d.want(s, AtMenu, Want{Do: Recent})
	case claimItem:
		return d.show(s, AtClaims, w.say("claims"))
	case settingsItem:
		return d.show(s, AtSettings, w.say("settings"))
	}
	if s.Prompt == "" {
		s.Prompt = w.say("menu")
	}
	return d.mistake(s, w.say("choose"))
}

// told shows the balance or the last five.
func (d Dialogue) told(s Session, r Result) Turn {
	if s.Item == recentItem {
		return d.end(s, d.recent(s, r.Recent))
	}
	if r.Answer.Refusal != transfer.None || r.Answer.Purse == nil {
		return d.end(s, r.Answer.Say(s.Language))
	}
	return d.end(s, d.words(s).balance(s.Language, r.Answer))
}

func (d Dialogue) recent(s Session, lines []Line) string {
	if len(lines) == 0 {
		return d.words(s).say("no transfers")
	}
	moved := func(l Line) string {
		sign := "+"
		if l.Sent {
			sign = "-"
		}
		return sign + transfer.SayMinutes(s.Language, l.Seconds) + " " + l.Tail + " "
	}
	screen, shown := list(lines, func(_ int, l Line) string { return moved(l) + string(l.Reference) })
	if shown < len(lines) { // the references are in the receipts
		screen, _ = list(lines, func(_ int, l Line) string { return strings.Replace(moved(l), "..", "", 1) + d.day(l.At) })
	}
	return screen
}

func (d Dialogue) day(t time.Time) string {
	if d.Zone == nil {
		return t.UTC().Format("2/1")
	}
	return t.In(d.Zone).Format("2/1")
}
