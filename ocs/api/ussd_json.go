package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// madapiDialect is the JSON of MTN's MADAPI. A request holds the newest input.
type madapiDialect struct{}

// The types of MADAPI messages.
const (
	madapiBegin    = "0"
	madapiContinue = "1"
	madapiEnd      = "2"
	madapiCancel   = "4"
	madapiTimeout  = "5"
)

// looseText is text that some gateways write as a number.
type looseText string

func (t *looseText) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] != '"' {
		*t = looseText(strings.Trim(string(raw), " "))
		if *t == "null" {
			*t = ""
		}
		return nil
	}
	return json.Unmarshal(raw, (*string)(t))
}

func (madapiDialect) read(_ *http.Request, body []byte) (ussdCall, error) {
	var in struct {
		SessionID   string    `json:"sessionId"`
		MessageType looseText `json:"messageType"`
		MSISDN      looseText `json:"msisdn"`
		ServiceCode looseText `json:"serviceCode"`
		Text        looseText `json:"ussdString"`
		Language    string    `json:"language"`
		IMSI        looseText `json:"imsi"`
	}
	if json.Unmarshal(body, &in) != nil {
		return ussdCall{}, errNoCall
	}
	c := ussdCall{
		session: in.SessionID, msisdn: string(in.MSISDN), imsi: string(in.IMSI), language: in.Language,
		service: string(in.ServiceCode), text: string(in.Text),
	}
	switch in.MessageType {
	case madapiBegin:
		c.begins = true
	case madapiContinue:
	case madapiEnd, madapiCancel, madapiTimeout:
		c.ended = true
	default:
		return ussdCall{}, errNoCall
	}
	return c, nil
}

func (madapiDialect) write(w http.ResponseWriter, c ussdCall, screen ussdScreen) {
	kind := madapiContinue
	if screen.end {
		kind = madapiEnd
	}
	writeJSON(w, map[string]any{
		"statusCode": "0000", "statusMessage": "success", "timestamp": time.Now().UTC().Format(time.RFC3339), "sessionId": c.session,
		"data": map[string]any{
			"inboundResponse": screen.text, "userInputRequired": !screen.end, "messageType": kind,
			"serviceCode": c.service, "msisdn": c.msisdn,
		},
	})
}

// hubtelDialect is the JSON of Hubtel and others like it. A request holds the newest input and is counted.
type hubtelDialect struct{}

func (hubtelDialect) read(_ *http.Request, body []byte) (ussdCall, error) {
	var in struct {
		Mobile      looseText
		SessionID   string `json:"SessionId"`
		ServiceCode looseText
		Type        string
		Message     looseText
		Sequence    int
		ClientState string
	}
	if json.Unmarshal(body, &in) != nil {
		return ussdCall{}, errNoCall
	}
	c := ussdCall{
		session: in.SessionID, msisdn: string(in.Mobile), service: string(in.ServiceCode), text: string(in.Message),
		sequence: max(0, in.Sequence), clientData: in.ClientState,
	}
	switch strings.ToLower(in.Type) {
	case "initiation":
		c.begins = true
	case "response":
	case "release", "timeout":
		c.ended = true
	default:
		return ussdCall{}, errNoCall
	}
	return c, nil
}

func (hubtelDialect) write(w http.ResponseWriter, c ussdCall, screen ussdScreen) {
	kind := "Response"
	if screen.end {
		kind = "Release"
	}
	writeJSON(w, map[string]any{"SessionId": c.session, "Message": screen.text, "Type": kind, "ClientState": c.clientData})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // the gateway may be gone
}
