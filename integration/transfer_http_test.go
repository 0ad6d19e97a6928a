package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

const tmf654 = "/tmf-api/prepayBalanceManagement/v4"

// keptOpen lets many workers keep their connections.
var keptOpen = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// A reply is an answer of the server over HTTP.
type reply struct {
	status int
	body   string
}

// read reads the answer as JSON.
func (r reply) read(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), v); err != nil {
		t.Errorf("no JSON: %v\n%d %s", err, r.status, r.body)
	}
}

// http sends a request with the operator's token; headers are names and values. An error means that there is no answer.
func (e endpoint) http(ctx context.Context, method, path, body string, headers ...string) (reply, error) {
	request, err := http.NewRequestWithContext(ctx, method, e.URL+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.GetBody = nil // nothing but the test repeats a request
	request.Header.Set("Authorization", "Bearer "+e.Token)
	request.Header.Set("Content-Type", "application/json;charset=utf-8")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := keptOpen.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, string(text)}, err
}

// http is the same for requests that must be answered.
func (s *server) http(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := s.endpoint.http(ctx, method, path, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// An order is a transfer that a client asks for under a key, as often as it takes.
type order struct {
	key      string
	tmf      bool // by TMF654, else by the care API
	from, to string
	seconds  int64
}

// send asks for it once.
func (o order) send(ctx context.Context, e endpoint) (reply, error) {
	if o.tmf {
		return e.http(ctx, http.MethodPost, tmf654+"/transferBalance", transferBalance(o.from, o.to, "api", o.seconds), "X-Idempotency-Key", o.key)
	}
	body := fmt.Sprintf(`{"id":%q,"from":%q,"to":%q,"seconds":%d,"as":"sender"}`, o.key, o.from, o.to, o.seconds)
	return e.http(ctx, http.MethodPost, "/care/v1/transfers", body)
}

// outcome reads from an answer of success what the transfer is called, and whether it moved what was ordered.
func (o order) outcome(r reply) (reference string, err error) {
	var told struct {
		Reference, Status, ID string
		Seconds               int64
	}
	if r.status != http.StatusCreated {
		return "", fmt.Errorf("%d %s", r.status, r.body)
	}
	if err := json.Unmarshal([]byte(r.body), &told); err != nil {
		return "", err
	}
	if o.tmf {
		told.Reference = told.ID
	}
	if told.Status != "completed" || told.Reference == "" || !o.tmf && told.Seconds != o.seconds {
		return "", fmt.Errorf("%s, want %d s moved", r.body, o.seconds)
	}
	return told.Reference, nil
}

// transferBalance is the strict body of spec/transfer 3.2.
func transferBalance(from, to, channel string, seconds int64) string {
	return fmt.Sprintf(`{"reason":"gift","channel":{"id":%q},"usageType":"voice","logicalResource":[{"id":%q}],"bucket":{"id":"auto"},`+
		`"receiverLogicalResource":{"id":%q},"receiverBucket":{"id":"auto"},"receiverBucketUsageType":"voice",`+
		`"amount":{"amount":%d,"units":"s"},"costOwner":"originator"}`, channel, from, to, seconds)
}
