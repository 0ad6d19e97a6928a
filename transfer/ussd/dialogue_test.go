package ussd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
	"github.com/gyro-ocs/gyro/transfer"
	"pgregory.net/rapid"
)

// A handset dials against a shell in memory: parties are looked up in a list, transfers are really decided.
type handset struct {
	dialogue   Dialogue
	session    Session
	joined     string
	now        time.Time
	policy     *transfer.Policy
	parties    map[string]*transfer.Party // by number or code
	remembered map[string]transfer.Remembered
	quotes     map[string]transfer.Quote
	transfers  map[transfer.Reference]transfer.Transfer
	lastSame   time.Time
	pin        string
	tries      int
	drawn      int
	wants      []Want
}

const ann, bob, shop, trader = "821000000001", "821000000002", "12340", "54325"

func newHandset(t *testing.T, language string) *handset {
	t.Helper()
	h := &handset{
		dialogue: Dialogue{Service: "*999", Channel: transfer.USSD}, session: Session{Key: "s1", Language: language},
		now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), policy: transfer.Default(), parties: map[string]*transfer.Party{},
		remembered: map[string]transfer.Remembered{}, quotes: map[string]transfer.Quote{},
		transfers: map[transfer.Reference]transfer.Transfer{}, pin: "482913", tries: 3,
	}
	for number, name := range map[string]string{ann: "LEE SORA", bob: "KIM MINSU", shop: "Corner Shop", trader: "Trader Joe"} {
		h.parties[number] = &transfer.Party{
			Subscriber: ocs.Subscriber{ID: ocs.SubscriberID(number), State: ocs.Active, MSISDN: number},
			Profile:    transfer.Profile{Name: name, Language: language, OnNetSince: h.now.AddDate(-1, 0, 0)},
		}
	}
	h.parties[shop].Role = &transfer.Role{Kind: transfer.MerchantRole, Code: shop}
	h.parties[trader].Role = &transfer.Role{Kind: transfer.TraderRole, Code: trader}
	for i, lot := range []ocs.Bucket{
		{Class: "purchased", Balance: 42 * 60, ExpiresAt: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)},
		{Class: "purchased", Balance: 30 * 60, Reserved: 30 * 60},
		{Class: "bonus", Balance: 98 * 60},
	} {
		lot.ID, lot.Subscriber, lot.Unit = ocs.BucketID(fmt.Sprintf("lot%d", i)), ann, rating.Seconds
		lot.Root = lot.ID
		h.parties[ann].Buckets = append(h.parties[ann].Buckets, lot)
	}
	return h
}

// dial begins a session; typ types. Both return the screen.
func (h *handset) dial(s string) string {
	h.joined = s
	h.session = Session{Key: h.session.Key, Language: h.session.Language, Attempts: h.session.Attempts}
	return h.run(h.dialogue.Begin(h.session, s))
}

func (h *handset) typ(s string) string {
	if h.joined != "" {
		h.joined += "*"
	}
	h.joined += s
	input, repeated, err := h.session.Input(h.joined)
	if err != nil {
		panic(fmt.Sprintf("typed %q: %v", s, err))
	}
	if repeated { // nothing was dialled and nothing typed: the gateway says the same as before
		return h.session.Screen
	}
	return h.run(h.dialogue.Input(h.session, input))
}

func (h *handset) run(turn Turn) string {
	for turn.Want != nil {
		h.wants = append(h.wants, *turn.Want)
		turn = h.dialogue.Resume(turn.Session, h.perform(*turn.Want))
	}
	h.session = turn.Session.Hear(h.joined)
	if turn.Screen != turn.Session.Screen || turn.End != turn.Session.Ended {
		panic(fmt.Sprintf("shown %q, and the session says %q", turn.Screen, turn.Session.Screen))
	}
	return turn.Screen
}

