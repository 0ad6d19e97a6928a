package api

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
)

// imsiPrefix marks an IMSI where an MSISDN is usual (SUPI, TS 29.571 §5.3.2).
const imsiPrefix = "imsi-"

// ParseMSISDN returns the digits of an E.164 number with its country code. A leading + and separators are accepted.
// The error does not repeat the number, so that it can be logged.
func ParseMSISDN(s string) (string, error) {
	digits, err := digitsOf(s)
	switch {
	case err != nil:
		return "", fmt.Errorf("msisdn: %w", err)
	case len(digits) < 5 || len(digits) > 15: // E.164 §6.2.1; test networks use short ones
		return "", fmt.Errorf("msisdn: it has %d digits, and 5 to 15 are right", len(digits))
	case digits[0] == '0':
		return "", errors.New("msisdn: it starts with 0; it must start with the country code, as in 4930123456")
	}
	return digits, nil
}

// ParseIMSI returns the digits of an IMSI: country, network, subscriber (TS 23.003 §2.2). The error does not repeat it.
func ParseIMSI(s string) (string, error) {
	digits, err := digitsOf(s)
	switch {
	case err != nil:
		return "", fmt.Errorf("imsi: %w", err)
	case strings.HasPrefix(strings.TrimSpace(s), "+"):
		return "", errors.New("imsi: it starts with +, as an msisdn does")
	case len(digits) < 6 || len(digits) > 15:
		return "", fmt.Errorf("imsi: it has %d digits, and 6 to 15 are right", len(digits))
	}
	return digits, nil
}

// ParseSubscriber returns the identity that names a subscriber in a path or on a command line: an MSISDN, or an IMSI
// behind imsi-.
func ParseSubscriber(s string) (ocs.Identity, error) {
	if imsi, ok := strings.CutPrefix(s, imsiPrefix); ok {
		digits, err := ParseIMSI(imsi)
		return ocs.Identity{Kind: ocs.IMSI, Value: digits}, err
	}
	digits, err := ParseMSISDN(s)
	return ocs.Identity{Kind: ocs.E164, Value: digits}, err
}

func digitsOf(s string) (string, error) {
	s = strings.TrimPrefix(strings.TrimSpace(s), "+")
	var digits strings.Builder
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			digits.WriteRune(r)
		case strings.ContainsRune(" -./()", r):
		default:
			return "", fmt.Errorf("%q is no digit", r)
		}
		if digits.Len() > 40 {
			return "", errors.New("it is far too long")
		}
	}
	if digits.Len() == 0 {
		return "", errors.New("it is empty")
	}
	return digits.String(), nil
}
