package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/api"
)

// clientTimeout is longer than what the server gives itself for a request.
const clientTimeout = 30 * time.Second

// maxAnswer bounds what is read of one answer. A page of a thousand sessions is far below it.
const maxAnswer = 256 << 20

// client talks to the care API of one server.
type client struct {
	base  *url.URL
	token string
	http  *http.Client

	dataDir string // whose server this is; empty when --server named it
}

// client returns a client for the server that the flags name: --server, else the one that runs on the data directory.
func (env *environment) client() (*client, error) {
	server := env.serverFlag
	if server == "" && env.dataDirFlag == "" {
		server = env.getenv("GYRO_SERVER")
	}
	c := &client{http: &http.Client{}, token: env.tokenFlag}
	if c.token == "" {
		c.token = env.getenv("GYRO_TOKEN")
	}
	if server != "" {
		return c, c.useServer(env, server)
	}
	return c, c.useDataDir(env)
}

func (c *client) useServer(env *environment, server string) (err error) {
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	c.base, err = url.Parse(server)
	if err != nil || c.base.Host == "" || (c.base.Scheme != "http" && c.base.Scheme != "https") {
		return usagef("--server %q is no URL of a server; write it as http://127.0.0.1:8080", server)
	}
	if c.token != "" {
		return nil
	}
	// A token is sent only to the server that wrote it. Without one the server says what is missing.
	if dir, err := env.dataDir(); err == nil {
		if e, err := readEndpoint(dir); err == nil && strings.TrimSuffix(server, "/") == e.URL {
			c.token = e.Token
		}
	}
	return nil
}

func (c *client) useDataDir(env *environment) (err error) {
	if c.dataDir, err = env.dataDir(); err != nil {
		return err
	}
	e, err := readEndpoint(c.dataDir)
	if err != nil {
		return err
	}
	if c.base, err = url.Parse(e.URL); err != nil {
		return failf(exitUnavailable, "%s in %s names no usable url: start the server again", endpointFile, c.dataDir)
	}
	if c.token == "" {
		c.token = e.Token
	}
	return nil
}

// get asks for path and decodes the answer into into.
func (c *client) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, into)
}

// send sends body as JSON and decodes the answer into into.
func (c *client) send(ctx context.Context, method, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	return c.do(ctx, method, path, nil, bytes.NewReader(text), into)
}

func (c *client) do(ctx context.Context, method, path string, query url.Values, body io.Reader, into any) error {
	ctx, cancel := context.WithTimeout(ctx, clientTimeout)
	defer cancel()
	answer, err := c.open(ctx, method, path, query, "application/json", body)
	if err != nil {
		return err
	}
	defer answer.Close() //nolint:errcheck // only read
	if err := json.NewDecoder(io.LimitReader(answer, maxAnswer)).Decode(into); err != nil {
		return failf(exitUnavailable, "read the answer of the server: %w", err)
	}
	return nil
}

// open sends a request and returns the body of a good answer.
func (c *client) open(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (io.ReadCloser, error) {
	answer, err := c.answer(ctx, method, path, query, contentType, body)
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}

// openAnswer sends body as JSON and returns a good answer, whose trailer is of interest.
func (c *client) openAnswer(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	return c.answer(ctx, method, path, nil, "application/json", bytes.NewReader(body))
}

func (c *client) answer(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (*http.Response, error) {
	target := c.base.JoinPath(path)
	target.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		defer answer.Body.Close() //nolint:errcheck // only read
		return nil, readProblem(answer)
	}
	return answer, nil
}

// unreachable says why no answer came.
func (c *client) unreachable(ctx context.Context, err error) error {
	if fault, ok := errors.AsType[*url.Error](err); ok {
		err = fault.Err // without the URL, which may name a subscriber
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return failf(exitUnavailable, "the server at %s did not answer in %s", c.base, clientTimeout)
	case c.dataDir != "" && errors.Is(err, syscall.ECONNREFUSED):
		return noServer(c.dataDir) // it was killed and could not take its file away
	}
	return failf(exitUnavailable, "no server answers at %s: %w", c.base, err)
}

// readProblem makes an error of a problem detail (RFC 9457).
func readProblem(answer *http.Response) error {
	var problem api.RefusedTransfer // of all problems the one that tells most
	err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&problem)
	if err != nil || problem.Detail == "" {
		return failf(statusExit(answer.StatusCode), "the server answered %s", answer.Status)
	}
	problem.Status = answer.StatusCode
	if problem.Refusal != "" {
		return refusalFailure(problem)
	}
	return problemFailure(&problem.ErrorModel)
}

// refusalFailure makes an error of a transfer that was understood and refused.
func refusalFailure(r api.RefusedTransfer) error {
	text := fmt.Sprintf("refused: %s\n  this is called: %s, %s", r.Detail, r.Refusal, r.Code)
	if r.RetryAfter > 0 {
		text += fmt.Sprintf("\n  of use again in %s", time.Duration(r.RetryAfter)*time.Second)
	}
	if r.Reference != "" {
		text += "\n  every rule: gyro transfer explain " + r.Reference
	}
	code := exitRefused
	if r.Status == http.StatusNotFound {
		code = exitNotFound
	}
	return &failure{code: code, cause: &problemError{&r.ErrorModel, text}}
}

func problemFailure(problem *huma.ErrorModel) error {
	var text strings.Builder
	text.WriteString(problem.Detail)
	for _, detail := range problem.Errors {
		if detail.Message == problem.Detail {
			continue // the only fault, told already
		}
		text.WriteString("\n  ")
		if detail.Location != "" {
			text.WriteString(strings.TrimPrefix(detail.Location, "body.") + ": ")
		}
		text.WriteString(detail.Message)
	}
	return &failure{code: statusExit(problem.Status), cause: &problemError{problem, text.String()}}
}

// problemError is a problem that the server told.
type problemError struct {
	problem *huma.ErrorModel
	text    string
}

func (e *problemError) Error() string { return e.text }

// statusExit is the exit code for a status of HTTP.
func statusExit(status int) int {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return exitUsage
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict:
		return exitRefused
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return exitUnavailable
	}
	return exitFailed
}