func (h *handset) perform(w Want) Result {
	other := h.parties[w.Number]
	var r Result
	if other != nil {
		r.Name = transfer.MaskName(other.Profile.Name) + " .." + w.Number[len(w.Number)-4:]
	}
	switch w.Do {
	case Recipient:
		if other == nil {
			r.Answer.Refusal = transfer.ReceiverUnknown
			return r
		}
		if w.Number == ann {
			r.Answer.Refusal = transfer.SameParty
			return r
		}
		r.Answer = h.decide(w)
	case Decide:
		r.Answer = h.decide(w)
		if r.Answer.Kind == transfer.CashOut {
			r.Code = "730194"
		}
	case Recent:
		for ref, t := range h.transfers {
			r.Recent = append(r.Recent, Line{Reference: ref, Sent: true, Seconds: t.Seconds, Tail: "..0002", At: t.CreatedAt, Status: t.Status})
		}
	case Answer:
		r.Answer = transfer.Answer{Reference: transfer.Reference(w.Original), Seconds: 60}
	case ChangePIN:
		switch {
		case w.PIN != h.pin:
			r.Answer.Refusal, r.Answer.TriesLeft = transfer.WrongPIN, 2
		case w.NewPIN == "111111":
			r.Answer.Refusal = transfer.Malformed
		}
	case Block, Unblock:
	}
	return r
}

func (h *handset) decide(w Want) transfer.Answer {
	r := w.Request
	if w.PIN != "" {
		r.Credential.Result = transfer.Verified
		if w.PIN != h.pin {
			h.tries--
			r.Credential = transfer.Credential{Result: transfer.Wrong, TriesLeft: h.tries}
		}
	}
	if r.Operation == transfer.OpPrepare {
		r.PayoutHash = "hash"
	}
	h.drawn++
	r.Counterparty, r.Number = w.Number, uint64(h.drawn)
	r.NewBucketID = func() ocs.BucketID { return ocs.BucketID(fmt.Sprintf("new%d", h.drawn)) }
	s := transfer.State{Sender: *h.parties[ann], LastSame: h.lastSame}
	if other, ok := h.parties[w.Number]; ok {
		s.Receiver = *other
	}
	if r.By == transfer.ByReceiver {
		s.Sender, s.Receiver = s.Receiver, s.Sender
	}
	if m, ok := h.remembered[r.Reference]; ok && r.Reference != "" {
		s.Existing = &m
	}
	if q, ok := h.quotes[r.QuoteID]; ok {
		s.Quote = &q
	}
	if t, ok := h.transfers[transfer.Reference(r.Original)]; ok {
		s.Original, s.Receiver = &t, *h.parties[string(t.Receiver)]
	}
	o := transfer.Decide(h.policy, s, r, h.now)
	if o.Remembered != nil {
		h.remembered[r.Reference] = *o.Remembered
	}
	if o.Quote != nil {
		h.quotes[o.Quote.ID] = *o.Quote
	}
	for _, t := range o.Transfers {
		h.transfers[t.Reference] = t
	}
	for _, b := range append(o.Buckets, o.NewBuckets...) {
		p := h.parties[string(b.Subscriber)]
		lots := append([]ocs.Bucket(nil), p.Buckets...)
		found := false
		for i := range lots {
			if lots[i].ID == b.ID {
				lots[i], found = b, true
			}
		}
		if !found {
			lots = append(lots, b)
		}
		p.Buckets = lots
	}
	return o.Answer
}

// got is what bob has.
func (h *handset) got() (sum rating.Units) {
	for _, b := range h.parties[bob].Buckets {
		sum += b.Balance
	}
	return sum
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("screen\n%s\nwant\n%s", got, want)
	}
}

// The menu of section 1.4, step by step.
func TestSendByTheMenu(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	expect(t, h.dial(""), english["menu"])
	expect(t, h.typ("1"), "To which number?\n0 Back")
	expect(t, h.typ(bob), "You may send 42 of 170, 30 in use, 98 are bonus. Minutes?")
	expect(t, h.typ("15"), "15 min to KIM M*** ..0002. Left 125 min. Valid to 30 Jun 2026. PIN:")
	expect(t, h.typ("000000"), "Wrong PIN. 2 tries left. PIN:")
	got := h.typ("482913")
	ref := strings.TrimSuffix(strings.TrimPrefix(got, "Sent. Ref "), ". 125 min left.")
	if _, ok := transfer.ParseReference(ref); !ok || !h.session.Ended {
		t.Errorf("last screen %q", got)
	}
	if h.got() != 15*60 {
		t.Errorf("bob has %d", h.got())
	}
}

