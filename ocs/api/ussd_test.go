package api_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/api/apitest"
)

const annPIN = "730185"

// dialling is twoPeople with names, and a PIN for Ann.
func dialling(t *testing.T) *apitest.Server {
	t.Helper()
	s := twoPeople(t)
	named(t, s, ann, "LEE SORA", "en")
	named(t, s, bob, "KIM MINSU", "ko")
	choosePIN(t, s, ann, annPIN)
	return s
}

// gateway speaks one dialect.
type gateway interface {
	// say sends an input; first: what was dialled after the service code.
	say(t *testing.T, input string, first bool) (screen string, end bool)
}

// post sends a gateway's request, with its token.
func post(t *testing.T, s *apitest.Server, name, contentType, body, token string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+"/ussd/"+name, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.SetBasicAuth("gateway", token)
	return do(t, request)
}

type formGateway struct {
	s       *apitest.Server
	session string
	text    string
}

func (g *formGateway) say(t *testing.T, input string, first bool) (string, bool) {
	t.Helper()
	if g.text != "" {
		g.text += "*"
	}
	g.text += input
	return g.again(t)
}

// again sends the same once more, as a gateway does that got no answer.
func (g *formGateway) again(t *testing.T) (string, bool) {
	t.Helper()
	form := url.Values{"sessionId": {g.session}, "serviceCode": {"*999#"}, "phoneNumber": {"+" + ann}, "networkCode": {"1"}, "text": {g.text}}
	got := post(t, g.s, "form", "application/x-www-form-urlencoded", form.Encode(), apitest.GatewayToken)
	wantStatus(t, got, http.StatusOK)
	word, screen, _ := strings.Cut(got.text, " ")
	if word != "CON" && word != "END" {
		t.Fatalf("answered %q, want CON or END", got.text)
	}
	return screen, word == "END"
}

type madapiGateway struct{ s *apitest.Server }

func (g madapiGateway) say(t *testing.T, input string, first bool) (string, bool) {
	t.Helper()
	kind := "1"
	if first {
		kind, input = "0", "*999*"+input+"#"
	}
	body := fmt.Sprintf(`{"sessionId":"m1","messageType":%q,"msisdn":%q,"serviceCode":"*999#","ussdString":%q,"imsi":"204040000000001"}`, kind, ann, input)
	got := post(t, g.s, "madapi", "application/json", body, apitest.GatewayToken)
	wantStatus(t, got, http.StatusOK)
	var told struct {
		StatusCode string
		Data       struct {
			InboundResponse   string
			UserInputRequired bool
			MessageType       string
		}
	}
	got.decode(t, &told)
	if told.StatusCode != "0000" || (told.Data.MessageType == "2") == told.Data.UserInputRequired {
		t.Fatalf("answered %s", got.text)
	}
	return told.Data.InboundResponse, !told.Data.UserInputRequired
}

type hubtelGateway struct {
	s        *apitest.Server
	sequence int
}

func (g *hubtelGateway) say(t *testing.T, input string, first bool) (string, bool) {
	t.Helper()
	g.sequence++
	kind := "Response"
	if first {
		kind, input = "Initiation", "*999*"+input+"#"
	}
	return g.send(t, kind, input)
}

func (g *hubtelGateway) send(t *testing.T, kind, input string) (string, bool) {
	t.Helper()
	body := fmt.Sprintf(`{"Mobile":%q,"SessionId":"h1","ServiceCode":"999","Type":%q,"Message":%q,"Operator":"x","Sequence":%d,"ClientState":"s","Platform":"USSD"}`,
		ann, kind, input, g.sequence)
	got := post(t, g.s, "hubtel", "application/json", body, apitest.GatewayToken)
	wantStatus(t, got, http.StatusOK)
	var told struct{ Message, Type, ClientState string }
	got.decode(t, &told)
	if told.ClientState != "s" || told.Type != "Response" && told.Type != "Release" {
		t.Fatalf("answered %s", got.text)
	}
	return told.Message, told.Type == "Release"
}

type xmlGateway struct{ s *apitest.Server }

func (g xmlGateway) say(t *testing.T, input string, first bool) (string, bool) {
	t.Helper()
	kind := 2
	if first {
		kind, input = 1, "*999*"+input+"#"
	}
	body := fmt.Sprintf(`<?xml version="1.0"?><ussd><msisdn>%s</msisdn><sessionid>x1</sessionid><type>%d</type><msg>%s</msg></ussd>`, ann, kind, input)
	got := post(t, g.s, "xml", "text/xml", body, apitest.GatewayToken)
	wantStatus(t, got, http.StatusOK)
	var told struct {
		MSISDN string `xml:"msisdn"`
		Type   int    `xml:"type"`
		Text   string `xml:"msg"`
	}
	if err := xml.Unmarshal([]byte(got.text), &told); err != nil || told.MSISDN != ann {
		t.Fatalf("answered %s: %v", got.text, err)
	}
	return told.Text, told.Type == 3
}

