package api

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
)

// SessionName is what a session is stored under.
var SessionName = sessionName

// Patterns returns the patterns of all that New made, with the names that the gateways of a server have left out.
func Patterns(h http.Handler) []string {
	patterns := slices.Clone(h.(*service).patterns)
	for i, pattern := range patterns {
		if strings.HasPrefix(pattern, "POST /ussd/") {
			patterns[i] = "POST /ussd/{gateway}"
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(patterns)))
}

// Rights returns who may use what, by pattern: the names of the roles, or anybody.
func Rights() map[string][]string {
	told := map[string][]string{}
	for pattern, may := range rights {
		told[pattern] = []string{"anybody"}
		if may != anybody {
			told[pattern] = strings.Split(may.String(), ", ")
		}
	}
	return maps.Clone(told)
}

// ReadCall reads a gateway's request, writes an answer to it, and returns the input.
func ReadCall(name, body string) (input string, err error) {
	speaks, err := dialectOf(USSDGateway{Dialect: name})
	if err != nil {
		return "", err
	}
	call, err := speaks.read(nil, []byte(body))
	if err == nil {
		err = call.check()
	}
	if err == nil {
		speaks.write(httptest.NewRecorder(), call, ussdScreen{text: call.text})
	}
	return call.text, err
}
