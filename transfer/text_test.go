package transfer

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gyro-ocs/gyro/rating"
)

func TestTextsOfTheMenu(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.policy.Fees = []FeeRule{{Name: "f", Bands: []FeeBand{{Flat: 60}}}}
	w.parties["ann"].Profile.Name, w.parties["bob"].Profile.Name = "LEE SORA", "KIM MINSU"
	w.parties["bob"].Profile.Language = "ko"
	w.grantUntil("ann", 170*minute, "purchased", time.Date(2026, 7, 1, 0, 0, 0, 0, zone(t, "Asia/Seoul")))
	w.grant("bob", 46, "plan", 5)
	o := must(t, w, w.do("ann", "bob", send(15)))
	ref := string(o.Answer.Reference)
	seoul := zone(t, "Asia/Seoul")
	equal(t, "to ann", o.Texts[0].Render(seoul), "Sent 15 min to KIM M*** ..0001. Fee 1 min. Ref "+ref+". Valid to 30 Jun 2026. You have 154 min.")
	equal(t, "to bob", o.Texts[1].Render(seoul), "LEE S*** ..0000님이 15분 보냄. 유효 26.6.30까지. 잔여 61분. "+ref)
}

// The fee is told to who bears it, and the receiver is told what comes.
func TestTextsTellTheFeeToItsBearer(t *testing.T) {
	t.Parallel()
	for _, bearer := range []Bearer{Originator, Receiver} {
		w := newWorld()
		w.policy.Fees = []FeeRule{{Name: "f", Bands: []FeeBand{{Flat: 60}}}}
		w.grant("ann", 170, "purchased", 30)
		r := send(15)
		r.Bearer = bearer
		o := must(t, w, w.do("ann", "bob", r))
		toAnn, toBob := o.Texts[0], o.Texts[1]
		if bearer == Originator {
			equal(t, "ann pays", [4]rating.Units{toAnn.Seconds, toAnn.Fee, toBob.Seconds, toBob.Fee}, [4]rating.Units{900, 60, 900, 0})
		} else {
			equal(t, "bob pays", [4]rating.Units{toAnn.Seconds, toAnn.Fee, toBob.Seconds, toBob.Fee}, [4]rating.Units{900, 0, 840, 60})
		}
	}
}

// Every message fits into one SMS, with the longest values that can be in it.
func TestTextsFitIntoOneMessage(t *testing.T) {
	t.Parallel()
	long := Text{
		Other: strings.Repeat("W", 200), Tail: "..9999", Seconds: 99_999*minute + 59, Fee: 9_999*minute + 59, Left: 999_999*minute + 59,
		Reference: "WWWW-WWWW-W", ValidTo: time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC), DueAt: time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC),
	}
	for _, language := range Languages() {
		for _, m := range Messages() {
			for _, other := range []string{long.Other, "", "김민수", "KIM M***"} {
				x := long
				x.Language, x.Message, x.Other = language, m, other
				s := x.Render(nil)
				if !FitsSMS(s) {
					t.Errorf("%s %d: %d characters: %s", language, m, Chars(s), s)
				}
				if _, gsm := Septets(s); language == "en" && !gsm {
					t.Errorf("an English text needs UCS-2: %s", s)
				}
				if strings.ContainsAny(s, "{}") || strings.Contains(s, "  ") {
					t.Errorf("%s %d: something is not filled in: %q", language, m, s)
				}
			}
		}
	}
}

// Every refusal has words in every language that fit on one USSD screen and tell a person what to do.
func TestRefusalsFitOnOneScreen(t *testing.T) {
	t.Parallel()
	for _, language := range Languages() {
		for _, r := range append(Refusals(), None) {
			a := Answer{
				Refusal: r, RetryAfter: 31 * day, TriesLeft: 3, Seconds: 999_999*minute + 59,
				Purse: &Purse{Total: 999_999*minute + 59, Movable: 999_999*minute + 59, InUse: 9_999*minute + 59},
			}
			s := a.Say(language)
			if s == "" || !FitsUSSD(s) || strings.ContainsAny(s, "{}") {
				t.Errorf("%s %s: %d characters: %q", language, r, Chars(s), s)
			}
		}
	}
}

