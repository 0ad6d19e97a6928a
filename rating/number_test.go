package rating_test

import (
	"testing"

	"github.com/gyro-ocs/gyro/rating"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	germany := rating.Numbering{CountryCode: "49", International: "00", National: "0", Shortest: 6}
	tests := []struct{ address, want string }{
		{"tel:+49-30-123", "+4930123"},
		{"sip:+4930123@x;user=phone", "+4930123"},
		{"sip:030123;phone-context=+49@x", "+4930123"},
		{"sip:+4930123;npdi;rn=+49199@ims.test;user=phone", "+4930123"},
		{"sips:+4930123:secret@x:5061", "+4930123"},
		{"TEL:+49(30)123", "+4930123"},
		{"tel:030123456;phone-context=ims.test", "+4930123456"},
		{"+4930123", "+4930123"},
		{"004930123", "+4930123"},
		{"03012345", "+493012345"},
		{"4930123456", "+4930123456"},
		{"112", "112"},
		{"*100#", "*100#"},
		{"4930", "4930"},
		{"sip:+4930123@x:5060", "+4930123"},
	}
	for _, test := range tests {
		n, ok := rating.ParseNumber(test.address)
		if got := germany.Complete(n); !ok || got != test.want {
			t.Errorf("%s: got %q %t, want %q", test.address, got, ok, test.want)
		}
	}
}

func TestNoNumbers(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "unknown", "anonymous@anonymous.invalid", "sip:anonymous@anonymous.invalid", "urn:service:sos", "sip:10.0.0.1",
		"sip:alice@x", "tel:", "tel:+", "sip:@x", "http://1234", "tel:+4930123x", "٠١٢", "+12345678901234567890123456789012345678901",
	} {
		if n, ok := rating.ParseNumber(address); ok {
			t.Errorf("%q was read as the number %q", address, n.Digits)
		}
	}
}

func TestRoutingNumberIsKept(t *testing.T) {
	t.Parallel()
	n, _ := rating.ParseNumber("tel:+4930123;npdi;rn=+49-199")
	if n.Routing != "+49199" {
		t.Errorf("routing number %q", n.Routing)
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add("sip:030123;phone-context=+49@x")
	f.Add("tel:+49-30-123;npdi;rn=+1")
	c := rating.Numbering{CountryCode: "49", International: "00", National: "0", Shortest: 6}
	f.Fuzz(func(t *testing.T, address string) {
		n, ok := rating.ParseNumber(address)
		if got := c.Complete(n); ok && got == "" {
			t.Errorf("%q became nothing", address)
		}
	})
}

func TestLongestPrefix(t *testing.T) {
	t.Parallel()
	named := func(name string) rating.Tariff { return rating.Tariff{Name: name} }
	p := rating.NewPrefixes(map[string]rating.Tariff{"": named("else"), "+4": named("4"), "+4930": named("berlin")})
	for number, want := range map[string]string{
		"+4930123": "berlin", "+493": "4", "+4930": "berlin", "+33": "else", "": "else", "+": "else", "112": "else",
	} {
		if got, ok := p.Longest(number); !ok || got.Name != want {
			t.Errorf("%q: got %q, want %q", number, got.Name, want)
		}
	}
	if _, ok := (rating.Prefixes{}).Longest("+49"); ok {
		t.Error("an empty table has a tariff")
	}
}
