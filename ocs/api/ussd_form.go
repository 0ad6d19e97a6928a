package api

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// formDialect is what Africa's Talking and others like it speak: a form comes, and text that begins with CON or END goes.
// The text of a request holds all inputs of the session.
type formDialect struct{}

func (formDialect) read(_ *http.Request, body []byte) (ussdCall, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ussdCall{}, errNoCall
	}
	c := ussdCall{
		session: form.Get("sessionId"), msisdn: form.Get("phoneNumber"), service: form.Get("serviceCode"),
		text: form.Get("text"), joined: true,
	}
	// The notification of the end is a form of its own, with a status and without a text.
	c.ended = form.Has("status") && !form.Has("text")
	if !c.ended && !form.Has("text") {
		return ussdCall{}, errNoCall
	}
	return c, nil
}

func (formDialect) write(w http.ResponseWriter, _ ussdCall, screen ussdScreen) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	word := "CON "
	if screen.end {
		word = "END "
	}
	_, _ = io.WriteString(w, word+strings.TrimSpace(screen.text)) // the gateway may be gone
}
