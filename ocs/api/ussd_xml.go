package api

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/template"
)

// DefaultXMLReply is the answer of the XML dialect where the operator has no template of its own.
const DefaultXMLReply = `<ussd><msisdn>{{.MSISDN}}</msisdn><sessionid>{{.Session}}</sessionid><type>{{.Type}}</type><msg>{{.Text}}</msg></ussd>
`

// xmlDialect is the XML of Truteq, TNM and others like them: the same few elements under names that differ a little, and
// an answer by a template. A request holds the newest input.
type xmlDialect struct{ reply *template.Template }

// The types of XML messages.
const (
	xmlBegin   = "1"
	xmlInput   = "2"
	xmlRelease = "3"
	xmlTimeout = "4"
)

// xmlReply is what a template may name. Every text in it is escaped already.
type xmlReply struct{ MSISDN, Session, Type, Text string }

func newXMLDialect(reply string) (dialect, error) {
	if reply == "" {
		reply = DefaultXMLReply
	}
	t, err := template.New("reply").Option("missingkey=error").Parse(reply)
	if err != nil {
		return nil, fmt.Errorf("template of the answers: %w", err)
	}
	if err := t.Execute(io.Discard, xmlReply{}); err != nil {
		return nil, fmt.Errorf("template of the answers: %w", err)
	}
	return xmlDialect{t}, nil
}

// maxXMLDepth and maxXMLElements are far more than any gateway sends.
const (
	maxXMLDepth    = 8
	maxXMLElements = 64
)

func (xmlDialect) read(_ *http.Request, body []byte) (ussdCall, error) {
	fields, err := leaves(body)
	if err != nil {
		return ussdCall{}, errNoCall
	}
	c := ussdCall{
		session: first(fields, "sessionid", "session", "session_id"), msisdn: first(fields, "msisdn", "from", "mobile"),
		imsi: fields["imsi"], service: first(fields, "servicecode", "shortcode", "code"),
		text: first(fields, "msg", "message", "text"),
	}
	switch fields["type"] {
	case xmlBegin:
		c.begins = true
	case xmlInput:
	case xmlRelease, xmlTimeout:
		c.ended = true
	default:
		return ussdCall{}, errNoCall
	}
	return c, nil
}

func first(fields map[string]string, names ...string) string {
	for _, name := range names {
		if fields[name] != "" {
			return fields[name]
		}
	}
	return ""
}

// leaves returns the texts of all elements that hold only text, by their names in small letters. A document that defines
// entities is refused, and one that has an element twice.
func leaves(body []byte) (map[string]string, error) {
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errNoCall }
	found := map[string]string{}
	var path []string
	var text strings.Builder
	elements, leaf := 0, false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && elements > 0 && len(path) == 0 {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, errNoCall
		case xml.StartElement:
			path, leaf = append(path, strings.ToLower(token.Name.Local)), true
			text.Reset()
			if elements++; len(path) > maxXMLDepth || elements > maxXMLElements {
				return nil, errNoCall
			}
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			name := path[len(path)-1]
			if _, twice := found[name]; leaf && twice {
				return nil, errNoCall
			}
			if leaf {
				found[name] = strings.TrimSpace(text.String())
			}
			path, leaf = path[:len(path)-1], false
		}
	}
}

func (d xmlDialect) write(w http.ResponseWriter, c ussdCall, screen ussdScreen) {
	kind := xmlInput
	if screen.end {
		kind = xmlRelease
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	var out bytes.Buffer
	// It was tried with every field when the server started, and a buffer takes everything.
	_ = d.reply.Execute(&out, xmlReply{escaped(c.msisdn), escaped(c.session), kind, escaped(screen.text)})
	_, _ = w.Write(out.Bytes()) // the gateway may be gone
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes everything
	return b.String()
}
