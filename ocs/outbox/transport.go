package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// A Transport sends a message to its receiver. Send may be called at once from many goroutines, with a context that ends when it
// takes too long. A [Problem] tells what to do about it; another error counts as one that may pass. Neither holds the message.
type Transport interface {
	Send(ctx context.Context, m Message) error
}

// A Problem is why a message was not sent.
type Problem struct {
	What    string // from a closed set
	ForGood bool   // another try is no use
}

// Error returns what it is.
func (p Problem) Error() string { return p.What }

// The problems beside those named after an HTTP status.
var (
	timedOut     = Problem{What: "timeout"}
	noConnection = Problem{What: "no connection"}
	unspecified  = Problem{What: "failed"}
	badAddress   = Problem{What: "not an address", ForGood: true}
	inside       = Problem{What: "address inside the network", ForGood: true}
)

// problemOf reduces an error to what may be told. Errors of net/http hold the whole URL, with a password or a text in it.
func problemOf(err error) Problem {
	if p, ok := errors.AsType[Problem](err); ok {
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return timedOut
	}
	if timeout, ok := errors.AsType[net.Error](err); ok {
		if timeout.Timeout() {
			return timedOut
		}
		return noConnection
	}
	return unspecified
}

// exchange makes a request and judges its answer.
func exchange(client *http.Client, request *http.Request) error {
	response, err := client.Do(request)
	if err != nil {
		return problemOf(err)
	}
	defer response.Body.Close()                                          //nolint:errcheck // it was read
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // so that the connection can be used again
	return judge(response.StatusCode)
}

// maxAnswer is how much of an answer is read, in octets. None of it is used.
const maxAnswer = 64 << 10

// judge tells what an HTTP status means. Only what blames the message itself is for good: a wrong password or a path that is
// not there yet is put right by people, and what waited for them is sent then.
func judge(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status < 100 || status > 599:
		return Problem{What: "http status out of range"}
	}
	p := Problem{What: fmt.Sprintf("http %d", status)}
	switch status {
	case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		p.ForGood = true
	}
	return p
}

// newClient returns a client that keeps connections and follows no redirection: the one who answers does not decide where
// texts go.
func newClient(dial func(context.Context, string, string) (net.Conn, error)) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: handshakeTimeout, MaxResponseHeaderBytes: maxAnswer,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

const (
	maxIdle          = 16
	handshakeTimeout = 5 * time.Second
)
