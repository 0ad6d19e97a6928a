package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A RatedEvent is one report of usage with its price.
type RatedEvent struct {
	SessionID   string       `json:"session_id"`
	SubSession  string       `json:"sub_session"`
	Type        string       `json:"type" enum:"initial,update,termination,event"`
	Number      uint32       `json:"number"`
	Line        int          `json:"line" doc:"which of the request's reports, from 0"`
	At          time.Time    `json:"at"`
	Service     string       `json:"service"`
	RatingGroup *uint32      `json:"rating_group"`
	Tariff      string       `json:"tariff"`
	Plan        string       `json:"plan"`
	Catalog     string       `json:"catalog"`
	Measure     string       `json:"measure"`
	Used        rating.Units `json:"used"`
	Unit        string       `json:"unit"`
	Charged     rating.Units `json:"charged"`
	Overrun     rating.Units `json:"overrun"`
	Taken       []Hold       `json:"taken" nullable:"false"`
	Late        bool         `json:"late" doc:"reported after the session had ended"`
}

// RatedEventPage is a part of the rated events of a session or subscriber.
type RatedEventPage struct {
	RatedEvents []RatedEvent `json:"rated_events" nullable:"false"`
	Next        string       `json:"next,omitempty" doc:"after of the next page; absent on the last"`
}

func (s *server) handleEvents(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-rated-events", Method: http.MethodGet, Path: "/care/v1/rated-events",
		Summary: "List the rated events of a subscriber or a session, page by page", Errors: []int{http.StatusNotFound},
	}), s.listEvents)
}

func (s *server) listEvents(ctx context.Context, in *struct {
	OwnerInput
	SessionID  string `query:"session_id" maxLength:"1024"`
	SubSession string `query:"sub_session" maxLength:"20"`
	PeriodInput
	PageInput
}) (*struct{ Body RatedEventPage }, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	filter := postgres.RatedEventFilter{From: in.From, To: in.To, After: postgres.Cursor(in.After), Limit: in.Limit}
	var err error
	if filter.Subscriber, err = s.owner(ctx, in.OwnerInput); err != nil {
		return nil, err
	}
	switch {
	case in.SessionID != "":
		if filter.Session, err = (sessionInput{in.SessionID, in.SubSession}).key(); err != nil {
			return nil, err
		}
	case filter.Subscriber == "":
		return nil, invalid("query.msisdn", errors.New("msisdn or session_id is needed"))
	}
	events, err := s.Store.RatedEvents(ctx, filter)
	if err != nil {
		return nil, s.listFault(ctx, "rated events", in.After, err)
	}
	page := RatedEventPage{RatedEvents: make([]RatedEvent, 0, len(events))}
	for _, e := range events {
		page.RatedEvents = append(page.RatedEvents, tellEvent(e))
	}
	if len(events) == in.Limit {
		page.Next = string(postgres.RatedEventCursor(events[len(events)-1]))
	}
	return &struct{ Body RatedEventPage }{page}, nil
}

func tellEvent(e ocs.RatedEvent) RatedEvent {
	return RatedEvent{
		SessionID: e.Session.ID, SubSession: e.Session.Sub, Type: typeWord(e.Type), Number: e.Number, Line: e.Line, At: e.At.UTC(),
		Service: e.Service, RatingGroup: e.RatingGroup, Tariff: e.Tariff, Plan: e.Plan, Catalog: e.Catalog, Measure: string(e.Measure),
		Used: e.Used, Unit: string(e.Unit), Charged: e.Charged, Overrun: e.Overrun, Taken: tellHolds(e.Taken), Late: e.Late,
	}
}
