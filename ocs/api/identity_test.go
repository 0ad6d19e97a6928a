package api

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gyro-ocs/gyro/ocs"
)

func TestParseSubscriber(t *testing.T) {
	t.Parallel()
	msisdn := func(digits string) ocs.Identity { return ocs.Identity{Kind: ocs.E164, Value: digits} }
	imsi := func(digits string) ocs.Identity { return ocs.Identity{Kind: ocs.IMSI, Value: digits} }
	for _, test := range []struct {
		name, text string
		want       ocs.Identity // zero: refused
		why        string       // part of the error
	}{
		{"digits", "4930123456", msisdn("4930123456"), ""},
		{"plus and separators", " +49 (30) 123-45.6/7 ", msisdn("49301234567"), ""},
		{"five digits are enough", "49123", msisdn("49123"), ""},
		{"fifteen are the most", "491234567890123", msisdn("491234567890123"), ""},
		{"four digits", "4912", ocs.Identity{}, "4 digits"},
		{"sixteen digits", "4912345678901234", ocs.Identity{}, "16 digits"},
		{"national number", "030123456", ocs.Identity{}, "country code"},
		{"letters", "49301x", ocs.Identity{}, "is no digit"},
		{"digits of another script", "٤٩٣٠١٢٣", ocs.Identity{}, "is no digit"},
		{"plus inside", "49+30123", ocs.Identity{}, "is no digit"},
		{"NUL", "49301\x00", ocs.Identity{}, "is no digit"},
		{"nothing", "", ocs.Identity{}, "empty"},
		{"only separators", "+--", ocs.Identity{}, "empty"},
		{"endless", strings.Repeat("1", 1<<20), ocs.Identity{}, "far too long"},
		{"imsi", "imsi-262010000000001", imsi("262010000000001"), ""},
		{"imsi of a test network", "imsi-001010000000001", imsi("001010000000001"), ""},
		{"imsi with plus", "imsi-+262010000000001", ocs.Identity{}, "starts with +"},
		{"sip uri", "sip:Alice@IMS.Example", ocs.Identity{Kind: ocs.SIPURI, Value: "sip:Alice@ims.example"}, ""},
		{"sips uri with parameters", "SIPS:alice@ims.example:5061;user=phone", ocs.Identity{Kind: ocs.SIPURI, Value: "sip:alice@ims.example"}, ""},
		{"sip uri without a user", "sip:ims.example", ocs.Identity{}, "sip:user@domain"},
		{"sip uri with a space", "sip:a lice@ims.example", ocs.Identity{}, "space"},
		{"sip uri too long", "sip:" + strings.Repeat("a", 240) + "@ims.example", ocs.Identity{}, "253 are the most"},
		{"nai", "nai-User@Example.Net", ocs.Identity{Kind: ocs.NAI, Value: "User@example.net"}, ""},
		{"nai without a realm", "nai-user", ocs.Identity{Kind: ocs.NAI, Value: "user"}, ""},
		{"nai of a realm alone", "nai-@example.net", ocs.Identity{Kind: ocs.NAI, Value: "@example.net"}, ""},
		{"nai with an empty realm", "nai-user@", ocs.Identity{}, "user@realm"},
		{"nai with two", "nai-a@b@c", ocs.Identity{}, "user@realm"},
		{"nai of nothing", "nai-", ocs.Identity{}, "empty"},
		{"private", "private-Meter/7?a=%41", ocs.Identity{Kind: ocs.Private, Value: "Meter/7?a=%41"}, ""},
		{"private that is no UTF-8", "private-\xff", ocs.Identity{}, "UTF-8"},
		{"private with NUL", "private-a\x00", ocs.Identity{}, "cannot be printed"},
		{"private of nothing", "private- ", ocs.Identity{}, "empty"},
		{"either", "alice@example.net", ocs.Identity{}, "nai-user@realm"},
		{"imsi too long", "imsi-2620100000000011", ocs.Identity{}, "16 digits"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseSubscriber(test.text)
			if refused := test.want == (ocs.Identity{}); refused != (err != nil) || (!refused && got != test.want) {
				t.Fatalf("ParseSubscriber(%.40q) = %+v, %v, want %+v", test.text, got, err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), test.why) {
				t.Errorf("ParseSubscriber(%.40q): %v, want %q in it", test.text, err, test.why)
			}
		})
	}
}

// What names a subscriber in a path is read again as the same name, whatever is in it.
func TestPathNameIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"4930123456", "imsi-262010000000001", "sip:al%2Fice;x@ims.example", "nai-a/../b?c#d@example.net", "private-%2e%2e/ü+&"} {
		identity, err := ParseSubscriber(text)
		if err != nil {
			t.Fatal(err)
		}
		path := PathName(identity)
		raw, err := url.PathUnescape(path)
		if again, faulty := ParseSubscriber(raw); err != nil || faulty != nil || again != identity || strings.ContainsAny(path, "/?#") {
			t.Errorf("%q is %+v, in a path %q, and that is %+v, %v", text, identity, path, again, faulty)
		}
	}
}
