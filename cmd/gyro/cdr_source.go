package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/gyro-ocs/gyro/ocs/api"
	"github.com/gyro-ocs/gyro/ocs/cdr"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// cdrSource is where the commands of months get them: a server, or with --database the database itself.
type cdrSource struct {
	database string
	zone     string
}

func (s *cdrSource) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.database, "database", "", "DSN of the database, to read it without a server (an export of many millions takes less of the server then)")
	cmd.Flags().StringVar(&s.zone, "time-zone", "UTC", "with --database: zone whose months are meant, cdr.time_zone of the servers")
}

// open returns the source and what closes it.
func (s *cdrSource) open(ctx context.Context, env *environment) (cdr.Source, func(), error) {
	if s.database == "" {
		c, err := env.client()
		return serverSource{c}, func() {}, err
	}
	zone, err := time.LoadLocation(s.zone)
	if err != nil || s.zone == "" {
		return nil, nil, usagef("--time-zone %q is not a time zone; write it as Europe/Berlin", s.zone)
	}
	store, err := postgres.Open(ctx, s.database, postgres.Options{MaxConns: 2})
	if err != nil {
		return nil, nil, failf(exitUnavailable, "%w", err)
	}
	return &cdr.Book{Store: store, Now: time.Now, Zone: zone}, func() { _ = store.Close() }, nil
}

// serverSource is a source behind the care API.
type serverSource struct{ c *client }

// CloseMonth closes the month on the server and follows how far it is.
func (s serverSource) CloseMonth(ctx context.Context, month string, perFile int, tell func(cdr.Progress)) (cdr.Plan, error) {
	query := url.Values{"records_per_file": {strconv.Itoa(perFile)}}
	answer, err := s.c.open(ctx, http.MethodPost, "/care/v1/cdr-months/"+url.PathEscape(month)+"/close", query, "", nil)
	if err != nil {
		return cdr.Plan{}, err
	}
	defer answer.Close() //nolint:errcheck // only read
	lines := json.NewDecoder(answer)
	for {
		var line api.CloseProgress
		if err := lines.Decode(&line); err != nil {
			return cdr.Plan{}, failf(exitUnavailable, "the server went away before the month was closed (%w): run the same command again, it goes on", err)
		}
		switch {
		case line.Problem != nil:
			return cdr.Plan{}, problemFailure(line.Problem)
		case line.Plan != nil:
			return *line.Plan, nil
		}
		tell(cdr.Progress{Done: line.Done, Total: line.Total})
	}
}

// WriteFile lets the server write the file, and passes it on.
func (s serverSource) WriteFile(ctx context.Context, month string, file int64, form cdr.Form, w io.Writer, tell func(int64)) (cdr.FileSum, error) {
	body, err := json.Marshal(api.ExportForm{Format: string(form.Format), Gzip: form.Gzip, Template: string(form.Template)})
	if err != nil {
		return cdr.FileSum{}, err
	}
	answer, err := s.c.openAnswer(ctx, http.MethodPost, "/care/v1/cdr-months/"+url.PathEscape(month)+"/files/"+strconv.FormatInt(file, 10), body)
	if err != nil {
		return cdr.FileSum{}, err
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	records, _ := strconv.ParseInt(answer.Header.Get(api.FileRecords), 10, 64)
	if _, err := io.Copy(w, &countedReader{r: answer.Body, tell: func(n int64) { tell(form.Estimate(n, records)) }}); err != nil {
		if ctx.Err() != nil {
			return cdr.FileSum{}, ctx.Err()
		}
		return cdr.FileSum{}, failf(exitUnavailable, "the file broke off (%w): run the same command again, it goes on", err)
	}
	var sum cdr.FileSum
	if err := json.Unmarshal([]byte(answer.Trailer.Get(api.FileTrailer)), &sum); err != nil {
		return sum, failf(exitUnavailable, "the file broke off: run the same command again, it goes on")
	}
	tell(sum.Records)
	return sum, nil
}

// A countedReader tells how much was read.
type countedReader struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

func (c *countedReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

// monthFailure gives faults of a month their exit code. Those of a server have one already.
func monthFailure(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, cdr.ErrNoMonth):
		return usagef("%w", err)
	case errors.Is(err, cdr.ErrNotThere):
		return failf(exitNotFound, "%w", err)
	}
	for _, refusal := range []error{cdr.ErrNotOver, cdr.ErrSkipped, cdr.ErrPassed, cdr.ErrGone, cdr.ErrNotReady, cdr.ErrOtherForm} {
		if errors.Is(err, refusal) {
			return failf(exitRefused, "%w", err)
		}
	}
	return err
}

// readTemplate reads the file that --template names.
func readTemplate(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if _, err := cdr.ParseTemplate(path, data); err != nil {
		return nil, usagef("the template cannot be used:\n%w", err)
	}
	return data, nil
}
