package transfer

import "strings"

// The room for texts on a handset.
const (
	USSDSeptets = 182 // 160 octets of GSM 7 bit
	USSDChars   = 80  // the same in UCS-2
	SMSSeptets  = 160 // one message
	SMSChars    = 70
)

// gsm7 is the default alphabet of TS 23.038 §6.2.1 without the escape; extension its table §6.2.1.1, of which each
// character takes two septets.
const (
	gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extension = "\f^{}\\[~]|€"
)

// Septets returns how many septets s takes in the GSM default alphabet. False: it needs UCS-2.
func Septets(s string) (n int, ok bool) {
	for _, r := range s {
		switch {
		case strings.ContainsRune(gsm7, r):
			n++
		case strings.ContainsRune(extension, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// Chars returns how many UCS-2 characters s takes. One beyond the basic plane takes two.
func Chars(s string) (n int) {
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// FitsUSSD reports whether s fits on one screen.
func FitsUSSD(s string) bool { return fitsIn(s, USSDSeptets, USSDChars) }

// FitsSMS reports whether s fits into one message.
func FitsSMS(s string) bool { return fitsIn(s, SMSSeptets, SMSChars) }

func fitsIn(s string, septets, chars int) bool {
	if n, ok := Septets(s); ok {
		return n <= septets
	}
	return Chars(s) <= chars
}
