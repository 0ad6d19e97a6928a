package reading

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded returns the octets of an annotated .hex file.
func recorded(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Hex(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessage(t *testing.T) {
	for _, test := range []struct {
		name   string
		teller Teller
	}{{"ccr_redacted.txt", Teller{}}, {"ccr_revealed.txt", Teller{Reveal: true}}} {
		want, err := os.ReadFile(filepath.Join("testdata", test.name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := test.teller.Message(recorded(t, "ccr.hex"))
		if err != nil || got != string(want) {
			t.Errorf("%s: got %v\n%s\nwant\n%s", test.name, err, got, want)
		}
	}
}

// Nothing that tells who somebody is may be told unless asked, wherever it stands.
func TestRedactedNamesNobody(t *testing.T) {
	got, err := Teller{}.Message(recorded(t, "ccr.hex"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"4917000", "4930123456", "26201", hex.EncodeToString([]byte("4917000"))} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is told in\n%s", secret, got)
		}
	}
}

func TestBrokenMessagesAreTold(t *testing.T) {
	b := recorded(t, "ccr.hex")
	if _, err := (Teller{}).Message(b[:len(b)-4]); !errors.Is(err, ErrNoMessage) {
		t.Errorf("cut off: got %v, want ErrNoMessage", err)
	}
	if _, err := (Teller{}).Message([]byte("GET / HTTP/1.1\r\n\r\n")); !errors.Is(err, ErrNoMessage) {
		t.Errorf("HTTP: got %v, want ErrNoMessage", err)
	}
	broken := append([]byte(nil), b...)
	binary.BigEndian.PutUint32(broken[24:], 0x40ffffff) // the length of the first AVP
	if got, err := (Teller{}).Message(broken); err != nil || !strings.Contains(got, "broken") {
		t.Errorf("broken AVP: got %q, %v", got, err)
	}
}

func TestWithoutNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"pgw1.epc.test;17;4":             "pgw1.epc.test;17;4",
		"as;call-4917012345678@ims.test": "as;call-491…@ims.test",
		"1234567":                        "123…",
		"123456 and 99999999999":         "123456 and 999…",
		"15.32260@3gpp.org":              "15.32260@3gpp.org",
		"kamailio.ims.test;4274129816;1": "kamailio.ims.test;427…;1",
	} {
		if got := withoutNumbers(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// No octets may stop the teller, and redacted it tells no text that it does not know to be harmless.
func FuzzMessage(f *testing.F) {
	text, err := os.ReadFile("testdata/ccr.hex")
	if err != nil {
		f.Fatal(err)
	}
	seed, err := Hex(string(text))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= headerLength {
			b = bytes.Clone(b[:len(b)&^3])
			binary.BigEndian.PutUint32(b, 1<<24|uint32(len(b)))
		}
		for _, teller := range []Teller{{}, {Reveal: true}} {
			said, err := teller.Message(b)
			if err == nil && !strings.HasSuffix(said, "\n") {
				t.Errorf("got %q, want whole lines", said)
			}
		}
	})
}
