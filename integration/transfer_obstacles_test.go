package integration

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

// An obstacle is what is in the way of a transfer, and the refusal that it meets.
type obstacle struct {
	refused
	policy   []string // what the policy says otherwise, old and new
	stranger bool     // nobody has the sender's number
	screen   string   // of a handset, where it is another than text
	prepare  func(t *testing.T, s *server, sender, receiver string)
}

const cannotReceive = "This number cannot receive minutes. Check it and try again."

const limitsKey = "  limits:\n"

// limit is a policy with one limit more.
func limit(text string) []string {
	return []string{limitsKey, limitsKey + "    - {" + text + "}\n"}
}

// someMinutes moves five minutes first.
func someMinutes(t *testing.T, s *server, sender, receiver string) {
	t.Helper()
	body := fmt.Sprintf(`{"from":%q,"to":%q,"seconds":300,"as":"sender"}`, sender, receiver)
	if answer := s.http(t, http.MethodPost, "/care/v1/transfers", body); answer.status != http.StatusCreated {
		t.Fatalf("before the obstacle: %d %s", answer.status, answer.body)
	}
}

func pinOf(pin string, chosen bool) func(t *testing.T, s *server, sender, _ string) {
	return func(t *testing.T, s *server, sender, _ string) {
		t.Helper()
		s.put(t, "/care/v1/subscribers/"+sender+"/pin", map[string]any{"pin": pin, "chosen": chosen})
	}
}

func frozen(who func(sender, receiver string) string) func(t *testing.T, s *server, sender, receiver string) {
	return func(t *testing.T, s *server, sender, receiver string) {
		t.Helper()
		path, profile := "/care/v1/subscribers/"+who(sender, receiver)+"/profile", map[string]any{}
		s.http(t, http.MethodGet, path, "").read(t, &profile)
		delete(profile, "$schema")
		profile["freeze"] = "frozen"
		s.put(t, path, profile)
	}
}

func theSender(sender, _ string) string     { return sender }
func theReceiver(_, receiver string) string { return receiver }

