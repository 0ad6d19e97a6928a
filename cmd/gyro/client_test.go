package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// clientOf returns a client of a server that answers everything with status and body.
func clientOf(t *testing.T, status int, body string) *client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &client{base: base, http: server.Client()}
}

func TestClientTellsFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		status int
		body   string
		exit   int
		want   string
	}{
		{"bad input", 422, `{"detail":"validation failed","errors":[{"message":"expected number >= 0","location":"body.seconds"}]}`, exitUsage, "validation failed\n  seconds: expected number >= 0"},
		{"one fault is told once", 422, `{"detail":"msisdn: it is empty","errors":[{"message":"msisdn: it is empty","location":"body.msisdn"}]}`, exitUsage, "msisdn: it is empty"},
		{"not there", 404, `{"detail":"no subscriber has this msisdn"}`, exitNotFound, "no subscriber has this msisdn"},
		{"conflict", 409, `{"detail":"closed"}`, exitRefused, "closed"},
		{"token", 401, `{"detail":"a bearer token is needed"}`, exitRefused, "a bearer token is needed"},
		{"database down", 503, `{"detail":"try again"}`, exitUnavailable, "try again"},
		{"our fault", 500, `{"detail":"logged"}`, exitFailed, "logged"},
		{"a proxy in between", 502, `<html>`, exitUnavailable, "the server answered 502 Bad Gateway"},
		{"no answer at all", 200, ``, exitUnavailable, "read the answer of the server: EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var into struct{}
			err := clientOf(t, test.status, test.body).get(t.Context(), "/x", nil, &into)
			if err == nil || err.Error() != test.want || exitCode(err) != test.exit {
				t.Errorf("%q (exit %d), want %q (exit %d)", err, exitCode(err), test.want, test.exit)
			}
		})
	}
}

func TestInterruptedRequestSaysSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := clientOf(t, 200, `{}`).get(ctx, "/x", nil, new(struct{}))
	if got := explain(ctx, err); got != "interrupted" || exitCode(err) != exitFailed {
		t.Errorf("%q (exit %d), want interrupted and exit %d", got, exitCode(err), exitFailed)
	}
}

func TestFaultsOfAnImportExitWithFailed(t *testing.T) {
	t.Parallel()
	c := clientOf(t, 422, `{"detail":"nothing was imported","errors":[{"message":"it is empty","location":"line 2"}]}`)
	_, err := c.importFile(t.Context(), strings.NewReader(""), &importProgress{})
	err = importFailure(err)
	if exitCode(err) != exitFailed || err.Error() != "nothing was imported\n  line 2: it is empty" {
		t.Errorf("%q (exit %d)", err, exitCode(err))
	}
}

func TestImportThatBreaksOffIsNoSuccess(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, stream string }{
		{"after a stage", `{"stage":"storing","rows":3}` + "\n"},
		{"inside a line", `{"stage":"storing","rows":3}` + "\n" + `{"stage":"do`},
		{"at once", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			rows, err := clientOf(t, 200, test.stream).importFile(t.Context(), strings.NewReader(""), &importProgress{})
			if rows != 0 || exitCode(err) != exitUnavailable || !strings.Contains(err.Error(), "run the same import again") {
				t.Errorf("%d rows, %v", rows, err)
			}
		})
	}
}
