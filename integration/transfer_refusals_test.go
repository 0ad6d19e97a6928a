package integration

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
)

const (
	gatewayToken = "3f9c0d6e1b7a4f52a8"
	rightPIN     = "730185"
	wrongPIN     = "730186"
)

// A refused is a row of table 4.5 of docs/spec/transfer.md, and a request that meets it.
type refused struct {
	name    string // at the command line
	to      string // me: the sender; else a number
	minutes int
	pin     string // the channel is then one that wants a PIN

	result, number uint32 // Result-Code, parameter 17
	blames         []avpCode
	status         int
	code           string // Error.code
	text           string // to the person
	exit           int    // of the command line
}

// Every door refuses alike: with the code of table 4.5 and a text that tells a person what to do, and nothing moves.
func TestRefusalsAtEveryDoor(t *testing.T) {
	t.Parallel()
	s := refusing(t)
	const seconds = 6000
	l := s.client(t)
	doors := []door{&diameterDoor{l}, tmfDoor{}, cliDoor{}, &ussdDoor{}}
	receiver, stranger := s.newSubscriber(t, 60), newMSISDN()
	const person = "This number cannot receive minutes. Check it and try again."
	rows := []refused{
		{"not enough", receiver, 200, "", 4012, 4012, nil, 409, "insufficientFunds", "Not enough: you have 100 min, you may send 100 min.", 4},
		{"same party", "me", 5, "", 5004, 5102, []avpCode{serviceParameter}, 409, "samePartiesError", "That is your own number. Enter somebody else's.", 4},
		{"receiver unknown", stranger, 5, "", 5004, 5101, []avpCode{serviceParameter}, 404, "identifierError", person, 3},
		{
			"below minimum", receiver, 1, "", 5004, 5105, []avpCode{requested, ccTime}, 400, "lessThanTransactionMinValue",
			"That is too little. Enter more minutes.", 4,
		},
		{"wrong PIN", receiver, 5, wrongPIN, 4001, 4001, nil, 401, "clientAuthorisationError", "Wrong PIN. 2 tries left.", 4},
	}
	stopped := refused{
		"stopped by operator", receiver, 5, "", 4010, 4133, nil, 503, "serviceUnavailable",
		"Transfers are stopped for now. Your minutes are safe, calls work.", 4,
	}
	senders := map[string]string{}
	for _, d := range doors {
		sender := s.newSubscriber(t, seconds)
		s.gyroWith(t, rightPIN+"\n"+rightPIN+"\n", 0, "pin", "set", sender, "--chosen")
		senders[d.name()] = sender
		for _, row := range rows {
			row.meet(t, s, d, sender)
		}
	}
	for _, sender := range senders {
		var state struct {
			TriesLeft int `json:"tries_left"`
		}
		if s.gyroJSON(t, &state, "pin", "show", sender); state.TriesLeft != 2 {
			t.Errorf("after one wrong PIN: got %d tries left, want 2", state.TriesLeft)
		}
	}
	s.gyro(t, "policy", "kill", "--reason", "fraud")
	for _, d := range doors {
		stopped.meet(t, s, d, senders[d.name()])
	}
	s.wantAccount(t, receiver, 60, 0)

	s.gyro(t, "policy", "resume")
	moved := int64(0)
	for _, d := range doors { // the doors are open to what is right
		s.wantAccount(t, senders[d.name()], seconds, 0)
		if told := d.send(t, s, senders[d.name()], refused{to: receiver, minutes: 5, pin: rightPIN}, "right"); told.refused {
			t.Errorf("%s: what is right was refused: %+v", d.name(), told)
		}
		moved += 300
		s.wantAccount(t, senders[d.name()], seconds-300, 0)
		s.wantAccount(t, receiver, 60+moved, 0)
	}
	l.drop() // the server need not wait for it when it stops
	for line := range strings.Lines(s.output.String()) {
		if anyMSISDN.MatchString(line) || strings.Contains(line, rightPIN) || strings.Contains(line, wrongPIN) {
			t.Errorf("the log tells a number or a PIN: %s", line)
		}
	}
	s.wantTransfersSound(t)
}

