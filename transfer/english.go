package transfer

import (
	"strconv"
	"time"
)

var english = words{
	messages: map[Message]string{
		Sent:              "Sent {minutes} to {other}.{fee} Ref {ref}.{valid} You have {left}.",
		Received:          "{minutes} from {other}.{fee} Ref {ref}.{valid} You have {left}.",
		HeldForConsent:    "{minutes} for {other} wait for a yes until {due}.{fee} Ref {ref}. You have {left}.",
		ConsentAsked:      "{other} sends you {minutes}.{fee}{valid} Reply YES {ref} by {due} to take them.",
		HeldForPayout:     "{minutes} wait for {other} until {due}.{fee} Ref {ref}. Show the code to nobody else.",
		GivenBack:         "{minutes} for {other} are yours again. Ref {ref}. You have {left}.",
		AskedFor:          "{other} asks you for {minutes}. Reply YES {ref} by {due}, or do nothing.",
		NotGiven:          "{other} did not send the {minutes} you asked for. Ref {ref}.",
		ClaimedFrom:       "{other} claims back {minutes}. They are frozen until {due}. Reply YES {ref} to return them.",
		ClaimFiled:        "Your claim {ref}: {minutes} are frozen at {other} until {due}.",
		ClaimClosed:       "Your claim {ref} to {minutes} from {other} was not granted.",
		ClaimClosedHolder: "The claim {ref} is closed. Your {minutes} are free again. You have {left}.",
		GaveBack:          "You gave {minutes} back to {other}. Ref {ref}. You have {left}.",
		GotBack:           "{minutes} are back from {other}. Ref {ref}. You have {left}.",
		HeldForReview:     "{minutes} for {other} wait for approval until {due}.{fee} Ref {ref}. You have {left}.",
	},
	refusals: map[Refusal]string{
		None:                "Done.",
		SenderUnknown:       "This number cannot use the service. Please ask customer care.",
		ReceiverUnknown:     "This number cannot receive minutes. Check it and try again.",
		SameParty:           "That is your own number. Enter somebody else's.",
		NotEnough:           "Not enough: you have {total}, you may send {movable}.",
		NotTransferable:     "You may send {movable} of {total}. {inuse} are in use, others are not for sending.",
		MinimumRemaining:    "Some minutes must stay with you. Of {movable} you can send fewer.",
		BelowMinimum:        "That is too little. Enter more minutes.",
		AboveMaximum:        "That is too much at once. Enter fewer minutes.",
		WrongStep:           "Enter another quantity: this one is not a step that can be sent.",
		DayCountLimit:       "You have sent often enough for now.{again}",
		DaySecondsLimit:     "That is more than you may send in a day.{again}",
		MonthCountLimit:     "You have sent often enough for this period.{again}",
		MonthSecondsLimit:   "That is more than you may send in this period.{again}",
		PairLimit:           "You have sent enough to this number.{again}",
		ReceiverLimit:       "This number has received enough for now.{again}",
		ReceiverFull:        "This number cannot take so many minutes. Enter fewer.",
		SenderNotEligible:   "You cannot send minutes yet. Please ask customer care.{again}",
		ReceiverNotEligible: "This number cannot receive minutes. Check it and try again.",
		KindNotAllowed:      "This transfer is not possible. Please ask customer care.",
		SenderFrozen:        "Your account is blocked for transfers. Please call customer care.{again}",
		ReceiverFrozen:      "This number cannot receive minutes. Check it and try again.",
		ReceiverDeclines:    "This number cannot receive minutes. Check it and try again.",
		WrongPIN:            "Wrong PIN. {tries} tries left.",
		PINNeeded:           "Enter your PIN.",
		PINLocked:           "Your PIN is locked. Reset it with customer care.{again}",
		PINMustChange:       "Choose a PIN of your own first: menu, PIN and blocks.",
		CoolingOff:          "Your SIM, phone or PIN was changed lately. Calls work, transfers wait.{again}",
		RiskRefused:         "This transfer was stopped for your safety. Please call customer care.",
		QuoteExpired:        "The price shown is no longer valid. Please begin again.",
		FeeTooHigh:          "The fee is higher than accepted. Please begin again.",
		NoFeeRule:           "This transfer is not possible now. Please ask customer care.",
		ReferenceReused:     "This reference was used for another request. Use a new one.",
		OriginalUnknown:     "There is no such transfer of yours. Check the reference.",
		AlreadyDone:         "That is done already.",
		WindowClosed:        "It is too late for that. Please ask customer care.",
		NotReversible:       "This transfer cannot be undone. Ask the receiver to send it back.",
		AlreadySpent:        "Too much is spent already: {minutes} are left of it.",
		Stopped:             "Transfers are stopped for now. Your minutes are safe, calls work.",
		RepeatSuspected:     "You sent the same a moment ago. Send it once more?",
		NotConfirmed:        "Please confirm first.",
		WrongCode:           "Wrong code. {tries} tries left.",
		Malformed:           "That could not be read. Check it and try again.",
		Incomplete:          "Something is missing. Check it and try again.",
	},
	clauses: map[string]string{
		"minutes": "{} min", "seconds": "{} s", "fee": " Fee {}.", "valid": " Valid to {}.",
		"again": " Try again in {}.", "somebody": "a subscriber",
	},
	date: func(t time.Time, year bool) string {
		if year {
			return t.Format("2 Jan 2006")
		}
		return t.Format("2 Jan")
	},
	wait: func(d time.Duration) string {
		n, unit := waiting(d)
		return strconv.FormatInt(n, 10) + " " + [...]string{"min", "h", "days"}[unit]
	},
	sms: SMSSeptets,
	measure: func(s string) int {
		if n, ok := Septets(s); ok {
			return n
		}
		return -1
	},
}

// waiting rounds a time up to minutes (0), hours (1) or days (2), as people say it.
func waiting(d time.Duration) (n int64, unit int) {
	for i, of := range []time.Duration{time.Minute, time.Hour, day} {
		n, unit = int64((d+of-1)/of), i
		if n <= 90 && i == 0 || n <= 48 {
			break
		}
	}
	return n, unit
}
