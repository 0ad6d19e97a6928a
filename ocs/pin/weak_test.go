package pin

import (
	"fmt"
	"testing"
)

func TestWeak(t *testing.T) {
	t.Parallel()
	numbers := []string{"31612340972", "0612340972"}
	for pin, want := range map[Secret]Weakness{
		"408263": Strong, "739104": Strong, "902746": Strong, "482913": Strong, "147258": Strong,
		"40826": WrongLength, "4082631": WrongLength, "": WrongLength, "40826a": NotDigits, "４08263": NotDigits, "-12345": NotDigits,
		"111111": Repeats, "121212": Repeats, "123123": Repeats, "112121": Repeats,
		"123456": IsRun, "654321": IsRun, "890123": IsRun, "135791": IsRun, "112233": IsRun, "123321": IsRun, "987789": IsRun, "321654": IsRun,
		"311299": IsDate, "123199": IsDate, "991231": IsDate, "010203": IsDate,
		"340972": OwnNumber, "279043": OwnNumber, "316123": OwnNumber,
	} {
		if got := Weak(pin, 6, numbers...); got != want {
			t.Errorf("%q is %q, want %q", string(pin), got, want)
		}
	}
	for pin, want := range map[Secret]Weakness{
		"1984": IsDate, "2402": IsDate, "0224": IsDate, "2580": IsCommon, "4444": Repeats, "1212": Repeats, "3210": IsRun, "8461": Strong, "1899": Strong,
	} {
		if got := Weak(pin, 4); got != want {
			t.Errorf("%q is %q, want %q", string(pin), got, want)
		}
	}
	for pin, want := range map[Secret]Weakness{"24121984": IsDate, "19841224": IsDate, "24122984": Strong, "14789632": IsCommon} {
		if got := Weak(pin, 8); got != want {
			t.Errorf("%q is %q, want %q", string(pin), got, want)
		}
	}
}

// The list of favourites holds nothing that a rule finds.
func TestCommonOnesAreNeeded(t *testing.T) {
	t.Parallel()
	for _, pin := range common {
		if got := Weak(Secret(pin), len(pin)); got != IsCommon {
			t.Errorf("%q is %q already", pin, got)
		}
	}
}

// The list takes little from who must guess: most PINs can still be chosen.
func TestMostPINsAreStrong(t *testing.T) {
	t.Parallel()
	strong := 0
	for n := range 100_000 {
		if Weak(Secret(fmt.Sprintf("%06d", n*73%1_000_000)), 6, "31612340972") == Strong {
			strong++
		}
	}
	if strong < 87_000 || strong > 93_000 {
		t.Errorf("%d of a hundred thousand PINs are strong", strong)
	}
}

func TestDrawnPINsAreStrong(t *testing.T) {
	t.Parallel()
	seen := map[Secret]bool{}
	for range 1000 {
		pin, err := draw(6)
		if err != nil {
			t.Fatal(err)
		}
		if w := Weak(pin, 6); w != Strong {
			t.Errorf("drew %q: %s", string(pin), w)
		}
		seen[pin] = true
	}
	if len(seen) < 990 {
		t.Errorf("%d different ones of 1000", len(seen))
	}
}
