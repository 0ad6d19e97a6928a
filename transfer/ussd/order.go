package ussd

import (
	"strings"

	"github.com/gyro-ocs/gyro/transfer"
)

// kind is the kind of transfer that an item of the menu makes.
func (s Session) kind() transfer.Kind {
	switch s.Item {
	case payItem:
		return transfer.Merchant
	case cashItem:
		return transfer.CashOut
	}
	return transfer.P2P
}

// request is the content of what the session has gathered.
func (d Dialogue) request(s Session, op transfer.Operation) transfer.Request {
	by := transfer.BySender
	if op == transfer.OpSolicit {
		by = transfer.ByReceiver
	}
	r := transfer.Request{
		Operation: op, Kind: s.kind(), Channel: d.Channel, By: by, Seconds: s.Seconds, Note: s.Note, QuoteID: s.QuoteID,
		Again: s.Again, Original: s.Original, Confirmed: true,
	}
	if !op.ReadsOnly() {
		r.Reference = s.reference()
	}
	return r
}

// number takes the counterparty. Its own number, an unknown or a barred one is refused now and not after the PIN.
func (d Dialogue) number(s Session, typed string) Turn {
	number, ok := dialledNumber(typed)
	if s.Item == payItem || s.Item == cashItem {
		number, ok = transfer.ParseShortCode(typed)
	}
	if !ok {
		return d.mistake(s, d.words(s).say("no number"))
	}
	s.Number = number
	switch s.Item {
	case blockItem:
		return d.want(s, AtNumber, Want{Do: Block, Number: number})
	case unblockItem:
		return d.want(s, AtNumber, Want{Do: Unblock, Number: number})
	}
	return d.want(s, AtNumber, Want{Do: Recipient, Number: number, Request: d.request(s, transfer.OpAllowance)})
}

// dialledNumber reads a telephone number as people write it, in the digits of any alphabet.
func dialledNumber(typed string) (string, bool) {
	plain := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(typed)
	dial, err := transfer.ParseDialled([]string{"9", plain})
	return dial.Number, err == nil
}

func (d Dialogue) recipient(s Session, r Result) Turn {
	w := d.words(s)
	if s.Item == blockItem || s.Item == unblockItem {
		if r.Answer.Refusal != transfer.None {
			return d.end(s, r.Answer.Say(s.Language))
		}
		return d.end(s, w.say(map[int]string{blockItem: "blocked", unblockItem: "unblocked"}[s.Item]))
	}
	switch r.Answer.Refusal {
	case transfer.None:
	case transfer.ReceiverUnknown, transfer.SameParty, transfer.ReceiverFrozen, transfer.ReceiverDeclines, transfer.ReceiverNotEligible:
		return d.mistake(s, r.Answer.Say(s.Language))
	default:
		return d.end(s, r.Answer.Say(s.Language))
	}
	s.Name = r.Name
	if s.Item == askItem || r.Answer.Purse == nil {
		return d.show(s, AtMinutes, w.say("minutes"))
	}
	return d.show(s, AtMinutes, w.mayLine(r.Answer)+" "+w.say("minutes"))
}

func (d Dialogue) minutes(s Session, typed string) Turn {
	n, err := transfer.ParseMinutes(typed)
	if err != nil {
		return d.mistake(s, d.words(s).say("whole minutes"))
	}
	s.Seconds = n
	switch s.Item {
	case askItem:
		return d.show(s, AtYesNo, d.words(s).asking(s))
	case payItem:
		return d.show(s, AtBill, d.words(s).say("bill"))
	}
	return d.quote(s)
}

func (d Dialogue) bill(s Session, typed string) Turn {
	if len([]rune(typed)) > transfer.MaxNote || typed == "" {
		return d.mistake(s, d.words(s).say("bill too long"))
	}
	s.Note = typed
	if typed == "00" {
		s.Note = ""
	}
	return d.quote(s)
}

// quote asks for the price. It is what will be charged: the transfer names the quote.
func (d Dialogue) quote(s Session) Turn {
	at := s.At
	if at != AtAgain && at != AtBill {
		at = AtMinutes
	}
	s.QuoteID = ""
	return d.want(s, at, Want{Do: Decide, Number: s.Number, Request: d.request(s, transfer.OpQuote)})
}

// quoted shows what would happen and asks for the PIN, or for another quantity.
func (d Dialogue) quoted(s Session, r Result) Turn {
	switch r.Answer.Refusal {
	case transfer.None:
		s.QuoteID, s.Name = r.Answer.QuoteID, r.Name
		return d.show(s, AtPIN, d.words(s).consent(s, r.Answer, d.Zone))
	case transfer.RepeatSuspected:
		return d.show(s, AtAgain, r.Answer.Say(s.Language)+" "+d.words(s).say("yes or no"))
	case transfer.NotEnough, transfer.NotTransferable, transfer.MinimumRemaining, transfer.BelowMinimum, transfer.AboveMaximum,
		transfer.WrongStep, transfer.DaySecondsLimit, transfer.MonthSecondsLimit, transfer.ReceiverFull:
		s.At, s.Prompt = AtMinutes, d.words(s).say("minutes")
		return d.mistake(s, r.Answer.Say(s.Language))
	default:
		return d.end(s, r.Answer.Say(s.Language))
	}
}

// do does it, under a reference that no attempt had before.
func (d Dialogue) do(s Session, pin string) Turn {
	s.Attempts++
	w := Want{Do: Decide, Number: s.Number, PIN: pin}
	switch s.Item {
	case cashItem:
		w.Request = d.request(s, transfer.OpPrepare)
	case claimItem:
		w.Request = d.request(s, transfer.OpReverse)
	case answerItem:
		w.Do, w.Original, w.Yes, w.Request = Answer, s.Original, s.Yes, d.request(s, transfer.OpAccept)
	default:
		w.Request = d.request(s, transfer.OpSend)
	}
	return d.want(s, AtPIN, w)
}

// done tells what came of it. Only a wrong PIN can be mended in the same session.
func (d Dialogue) done(s Session, r Result) Turn {
	a := r.Answer
	if a.Refusal == transfer.WrongPIN && a.TriesLeft > 0 {
		return d.show(s, AtPIN, a.Say(s.Language)+" "+d.words(s).say("PIN"))
	}
	if a.Refusal != transfer.None {
		return d.end(s, a.Say(s.Language))
	}
	return d.end(s, d.words(s).ended(s, r, d.Zone))
}

// yesNo takes the answer to "is that so?", for what needs no PIN.
func (d Dialogue) yesNo(s Session, typed string) Turn {
	yes := typed == "1"
	switch {
	case typed != "1" && typed != "2":
		return d.mistake(s, d.words(s).say("choose"))
	case s.Item == answerItem && yes:
		s.Yes = true
		return d.show(s, AtPIN, d.words(s).say("PIN"))
	case s.Item == answerItem:
		s.Attempts++
		return d.want(s, AtYesNo, Want{Do: Answer, Original: s.Original, Request: d.request(s, transfer.OpDecline)})
	case !yes:
		return d.end(s, d.words(s).say("nothing sent"))
	}
	s.Attempts++
	return d.want(s, AtYesNo, Want{Do: Decide, Number: s.Number, Request: d.request(s, transfer.OpSolicit)})
}
