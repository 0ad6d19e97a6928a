package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
)

const importOperation = "import-subscribers"

// The stages of an import, in the order in which they are told.
const (
	ImportStoring = "storing" // the file is right and nobody in it is there yet
	ImportDone    = "done"
	ImportFailed  = "failed" // nothing was imported
)

// ImportProgress is one line of the answer to an import.
type ImportProgress struct {
	Stage   string           `json:"stage" enum:"storing,done,failed"`
	Rows    int              `json:"rows" doc:"in the file"`
	Problem *huma.ErrorModel `json:"problem,omitempty" doc:"of a failed import"`
}

// importHeartbeat is how often a client hears that its import is still being stored.
const importHeartbeat = time.Second

func (s *server) handleImport(care huma.API) {
	op := operation(huma.Operation{
		OperationID: importOperation, Method: http.MethodPost, Path: "/care/v1/subscribers/import",
		Summary: "Import subscribers from CSV, all or none",
		Description: "The first line is msisdn,imsi,plan,seconds, and behind it any of sip_uri, nai and private. A file with any fault imports nothing, and the first 20 faults are told by line. " +
			"The answer is one JSON value a line: the stages, the last one being done or failed.",
		MaxBodyBytes: maxImport, BodyReadTimeout: importTimeout,
		Errors:      []int{http.StatusConflict, http.StatusRequestEntityTooLarge},
		Middlewares: huma.Middlewares{s.oneImport(care)},
	})
	huma.Register(care, op, s.importSubscribers)
}

// oneImport refuses an import while another runs, before its body is read.
func (s *server) oneImport(care huma.API) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		select {
		case s.importing <- struct{}{}:
			defer func() { <-s.importing }()
			next(c)
		default:
			c.SetHeader("Retry-After", "10")
			_ = huma.WriteErr(care, c, http.StatusServiceUnavailable, "another import is running; try again when it is done") // the client may be gone
		}
	}
}

func (s *server) importSubscribers(ctx context.Context, in *struct {
	RawBody []byte `contentType:"text/csv"`
}) (*huma.StreamResponse, error) {
	file, err := readRoster(bytes.NewReader(in.RawBody), s.Rules().Plans)
	if err != nil {
		return nil, fmt.Errorf("read a body that is in memory: %w", err)
	}
	if n := file.faults.count; n > 0 {
		return nil, file.faults.problem(http.StatusUnprocessableEntity, fmt.Sprintf("nothing was imported: faults in the file: %d", n))
	}
	if len(file.rows) == 0 {
		return nil, invalid("line 2", errors.New("nothing was imported: the file has a header and no subscribers"))
	}
	there, numbers, err := s.alreadyThere(ctx, file.rows)
	if err != nil {
		return nil, err
	}
	switch n := there.count; {
	case numbers == len(file.rows):
		there = rosterFaults{} // no line tells more than the sentence
		return nil, there.problem(http.StatusConflict, thereAlready(n, n))
	case n > 0:
		return nil, there.problem(http.StatusConflict, thereAlready(n, len(file.rows)))
	}
	return &huma.StreamResponse{Body: func(c huma.Context) { s.storeRoster(c, file.rows) }}, nil
}

// problem tells the faults.
func (f *rosterFaults) problem(status int, detail string) error {
	if f.count > len(f.first) {
		detail += fmt.Sprintf("; the first %d are told", len(f.first))
	}
	details := make([]error, 0, len(f.first))
	for _, fault := range f.first {
		details = append(details, &huma.ErrorDetail{Location: fmt.Sprintf("line %d", fault.line), Message: fault.why})
	}
	return huma.NewError(status, detail, details...)
}

func thereAlready(there, rows int) string {
	if there == rows {
		return fmt.Sprintf("nothing was imported: all %d subscribers of the file are there already, as after an earlier import of it", rows)
	}
	return fmt.Sprintf("nothing was imported: %d of the %d subscribers of the file are there already; take their lines out to import the others", there, rows)
}

