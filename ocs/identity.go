package ocs

import "strings"

// MaxIdentity is the longest identity of a subscriber in octets, that of a network access identifier (RFC 7542 §2.3).
const MaxIdentity = 253

// NormalSIPURI returns sip:user@domain without port and parameters and with the domain in lower case, or nothing when s is
// no such URI. The user part keeps its case (RFC 3261 §19.1.4). A scheme is not needed: clients leave it out.
func NormalSIPURI(s string) string {
	scheme, rest, found := strings.Cut(strings.TrimSpace(s), ":")
	switch {
	case !found || strings.Contains(scheme, "@"): // user@domain, perhaps with a port
		rest = strings.TrimSpace(s)
	case !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips"):
		return ""
	}
	user, domain, found := strings.Cut(rest, "@")
	if !found {
		return ""
	}
	user, _, _ = strings.Cut(user, ";")
	user, _, _ = strings.Cut(user, ":")
	domain, _, _ = strings.Cut(domain, ";")
	domain, _, _ = strings.Cut(domain, "?")
	if !strings.HasPrefix(domain, "[") { // an IPv6 address has colons of its own
		domain, _, _ = strings.Cut(domain, ":")
	}
	if user == "" || domain == "" {
		return ""
	}
	return "sip:" + user + "@" + strings.ToLower(domain)
}

// NormalNAI returns a network access identifier with its realm in lower case (RFC 7542 §2.4).
func NormalNAI(nai string) string {
	at := strings.LastIndexByte(nai, '@')
	if at < 0 {
		return nai
	}
	return nai[:at] + strings.ToLower(nai[at:])
}
