package api

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/gyro-ocs/gyro/ocs/api/tmf654"
)

// A role is what the holder of a key may do, or a set of such.
type role uint8

// The roles of people and programs. They do not lie in one order: billing reads what an agent has no business with.
const (
	viewer     role = 1 << iota // reads
	agent                       // helps a subscriber, within limits
	supervisor                  // helps within wider limits, confirms what others may not do alone
	billing                     // reads, and takes records away
	operator                    // everything

	nobody role = 0
)

// Sets of roles.
const (
	readers     = viewer | agent | supervisor | billing | operator
	agents      = agent | supervisor | operator
	supervisors = supervisor | operator
	bills       = billing | operator

	anybody role = 0xff // no key is asked for
)

// roleNames are in the order of the bits.
var roleNames = []string{"viewer", "agent", "supervisor", "billing", "operator"}

// RoleNames are the roles that a key can have.
func RoleNames() []string { return slices.Clone(roleNames) }

// parseRole returns the role of a name; nobody when there is none.
func parseRole(name string) role {
	if i := slices.Index(roleNames, name); i >= 0 {
		return 1 << i
	}
	return nobody
}

func (r role) String() string {
	var names []string
	for left := uint8(r); left != 0; left &= left - 1 {
		if i := bits.TrailingZeros8(left); i < len(roleNames) {
			names = append(names, roleNames[i])
		}
	}
	return strings.Join(names, ", ")
}

func (r role) has(one role) bool { return r&one != 0 }