// A refusal does not betray whether a number is unknown, frozen, too new, or has the sender on its block list.
func TestReceiverIsNotBetrayed(t *testing.T) {
	t.Parallel()
	for _, language := range Languages() {
		said := map[string]bool{}
		for _, r := range []Refusal{ReceiverUnknown, ReceiverNotEligible, ReceiverFrozen, ReceiverDeclines} {
			said[Answer{Refusal: r}.Say(language)] = true
		}
		if len(said) != 1 {
			t.Errorf("%s tells them apart: %q", language, slices.Sorted(maps.Keys(said)))
		}
	}
}

func TestRefusalCodes(t *testing.T) {
	t.Parallel()
	seen := map[uint32]Refusal{}
	names := map[string]bool{}
	for _, r := range Refusals() {
		c := r.Code()
		if c.Name == "" || c.TMF == "" || c.HTTP < 400 || c.Fallback < 3000 || names[c.Name] {
			t.Errorf("row %d of the table: %+v", r, c)
		}
		names[c.Name] = true
		if c.Experimental == 0 {
			continue
		}
		if other, taken := seen[c.Experimental]; taken {
			t.Errorf("%s and %s are both %d", r, other, c.Experimental)
		}
		seen[c.Experimental] = r
	}
	// The codes of section 4.5, each of which somebody's client may know.
	for _, code := range []uint32{
		5101, 5102, 4103, 4104, 5105, 5106, 5107, 4108, 4109, 4110, 4111, 4112, 4113, 4114, 5115, 5116, 5117, 5118, 5119,
		5120, 5121, 5122, 4123, 4124, 4125, 4126, 5127, 5128, 5129, 5130, 5131, 4132, 4133,
	} {
		if _, ok := seen[code]; !ok {
			t.Errorf("no refusal has code %d", code)
		}
	}
}

func TestSeptets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s     string
		n     int
		gsm   bool
		chars int
	}{
		{"", 0, true, 0}, {"abc", 3, true, 3}, {"[]", 4, true, 2}, {"€", 2, true, 1}, {"Ω@é\n", 4, true, 4},
		{"분", 0, false, 1}, {"`", 0, false, 1}, {"😀", 0, false, 2}, {"ç", 0, false, 1}, {"Ç", 1, true, 1},
	} {
		n, gsm := Septets(c.s)
		if n != c.n || gsm != c.gsm || Chars(c.s) != c.chars {
			t.Errorf("%q takes %d septets (%v), %d characters; want %d (%v), %d", c.s, n, gsm, Chars(c.s), c.n, c.gsm, c.chars)
		}
	}
	if !FitsUSSD(strings.Repeat("[", 91)) || FitsUSSD(strings.Repeat("[", 91)+"a") || !FitsUSSD(strings.Repeat("분", 80)) || FitsUSSD(strings.Repeat("분", 81)) {
		t.Error("a screen has 182 septets or 80 characters")
	}
}

func TestMaskName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "", "KIM MINSU": "KIM M***", " Kim  Min Su ": "Kim M*** S***", "Madonna": "M***", "김민수": "김***", "Éva Ödön": "Éva Ö***",
	} {
		if got := MaskName(name); got != want {
			t.Errorf("MaskName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestMinutesInWords(t *testing.T) {
	t.Parallel()
	for n, want := range map[rating.Units]string{0: "0 min", 59: "59 s", 60: "1 min", 61: "1 min 1 s", 9000: "150 min"} {
		if got := english.minutes(n); got != want {
			t.Errorf("%d is told as %q, want %q", n, got, want)
		}
	}
}
