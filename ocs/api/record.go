package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A CDR is the record of a finished charge.
type CDR struct {
	MSISDN           string       `json:"msisdn" doc:"as it was when the call ended"`
	SessionID        string       `json:"session_id"`
	SubSession       string       `json:"sub_session"`
	Number           int          `json:"number" doc:"from 1; above 1 it amends the ones before and counts only what was new"`
	Cause            string       `json:"cause" doc:"why the session ended"`
	Service          string       `json:"service"`
	OriginHost       string       `json:"origin_host"`
	OriginRealm      string       `json:"origin_realm"`
	Direction        string       `json:"direction"`
	Calling          string       `json:"calling"`
	Called           string       `json:"called"`
	OtherParty       string       `json:"other_party" doc:"the number that was rated, completed; empty when unknown"`
	StartedAt        time.Time    `json:"started_at"`
	EndedAt          time.Time    `json:"ended_at"`
	TerminationCause *uint32      `json:"termination_cause" doc:"RFC 6733 §8.15"`
	UsedSeconds      rating.Units `json:"used_seconds"`
	ChargedSeconds   rating.Units `json:"charged_seconds" doc:"taken from buckets of seconds"`
	OverrunSeconds   rating.Units `json:"overrun_seconds" doc:"due from buckets of seconds, and none could pay"`
	Lines            []CDRLine    `json:"lines" nullable:"false"`
	MissingNumbers   []uint32     `json:"missing_numbers" nullable:"false" doc:"request numbers that never came"`
}

// A CDRLine is the part of a CDR that was priced alike.
type CDRLine struct {
	RatingGroup *uint32      `json:"rating_group"`
	ServiceIDs  []uint32     `json:"service_ids" nullable:"false"`
	Tariff      string       `json:"tariff"`
	Plan        string       `json:"plan"`
	Catalog     string       `json:"catalog"`
	Measure     string       `json:"measure"`
	Used        rating.Units `json:"used"`
	Unit        string       `json:"unit"`
	Charged     rating.Units `json:"charged"`
	Overrun     rating.Units `json:"overrun"`
	Taken       []Hold       `json:"taken" nullable:"false"`
}

// CDRPage is a part of all CDRs, by the time of the end.
type CDRPage struct {
	CDRs []CDR  `json:"cdrs" nullable:"false"`
	Next string `json:"next,omitempty" doc:"after of the next page; absent on the last"`
}

func (s *server) handleRecords(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-cdrs", Method: http.MethodGet, Path: "/care/v1/cdrs",
		Summary: "List CDRs by the time of their end, page by page", Errors: []int{http.StatusNotFound},
	}), s.listRecords)
}

func (s *server) listRecords(ctx context.Context, in *struct {
	OwnerInput
	PeriodInput
	PageInput
}) (*struct{ Body CDRPage }, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	owner, err := s.owner(ctx, in.OwnerInput)
	if err != nil {
		return nil, err
	}
	records, err := s.Store.Records(ctx, postgres.RecordFilter{
		Subscriber: owner, From: in.From, To: in.To, After: postgres.Cursor(in.After), Limit: in.Limit,
	})
	if err != nil {
		return nil, s.listFault(ctx, "CDRs", in.After, err)
	}
	page := CDRPage{CDRs: make([]CDR, 0, len(records))}
	for _, r := range records {
		page.CDRs = append(page.CDRs, tellRecord(r))
	}
	if len(records) == in.Limit {
		page.Next = string(postgres.RecordCursor(records[len(records)-1]))
	}
	return &struct{ Body CDRPage }{page}, nil
}

func tellRecord(r ocs.Record) CDR {
	told := CDR{
		MSISDN: r.MSISDN, SessionID: r.Session.ID, SubSession: r.Session.Sub, Number: r.Number, Cause: string(r.Cause), Service: r.Service,
		OriginHost: r.Origin.Host, OriginRealm: r.Origin.Realm, Direction: directionWord(r.Conditions.Direction),
		Calling: r.Conditions.Calling, Called: r.Conditions.Called, OtherParty: r.OtherParty,
		StartedAt: r.StartedAt.UTC(), EndedAt: r.EndedAt.UTC(), TerminationCause: r.TerminationCause,
		Lines: make([]CDRLine, 0, len(r.Lines)), MissingNumbers: notNull(r.MissingNumbers),
	}
	for _, line := range r.Lines {
		told.Lines = append(told.Lines, CDRLine{
			RatingGroup: line.RatingGroup, ServiceIDs: notNull(line.ServiceIDs), Tariff: line.Tariff, Plan: line.Plan, Catalog: line.Catalog,
			Measure: string(line.Measure), Used: line.Used, Unit: string(line.Unit), Charged: line.Charged, Overrun: line.Overrun,
			Taken: tellHolds(line.Taken),
		})
		if line.Measure == rating.Seconds {
			told.UsedSeconds = rating.Add(told.UsedSeconds, line.Used)
		}
		if line.Unit == rating.Seconds {
			told.ChargedSeconds = rating.Add(told.ChargedSeconds, line.Charged)
			told.OverrunSeconds = rating.Add(told.OverrunSeconds, line.Overrun)
		}
	}
	return told
}