// The short form is dialled, the consent screen comes, a wrong PIN can be mended, and the minutes are there.
func TestUSSDByEveryDialect(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]func(*apitest.Server) gateway{
		"form":   func(s *apitest.Server) gateway { return &formGateway{s: s, session: "f1"} },
		"madapi": func(s *apitest.Server) gateway { return madapiGateway{s} },
		"hubtel": func(s *apitest.Server) gateway { return &hubtelGateway{s: s} },
		"xml":    func(s *apitest.Server) gateway { return xmlGateway{s} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dialling(t)
			g := by(s)
			screen, end := g.say(t, "15*"+bob, true)
			if end || !strings.Contains(screen, "15 min to KIM M*** ..0002") || !strings.Contains(screen, "Left 85 min") {
				t.Fatalf("asked %q, end %v", screen, end)
			}
			if screen, end = g.say(t, "730186", false); end || !strings.Contains(screen, "2 tries") {
				t.Fatalf("a wrong PIN: %q, end %v", screen, end)
			}
			if screen, end = g.say(t, annPIN, false); !end || !strings.Contains(screen, "Sent. Ref ") || !strings.Contains(screen, "85 min left") {
				t.Fatalf("a right PIN: %q, end %v", screen, end)
			}
			wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
		})
	}
}

// A gateway that sends an input again, after the end too, is shown the same screen, and the minutes move once.
func TestUSSDRepeats(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	g := &formGateway{s: s, session: "r1"}
	for _, input := range []string{"15*" + bob, annPIN} {
		first, end := g.say(t, input, false)
		var copies sync.WaitGroup
		for range 8 {
			copies.Go(func() {
				if again, ended := g.again(t); again != first || ended != end {
					t.Errorf("the second time %q, want %q", again, first)
				}
			})
		}
		copies.Wait()
	}
	wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
	counted := &hubtelGateway{s: s}
	counted.say(t, "2*"+bob, true)
	first, _ := counted.say(t, annPIN, false)
	if again, end := counted.send(t, "Response", annPIN); again != first || !end {
		t.Errorf("the same sequence again %q, want %q", again, first)
	}
	wantBalances(t, s, map[string]int64{ann: 4980, bob: 1620})
}

// Gateways that neither count nor repeat all inputs send an input again: it is known by what it is, or by how soon it comes. A
// wrong PIN that comes twice is one try.
func TestUSSDCopiesInMidMenu(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]func(*apitest.Server) gateway{
		"madapi": func(s *apitest.Server) gateway { return madapiGateway{s} },
		"xml":    func(s *apitest.Server) gateway { return xmlGateway{s} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dialling(t)
			g := by(s)
			twice := func(input string, first bool, later time.Duration) (screen string, end bool) {
				t.Helper()
				screen, end = g.say(t, input, first)
				s.Advance(later)
				if again, ended := g.say(t, input, first); again != screen || ended != end {
					t.Errorf("a copy of an input after %v leads to %q, want %q", later, again, screen)
				}
				return screen, end
			}
			if screen, _ := twice("", true, time.Minute); !strings.Contains(screen, "1 Send minutes") {
				t.Fatalf("menu %q", screen)
			}
			s.Advance(10 * time.Second)
			twice("1", false, 2*time.Second) // the choice is known by how soon it comes
			twice(bob, false, time.Minute)   // the others by what they are
			twice("15", false, 2*time.Second)
			if screen, _ := twice("730186", false, time.Minute); !strings.Contains(screen, "2 tries") {
				t.Errorf("a wrong PIN %q", screen)
			}
			if screen, end := twice(annPIN, false, time.Minute); !end || !strings.Contains(screen, "Sent. Ref ") {
				t.Errorf("the right PIN: %q, end %v", screen, end)
			}
			wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
		})
	}
}

// The same choice again, after a person has read the screen, is the next one.
func TestUSSDSameChoiceTwice(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	g := madapiGateway{s}
	g.say(t, "", true)
	s.Advance(5 * time.Second)
	first, _ := g.say(t, "8", false)
	s.Advance(5 * time.Second)
	if second, _ := g.say(t, "8", false); second == first {
		t.Errorf("%q again", second)
	}
}

// Copies of the input with the PIN that come at the same time, before any of them is answered, move the minutes once and
// count a wrong PIN once.
func TestUSSDCopiesAtOnce(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	g := &formGateway{s: s, session: "c1"}
	g.say(t, "15*"+bob, true)
	for _, pin := range []string{"730186", annPIN} {
		g.text += "*" + pin
		screens := make([]string, 6)
		var copies sync.WaitGroup
		for i := range screens {
			copies.Go(func() { screens[i], _ = g.again(t) })
		}
		copies.Wait()
		for _, screen := range screens {
			if screen != screens[0] {
				t.Errorf("screens %q, want the same", screens)
			}
		}
	}
	wantBalances(t, s, map[string]int64{ann: 5100, bob: 1500})
}

