package api

import "net/http/httptest"

// SessionName is what a session is stored under.
var SessionName = sessionName

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