// resolveAtOnce is how many identities one statement looks up.
const resolveAtOnce = 20_000

// alreadyThere returns the rows that name a subscriber who exists, and how many of them do so by number. Whoever is created
// meanwhile is found by the database when the rows are stored.
func (s *server) alreadyThere(ctx context.Context, rows []rosterRow) (there rosterFaults, numbers int, err error) {
	for chunk := range slices.Chunk(rows, resolveAtOnce/2) {
		identities := make([]ocs.Identity, 0, resolveAtOnce)
		for _, row := range chunk {
			identities = append(identities, row.identities()...)
		}
		located, err := s.Store.Resolve(ctx, identities)
		if err != nil {
			return there, numbers, s.storeFault(ctx, "look for subscribers that are there already", err)
		}
		for _, row := range chunk {
			own := row.identities()
			taken := slices.IndexFunc(located[:len(own)], func(l postgres.Located) bool { return l.Subscriber != "" })
			located = located[len(own):]
			switch {
			case taken == 0:
				numbers++
				there.add(row.line, "msisdn: a subscriber has it already")
			case taken > 0:
				there.add(row.line, "%s: a subscriber with another msisdn has it already", kindWord(own[taken].Kind))
			}
		}
	}
	return there, numbers, nil
}

// storeRoster creates the subscribers of rows, all or none, and tells how far it is.
func (s *server) storeRoster(c huma.Context, rows []rosterRow) {
	_ = c.SetReadDeadline(time.Time{}) // that of the body would end the request
	c.SetHeader("Content-Type", "application/x-ndjson")
	c.SetStatus(http.StatusOK)
	tell := func(p ImportProgress) {
		p.Rows = len(rows)
		_ = json.NewEncoder(c.BodyWriter()).Encode(p) // when the client is gone the context ends the work
		if f, ok := c.BodyWriter().(http.Flusher); ok {
			f.Flush()
		}
	}
	done := make(chan error, 1)
	go func() { done <- s.createAll(c.Context(), rows) }()
	heartbeat := time.NewTicker(importHeartbeat)
	defer heartbeat.Stop()
	for {
		tell(ImportProgress{Stage: ImportStoring})
		select {
		case <-heartbeat.C:
			continue
		case err := <-done:
			if err == nil {
				tell(ImportProgress{Stage: ImportDone})
				return
			}
			problem, _ := errors.AsType[*huma.ErrorModel](err)
			tell(ImportProgress{Stage: ImportFailed, Problem: problem})
			return
		}
	}
}

// createAll stores rows. Its error is a problem.
func (s *server) createAll(ctx context.Context, rows []rosterRow) (err error) {
	defer func() {
		if fault := recover(); fault != nil { // outside the reach of recovered
			err = s.storeFault(ctx, "import the subscribers", fmt.Errorf("panic: %v", fault))
		}
	}()
	now := s.Now()
	subscribers := make([]postgres.NewSubscriber, 0, len(rows))
	for _, row := range rows {
		n := newSubscriber(row, time.Time{}, now)
		n.Contract = s.contractFor(n.Subscriber) // the jobs begin it
		subscribers = append(subscribers, n)
	}
	entry := s.entry(ctx, "import subscribers", "", nil, map[string]int{"subscribers": len(subscribers)})
	err = s.Store.CreateSubscribers(ctx, subscribers, now, entry)
	if taken, ok := errors.AsType[*postgres.IdentityTakenError](err); ok {
		there := rosterFaults{}
		there.add(rows[taken.Row].line, "%s: a subscriber has it already", kindWord(taken.Kind))
		return there.problem(http.StatusConflict, "nothing was imported: a subscriber of the file was created by someone else meanwhile")
	}
	if err != nil {
		return s.storeFault(ctx, "import the subscribers", err)
	}
	s.Logger.InfoContext(ctx, "subscribers imported", "actor", actorOf(ctx).Name, "count", len(rows))
	return nil
}