// The rows of table 4.5 that a request to move minutes can meet. A number is 0 where the table has no code of its own.
var obstacles = []obstacle{
	{refused: refused{name: "not enough", minutes: 200, result: 4012, status: 409, code: "insufficientFunds", text: "Not enough: you have 100 min, you may send 100 min.", exit: 4}},
	{
		refused: refused{name: "not transferable", minutes: 5, result: 4012, number: 4103, status: 409, code: "balanceNotTransferable", text: "You may send 0 min of 100 min.", exit: 4},
		policy:  []string{"    plan: *movable", "    plan: {movable: false}"},
	},
	{
		refused: refused{name: "minimum must remain", minutes: 100, result: 4012, number: 4104, status: 409, code: "minimumRemaining", text: "Some minutes must stay with you.", exit: 4},
		policy:  []string{"      step: 1min\n", "      step: 1min\n      min_remaining: 1min\n"},
	},
	{
		refused: refused{
			name: "below minimum", minutes: 1, result: 5004, number: 5105, blames: []avpCode{requested, ccTime}, status: 400,
			code: "lessThanTransactionMinValue", text: "That is too little. Enter more minutes.", exit: 4,
		},
		policy: []string{"least: 1min\n", "least: 2min\n"},
	},
	{
		refused: refused{
			name: "above maximum", minutes: 51, result: 5004, number: 5106, blames: []avpCode{requested, ccTime}, status: 400,
			code: "greaterThanTransactionMaxValue", text: "That is too much at once. Enter fewer minutes.", exit: 4,
		},
		policy: []string{"most: 500min", "most: 50min"},
	},
	{
		refused: refused{
			name: "wrong step", minutes: 6, result: 5004, number: 5107, blames: []avpCode{requested, ccTime}, status: 400, code: "stepError",
			text: "Enter another quantity: this one is not a step that can be sent.", exit: 4,
		},
		policy: []string{"      step: 1min\n", "      step: 5min\n"},
	},
	{
		refused: refused{name: "day count limit", minutes: 6, result: 4010, number: 4108, status: 409, code: "dailyVolumeLimitExceeded", text: "You have sent often enough for now.", exit: 4},
		policy:  limit("name: t1, scope: sender, window: day/calendar, count: 1"), prepare: someMinutes,
	},
	{
		refused: refused{name: "day value limit", minutes: 6, result: 4010, number: 4109, status: 409, code: "dailyValueLimitExceeded", text: "That is more than you may send in a day.", exit: 4},
		policy:  limit("name: t2, scope: sender, window: day/calendar, seconds: 10min"), prepare: someMinutes,
	},
	{
		refused: refused{name: "month count limit", minutes: 6, result: 4010, number: 4110, status: 409, code: "monthlyVolumeLimitExceeded", text: "You have sent often enough for this period.", exit: 4},
		policy:  limit("name: t3, scope: sender, window: month/calendar, count: 1"), prepare: someMinutes,
	},
	{
		refused: refused{name: "month value limit", minutes: 6, result: 4010, number: 4111, status: 409, code: "monthlyValueLimitExceeded", text: "That is more than you may send in this period.", exit: 4},
		policy:  limit("name: t4, scope: sender, window: month/calendar, seconds: 10min"), prepare: someMinutes,
	},
	{
		refused: refused{name: "pair limit", minutes: 6, result: 4010, number: 4112, status: 409, code: "pairLimitExceeded", text: "You have sent enough to this number.", exit: 4},
		policy:  limit("name: t5, scope: pair, window: month/calendar, count: 1"), prepare: someMinutes,
	},
	{
		refused: refused{name: "receiver limit", minutes: 6, result: 4010, number: 4113, status: 409, code: "accountMaxTotalValueExceeded", text: "This number has received enough for now.", exit: 4},
		policy:  limit("name: t6, scope: receiver, window: day/calendar, count: 1"), prepare: someMinutes,
	},
	{
		refused: refused{name: "receiver balance cap", minutes: 5, result: 4010, number: 4114, status: 409, code: "maxBalanceExceeded", text: "This number cannot take so many minutes. Enter fewer.", exit: 4},
		policy:  []string{"      step: 1min\n", "      step: 1min\n      receiver_cap: 5min\n"},
	},
	{
		refused: refused{name: "sender not eligible", minutes: 5, result: 4010, number: 5115, status: 403, code: "notEligible", text: "You cannot send minutes yet. Please ask customer care.", exit: 4},
		policy:  []string{"sender_min_age_days: 0", "sender_min_age_days: 90"},
	},
	{
		refused: refused{name: "receiver not eligible", minutes: 5, result: 4010, number: 5116, status: 403, code: "notEligible", text: cannotReceive, exit: 4},
		policy:  []string{"receiver_min_age_days: 0", "receiver_min_age_days: 90"},
	},
	{
		refused: refused{name: "kind not allowed", minutes: 5, result: 4010, number: 5117, status: 403, code: "notEligible", text: "This transfer is not possible. Please ask customer care.", exit: 4},
		policy:  []string{"p2p: &between\n", "p2p: &between\n      off: true\n"},
	},
	{
		refused: refused{name: "sender frozen", minutes: 5, result: 4010, number: 5118, status: 403, code: "incorrectState", text: "Your account is blocked for transfers. Please call customer care.", exit: 4},
		prepare: frozen(theSender),
	},
	{
		refused: refused{name: "receiver frozen", minutes: 5, result: 4010, number: 5119, status: 403, code: "incorrectState", text: cannotReceive, exit: 4},
		prepare: frozen(theReceiver),
	},
	{
		refused: refused{name: "receiver declines", minutes: 5, result: 4010, number: 5120, status: 403, code: "requestDeclined", text: cannotReceive, exit: 4},
		prepare: func(t *testing.T, s *server, sender, receiver string) {
			t.Helper()
			door := &ussdDoor{sessions: 1000}
			for _, typed := range []string{"", "8", "8*2"} {
				door.say(t, s, receiver, typed)
			}
			if _, screen := door.say(t, s, receiver, "8*2*"+sender); !strings.HasPrefix(screen, "Blocked: ") {
				t.Errorf("block a number: %q", screen)
			}
		},
	},
	{refused: refused{name: "wrong PIN", minutes: 5, pin: wrongPIN, result: 4001, status: 401, code: "clientAuthorisationError", text: "Wrong PIN. 2 tries left.", exit: 4}, prepare: pinOf(rightPIN, true)},
	{
		refused: refused{name: "PIN locked", minutes: 5, pin: wrongPIN, result: 5003, number: 5121, status: 403, code: "pinLocked", text: "Your PIN is locked. Reset it with customer care.", exit: 4},
		policy:  []string{"tries: 3", "tries: 1"}, prepare: pinOf(rightPIN, true),
	},
	{
		refused: refused{name: "PIN must be changed", minutes: 5, pin: rightPIN, result: 5003, number: 5122, status: 403, code: "pinChangeRequired", text: "Choose a PIN of your own first: menu, PIN and blocks.", exit: 4},
		prepare: pinOf(rightPIN, false),
	},
	{
		refused: refused{name: "cooling off", minutes: 5, result: 4010, number: 4123, status: 403, code: "coolingOff", text: "Your SIM, phone or PIN was changed lately. Calls work, transfers wait.", exit: 4},
		policy:  []string{"pin_reset: 0", "pin_reset: 1d"},
		prepare: func(t *testing.T, s *server, sender, receiver string) {
			t.Helper()
			pinOf(rightPIN, false)(t, s, sender, receiver)
			pinOf("408263", false)(t, s, sender, receiver)
		},
	},
	{
		refused: refused{name: "refused by risk rule", minutes: 5, result: 4010, number: 4124, status: 403, code: "requestDeclined", text: "This transfer was stopped for your safety. Please call customer care.", exit: 4},
		policy:  []string{"  quote_life: 5m", "  rules: [{id: all, when: amount >= 1, action: deny}]\n  quote_life: 5m"},
	},
	{
		refused: refused{name: "no fee rule", minutes: 5, result: 5031, status: 500, code: "internalError", text: "This transfer is not possible now. Please ask customer care.", exit: 4},
		policy:  []string{"    - {name: free}\n", "    - {name: free, kinds: [merchant]}\n"},
	},
	{
		refused: refused{
			name: "same party", to: "me", minutes: 5, result: 5004, number: 5102, blames: []avpCode{serviceParameter}, status: 409, code: "samePartiesError",
			text: "That is your own number. Enter somebody else's.", exit: 4,
		},
	},
	{
		refused: refused{
			name: "receiver unknown", to: "nobody", minutes: 5, result: 5004, number: 5101, blames: []avpCode{serviceParameter}, status: 404,
			code: "identifierError", text: cannotReceive, exit: 3,
		},
	},
	{
		refused:  refused{name: "sender unknown", minutes: 5, result: 5030, status: 404, code: "identifierError", text: "This number cannot use the service. Please ask customer care.", exit: 3},
		stranger: true, screen: "This service is not available for this number.",
	},
}

