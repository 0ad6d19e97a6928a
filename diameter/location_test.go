package diameter

import (
	"strings"
	"testing"
)

func TestGY_167_Location(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		read        func(string) string
		value, want string
	}{
		{"UTRAN cell, MNC of two digits", accessNetworkPLMN, "3GPP-UTRAN-FDD; utran-cell-id-3gpp=2080112341234567", "20801"},
		{"UTRAN cell, MNC of three digits", accessNetworkPLMN, "3GPP-UTRAN-TDD;utran-cell-id-3gpp=31041012341234567", "310410"},
		{"GERAN cell, quoted, odd case", accessNetworkPLMN, `3GPP-GERAN; CGI-3GPP="2620112345678"`, "26201"},
		{"GERAN cell, MNC of three digits", accessNetworkPLMN, "3GPP-GERAN;cgi-3gpp=31041012345678", "310410"},
		{"NR cell", accessNetworkPLMN, "3GPP-NR-FDD;utran-cell-id-3gpp=26201aaaaaabbbbbbbbb", "26201"},
		{"odd length: the country decides", accessNetworkPLMN, "3GPP-UTRAN;utran-cell-id-3gpp=310410", "310410"},
		{"other parameters before it", accessNetworkPLMN, `IEEE-802.11;i-wlan-node-id=00;network-provided;cgi-3gpp=2620112345678`, "26201"},
		{"letters in the MCC", accessNetworkPLMN, "3GPP-UTRAN;utran-cell-id-3gpp=2x80112341234567", ""},
		{"too short", accessNetworkPLMN, "3GPP-UTRAN;utran-cell-id-3gpp=208", ""},
		{"no cell", accessNetworkPLMN, "IEEE-802.11", ""},
		{"octets", accessNetworkPLMN, "\xff\x00;=;cgi-3gpp=", ""},

		{"visited network, padded MNC", visitedNetworkPLMN, "ims.mnc001.mcc262.3gppnetwork.org", "26201"},
		{"visited network, long MNC", visitedNetworkPLMN, "ims.mnc012.mcc310.3gppnetwork.org", "310012"},
		{"visited network, MNC without a zero to spare", visitedNetworkPLMN, "ims.mnc410.mcc262.3gppnetwork.org", "262410"},
		{"visited network by name", visitedNetworkPLMN, "visited.example.com", ""},
		{"visited network without MNC", visitedNetworkPLMN, "mcc262.3gppnetwork.org", ""},

		{"serving PLMN of five digits", servingPLMN, "26201", "26201"},
		{"serving PLMN of six digits", servingPLMN, "310410", "310410"},
		{"serving PLMN of four digits", servingPLMN, "2620", ""},
		{"serving PLMN with a letter", servingPLMN, "2620f", ""},

		{"TAI and ECGI", userLocationPLMN, "\x82\x62\xf2\x10\x00\x01\x62\xf2\x10\x00\x00\x01\x0b", "26201"},
		{"CGI, MNC of three digits", userLocationPLMN, "\x00\x13\x00\x14\x00\x01\x00\x02", "310410"},
		{"5GS TAI and NCGI", userLocationPLMN, "\x89\x02\xf8\x10\x00\x00\x01", "20801"},
		{"one octet", userLocationPLMN, "\x00", ""},
		{"nothing", userLocationPLMN, "", ""},
		{"three octets", userLocationPLMN, "\x01\x62\xf2", ""},
		{"unknown kind", userLocationPLMN, "\x03\x62\xf2\x10\x00", ""},
		{"digit above nine", userLocationPLMN, "\x01\x6a\xf2\x10\x00", ""},
		{"filler in the MCC", userLocationPLMN, "\x01\xf2\xf2\x10", ""},

		{"TBCD, even", telephoneDigits, "\x94\x71\x10\x00\x00\x00\x10", "49170100000001"},
		{"TBCD, odd", telephoneDigits, "\x94\x71\x10\x00\x00\xf1", "49170100001"},
		{"text", telephoneDigits, "+491701234567", "491701234567"},
		{"too long", telephoneDigits, "\x94\x71\x10\x00\x00\x00\x10\x00\x00", ""},
		{"no digit", telephoneDigits, "\x94\xa1", ""},
		{"filler inside", telephoneDigits, "\xf4\x71", ""},
		{"nothing", telephoneDigits, "", ""},

		{"E.164 address, text", e164Address, "\x00\x0849170123456789", "49170123456789"},
		{"E.164 address, TBCD", e164Address, "\x00\x08\x94\x71\x10", "491701"},
		{"IPv4 address", e164Address, "\x00\x01\x7f\x00\x00\x01", ""},
		{"no address", e164Address, "\x00", ""},
	} {
		if got := c.read(c.value); got != c.want {
			t.Errorf("%s: %q gives %q, want %q", c.name, c.value, got, c.want)
		}
	}
}

// No octets and no text of a network may stop what finds the serving network in them, and what is found is digits.
func FuzzNetworks(f *testing.F) {
	for _, seed := range []string{
		"\x00\x62\xf2\x10\x00\x01\x00\x02", "\x82\x02\xf8\x10\x00\x01\x02\xf8\x10\x00\x00\x00\x01", "\x81\x62\xf2\x10",
		"3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2080112340abcdef", `3GPP-GERAN;cgi-3gpp="262011234abcd"`, "IEEE-802.11;i-wlan-node-id=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, found := range map[string]string{"location": userLocationPLMN(s), "access network": accessNetworkPLMN(s)} {
			if len(found) > 6 || strings.Trim(found, "0123456789") != "" {
				t.Errorf("%s %q: got network %q", name, s, found)
			}
		}
	})
}