// rights says who may do what: a row for every route. A route without one is closed to all. Where a part of a path chooses
// the act, a row with that part written out goes before the one of the route.
var rights = map[string]role{
	"GET /healthz":          anybody,
	"GET /readyz":           anybody,
	"GET /metrics":          anybody,
	"GET /openapi.json":     anybody,
	"GET /openapi.yaml":     anybody,
	"GET /openapi-3.0.json": anybody,
	"GET /openapi-3.0.yaml": anybody,
	"GET /docs":             anybody,
	"POST /ussd/{gateway}":  anybody, // a gateway has a token of its own

	"GET /care/v1/subscribers":                      readers,
	"POST /care/v1/subscribers":                     supervisors,
	"POST /care/v1/subscribers/import":              operator,
	"GET /care/v1/subscribers/{subscriber}":         readers,
	"PUT /care/v1/subscribers/{subscriber}/state":   supervisors,
	"GET /care/v1/subscribers/{subscriber}/buckets": readers,

	"GET /care/v1/subscribers/{subscriber}/plan":         readers,
	"POST /care/v1/subscribers/{subscriber}/plan/change": supervisors, // takes money, and gives some back
	"POST /care/v1/subscribers/{subscriber}/plan/renew":  agents,      // takes what the plan costs
	"POST /care/v1/subscribers/{subscriber}/plan/cancel": supervisors,

	"GET /care/v1/subscribers/{subscriber}/statement":          readers,
	"POST /care/v1/subscribers/{subscriber}/buckets":           agents, // within limits
	"GET /care/v1/buckets/{bucket}/trace":                      readers,
	"GET /care/v1/whois":                                       readers,
	"GET /care/v1/sessions":                                    readers,
	"GET /care/v1/session":                                     readers,
	"POST /care/v1/session/reauthorise":                        agents,
	"POST /care/v1/session/abort":                              supervisors,
	"GET /care/v1/cdrs":                                        readers,
	"GET /care/v1/rated-events":                                readers,
	"GET /care/v1/cdr-months":                                  readers,
	"GET /care/v1/cdr-months/{month}":                          readers,
	"POST /care/v1/cdr-months/{month}/close":                   bills,
	"POST /care/v1/cdr-months/{month}/files/{file}":            bills,
	"GET /care/v1/status":                                      readers,
	"GET /care/v1/exchange":                                    supervisors, // with what tells who somebody is: operator
	"GET /care/v1/audit":                                       supervisors | bills,
	"POST /care/v1/subscribers/{subscriber}/corrections":       agents, // within limits
	"PUT /care/v1/subscribers/{subscriber}/msisdn":             supervisors,
	"PUT /care/v1/subscribers/{subscriber}/imsi":               supervisors,
	"PUT /care/v1/subscribers/{subscriber}/freeze":             agents,
	"PUT /care/v1/subscribers/{subscriber}/services":           agents,
	"GET /care/v1/subscribers/{subscriber}/usage":              readers,
	"GET /care/v1/subscribers/{subscriber}/texts":              readers,
	"POST /care/v1/subscribers/{subscriber}/texts/{id}/resend": agents,
	"POST /care/v1/session/end":                                supervisors,
	"GET /care/v1/peers":                                       readers,
	"POST /care/v1/peers/{host}/disconnect":                    operator,

	"GET /care/v1/keys":         supervisors,
	"POST /care/v1/keys":        operator,
	"DELETE /care/v1/keys/{id}": operator,
	"GET /care/v1/whoami":       readers,

	"GET /care/v1/approvals":               readers,
	"GET /care/v1/approvals/{id}":          readers,
	"POST /care/v1/approvals/{id}/confirm": supervisors,
	"POST /care/v1/approvals/{id}/reject":  agents, // an agent takes back what it asked for itself

	"GET /care/v1/subscribers/{subscriber}/profile":     readers,
	"PUT /care/v1/subscribers/{subscriber}/profile":     supervisors,
	"GET /care/v1/subscribers/{subscriber}/pin":         readers,
	"PUT /care/v1/subscribers/{subscriber}/pin":         supervisors,
	"POST /care/v1/subscribers/{subscriber}/pin/reset":  agents,
	"POST /care/v1/subscribers/{subscriber}/pin/unlock": agents,

	"GET /care/v1/subscribers/{subscriber}/transfers": readers,
	"GET /care/v1/subscribers/{subscriber}/allowance": readers,
	"GET /care/v1/transfers":                          readers,
	"GET /care/v1/transfers/{reference}":              readers,
	"GET /care/v1/transfers/{reference}/explanation":  readers,
	"POST /care/v1/transfers/quote":                   agents,
	"POST /care/v1/transfers":                         supervisors,
	"POST /care/v1/transfers/prepare":                 supervisors,
	"POST /care/v1/transfers/request":                 supervisors,
	"POST /care/v1/transfers/{reference}/{act}":       supervisors,
	"POST /care/v1/transfers/{reference}/claim":       agents, // freezes; granting it moves
	"POST /care/v1/transfers/{reference}/cancel":      agents,
	"POST /care/v1/ussd":                              operator,
	"GET /care/v1/merchants":                          readers,
	"POST /care/v1/merchants":                         supervisors,
	"GET /care/v1/merchants/{code}":                   readers,
	"GET /care/v1/agents":                             readers,
	"POST /care/v1/agents":                            supervisors,
	"GET /care/v1/agents/{code}":                      readers,
	"POST /care/v1/agents/{code}/float":               operator,
	"GET /care/v1/policy":                             readers,
	"PUT /care/v1/policy":                             operator,
	"GET /care/v1/policies":                           readers,
	"GET /care/v1/policies/{version}":                 readers,
	"POST /care/v1/policy/kill":                       supervisors,
	"POST /care/v1/policy/resume":                     operator,

	"GET /care/v1/rate":                readers,
	"GET /care/v1/session/explanation": readers,
	"GET /care/v1/catalog":             readers,
	"PUT /care/v1/catalog":             operator,
	"GET /care/v1/catalogs":            readers,
	"GET /care/v1/catalogs/{version}":  readers,
	"POST /care/v1/catalog/rollback":   operator,

	"GET " + tmf654.Base + "/":    readers,
	"POST " + tmf654.Base + "/":   operator,
	"PATCH " + tmf654.Base + "/":  operator,
	"DELETE " + tmf654.Base + "/": operator,
	"POST " + tmf654.QuotePath:    agents,
}

// rightsOf returns who may use a route; nobody when it has no row. parameter returns a part of the path that was asked for.
func rightsOf(method, path string, parameter func(string) string) role {
	const act = "{act}"
	if route, chosen := strings.CutSuffix(path, act); chosen {
		if may, ok := rights[method+" "+route+parameter("act")]; ok {
			return may
		}
	}
	return rights[method+" "+path]
}