func TestSendByTheMenuInKorean(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "ko")
	expect(t, h.dial("1"), "받는 번호?\n0 이전")
	expect(t, h.typ("８２１０００００００９"), "받을 수 없는 번호입니다. 번호를 확인하세요.\n받는 번호?\n0 이전")
	expect(t, h.typ(bob), "170분 중 42분 전송 가능, 30분 사용 중, 보너스 98분. 몇 분?")
	expect(t, h.typ("١٥"), "KIM M*** ..0002님께 15분. 잔여 125분. 유효 26.6.30까지. PIN:")
}

func TestShortForm(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	expect(t, h.dial("15*"+bob), "15 min to KIM M*** ..0002. Left 125 min. Valid to 30 Jun 2026. PIN:")
	if h.got() != 0 {
		t.Error("sent before the PIN")
	}
	got := h.dial("15*" + bob + "*482913")
	if !h.session.Ended || !strings.HasPrefix(got, "Do not dial your PIN") || h.got() != 0 {
		t.Errorf("a dialled PIN, where the operator does not want it: %q", got)
	}
	h.dialogue.PINInDial = true
	if got := h.dial("15*" + bob + "*482913"); !strings.HasPrefix(got, "Sent. Ref ") || h.got() != 15*60 {
		t.Errorf("a dialled PIN, where the operator wants it: %q", got)
	}
	if got := h.dial(bob + "*15"); !h.session.Ended || !strings.HasPrefix(got, "Dial *999*minutes*number#") {
		t.Errorf("number and minutes exchanged: %q", got)
	}
	if got := h.dial("5"); strings.Contains(got, "Dial") || !h.session.Ended {
		t.Errorf("an item dialled: %q", got)
	}
}

// Refused here, before the PIN: own number, unknown number, no number; and the person may try again.
func TestNumberIsRefusedBeforeThePIN(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("1")
	expect(t, h.typ(ann), "That is your own number. Enter somebody else's.\nTo which number?\n0 Back")
	expect(t, h.typ("821000000009"), "This number cannot receive minutes. Check it and try again.\nTo which number?\n0 Back")
	expect(t, h.typ("bob"), "That is no number we know how to read.\nTo which number?\n0 Back")
	if got := h.typ(bob); !strings.HasSuffix(got, "Minutes?") {
		t.Errorf("after three mistakes %q", got)
	}
	expect(t, h.typ("1.5"), "Whole minutes only, in digits.\nYou may send 42 of 170, 30 in use, 98 are bonus. Minutes?")
	expect(t, h.typ("1000"), english["try again"]) // enough mistakes
	if !h.session.Ended {
		t.Error("the session goes on")
	}
}

func TestTooMuchAsksAgain(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("")
	h.typ("1")
	h.typ(bob)
	expect(t, h.typ("43"), "You may send 42 min of 170 min. 30 min are in use, others are not for sending.\nMinutes?")
	if got := h.typ("42"); !strings.HasPrefix(got, "42 min to KIM") {
		t.Errorf("then %q", got)
	}
}

func TestLooksLikeACopy(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.lastSame = h.now.Add(-30 * time.Second)
	expect(t, h.dial("15*"+bob), "You sent the same a moment ago. Send it once more? 1 Yes 2 No")
	if got := h.typ("1"); !strings.HasPrefix(got, "15 min to KIM") {
		t.Errorf("after yes %q", got)
	}
	if got := h.typ("482913"); !strings.HasPrefix(got, "Sent.") || h.got() != 15*60 {
		t.Errorf("after the PIN %q", got)
	}
	h.dial("15*" + bob)
	expect(t, h.typ("2"), "Nothing was sent.")
}

func TestShopCashAndAsk(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("2")
	expect(t, h.typ("99999"), "That is no number we know how to read.\nCode of the shop?\n0 Back") // its check digit is wrong
	h.typ(shop)
	h.typ("5")
	if got := h.typ("A*17"); !strings.HasPrefix(got, "5 min to Corner S***") {
		t.Errorf("consent %q", got)
	}
	h.typ("482913")
	for _, tr := range h.transfers {
		if tr.Kind != transfer.Merchant || tr.Note != "A*17" {
			t.Errorf("paid as %+v", tr)
		}
	}
	h.dial("6")
	h.typ(trader)
	h.typ("20")
	if got := h.typ("482913"); !strings.HasPrefix(got, "Code 730194: show it to the trader only, by 13 Mar 12:00. 20 min are set aside.") {
		t.Errorf("cash-out %q", got)
	}
	h.dial("3")
	h.typ(bob)
	expect(t, h.typ("10"), "Ask KIM M*** ..0002 for 10 min?\n1 Yes\n2 No")
	if got := h.typ("1"); !strings.HasPrefix(got, "Asked. Ref ") {
		t.Errorf("asked %q", got)
	}
}

