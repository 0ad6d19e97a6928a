package transfer

import (
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
	"pgregory.net/rapid"
)

func TestReferenceForm(t *testing.T) {
	t.Parallel()
	sender := ocs.SubscriberID("3f0e8a52-6c1c-4b0e-9f0a-0d1f2f6b7c11")
	for _, number := range []uint64{0, 1, 0xDEADBEEF, 1 << 40, ^uint64(0)} {
		r := NewReference(sender, number)
		if len(r) != 11 || r[4] != '-' || r[9] != '-' {
			t.Errorf("reference %s of %d", r, number)
		}
		if r.Slot() != sender.Slot() {
			t.Errorf("slot of %s is %d, want %d", r, r.Slot(), sender.Slot())
		}
	}
	if a, b := NewReference(sender, 1), NewReference(sender, 1+1<<ReferenceBits); a != b {
		t.Errorf("bits beyond %d made %s of %s", ReferenceBits, b, a)
	}
}

// What a person makes of a reference is read: case, hyphens, and the letters that look like digits.
func TestReferenceReadOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := NewReference(ocs.SubscriberID(rapid.String().Draw(t, "sender")), rapid.Uint64().Draw(t, "number"))
		for _, typed := range []string{
			string(r), strings.ToLower(string(r)), strings.ReplaceAll(string(r), "-", ""), strings.ReplaceAll(string(r), "-", " "),
			strings.ReplaceAll(string(r), "0", "o"), strings.ReplaceAll(string(r), "1", "L"), strings.ReplaceAll(string(r), "1", "i"),
		} {
			if got, ok := ParseReference(typed); !ok || got != r {
				t.Fatalf("%q was read as %q, %v, want %s", typed, got, ok, r)
			}
		}
	})
}

// One wrong character and two neighbours exchanged are always found.
func TestReferenceCheck(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		plain := []byte(strings.ReplaceAll(string(NewReference("s", rapid.Uint64().Draw(t, "number"))), "-", ""))
		for i := range plain {
			for _, other := range []byte(alphabet) {
				wrong := append([]byte(nil), plain...)
				wrong[i] = other
				if _, ok := ParseReference(string(wrong)); ok != (other == plain[i]) {
					t.Fatalf("%s for %s: %v", wrong, plain, ok)
				}
			}
			if i > 0 && plain[i] != plain[i-1] {
				wrong := append([]byte(nil), plain...)
				wrong[i], wrong[i-1] = wrong[i-1], wrong[i]
				if _, ok := ParseReference(string(wrong)); ok {
					t.Fatalf("%s for %s", wrong, plain)
				}
			}
		}
	})
}

func TestNoReference(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "-", "7K3M", "7K3M-9QTA-55", "7K3M-9QTU-5", "７K3M-9QTA-5", "7K3M\x009QTA5", strings.Repeat("0", 1000)} {
		if r, ok := ParseReference(s); ok {
			t.Errorf("%q was read as %s", s, r)
		}
	}
}

func TestShortCode(t *testing.T) {
	t.Parallel()
	code, ok := NewShortCode("57243") // 572 is the worked example of H. M. Damm: check digit 4
	if !ok || code[:5] != "57243" {
		t.Fatalf("code %q, %v", code, ok)
	}
	if check, _ := checkDigit("572"); check != '4' {
		t.Errorf("check digit of 572 is %c, want 4", check)
	}
	for i := range code {
		for d := byte('0'); d <= '9'; d++ {
			wrong := []byte(code)
			wrong[i] = d
			if _, ok := ParseShortCode(string(wrong)); ok != (d == code[i]) {
				t.Errorf("%s for %s: %v", wrong, code, ok)
			}
		}
	}
	for in, want := range map[string]string{code: code, code[:3] + " " + code[3:]: code, "123": "", "1234567890": "", "12a45": "", "": "", "-": ""} {
		if got, ok := ParseShortCode(in); ok != (want != "") || ok && got != want {
			t.Errorf("%q was read as %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, digits := range []string{"", "123", "1234567", "12 4", "١٢٣٤"} {
		if code, ok := NewShortCode(digits); ok {
			t.Errorf("code %q of %q", code, digits)
		}
	}
}
