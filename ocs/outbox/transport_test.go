package outbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

// serve returns the address of a server that tells what it got and answers with status.
func serve(t *testing.T, status int) (address string, got <-chan *http.Request, bodies <-chan string) {
	t.Helper()
	requests, read := make(chan *http.Request, 8), make(chan string, 8)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- r
		read <- string(body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "0: Accepted for delivery")
	}))
	t.Cleanup(s.Close)
	return s.URL, requests, read
}

func TestGatewaySendsAsKannelWants(t *testing.T) {
	t.Parallel()
	address, got, _ := serve(t, http.StatusAccepted)
	g, err := NewGateway(address + "/cgi-bin/sendsms?username=gyro&password=s%26cret&from=999&charset=UTF-8&coding={coding}&to={to}&text={text}&id={id}")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ body, coding string }{
		{"15 min from KIM M*** ..0001 & 100% {to} #+?", "0"},
		{"15분을 받았습니다.", "2"},
	} {
		m := text(1)
		m.Body = c.body
		if err := g.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		r := <-got
		want := url.Values{
			"username": {"gyro"}, "password": {"s&cret"}, "from": {"999"}, "charset": {"UTF-8"}, "coding": {c.coding},
			"to": {"+" + m.To}, "text": {c.body}, "id": {m.ID},
		}
		if r.Method != http.MethodGet || r.URL.Path != "/cgi-bin/sendsms" || r.URL.Query().Encode() != want.Encode() {
			t.Errorf("%s %s\nwant %v", r.Method, r.URL, want)
		}
	}
}

func TestWhatStatusesMean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		what    string
		forGood bool
	}{
		{200, "", false}, {202, "", false}, {204, "", false},
		{302, "http 302", false}, {400, "http 400", true}, {401, "http 401", false}, {403, "http 403", false},
		{404, "http 404", false}, {410, "http 410", true}, {429, "http 429", false}, {500, "http 500", false}, {503, "http 503", false},
	} {
		address, got, _ := serve(t, c.status)
		g, err := NewGateway(address + "?to={to}&text={text}")
		if err != nil {
			t.Fatal(err)
		}
		err = g.Send(t.Context(), text(1))
		if c.what == "" {
			if err != nil {
				t.Errorf("%d: %v", c.status, err)
			}
		} else if p, ok := errors.AsType[Problem](err); !ok || p != (Problem{c.what, c.forGood}) {
			t.Errorf("%d: %#v", c.status, err)
		}
		if len(got) != 1 {
			t.Errorf("%d: %d requests; redirections are not followed", c.status, len(got))
		}
	}
}

// No error of the network holds the URL: a password, a number and a text are in it.
func TestErrorsHoldNoURL(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	address := s.URL
	s.Close() // nobody listens there any more
	g, err := NewGateway(address + "?password=secret&to={to}&text={text}")
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Send(t.Context(), text(1)); !errors.Is(err, noConnection) || err.Error() != "no connection" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if err := g.Send(ctx, text(1)); !errors.Is(err, timedOut) || err.Error() != "timeout" {
		t.Errorf("got %v", err)
	}
}

func TestGatewayFaults(t *testing.T) {
	t.Parallel()
	for _, template := range []string{
		"", "gateway", "ftp://h?to={to}&text={text}", "http://?to={to}&text={text}", "http://h?to={to}", "http://h?text={text}", "http://h/{to}?text={text}",
		"http://h/{id}?to={to}&text={text}", "http://h?to={to}&text={text}&x={from}", "http://h\x7f?to={to}&text={text}&password=secret",
	} {
		if _, err := NewGateway(template); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", template, err)
		}
	}
}

func TestLogTellsNoNumberAndNoWords(t *testing.T) {
	t.Parallel()
	logged := func(level slog.Level, words bool) string {
		var b strings.Builder
		l := LogTexts{Logger: slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: level})), Words: words}
		if err := l.Send(t.Context(), text(7)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if s := logged(slog.LevelInfo, false); !strings.Contains(s, "…007") || strings.Contains(s, "3161234") || strings.Contains(s, "min from") {
		t.Errorf("at info: %s", s)
	}
	for _, s := range []string{logged(slog.LevelDebug, false), logged(slog.LevelInfo, true)} {
		if !strings.Contains(s, "15 min from") || strings.Contains(s, "3161234") {
			t.Errorf("with words: %s", s)
		}
	}
	if got := end("1"); got != "…1" {
		t.Errorf("a short one is %s", got)
	}
}

var secret = []byte("0123456789abcdef0123456789abcdef")

// local lets callbacks talk to the servers of these tests.
var local = netip.MustParsePrefix("127.0.0.0/8")

func TestCallbackIsSigned(t *testing.T) {
	t.Parallel()
	address, got, bodies := serve(t, http.StatusNoContent)
	c, err := NewCallbacks(secret, func() time.Time { return start }, local)
	if err != nil {
		t.Fatal(err)
	}
	for _, own := range []string{"", "a secret of the subscription"} {
		m := event(1, address+"/listener/transferBalanceCreateEvent?tenant=1")
		m.Secret = own
		if err := c.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		r, body := <-got, <-bodies
		if r.Method != http.MethodPost || r.URL.String() != "/listener/transferBalanceCreateEvent?tenant=1" || body != m.Body ||
			r.Header.Get("Content-Type") != "application/json;charset=utf-8" {
			t.Errorf("%s %s %v %s", r.Method, r.URL, r.Header, body)
		}
		key := secret
		if own != "" {
			key = []byte(own)
		}
		mac := hmac.New(sha256.New, key)
		_, _ = io.WriteString(mac, "event-001.1772366400."+body)
		want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if r.Header.Get("webhook-id") != "event-001" || r.Header.Get("webhook-timestamp") != "1772366400" || r.Header.Get("webhook-signature") != want {
			t.Errorf("headers %v, want signature %s", r.Header, want)
		}
	}
}

// A subscription must not make the server talk to its neighbours: neither by an address nor by a name that means one.
func TestCallbackGoesOutside(t *testing.T) {
	t.Parallel()
	address, got, _ := serve(t, http.StatusOK)
	c, err := NewCallbacks(secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	for _, host := range []string{
		"127.0.0.1", "[::1]", "localhost", "[::ffff:127.0.0.1]", "10.0.0.1", "192.168.1.1", "169.254.169.254", "[fd00::1]", "[fe80::1]",
		"0.0.0.0", "100.64.0.1", "[64:ff9b::a00:1]", "224.0.0.1", "255.255.255.255",
	} {
		if err := c.Send(t.Context(), event(1, "http://"+host+":"+port)); !errors.Is(err, inside) {
			t.Errorf("%s: %v, want %v", host, err, inside)
		}
	}
	if len(got) != 0 {
		t.Error("the server was reached")
	}
	for _, bad := range []string{"", "x", "/path", "ftp://h", "http://", "http://user:secret@h", "http://h/#part", "javascript:1", "http://[fe80::1%25eth0]/", "http://a b/"} {
		if err := c.CheckAddress(bad); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"http://example.com", "https://example.com:8443/x?y=z", "https://[2606:4700::1]/", "http://93.184.215.14/"} {
		if err := c.CheckAddress(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestCallbacksNeedASecret(t *testing.T) {
	t.Parallel()
	if _, err := NewCallbacks(secret[:minSecret-1], nil); err == nil {
		t.Error("accepted")
	}
}