func TestClaimsAndAnswers(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("7")
	expect(t, h.typ("1"), english["nothing to claim"])
	h.dial("15*" + bob)
	h.typ("482913")
	h.dial("7")
	expect(t, h.typ("1"), "1 15 min ..0002 10/3")
	if got := h.typ("1"); !strings.HasSuffix(got, "frozen until it is decided. PIN:") {
		t.Errorf("claiming %q", got)
	}
	if got := h.typ("482913"); !strings.HasPrefix(got, "15 min are frozen until it is decided, by 17 Mar") {
		t.Errorf("claimed %q", got)
	}
	ref := string(transfer.NewReference(bob, 99))
	h.dial("7")
	h.typ("2")
	expect(t, h.typ("7K3M-9QTA-X"), "That reference has a slip in it.\nReference of the request?\n0 Back")
	expect(t, h.typ(strings.ToLower(ref)), "Give the minutes?\n1 Yes\n2 No\n0 Back")
	expect(t, h.typ("1"), "PIN:")
	h.typ("482913")
	last := h.wants[len(h.wants)-1]
	if last.Do != Answer || !last.Yes || last.Original != ref || last.PIN == "" || last.Request.Reference == "" {
		t.Errorf("wanted %+v", last)
	}
	h.dial("7")
	h.typ("2")
	h.typ(ref)
	expect(t, h.typ("2"), "Declined. Ref "+ref+".")
	if last := h.wants[len(h.wants)-1]; last.Yes || last.PIN != "" {
		t.Errorf("wanted %+v", last)
	}
}

