package transfer

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/rating"
	"pgregory.net/rapid"
)

func TestI26_MinutesFromPeople(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typed string
		want  rating.Units
		err   error
	}{
		{"15", 900, nil},
		{" 15 ", 900, nil},
		{"015", 900, nil},
		{"١٥", 900, nil},
		{"۱۵", 900, nil},
		{"１５", 900, nil},
		{"1５", 900, nil},
		{"", 0, ErrNoNumber},
		{" ", 0, ErrNoNumber},
		{"0", 0, ErrZero},
		{"000", 0, ErrZero},
		{"1.5", 0, ErrNotWhole},
		{"1,5", 0, ErrNotWhole},
		{"1٫5", 0, ErrNotWhole},
		{"+5", 0, ErrNotWhole},
		{"-5", 0, ErrNotWhole},
		{"−5", 0, ErrNotWhole},
		{"1e3", 0, ErrNotWhole},
		{"0x10", 0, ErrNotWhole},
		{"1 000", 0, ErrNotWhole},
		{"1_000", 0, ErrNotWhole},
		{"NaN", 0, ErrNotWhole},
		{"Inf", 0, ErrNotWhole},
		{"½", 0, ErrNotWhole},
		{"५", 0, ErrNotWhole}, // Devanagari is not read
		{"15\x00", 0, ErrNotWhole},
		{"\xff", 0, ErrNotWhole},
		{"18325193796", 18325193796 * 60, nil}, // the last below MaxSeconds
		{"18325193797", 0, ErrTooMany},
		{"9223372036854775807", 0, ErrTooMany},
		{"9223372036854775808", 0, ErrTooMany},
		{strings.Repeat("9", 10_000), 0, ErrTooMany},
	} {
		if got, err := ParseMinutes(c.typed); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseMinutes(%.30q) = %d, %v, want %d, %v", c.typed, got, err, c.want, c.err)
		}
	}
}

func TestDialledStrings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		dialled string
		want    Dial
		err     error
	}{
		{"*999#", Dial{}, nil},
		{"*999*5#", Dial{Item: 5}, nil},
		{"*999*15*01012345678#", Dial{Seconds: 900, Number: "01012345678"}, nil},
		{"*999*15*+821012345678#", Dial{Seconds: 900, Number: "+821012345678"}, nil},
		{"*999*15*123456#", Dial{Seconds: 900, Number: "123456"}, nil},
		{"*999*15*01012345678*482913#", Dial{Seconds: 900, Number: "01012345678", PIN: "482913"}, nil},
		{"*999*١٥*٠١٠١٢٣٤٥٦٧٨#", Dial{Seconds: 900, Number: "01012345678"}, nil},
		{"*999*１５*01012345678#", Dial{Seconds: 900, Number: "01012345678"}, nil},
		{"*999*9#", Dial{}, ErrAmbiguous},
		{"*999*0#", Dial{}, ErrAmbiguous},
		{"*999*15#", Dial{}, ErrAmbiguous},
		{"*999*01012345678*15#", Dial{}, ErrAmbiguous},     // number and minutes exchanged
		{"*999*12345*54321#", Dial{}, ErrAmbiguous},        // either could be either
		{"*999*015*01012345678#", Dial{}, ErrAmbiguous},    // a number begins with 0, minutes do not
		{"*999*15*1234#", Dial{}, ErrAmbiguous},            // too short for a number
		{"*999*1*01012345678*1500#", Dial{}, ErrAmbiguous}, // 1 minute with a PIN, or item 1 with 1500 minutes
		{"*999*15*01012345678*12#", Dial{}, ErrAmbiguous},  // no PIN, and what else
		{"*999*15*01012345678*1*2#", Dial{}, ErrAmbiguous}, // too many parts
		{"*999**01012345678#", Dial{}, ErrAmbiguous},       // an empty part
		{"*999*15*#", Dial{}, ErrAmbiguous},                //
		{"*999*1.5*01012345678#", Dial{}, ErrAmbiguous},    //
		{"*999*-15*01012345678#", Dial{}, ErrAmbiguous},    //
		{"*999*15*010-1234-5678#", Dial{}, ErrAmbiguous},   //
		{"*999*15*1+012345678#", Dial{}, ErrAmbiguous},     //
		{"*999*+15*01012345678#", Dial{}, ErrAmbiguous},    //
		{"*999*15*01012345678", Dial{}, ErrNotDialled},     // no end
		{"*999*15#*01012345678#", Dial{}, ErrNotDialled},   //
		{"*9991*15*01012345678#", Dial{}, ErrNotDialled},   // another service
		{"*998*15*01012345678#", Dial{}, ErrNotDialled},    //
		{"", Dial{}, ErrNotDialled},                        //
		{"*999*1" + strings.Repeat("0", 5000) + "*1#", Dial{}, ErrAmbiguous},
	} {
		got, err := ParseDial(c.dialled, "*999")
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseDial(%.40q) = %+v, %v, want %+v, %v", c.dialled, got, err, c.want, c.err)
		}
	}
}

// No string panics, and whatever is read says what was dialled and nothing else.
func FuzzParseDial(f *testing.F) {
	for _, s := range []string{"*999#", "*999*15*01012345678*4829#", "*999*١٥*+82#", "*999*\xff*#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDial(s, "*999")
		if err != nil {
			if d != (Dial{}) {
				t.Errorf("%q: %v, and %+v", s, err, d)
			}
			return
		}
		if d.Seconds%60 != 0 || d.Seconds < 0 || (d.Seconds > 0) != (d.Number != "") || d.Item != 0 && d.Seconds != 0 {
			t.Errorf("%q was read as %+v", s, d)
		}
	})
}

// What is put together from its parts is read as these parts.
func TestDialledRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.IntRange(4, 9999).Draw(t, "minutes")
		number := rapid.StringMatching(`[0-9]{5,20}`).Draw(t, "number")
		pin := rapid.StringMatching(`([0-9]{4,8})?`).Draw(t, "pin")
		dialled := "*999*" + strconv.Itoa(minutes) + "*" + number
		if pin != "" {
			dialled += "*" + pin
		}
		got, err := ParseDial(dialled+"#", "*999")
		if want := (Dial{Seconds: rating.Units(minutes) * minute, Number: number, PIN: pin}); got != want || err != nil {
			t.Fatalf("ParseDial(%q) = %+v, %v, want %+v", dialled, got, err, want)
		}
	})
}
