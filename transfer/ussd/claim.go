package ussd

import (
	"slices"
	"strconv"

	"github.com/gyro-ocs/gyro/transfer"
)

// claims goes on with item 7.
func (d Dialogue) claims(s Session, item int) Turn {
	switch item {
	case 1:
		return d.want(s, AtClaims, Want{Do: Recent})
	case 2:
		s.Item = answerItem
		return d.show(s, AtReference, d.words(s).say("reference"))
	}
	return d.mistake(s, d.words(s).say("choose"))
}

// offer lists what can be claimed back.
func (d Dialogue) offer(s Session, r Result) Turn {
	lines := slices.DeleteFunc(slices.Clone(r.Recent), func(l Line) bool { return !l.Sent || l.Status != transfer.Completed })
	if len(lines) == 0 {
		return d.end(s, d.words(s).say("nothing to claim"))
	}
	screen, shown := list(lines, func(i int, l Line) string {
		return strconv.Itoa(i+1) + " " + transfer.SayMinutes(s.Language, l.Seconds) + " " + l.Tail + " " + d.day(l.At)
	})
	s.Offered = nil
	for _, l := range lines[:shown] {
		s.Offered = append(s.Offered, string(l.Reference))
	}
	return d.show(s, AtList, screen)
}

func (d Dialogue) list(s Session, item int) Turn {
	if item == 0 {
		return d.mistake(s, d.words(s).say("choose"))
	}
	s.Original = s.Offered[item-1]
	return d.show(s, AtPIN, d.words(s).claiming(s.Original))
}

func (d Dialogue) reference(s Session, typed string) Turn {
	reference, ok := transfer.ParseReference(typed)
	if !ok {
		return d.mistake(s, d.words(s).say("no reference"))
	}
	s.Original = string(reference)
	return d.show(s, AtYesNo, d.words(s).say("answer"))
}