func TestUSSDMenu(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	session := 0
	dial := func(inputs ...string) (screen api.Screen) {
		t.Helper()
		session++
		text := ""
		for i, input := range inputs {
			if text += input; i > 0 && text != input {
				text = strings.TrimSuffix(text, input) + "*" + input
			}
			got := ask(t, s, "POST", "/care/v1/ussd", map[string]any{"session_id": fmt.Sprint("s", session), "msisdn": ann, "text": text})
			wantStatus(t, got, http.StatusOK)
			screen = api.Screen{}
			got.decode(t, &screen)
		}
		return screen
	}
	want := func(screen api.Screen, end bool, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(screen.Text, part) || screen.End != end {
				t.Errorf("screen %q, end %v; want %q, end %v", screen.Text, screen.End, part, end)
			}
		}
	}
	want(dial(""), false, "1 Send minutes")
	want(dial("4"), true, "You have 100 min")
	want(dial("5"), true, "No transfers")
	want(dial("", "1"), false, "To which number?")
	want(dial("", "1", bob), false, "You may send 100 of 100")
	want(dial("", "1", ann), false, "your own")
	want(dial("", "1", "31699999999"), false, "number")
	sent := dial("", "1", bob, "15", annPIN)
	want(sent, true, "Sent.")
	if len(sent.Receipts) != 2 || sent.Receipts[1].To != bob || !strings.Contains(sent.Receipts[1].Text, "15") {
		t.Errorf("receipts %+v, want one to each", sent.Receipts)
	}
	want(dial("5"), true, "-15 min ..0002")
	want(dial("15*"+bob), false, "1 Yes 2 No") // the same again to the same
	want(dial("15*"+bob, "1"), false, "PIN:")
	want(dial("", "8", "1", annPIN+"*918264*918264"), true, "PIN changed")
	want(dial("", "8", "1", annPIN+"*123456*123456"), false, "guess")
	want(dial("", "8", "2", bob), true, "Blocked")
	got := ask(t, s, "POST", "/care/v1/transfers", map[string]any{"from": bob, "to": ann, "seconds": 60})
	wantRefused(t, got, http.StatusForbidden, "requestDeclined")
	want(dial("", "8", "3", bob), true, "Unblocked")
	wantStatus(t, ask(t, s, "POST", "/care/v1/transfers", map[string]any{"from": bob, "to": ann, "seconds": 60}), http.StatusCreated)
	wantStatus(t, ask(t, s, "POST", "/care/v1/ussd", map[string]any{"session_id": "x", "msisdn": "31699999999", "text": ""}), http.StatusNotFound)
}

// What is no request of the dialect is refused, and nobody gets in without the token.
func TestUSSDBadInput(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	for _, name := range api.Dialects() {
		for _, token := range []string{"", "wrong", s.Token} {
			if got := post(t, s, name, "text/plain", "x", token); got.status != http.StatusUnauthorized {
				t.Errorf("%s with token %q: %d, want 401", name, token, got.status)
			}
		}
		for _, body := range []string{
			"", "x", "{}", "[]", "<a/>", "<ussd>", strings.Repeat("x", 10_000), "sessionId=a", "\x00\xff",
			`{"sessionId":"a","messageType":"9","msisdn":"31610000001"}`, `{"Type":"Response","SessionId":"a"}`,
			`<!DOCTYPE a [<!ENTITY b "c">]><ussd><msisdn>&b;</msisdn><sessionid>a</sessionid><type>1</type><msg/></ussd>`,
			`<ussd><msisdn>1</msisdn><msisdn>2</msisdn><sessionid>a</sessionid><type>1</type><msg/></ussd>`,
			strings.Repeat("<a>", 100), "sessionId=" + strings.Repeat("a", 300) + "&phoneNumber=31610000001&text=",
		} {
			if got := post(t, s, name, "text/plain", body, apitest.GatewayToken); got.status != http.StatusBadRequest {
				t.Errorf("%s with %.60q: %d %s, want 400", name, body, got.status, got.text)
			}
		}
	}
	stranger := url.Values{"sessionId": {"z"}, "phoneNumber": {"+31699999999"}, "text": {""}}
	if got := post(t, s, "form", "application/x-www-form-urlencoded", stranger.Encode(), apitest.GatewayToken); !strings.HasPrefix(got.text, "END ") {
		t.Errorf("a stranger is told %q", got.text)
	}
	wantStatus(t, ask(t, s, "POST", "/ussd/nobody", "x"), http.StatusNotFound)
}

