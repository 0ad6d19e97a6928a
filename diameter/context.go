package diameter

import (
	"strconv"
	"strings"

	"github.com/gyro-ocs/gyro/ocs"
)

// domain3GPP is the domain of the contexts that TS 32.299 §7.1.12 defines.
const domain3GPP = "3gpp.org"

// parseContext takes a Service-Context-Id apart: [extension.][MNC.MCC.][Release.]service-context@domain, read from the
// right. Case does not count. Some clients write .3gpp.org for @3gpp.org. The dotted grammar is 3GPP's own: what another
// domain puts before the @ is one name, as in scap_v.2.0@ericsson.com.
func parseContext(id string) ocs.Context {
	id = strings.ToLower(id)
	at := strings.LastIndexByte(id, '@')
	if at < 0 {
		if rest, ok := strings.CutSuffix(id, "."+domain3GPP); ok {
			return parse3GPPContext(rest)
		}
		return ocs.Context{Name: id}
	}
	if id[at+1:] != domain3GPP {
		return ocs.Context{Name: id}
	}
	return parse3GPPContext(id[:at])
}

// parse3GPPContext reads what stands before the domain. Releases 5 to 19 are told from MCCs, which have three digits.
func parse3GPPContext(local string) ocs.Context {
	labels := strings.Split(local, ".")
	last := len(labels) - 1
	c := ocs.Context{Name: labels[last] + "@" + domain3GPP}
	if last > 0 {
		if release, err := strconv.Atoi(labels[last-1]); err == nil && 5 <= release && release <= 19 {
			c.Release = release
		}
	}
	return c
}
