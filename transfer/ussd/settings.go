package ussd

import (
	"strings"

	"github.com/gyro-ocs/gyro/transfer"
)

func (d Dialogue) settings(s Session, item int) Turn {
	switch item {
	case 1:
		return d.show(s, AtNewPIN, d.words(s).say("new PIN"))
	case 2:
		s.Item = blockItem
		return d.show(s, AtNumber, d.words(s).say("block"))
	case 3:
		s.Item = unblockItem
		return d.show(s, AtNumber, d.words(s).say("unblock"))
	}
	return d.mistake(s, d.words(s).say("choose"))
}

// newPIN takes old, new and new again in one input, so that no PIN is kept between two.
func (d Dialogue) newPIN(s Session, typed string) Turn {
	parts := strings.Fields(strings.ReplaceAll(typed, "*", " "))
	if len(parts) != 3 || parts[1] != parts[2] {
		return d.mistake(s, d.words(s).say("PINs differ"))
	}
	return d.want(s, AtNewPIN, Want{Do: ChangePIN, PIN: parts[0], NewPIN: parts[1]})
}

func (d Dialogue) pinChanged(s Session, r Result) Turn {
	switch r.Answer.Refusal {
	case transfer.None:
		return d.end(s, d.words(s).say("PIN changed"))
	case transfer.WrongPIN:
		if r.Answer.TriesLeft > 0 {
			return d.show(s, AtNewPIN, fit(r.Answer.Say(s.Language), d.words(s).say("new PIN")))
		}
		return d.end(s, r.Answer.Say(s.Language))
	case transfer.Malformed:
		return d.mistake(s, d.words(s).say("weak PIN"))
	default:
		return d.end(s, r.Answer.Say(s.Language))
	}
}
