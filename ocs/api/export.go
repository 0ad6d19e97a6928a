package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/cdr"
)

// The operations that may take long: a month has millions of records.
const (
	closeMonthOperation = "close-cdr-month"
	writeFileOperation  = "write-cdr-file"
)

// exportTimeout bounds one file, or the closing of one month.
const exportTimeout = time.Hour

// FileTrailer is the trailer of HTTP that tells what a file came to, as JSON. A file without it broke off.
const FileTrailer = "Gyro-File"

// FileRecords is the header with the number of records of a file.
const FileRecords = "Gyro-Records"

// ExportMonth is a month that was closed.
type ExportMonth struct {
	Month        string     `json:"month"`
	From         time.Time  `json:"from"`
	To           time.Time  `json:"to" doc:"the first instant that no longer belongs"`
	TimeZone     string     `json:"time_zone"`
	SealedAt     *time.Time `json:"sealed_at" doc:"null: it is being closed"`
	AnonymisedAt *time.Time `json:"anonymised_at" doc:"since then it cannot be exported"`
	DroppedAt    *time.Time `json:"dropped_at"`
}

// CloseProgress is one line of the answer to the closing of a month.
type CloseProgress struct {
	Done    int64            `json:"done" doc:"records that have numbers"`
	Total   int64            `json:"total"`
	Plan    *cdr.Plan        `json:"plan,omitempty" doc:"on the last line: what the month consists of"`
	Problem *huma.ErrorModel `json:"problem,omitempty" doc:"on the last line: why it was not closed"`
}

// ExportForm is how a file is to look.
type ExportForm struct {
	Format   string `json:"format" enum:"csv,parquet,jsonl,asn1"`
	Gzip     bool   `json:"gzip,omitempty"`
	Template string `json:"template,omitempty" maxLength:"65536" doc:"of csv, as YAML; absent: all columns"`
}

func (s *server) handleExport(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-cdr-months", Method: http.MethodGet, Path: "/care/v1/cdr-months",
		Summary: "List the months of CDRs that were closed for billing",
	}), s.listMonths)
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-cdr-month", Method: http.MethodGet, Path: "/care/v1/cdr-months/{month}",
		Summary: "Tell what a closed month consists of", Errors: []int{http.StatusNotFound, http.StatusGone},
	}), s.getMonth)
	huma.Register(care, operation(huma.Operation{
		OperationID: closeMonthOperation, Method: http.MethodPost, Path: "/care/v1/cdr-months/{month}/close",
		Summary: "Close a month: give its records numbers for good",
		Description: "Closing again changes nothing. The answer is one JSON value a line: how far it is, and at the end the plan of the month " +
			"or the problem.",
		Errors: []int{http.StatusConflict},
	}), s.closeMonth)
	huma.Register(care, operation(huma.Operation{
		OperationID: writeFileOperation, Method: http.MethodPost, Path: "/care/v1/cdr-months/{month}/files/{file}",
		Summary: "Write a file of a closed month",
		Description: "The same form gives the same octets, however often. The trailer " + FileTrailer + " tells what the file came to; " +
			"without it the file broke off.",
		Errors: []int{http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity},
	}), s.writeFile)
}

