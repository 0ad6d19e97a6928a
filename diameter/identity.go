package diameter

import (
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/rating"
)

// identities gathers what a request calls its subscriber by. Each kind is kept apart, because the order in which they
// are tried is ours and not the client's (spec/gy 3.19).
type identities struct {
	byKind   [ocs.Private + 1][]string
	derived  []string // E.164 numbers found inside SIP URIs: tried after the URIs themselves
	userName string   // User-Name: the last resort
	uri      string   // what addURI read last: clients say the same thing two or three times
}

// add takes an identity as it stands on the wire, normalised. One that cannot be an identity of its kind finds nobody
// and is left out.
func (i *identities) add(kind ocs.IdentityKind, value string) {
	switch kind {
	case ocs.E164:
		i.addE164(value)
	case ocs.IMSI:
		if imsi := strings.TrimSpace(value); isDigits(imsi, 5, 15) {
			i.keep(ocs.IMSI, imsi)
		}
	case ocs.SIPURI:
		i.addURI(value)
	case ocs.NAI:
		i.keep(ocs.NAI, ocs.NormalNAI(value))
	case ocs.Private:
		i.keep(ocs.Private, value)
	}
}

func (i *identities) keep(kind ocs.IdentityKind, value string) {
	if value != "" && !slices.Contains(i.byKind[kind], value) {
		i.byKind[kind] = append(i.byKind[kind], value)
	}
}

// addE164 takes a number with or without the plus. Some clients put a URI here.
func (i *identities) addE164(value string) {
	if hasURIScheme(value) {
		i.addURI(value)
		return
	}
	if digits, ok := e164(value); ok {
		i.keep(ocs.E164, digits)
	}
}

// addURI takes a SIP or tel URI; both are of one type in Subscription-Id (RFC 8506 §8.47).
func (i *identities) addURI(value string) {
	if value == i.uri {
		return
	}
	i.uri = value
	if uri := ocs.NormalSIPURI(value); uri != "" {
		i.keep(ocs.SIPURI, uri)
	}
	if digits, ok := e164(value); ok && !slices.Contains(i.derived, digits) {
		i.derived = append(i.derived, digits)
	}
}

// list returns the identities in the order in which they are tried.
func (i *identities) list() []ocs.Identity {
	if i.userName != "" {
		i.addUserName(i.userName)
	}
	var list []ocs.Identity
	add := func(kind ocs.IdentityKind, values []string) {
		for _, value := range values {
			if one := (ocs.Identity{Kind: kind, Value: value}); !slices.Contains(list, one) {
				list = append(list, one)
			}
		}
	}
	for kind, values := range i.byKind {
		if list == nil && len(values) > 0 {
			list = make([]ocs.Identity, 0, i.count())
		}
		add(ocs.IdentityKind(kind), values)
		if ocs.IdentityKind(kind) == ocs.SIPURI {
			add(ocs.E164, i.derived)
		}
	}
	return list
}

func (i *identities) count() int {
	n := len(i.derived)
	for _, values := range i.byKind {
		n += len(values)
	}
	return n
}

// addUserName takes a User-Name for what it looks like. It comes last also among identities of its own kind, because
// list adds it after all the others.
func (i *identities) addUserName(name string) {
	switch {
	case hasURIScheme(name):
		i.addURI(name)
	case strings.HasPrefix(name, "+"):
		i.addE164(name)
	default:
		i.keep(ocs.NAI, ocs.NormalNAI(name))
	}
}

func hasURIScheme(s string) bool {
	scheme, _, found := strings.Cut(s, ":")
	return found && (strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips") || strings.EqualFold(scheme, "tel"))
}

// e164 returns the digits of an international number, without the plus: +49…, 0049…, 49…, tel:+49…, sip:+49…@….
// A number that only its home network can complete is none.
func e164(address string) (string, bool) {
	n, ok := rating.ParseNumber(address)
	if !ok {
		return "", false
	}
	digits, international := strings.CutPrefix(n.Digits, "+")
	if !international {
		if n.Context != "" {
			return "", false
		}
		digits = strings.TrimPrefix(digits, "00")
	}
	return digits, isDigits(digits, 3, 15)
}

// isDigits reports whether s has from least to most digits and nothing else.
func isDigits(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, r := range []byte(s) {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}