// A session that another number began is not gone on with.
func TestUSSDSessionBelongsToItsNumber(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	g := &formGateway{s: s, session: "b1"}
	g.say(t, "15*"+bob, true)
	form := url.Values{"sessionId": {"b1"}, "phoneNumber": {"+" + bob}, "text": {"15*" + bob + "*" + annPIN}}
	got := post(t, s, "form", "application/x-www-form-urlencoded", form.Encode(), apitest.GatewayToken)
	if strings.Contains(got.text, "Sent") {
		t.Errorf("answered %q", got.text)
	}
	wantBalances(t, s, map[string]int64{ann: 6000, bob: 600})
}

// Nobody finds a PIN in what is stored of a session.
func TestUSSDStoresNoPIN(t *testing.T) {
	t.Parallel()
	s := dialling(t)
	g := &formGateway{s: s, session: "p1"}
	g.say(t, "15*"+bob, true)
	g.say(t, "730186", false)
	held, err := s.Store.USSD(t.Context(), "form", api.SessionName("p1", ann))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(held.Document); !strings.Contains(text, `"Attempts"`) || strings.Contains(text, "73018") {
		t.Errorf("stored %s", text)
	}
}

// A number is found however it is dialled, and is not guessed at where two people may be meant.
func TestUSSDNumbers(t *testing.T) {
	t.Parallel()
	s := apitest.NewWith(t, nil, api.USSD{Country: "31", PINInDial: true})
	const national, clash = "610000002", "61000003"
	for _, msisdn := range []string{ann, "31" + national, clash, "31" + clash} {
		create(t, s, msisdn, 6000)
	}
	choosePIN(t, s, ann, annPIN)
	for i, number := range []string{"+31" + national, "0031" + national, "0" + national, national, "31" + national} {
		g := &formGateway{s: s, session: fmt.Sprint("n", i)}
		screen, end := g.say(t, fmt.Sprint(10+i, "*", number), true)
		if end || !strings.Contains(screen, fmt.Sprint(10+i, " min to ..0002")) {
			t.Errorf("dialled %s: %q, end %v", number, screen, end)
		}
	}
	for i, number := range []string{clash, "0610000009", "15"} {
		g := &formGateway{s: s, session: fmt.Sprint("a", i)}
		if screen, end := g.say(t, "15*"+number, true); !end || strings.Contains(screen, "PIN:") {
			t.Errorf("dialled %s: %q, end %v; want that it ends", number, screen, end)
		}
	}
	g := &formGateway{s: s, session: "pin"}
	if screen, end := g.say(t, "15*0"+national+"*"+annPIN, true); !end || !strings.HasPrefix(screen, "Sent.") {
		t.Errorf("with the PIN: %q, end %v", screen, end)
	}
	wantBalances(t, s, map[string]int64{ann: 5100, "31" + national: 6900})
}

// Two servers share a session: what one began the other goes on with, and copies that both get move the minutes once.
func TestUSSDOverTwoServers(t *testing.T) {
	t.Parallel()
	one := dialling(t)
	two := one.Another(t)
	g := &formGateway{s: one, session: "t1"}
	g.say(t, "15*"+bob, true)
	g.s = two
	if screen, end := g.say(t, "730186", false); end || !strings.Contains(screen, "2 tries") {
		t.Fatalf("the other server: %q, end %v", screen, end)
	}
	g.text += "*" + annPIN
	screens := make([]string, 6)
	var copies sync.WaitGroup
	for i := range screens {
		via := &formGateway{s: []*apitest.Server{one, two}[i%2], session: g.session, text: g.text}
		copies.Go(func() { screens[i], _ = via.again(t) })
	}
	copies.Wait()
	for _, screen := range screens {
		if screen != screens[0] || !strings.HasPrefix(screen, "Sent. Ref ") {
			t.Errorf("screens %q, want the same", screens)
		}
	}
	wantBalances(t, one, map[string]int64{ann: 5100, bob: 1500})
}

// Whatever a gateway sends, each dialect reads it or refuses it.
func FuzzDialects(f *testing.F) {
	f.Add("sessionId=a&phoneNumber=%2B31610000001&serviceCode=*999%23&text=1*2")
	f.Add(`{"sessionId":"a","messageType":0,"msisdn":31610000001,"ussdString":"*999#"}`)
	f.Add(`{"Mobile":"31610000001","SessionId":"a","Type":"Initiation","Message":"*999#","Sequence":1}`)
	f.Add(`<ussd><msisdn>31610000001</msisdn><sessionid>a</sessionid><type>1</type><msg>*999#</msg></ussd>`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, dialect := range api.Dialects() {
			if text, err := api.ReadCall(dialect, body); err == nil && len(text) > 2000 {
				t.Errorf("%s reads %d characters of input", dialect, len(text))
			}
		}
	})
}
