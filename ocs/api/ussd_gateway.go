package api

import (
	"errors"
	"net/http"
)

// A USSDGateway is a gateway of the network that hands dialled codes over by HTTP, at /ussd/{name}.
type USSDGateway struct {
	Name    string // in the path: a-z, 0-9 and hyphens, at most 20
	Dialect string // form, madapi, hubtel, xml
	Token   string // that it must bring: as a bearer, as the password of basic authentication, or as ?token=
	Reply   string // of the dialect xml: the template of an answer; empty: DefaultXMLReply
}

// Dialects are the names of what gateways speak.
func Dialects() []string { return []string{"form", "madapi", "hubtel", "xml"} }

// ussdCall is one request of a gateway.
type ussdCall struct {
	session    string // the gateway's name of it
	msisdn     string // as the gateway wrote it
	imsi       string
	language   string
	text       string // the newest input; where joined, all of them; of the first request what was dialled
	joined     bool   // text holds all inputs so far, joined by "*"
	sequence   int    // counts the requests of a session; 0: the gateway does not count
	begins     bool   // the gateway says that it is the first; else the store knows
	ended      bool   // the person or the network has ended it: nothing is shown any more
	service    string // the code that was dialled
	clientData string // echoed
}

// ussdScreen is the answer.
type ussdScreen struct {
	text string
	end  bool
}

// dialect reads requests of one kind of gateway and writes answers for it.
type dialect interface {
	read(r *http.Request, body []byte) (ussdCall, error)
	write(w http.ResponseWriter, call ussdCall, screen ussdScreen)
}

// errNoCall is the fault of a request that is none of the dialect. It repeats nothing of it.
var errNoCall = errors.New("this is no request of the gateway's dialect, or a field of it is missing or too long")

// The bounds of what a gateway says.
const (
	maxUSSDBody  = 8 << 10
	maxUSSDField = 256
	maxUSSDText  = 2000 // all inputs of a session, joined
)

// check bounds what was read.
func (c ussdCall) check() error {
	for _, field := range []string{c.session, c.msisdn, c.imsi, c.language, c.service, c.clientData} {
		if len(field) > maxUSSDField {
			return errNoCall
		}
	}
	if c.session == "" || c.msisdn == "" && !c.ended || len(c.text) > maxUSSDText {
		return errNoCall
	}
	return nil
}

func dialectOf(g USSDGateway) (dialect, error) {
	switch g.Dialect {
	case "form":
		return formDialect{}, nil
	case "madapi":
		return madapiDialect{}, nil
	case "hubtel":
		return hubtelDialect{}, nil
	case "xml":
		return newXMLDialect(g.Reply)
	}
	return nil, errors.New("dialect " + g.Dialect + " is none of form, madapi, hubtel, xml")
}
