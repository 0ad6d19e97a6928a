package diameter

import (
	"slices"
	"strings"
)

// A serving network is told by its PLMN: MCC and MNC, five or six digits. The functions below return nothing for what they
// cannot read: a malformed location is passed over, because no call may fail for it (spec/gy 3.19).

// accessNetworkPLMN reads a P-Access-Network-Info header (RFC 7315 §5.4): the cell begins with MCC and MNC.
func accessNetworkPLMN(header string) string {
	for parameter := range strings.SplitSeq(header, ";") {
		name, value, found := strings.Cut(strings.TrimSpace(parameter), "=")
		if !found {
			continue
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "utran-cell-id-3gpp", "cgi-3gpp", "utran-sai-3gpp":
			return cellPLMN(strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return ""
}

// cellPLMN returns the network of a cell that is written as MCC, MNC and hexadecimal digits. How many digits the MNC has
// follows from the length: 8 come after it in GERAN (LAC and CI), 11 in UTRAN and E-UTRAN, 15 in NR. Where the length
// does not tell, the country does.
func cellPLMN(cell string) string {
	digits := 3 + mncDigits(cell)
	switch len(cell) {
	case 13, 16, 20:
		digits = 5
	case 14, 17, 21:
		digits = 6
	}
	if len(cell) < digits || !isDigits(cell[:digits], 5, 6) {
		return ""
	}
	return cell[:digits]
}

// visitedNetworkPLMN reads a network identifier such as ims.mnc001.mcc262.3gppnetwork.org, in which an MNC of two digits
// has a zero before it (TS 23.003 §13.2).
func visitedNetworkPLMN(identifier string) string {
	var mcc, mnc string
	for label := range strings.SplitSeq(strings.ToLower(identifier), ".") {
		if digits, ok := strings.CutPrefix(label, "mcc"); ok && isDigits(digits, 3, 3) {
			mcc = digits
		}
		if digits, ok := strings.CutPrefix(label, "mnc"); ok && isDigits(digits, 2, 3) {
			mnc = digits
		}
	}
	if mcc == "" || mnc == "" {
		return ""
	}
	if len(mnc) == 3 && mncDigits(mcc) == 2 {
		mnc = strings.TrimPrefix(mnc, "0")
	}
	return mcc + mnc
}

// servingPLMN reads a 3GPP-SGSN-MCC-MNC (TS 29.061 §16.4.7).
func servingPLMN(digits string) string {
	if !isDigits(digits, 5, 6) {
		return ""
	}
	return digits
}

// userLocationPLMN reads a 3GPP-User-Location-Info: the kind of location, then the network in three octets, swapped
// digit by digit (TS 29.061 §16.4.7.2).
func userLocationPLMN(info string) string {
	const cgi, sai, rai, tai, ecgi, taiECGI, ncgi, tai5GS, tai5GSNCGI = 0, 1, 2, 128, 129, 130, 135, 136, 137
	if len(info) < 4 || !slices.Contains([]byte{cgi, sai, rai, tai, ecgi, taiECGI, ncgi, tai5GS, tai5GSNCGI}, info[0]) {
		return ""
	}
	plmn := []byte{info[1] & 15, info[1] >> 4, info[2] & 15, info[3] & 15, info[3] >> 4, info[2] >> 4}
	if plmn[5] == 15 { // an MNC of two digits
		plmn = plmn[:5]
	}
	for i, digit := range plmn {
		if digit > 9 {
			return ""
		}
		plmn[i] = '0' + digit
	}
	return string(plmn)
}

// mncDigits tells how many digits the MNCs of a country have (ITU-T E.212): three in the countries below, else two.
func mncDigits(mcc string) int {
	if len(mcc) >= 3 && slices.Contains(longMNCs, mcc[:3]) {
		return 3
	}
	return 2
}

// longMNCs are the countries whose MNCs have three digits: most of North America and the Caribbean, and some of Latin
// America.
var longMNCs = []string{
	"302", "310", "311", "312", "313", "314", "315", "316", "330", "334", "338", "342", "344", "346", "348", "350", "352",
	"354", "356", "358", "360", "365", "366", "376", "708", "722", "732",
}

// telephoneDigits reads the address of a switch in an OctetString: TBCD, two digits an octet and the first in the lower
// half (TS 29.002 §17.7.8), or, as some clients have it, text. Empty when it is neither.
func telephoneDigits(address string) string {
	if text := strings.TrimPrefix(address, "+"); isDigits(text, 5, 15) {
		return text
	}
	if len(address) > 8 {
		return ""
	}
	digits := make([]byte, 0, 16)
	for _, octet := range []byte(address) {
		digits = append(digits, octet&15, octet>>4)
	}
	if last := len(digits) - 1; last > 0 && digits[last] == 15 {
		digits = digits[:last] // filler after an odd number of digits
	}
	for i, digit := range digits {
		if digit > 9 {
			return ""
		}
		digits[i] = '0' + digit
	}
	return string(digits)
}