// The last five fit on one screen in both languages; where references have no room, the dates stand there.
func TestLastFive(t *testing.T) {
	t.Parallel()
	lines := make([]Line, 5)
	for i := range lines {
		lines[i] = Line{
			Reference: transfer.NewReference(ann, uint64(i)), Sent: i%2 == 0, Seconds: rating.Units(i+10) * 60, Tail: "..0002",
			At: time.Date(2026, 12, 10+i, 12, 0, 0, 0, time.UTC),
		}
	}
	for language, want := range map[string]string{
		"en": "-10 min ..0002 " + string(lines[0].Reference), "ko": "-10분 0002 10/12",
	} {
		h := newHandset(t, language)
		h.session.At, h.session.Item = AtMenu, recentItem
		turn := h.dialogue.Resume(h.session, Result{Recent: lines})
		got := strings.Split(turn.Screen, "\n")
		if !turn.End || !transfer.FitsUSSD(turn.Screen) || got[0] != want || len(got) != 5 {
			t.Errorf("%s: %q", language, turn.Screen)
		}
		if none := h.dialogue.Resume(h.session, Result{}); none.Screen != h.dialogue.words(h.session).say("no transfers") {
			t.Errorf("%s, nothing yet: %q", language, none.Screen)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("8")
	h.typ("1")
	expect(t, h.typ("482913*739201*739202"), "Like this: 111222*333444*333444.\n"+english["new PIN"])
	expect(t, h.typ("482913*111111*111111"), "That PIN is too easy to guess.\n"+english["new PIN"])
	expect(t, h.typ("482914*739201*739201"), "Wrong PIN. 2 tries left.\n"+english["new PIN"])
	expect(t, h.typ("482913*739201*739201"), english["PIN changed"])
	h.dial("8")
	h.typ("2")
	expect(t, h.typ(bob), english["blocked"])
	if last := h.wants[len(h.wants)-1]; last.Do != Block || last.Number != bob {
		t.Errorf("wanted %+v", last)
	}
}

// A gateway that repeats its last message is shown the same screen, and nothing is done twice.
func TestRepeatedInput(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("15*" + bob)
	h.typ("482913")
	if _, repeated, err := h.session.Input(h.joined); !repeated || err != nil {
		t.Errorf("repeated %v, %v", repeated, err)
	}
	if _, _, err := h.session.Input("15"); err == nil {
		t.Error("inputs that are shorter than before were taken")
	}
	if _, _, err := h.session.Input(h.joined + "1"); err == nil {
		t.Error("inputs that go on without * were taken")
	}
}

// The server dies after the commit and before the session is stored: the same input makes the same reference, and the
// minutes move once.
func TestDiesAfterCommit(t *testing.T) {
	t.Parallel()
	h := newHandset(t, "en")
	h.dial("15*" + bob)
	before, joined := h.session, h.joined
	first := h.typ("482913")
	h.session, h.joined = before, joined
	expect(t, h.typ("482913"), first)
	if h.got() != 15*60 {
		t.Errorf("bob has %d", h.got())
	}
}

// sensible is what a person who reads the screen types. A PIN where none is asked for cannot be told from a number, so
// the monkey types it only where it belongs.
var sensible = map[Node][]string{
	AtMenu: {"1", "2", "3", "4", "5", "6", "7", "8"}, AtNumber: {bob, ann, shop, trader}, AtMinutes: {"1", "15", "42", "43"},
	AtBill: {"00", "A*17"}, AtAgain: {"1", "2"}, AtPIN: {"482913", "482913", "000000"}, AtYesNo: {"1", "2"}, AtClaims: {"1", "2"},
	AtList: {"1", "2"}, AtReference: {string(transfer.NewReference(bob, 7))}, AtSettings: {"1", "2", "3"},
	AtNewPIN: {"482913*739201*739201", "482913*1*2", "482913*111111*111111", "1*2*2"},
}

// Whatever is typed: a screen that fits, no panic, and never a PIN in what is stored.
func TestMonkey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		language := rapid.SampledFrom([]string{"en", "ko", "fr", ""}).Draw(rt, "language")
		h := newHandset(t, language)
		h.dialogue.PINInDial = rapid.Bool().Draw(rt, "PIN in dial")
		h.parties[bob].Profile.Name = rapid.SampledFrom([]string{"KIM MINSU", "김민수", "", strings.Repeat("W", 300)}).Draw(rt, "name")
		input := rapid.OneOf(
			rapid.SampledFrom([]string{"1", "2", "3", "4", "5", "6", "7", "8", "15", bob, ann, "12344", "00", "0", ""}),
			rapid.String(), rapid.StringMatching(`[0-9*]{0,12}`))
		if rapid.Bool().Draw(rt, "copy") {
			h.lastSame = h.now
		}
		screen := h.dial(rapid.SampledFrom([]string{"", "1", "15*" + bob, "20*" + bob + "*482913", "x", "*", "9*9"}).Draw(rt, "dial"))
		for range rapid.IntRange(0, 12).Draw(rt, "inputs") {
			if screen == "" || !transfer.FitsUSSD(screen) || strings.ContainsAny(screen, "{}") {
				rt.Fatalf("screen %q", screen)
			}
			if stored := fmt.Sprintf("%+v", h.session); strings.Contains(stored, h.pin) {
				rt.Fatalf("the PIN is in what is stored: %s", stored)
			}
			if h.session.Ended {
				break
			}
			typed := input.Draw(rt, "input")
			if sensible := sensible[h.session.At]; rapid.IntRange(0, 3).Draw(rt, "sense") > 0 {
				typed = rapid.SampledFrom(sensible).Draw(rt, "sensible input")
			}
			screen = h.typ(typed)
		}
	})
}

// Both languages have the same screens, and none has a part that the code does not know.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	for name, text := range english {
		if korean[name] == "" {
			t.Errorf("%q is missing in Korean", name)
		}
		for _, w := range []string{text, korean[name]} {
			if !transfer.FitsUSSD(w) {
				t.Errorf("%q does not fit: %q", name, w)
			}
		}
		if _, gsm := transfer.Septets(text); !gsm {
			t.Errorf("English %q needs UCS-2", name)
		}
		for part := range strings.SplitSeq(text, "{") {
			if field, _, found := strings.Cut(part, "}"); found && !strings.Contains(korean[name], "{"+field+"}") {
				t.Errorf("%q tells {%s} in English only", name, field)
			}
		}
	}
	if len(korean) != len(english) {
		t.Errorf("%d screens in Korean, %d in English", len(korean), len(english))
	}
}
