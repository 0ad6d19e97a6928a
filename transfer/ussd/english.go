package ussd

var english = words{
	"menu":     "1 Send minutes\n2 Pay a shop\n3 Ask for minutes\n4 Balance\n5 Last 5\n6 Cash out\n7 Claims\n8 PIN and blocks",
	"claims":   "1 Claim back what I sent\n2 Answer a request or a claim\n0 Back",
	"settings": "1 Change PIN\n2 Block a number\n3 Unblock a number\n0 Back",

	"number":    "To which number?\n0 Back",
	"shop":      "Code of the shop?\n0 Back",
	"trader":    "Code of the trader?\n0 Back",
	"block":     "Which number to block?\n0 Back",
	"unblock":   "Which number to unblock?\n0 Back",
	"minutes":   "Minutes?",
	"bill":      "Bill number? 00 for none",
	"reference": "Reference of the request?\n0 Back",
	"new PIN":   "Old PIN, new PIN and new PIN again, with * between:",
	"PIN":       "PIN:",
	"yes or no": "1 Yes 2 No",
	"answer":    "Give the minutes?\n1 Yes\n2 No\n0 Back",

	"may":     "You may send {may} of {total}",
	"in use":  ", {} in use",
	"kept":    ", {} are {class}",
	"balance": "You have {left}.",
	"consent": "{minutes} to {name}.{fee} Left {left}.{valid} PIN:",
	"fee":     " Fee {}.",
	"valid":   " Valid to {}.",
	"asking":  "Ask {name} for {minutes}?\n1 Yes\n2 No",

	"claiming": "Claim back {ref}? What is left is frozen until it is decided. PIN:",

	"sent":     "Sent. Ref {ref}. {left} left.",
	"waits":    "Waits for a yes until {due}. Ref {ref}. {left} left.",
	"cash":     "Code {code}: show it to the trader only, by {due}. {minutes} are set aside. Ref {ref}.",
	"asked":    "Asked. Ref {ref}.",
	"claimed":  "{minutes} are frozen until it is decided, by {due}. Ref {ref}.",
	"accepted": "Done. Ref {ref}. {left} left.",
	"declined": "Declined. Ref {ref}.",

	"blocked":          "Blocked: this number can send you nothing and ask you for nothing.",
	"unblocked":        "Unblocked.",
	"PIN changed":      "PIN changed. Transfers may wait for some hours; calls work.",
	"nothing sent":     "Nothing was sent.",
	"nothing to claim": "None of your last transfers can be claimed back.",
	"no transfers":     "No transfers yet.",

	"choose":         "Please choose one of these:",
	"no number":      "That is no number we know how to read.",
	"whole minutes":  "Whole minutes only, in digits.",
	"bill too long":  "At most 64 characters.",
	"no reference":   "That reference has a slip in it.",
	"PINs differ":    "Like this: 111222*333444*333444.",
	"weak PIN":       "That PIN is too easy to guess.",
	"dial":           "Dial {service}*minutes*number#, in digits. Or dial {service}# for the menu. Nothing was sent.",
	"no PIN in dial": "Do not dial your PIN: it stays in your phone. Dial {service}*minutes*number# and type it when asked.",
	"try again":      "Please dial again. If you typed your PIN, check Last 5 first.",

	"class bonus": "bonus", "class borrowed": "borrowed", "class plan": "of the plan", "class float": "float",
}
