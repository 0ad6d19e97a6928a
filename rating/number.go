package rating

import "strings"

// A Number is an address as a network element sent it, taken apart but not yet completed to E.164.
type Number struct {
	Digits  string // digits, * and #, with a leading + when international
	Context string // global phone-context such as +49, or empty (RFC 3966 §5.1.5)
	Routing string // rn= of a ported number: selects the network, not the destination
}

// ParseNumber reads a SIP or tel URI or plain digits. ok is false for everything that names no number: "unknown",
// "anonymous@…", a URN, an alphanumeric SIP user.
func ParseNumber(address string) (n Number, ok bool) {
	rest, isSIP := cutScheme(address)
	if isSIP {
		user, _, hasUser := strings.Cut(rest, "@") // the user part keeps its own parameters: +49301;npdi
		if !hasUser {
			return Number{}, false // sip:10.0.0.1 names a host, not a number
		}
		rest = user
	}
	digits, parameters, _ := strings.Cut(rest, ";")
	digits, _, _ = strings.Cut(digits, ":") // a password
	n.Digits = stripSeparators(digits)
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		switch {
		case strings.EqualFold(name, "phone-context") && strings.HasPrefix(value, "+"):
			n.Context = stripSeparators(value)
		case strings.EqualFold(name, "rn"):
			n.Routing = stripSeparators(value)
		}
	}
	return n, dialable(n.Digits)
}

func cutScheme(address string) (rest string, isSIP bool) {
	scheme, rest, found := strings.Cut(strings.TrimSpace(address), ":")
	switch {
	case !found:
		return scheme, strings.Contains(scheme, "@")
	case strings.EqualFold(scheme, "sip"), strings.EqualFold(scheme, "sips"):
		return rest, true
	case strings.EqualFold(scheme, "tel"):
		return rest, false
	}
	return "", false // urn:service:sos and every other scheme names no number
}

func stripSeparators(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("-.() ", r) {
			return -1
		}
		return r
	}, s)
}

func dialable(digits string) bool {
	digits = strings.TrimPrefix(digits, "+")
	if digits == "" || len(digits) > 40 {
		return false
	}
	for _, r := range digits {
		if (r < '0' || r > '9') && r != '*' && r != '#' {
			return false
		}
	}
	return true
}

// A Numbering completes what a subscriber dialled by the rules of the home country.
type Numbering struct {
	CountryCode   string // without plus: "49"
	International string // prefix of an international number, "00"
	National      string // trunk prefix of a national number, "0"; empty where the country has none
	Shortest      int    // a number with fewer digits and no prefix is a short code and stays as it is
}

// Complete returns n with a leading + when it names an E.164 number, or as dialled when it is a short code. Tariffs are
// looked up by the longest prefix of this.
func (c Numbering) Complete(n Number) string {
	digits := n.Digits
	switch {
	case strings.HasPrefix(digits, "+"):
		return digits
	case c.International != "" && strings.HasPrefix(digits, c.International) && len(digits) > len(c.International)+3:
		return "+" + digits[len(c.International):]
	case n.Context != "":
		return n.Context + strings.TrimPrefix(digits, c.National)
	case c.CountryCode == "" || strings.ContainsAny(digits, "*#"):
		return digits
	case c.National != "" && strings.HasPrefix(digits, c.National) && len(digits) > c.Shortest:
		return "+" + c.CountryCode + digits[len(c.National):]
	case c.Shortest > 0 && len(digits) > c.Shortest && strings.HasPrefix(digits, c.CountryCode):
		return "+" + digits // an E.164 number whose plus was lost, as in Subscription-Id-Data
	}
	return digits
}