// refusing starts a server with every door open, of which the policy wants two minutes at least.
func refusing(t *testing.T) *server {
	t.Helper()
	return configured(t, fmt.Sprintf(`
accept_unknown_peers: true
transfer:
  policy: %s
  diameter: {operations: [send], plain_credentials: true}
  ussd: {gateways: [{name: at1, dialect: form, token: %s}]}
`, changedPolicy(t, "least: 1min\n      most: 500min", "least: 2min\n      most: 500min", "pin_reset: 1d", "pin_reset: 0"), gatewayToken))
}

func (r refused) meet(t *testing.T, s *server, d door, sender string) {
	t.Helper()
	if r.to == "me" {
		r.to = sender
	}
	got := d.send(t, s, sender, r, r.name)
	if !got.refused {
		t.Errorf("%s, %s: was not refused", d.name(), r.name)
	}
	want := d.want(r)
	if got.code != want || !strings.Contains(got.text, r.textAt(d)) {
		t.Errorf("%s, %s: got %s %q, want %s %q", d.name(), r.name, got.code, got.text, want, r.textAt(d))
	}
	if named := anyMSISDN.FindString(got.text); named != "" {
		t.Errorf("%s, %s: the text tells a number: %s", d.name(), r.name, got.text)
	}
}

// textAt is what the door tells: TMF654 has a reason for programs.
func (r refused) textAt(d door) string {
	if _, ok := d.(tmfDoor); ok {
		return r.name
	}
	return r.text
}

// A door is a way to ask for a transfer.
type door interface {
	name() string
	send(t *testing.T, s *server, sender string, r refused, reference string) told
	want(r refused) string // the code of a refusal
}

// told is what a door said.
type told struct {
	refused    bool
	code, text string
}

// keyOf is a client's reference, of what a row is called.
func keyOf(name string) string { return strings.ReplaceAll(name, " ", "-") }

type diameterDoor struct{ l *link }

func (*diameterDoor) name() string { return "Diameter" }

func (*diameterDoor) want(r refused) string { return fmt.Sprintf("%d/%d", r.result, r.number) }

func (d *diameterDoor) send(t *testing.T, _ *server, sender string, r refused, reference string) told {
	t.Helper()
	parameters := []avp{param(1, "1"), param(3, "tel:"+r.to), param(4, keyOf(reference)), param(14, "api")}
	if r.pin != "" {
		parameters = append(parameters[:3], param(14, "ussd"), param(12, "0"), param(13, r.pin))
	}
	ccr := transferCCR(d.l, sender, 60*uint32(r.minutes), parameters...)
	again := d.l.start(ccr.resent()) // a copy at the same time is answered alike, and a wrong PIN is counted once
	answer := d.l.call(ccr)
	sameAnswer(t, answer, answersTo(t, []<-chan message{again})[0])
	blamed, blames := answer.find(failedAVP)
	if blames != (r.blames != nil) {
		t.Errorf("Diameter, %s: Failed-AVP %v, want %v, in %v", r.name, blamed, r.blames, answer)
	} else if _, ok := answer.find(append([]avpCode{failedAVP}, r.blames...)...); blames && !ok {
		t.Errorf("Diameter, %s: Failed-AVP does not hold %v, in %v", r.name, r.blames, answer)
	}
	return told{answer.resultCode()/1000 != 2, fmt.Sprintf("%d/%s", answer.resultCode(), paramOf(answer, 17)), paramOf(answer, 22)}
}

type tmfDoor struct{}

func (tmfDoor) name() string { return "TMF654" }

func (tmfDoor) want(r refused) string { return fmt.Sprintf("%d %s", r.status, r.code) }

