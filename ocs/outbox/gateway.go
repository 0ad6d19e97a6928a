package outbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gyro-ocs/gyro/transfer"
)

// A Gateway sends texts by HTTP GET, as Kannel's sendsms and many others take them. It is safe for concurrent use.
type Gateway struct {
	template string
	client   *http.Client
}

// The placeholders of a gateway's URL. What stands for them is escaped for a query.
var placeholders = []string{"{to}", "{text}", "{id}", "{coding}"}

// NewGateway returns a gateway. Its URL has placeholders: {to} is the number with a plus, {text} the words in UTF-8, {coding} 0
// for an alphabet of 7 bits or 2 for UCS-2 as Kannel numbers them, and {id} the id of the message, by which copies are found:
//
//	http://127.0.0.1:13013/cgi-bin/sendsms?username=gyro&password=...&from=999&charset=UTF-8&coding={coding}&to={to}&text={text}
//
// {to} and {text} must be there. No error holds the URL, which may have a password in it.
func NewGateway(template string) (*Gateway, error) {
	sample := template
	for _, p := range placeholders {
		sample = strings.ReplaceAll(sample, p, "x")
	}
	u, err := url.Parse(sample)
	_, query, _ := strings.Cut(template, "?")
	switch {
	case err != nil:
		return nil, errors.New("URL of the text gateway: it is no URL")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, errors.New("URL of the text gateway: it must begin with http:// or https:// and a host")
	case strings.ContainsAny(sample, "{}"):
		return nil, fmt.Errorf("URL of the text gateway: there are other placeholders than %s", strings.Join(placeholders, " "))
	case !strings.Contains(query, "{to}"), !strings.Contains(query, "{text}"):
		return nil, errors.New("URL of the text gateway: {to} and {text} must be in its query")
	}
	for _, p := range placeholders {
		if strings.Count(template, p) != strings.Count(query, p) {
			return nil, fmt.Errorf("URL of the text gateway: %s may only be in its query", p)
		}
	}
	return &Gateway{template: template, client: newClient((&net.Dialer{}).DialContext)}, nil
}

// Send sends a text.
func (g *Gateway) Send(ctx context.Context, m Message) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url(m), nil)
	if err != nil {
		return badAddress
	}
	return exchange(g.client, request)
}

func (g *Gateway) url(m Message) string {
	return strings.NewReplacer(
		"{to}", url.QueryEscape("+"+m.To), "{text}", url.QueryEscape(m.Body), "{id}", url.QueryEscape(m.ID), "{coding}", coding(m.Body),
	).Replace(g.template)
}

// coding is how Kannel is told the alphabet.
func coding(text string) string {
	if _, ok := transfer.Septets(text); ok {
		return "0"
	}
	return "2"
}
