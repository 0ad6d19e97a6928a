package api

import (
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
