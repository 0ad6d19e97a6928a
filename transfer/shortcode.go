package transfer

import "strings"

// damm is the quasigroup of H. Michael Damm: its check digit finds every wrong digit and every exchange of neighbours.
var damm = [10]string{
	"0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
	"3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
}

// The lengths of a short code, with its check digit. It is shorter than a telephone number and longer than a quantity of
// minutes, so that a dialled string is never ambiguous.
const (
	MinShortCode = 5
	MaxShortCode = 7
)

// NewShortCode returns the short code of a merchant or an agent: digits and their check digit. False: they are not 4 to 6
// digits.
func NewShortCode(digits string) (string, bool) {
	check, ok := checkDigit(digits)
	code := digits + string(check)
	return code, ok && len(code) >= MinShortCode && len(code) <= MaxShortCode
}

// ParseShortCode reads a short code, with any blanks and hyphens, and in the digits of any alphabet that [ParseMinutes]
// reads. A code whose check digit is wrong is none.
func ParseShortCode(s string) (string, bool) {
	code, ok := asciiDigits(strings.NewReplacer(" ", "", "-", "").Replace(s))
	if !ok || len(code) < MinShortCode || len(code) > MaxShortCode {
		return "", false
	}
	check, _ := checkDigit(code[:len(code)-1])
	return code, check == code[len(code)-1]
}

func checkDigit(digits string) (byte, bool) {
	row := byte('0')
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return '0', false
		}
		row = damm[row-'0'][digits[i]-'0']
	}
	return row, true
}
