package api

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gyro-ocs/gyro/ocs"
)

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

// The prefixes of names that are neither an MSISDN nor a SIP URI. Those of IMSI and NAI are the ones of a SUPI (TS 29.571
// §5.3.2); what a private identity looks like is everybody's own.
const (
	imsiPrefix    = "imsi-"
	naiPrefix     = "nai-"
	privatePrefix = "private-"
)

// NameForms tells people how a subscriber is named in a path, a query or on a command line.
const NameForms = "MSISDN, imsi-DIGITS, sip:USER@DOMAIN, nai-USER@REALM or private-NAME"

// ParseSIPURI returns a SIP URI as it is stored: sip:user@domain. The error does not repeat it.
func ParseSIPURI(s string) (string, error) {
	s = strings.TrimSpace(s)
	scheme, _, _ := strings.Cut(s, ":")
	switch uri := ocs.NormalSIPURI(s); {
	case strings.EqualFold(scheme, "tel"):
		return "", errors.New("sip_uri: it is a tel URI; its number is the msisdn")
	case !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips"), uri == "":
		return "", errors.New("sip_uri: it must be like sip:user@domain")
	default:
		return uri, printable("sip_uri", uri)
	}
}

// ParseNAI returns a network access identifier as it is stored (RFC 7542 §2.2). The error does not repeat it.
func ParseNAI(s string) (string, error) {
	nai := ocs.NormalNAI(strings.TrimSpace(s))
	user, realm, found := strings.Cut(nai, "@")
	switch {
	case nai == "":
		return "", errors.New("nai: it is empty")
	case found && (user == "" && realm == "" || realm == "" || strings.Contains(realm, "@")):
		return "", errors.New("nai: it must be like user@realm")
	}
	return nai, printable("nai", nai)
}

// ParsePrivate returns a private identity (END_USER_PRIVATE, RFC 8506 §8.47): octets of the network's own, kept as they are.
// The error does not repeat it.
func ParsePrivate(s string) (string, error) {
	if s = strings.TrimSpace(s); s == "" {
		return "", errors.New("private: it is empty")
	}
	return s, printable("private", s)
}

// printable returns why a name cannot be stored, or told.
func printable(kind, name string) error {
	switch {
	case len(name) > ocs.MaxIdentity:
		return fmt.Errorf("%s: it has %d octets, and %d are the most", kind, len(name), ocs.MaxIdentity)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s: it is not UTF-8", kind)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }):
		return fmt.Errorf("%s: it has a space or a character that cannot be printed", kind)
	}
	return nil
}

// ParseSubscriber returns the identity that names a subscriber in a path or on a command line. See [NameForms].
func ParseSubscriber(s string) (ocs.Identity, error) {
	kind, parse, text := ocs.E164, ParseMSISDN, s
	if scheme, _, found := strings.Cut(s, ":"); found && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")) {
		kind, parse = ocs.SIPURI, ParseSIPURI
	} else if rest, ok := strings.CutPrefix(s, imsiPrefix); ok {
		kind, parse, text = ocs.IMSI, ParseIMSI, rest
	} else if rest, ok := strings.CutPrefix(s, naiPrefix); ok {
		kind, parse, text = ocs.NAI, ParseNAI, rest
	} else if rest, ok := strings.CutPrefix(s, privatePrefix); ok {
		kind, parse, text = ocs.Private, ParsePrivate, rest
	} else if strings.Contains(s, "@") {
		return ocs.Identity{}, errors.New("write a SIP URI as sip:user@domain and a network access identifier as nai-user@realm")
	}
	value, err := parse(text)
	if err != nil {
		return ocs.Identity{Kind: kind}, err
	}
	return ocs.Identity{Kind: kind, Value: value}, nil
}

// PathName returns how identity is named in a path of the API, escaped.
func PathName(identity ocs.Identity) string {
	switch identity.Kind {
	case ocs.IMSI:
		return imsiPrefix + identity.Value
	case ocs.NAI:
		return url.PathEscape(naiPrefix + identity.Value)
	case ocs.Private:
		return url.PathEscape(privatePrefix + identity.Value)
	case ocs.E164, ocs.SIPURI:
	}
	return url.PathEscape(identity.Value)
}

// kindInWords is kindWord for a sentence.
func kindInWords(kind ocs.IdentityKind) string {
	if kind == ocs.Private {
		return "private identity"
	}
	return kindWord(kind)
}

// kindWord is the name of a kind of identity in bodies and in CSV files.
func kindWord(kind ocs.IdentityKind) string {
	switch kind {
	case ocs.IMSI:
		return "imsi"
	case ocs.SIPURI:
		return "sip_uri"
	case ocs.NAI:
		return "nai"
	case ocs.Private:
		return "private"
	case ocs.E164:
	}
	return "msisdn"
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