// Whatever is in the way of a transfer is told alike at every door, with its code of table 4.5 and a text that tells a person what
// to do; nothing moves; and when nothing is in the way any more, what was refused under a reference stays refused under it.
func TestObstaclesAtEveryDoor(t *testing.T) {
	t.Parallel()
	base := []string{"pin_reset: 1d", "pin_reset: 0"}
	s := configured(t, fmt.Sprintf(`
accept_unknown_peers: true
transfer:
  policy: %s
  diameter: {operations: [send], plain_credentials: true}
  ussd: {gateways: [{name: at1, dialect: form, token: %s}]}
`, changedPolicy(t, base...), gatewayToken))
	l := s.client(t)
	doors := []door{&diameterDoor{l}, tmfDoor{}, cliDoor{}, &ussdDoor{}}
	var again []func()
	for _, o := range obstacles {
		s.loadPolicy(t, changedPolicy(t, append(base[:2:2], o.policy...)...))
		for _, d := range doors {
			row, sender, receiver := o.refused, newMSISDN(), s.created(t, 60)
			if !o.stranger {
				sender = s.created(t, 6000)
			}
			switch row.to {
			case "":
				row.to = receiver
			case "nobody":
				row.to = newMSISDN()
			}
			if row.number == 0 {
				row.number = row.result
			}
			if _, isUSSD := d.(*ussdDoor); isUSSD && o.screen != "" {
				row.text = o.screen
			}
			if o.prepare != nil {
				o.prepare(t, s, sender, receiver)
			}
			before := [2]account{}
			if !o.stranger {
				before = [2]account{s.account(t, sender), s.account(t, receiver)}
			}
			row.meet(t, s, d, sender)
			again = append(again, func() {
				if _, isUSSD := d.(*ussdDoor); !isUSSD { // a handset gives no references
					row.meet(t, s, d, sender)
				}
				if after := [2]account{s.account(t, sender), s.account(t, receiver)}; after != before {
					t.Errorf("%s, %s: accounts %+v, want them as before: %+v", d.name(), row.name, after, before)
				}
			})
			if o.stranger {
				again = again[:len(again)-1] // there is nobody to remember it for
			}
		}
	}
	s.loadPolicy(t, changedPolicy(t, base...))
	for _, once := range again {
		once()
	}
	l.drop()
	s.wantTransfersSound(t)
}

// created is newSubscriber over HTTP, which is quicker.
func (s *server) created(t *testing.T, seconds int64) string {
	t.Helper()
	msisdn := newMSISDN()
	if answer := s.http(t, http.MethodPost, "/care/v1/subscribers", fmt.Sprintf(`{"msisdn":%q,"plan":"demo","seconds":%d}`, msisdn, seconds)); answer.status != http.StatusCreated {
		t.Fatalf("create a subscriber: %d %s", answer.status, answer.body)
	}
	return msisdn
}

func (s *server) put(t *testing.T, path string, body any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if answer := s.http(t, http.MethodPut, path, string(text)); answer.status/100 != 2 {
		t.Fatalf("PUT %s: %d %s", path, answer.status, answer.body)
	}
}

func (s *server) loadPolicy(t *testing.T, file string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "/care/v1/policy", map[string]any{"source": string(source)})
}
