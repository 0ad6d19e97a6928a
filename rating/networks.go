package rating

import "strings"

// Networks are mobile networks, by what tells them: the code of the serving network, or the number of its switch.
type Networks struct {
	Codes []string // MCC, or MCC and MNC: 262, 26201
	Nodes []string // beginnings of the number of the serving VLR or MSC, with +: +49
	All   bool     // every network
}

// Has reports whether a network is among n. One that nothing is told of is in none.
func (n Networks) Has(code, node string) bool {
	if n.All {
		return code != "" || node != ""
	}
	for _, c := range n.Codes {
		if c == code || len(c) == mccDigits && strings.HasPrefix(code, c) {
			return true
		}
	}
	if code != "" || node == "" {
		return false
	}
	for _, prefix := range n.Nodes {
		if strings.HasPrefix(node, strings.TrimPrefix(prefix, "+")) {
			return true
		}
	}
	return false
}

// mccDigits is the length of a mobile country code: a code of that length means all networks of the country.
const mccDigits = 3