func (s *server) listMonths(ctx context.Context, _ *struct{}) (*struct {
	Body struct {
		Months []ExportMonth `json:"months" nullable:"false"`
	}
}, error) {
	months, err := s.Store.ExportMonths(ctx)
	if err != nil {
		return nil, s.storeFault(ctx, "list the months of CDRs", err)
	}
	out := &struct {
		Body struct {
			Months []ExportMonth `json:"months" nullable:"false"`
		}
	}{}
	out.Body.Months = make([]ExportMonth, 0, len(months))
	for _, m := range months {
		out.Body.Months = append(out.Body.Months, ExportMonth{
			Month: m.Month, From: m.From, To: m.To, TimeZone: m.Zone, SealedAt: timeOrNull(m.SealedAt),
			AnonymisedAt: timeOrNull(m.AnonymisedAt), DroppedAt: timeOrNull(m.DroppedAt),
		})
	}
	return out, nil
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// MonthInput names a month.
type MonthInput struct {
	Month string `path:"month" pattern:"^[0-9]{4}-[0-9]{2}$" example:"2026-10"`
}

func (s *server) getMonth(ctx context.Context, in *MonthInput) (*struct{ Body cdr.Plan }, error) {
	plan, err := s.Book.Plan(ctx, in.Month)
	if err != nil {
		return nil, s.exportFault(ctx, "tell what a month consists of", err)
	}
	return &struct{ Body cdr.Plan }{plan}, nil
}

// exportFault is the problem that err of an export becomes.
func (s *server) exportFault(ctx context.Context, doing string, err error) error {
	for _, known := range []struct {
		err    error
		status int
	}{
		{cdr.ErrNoMonth, http.StatusUnprocessableEntity},
		{cdr.ErrNotOver, http.StatusConflict},
		{cdr.ErrSkipped, http.StatusConflict},
		{cdr.ErrPassed, http.StatusConflict},
		{cdr.ErrNotThere, http.StatusNotFound},
		{cdr.ErrGone, http.StatusGone},
		{cdr.ErrNotReady, http.StatusConflict},
	} {
		if errors.Is(err, known.err) {
			return huma.NewError(known.status, err.Error())
		}
	}
	if errors.Is(err, cdr.ErrChanged) { // an alarm, and nothing in it names a subscriber
		s.Logger.ErrorContext(ctx, "the records of a closed month are not as they were", "doing", doing, "error", err)
		return huma.Error409Conflict(err.Error())
	}
	return s.storeFault(ctx, doing, err)
}

func (s *server) closeMonth(_ context.Context, in *struct {
	MonthInput
	PerFile int `query:"records_per_file" minimum:"1" maximum:"100000000" default:"250000" doc:"about; it is kept from the first closing on"`
}) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(c huma.Context) {
		_ = c.SetReadDeadline(time.Time{})
		c.SetHeader("Content-Type", "application/x-ndjson")
		c.SetStatus(http.StatusOK)
		tell := func(p CloseProgress) {
			_ = json.NewEncoder(c.BodyWriter()).Encode(p) // when the client is gone the context ends the work
			flush(c)
		}
		var last time.Time
		plan, err := s.Book.CloseMonth(c.Context(), in.Month, in.PerFile, func(p cdr.Progress) {
			if now := s.Now(); now.Sub(last) >= time.Second/4 {
				last = now
				tell(CloseProgress{Done: p.Done, Total: p.Total})
			}
		})
		if err != nil {
			problem, _ := errors.AsType[*huma.ErrorModel](s.exportFault(c.Context(), "close a month", err))
			tell(CloseProgress{Problem: problem})
			return
		}
		s.Logger.InfoContext(c.Context(), "a month of CDRs is closed", "actor", actorOf(c.Context()).label(), "month", in.Month, "records", plan.Records)
		tell(CloseProgress{Done: plan.Records, Total: plan.Records, Plan: &plan})
	}}, nil
}

func flush(c huma.Context) {
	if f, ok := c.BodyWriter().(http.Flusher); ok {
		f.Flush()
	}
}

func (s *server) writeFile(ctx context.Context, in *struct {
	MonthInput
	File int64 `path:"file" minimum:"1"`
	Body ExportForm
}) (*huma.StreamResponse, error) {
	form := cdr.Form{Format: cdr.Format(in.Body.Format), Gzip: in.Body.Gzip, Template: []byte(in.Body.Template)}
	if err := form.Check(); err != nil {
		return nil, invalid("body", err)
	}
	part, err := s.Book.Part(ctx, in.Month, in.File)
	if err != nil { // faults have a status while nothing was written
		return nil, s.exportFault(ctx, "write a file", err)
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		_ = c.SetReadDeadline(time.Time{})
		c.SetHeader("Content-Type", "application/octet-stream")
		c.SetHeader("Trailer", FileTrailer)
		c.SetHeader(FileRecords, strconv.FormatInt(part.Records, 10))
		c.SetStatus(http.StatusOK)
		sum, err := s.Book.WriteFile(c.Context(), in.Month, in.File, form, c.BodyWriter(), func(int64) {})
		if err != nil {
			_ = s.exportFault(c.Context(), "write a file", err) // logged
			panic(http.ErrAbortHandler)                         // so that nobody takes what came for the file
		}
		text, err := json.Marshal(sum)
		if err != nil {
			panic(fmt.Sprintf("api: sum of a file: %v", err)) // numbers and texts
		}
		c.SetHeader(FileTrailer, string(text))
	}}, nil
}