func (tmfDoor) send(t *testing.T, s *server, sender string, r refused, reference string) told {
	t.Helper()
	channel, headers := "api", []string{"X-Idempotency-Key", keyOf(reference)}
	if r.pin != "" {
		channel, headers = "ussd", append(headers, "X-User-Credential-1", r.pin)
	}
	answer := s.http(t, http.MethodPost, tmf654+"/transferBalance", transferBalance(sender, r.to, channel, 60*int64(r.minutes)), headers...)
	var fault struct{ Code, Reason string }
	answer.read(t, &fault)
	return told{answer.status != http.StatusCreated, fmt.Sprintf("%d %s", answer.status, fault.Code), fault.Reason}
}

type cliDoor struct{}

func (cliDoor) name() string { return "command line" }

func (cliDoor) want(r refused) string { return fmt.Sprintf("exit %d, %s, %s", r.exit, r.name, r.code) }

func (cliDoor) send(t *testing.T, s *server, sender string, r refused, reference string) told {
	t.Helper()
	args := []string{"transfer", "send", "--id", keyOf(reference), "--from", sender, "--to", r.to, "--minutes", fmt.Sprint(r.minutes)}
	if r.pin != "" {
		args = append(args, "--pin", "--channel", "ussd", "--yes")
	}
	stderr, exit := s.command(t, r.pin+"\n", args...)
	_, called, _ := strings.Cut(stderr, "this is called: ")
	called, _, _ = strings.Cut(called, "\n")
	return told{exit != 0, fmt.Sprintf("exit %d, %s", exit, called), stderr}
}

// ussdDoor is a gateway of the form dialect: text holds all inputs so far.
type ussdDoor struct{ sessions int }

func (*ussdDoor) name() string { return "USSD" }

// want is empty: a handset shows no codes.
func (*ussdDoor) want(refused) string { return "" }

func (d *ussdDoor) send(t *testing.T, s *server, sender string, r refused, _ string) told {
	t.Helper()
	d.sessions++
	dialled := fmt.Sprintf("%d*%s", r.minutes, r.to)
	word, screen := d.say(t, s, sender, dialled)
	if r.pin != "" {
		if word != "CON" || !strings.HasSuffix(screen, "PIN:") {
			t.Errorf("USSD, %s: got %s %q, want the question for the PIN", r.name, word, screen)
		}
		_, screen = d.say(t, s, sender, dialled+"*"+r.pin)
	}
	return told{!strings.HasPrefix(screen, "Sent. Ref "), "", screen}
}

func (d *ussdDoor) say(t *testing.T, s *server, sender, text string) (word, screen string) {
	t.Helper()
	form := url.Values{
		"sessionId": {fmt.Sprintf("s%d", d.sessions)}, "serviceCode": {"*999#"}, "phoneNumber": {"+" + sender}, "networkCode": {"1"}, "text": {text},
	}
	answer := s.http(t, http.MethodPost, "/ussd/at1?token="+gatewayToken, form.Encode(), "Authorization", "",
		"Content-Type", "application/x-www-form-urlencoded")
	word, screen, _ = strings.Cut(answer.body, " ")
	if answer.status != http.StatusOK || word != "CON" && word != "END" {
		t.Fatalf("USSD: got %d %q, want CON or END", answer.status, answer.body)
	}
	return word, screen
}

// command runs a command of the gyro binary with stdin, and returns what it complained of.
func (s *server) command(t *testing.T, stdin string, args ...string) (stderr string, exit int) {
	t.Helper()
	binary, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, append(args, "--data-dir", s.dir)...)
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr, cmd.Env = strings.NewReader(stdin), &errs, environment()
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("gyro %v: %v", args, err)
	}
	return errs.String(), cmd.ProcessState.ExitCode()
}

// gyroWith is command for one that must end with exit.
func (s *server) gyroWith(t *testing.T, stdin string, exit int, args ...string) {
	t.Helper()
	if stderr, got := s.command(t, stdin, args...); got != exit {
		t.Fatalf("gyro %v: exit %d, want %d\n%s", args, got, exit, stderr)
	}
}
