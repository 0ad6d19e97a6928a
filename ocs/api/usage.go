package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/rating"
)

// A DayOfUse is what a subscriber used on one day, of one unit.
type DayOfUse struct {
	Day     string       `json:"day" example:"2026-03-01"`
	Measure string       `json:"measure" doc:"what used counts"`
	Used    rating.Units `json:"used"`
	Unit    string       `json:"unit" doc:"what charged counts"`
	Charged rating.Units `json:"charged"`
	Calls   int          `json:"calls"`
}

// Usage is what a subscriber used, by day.
type Usage struct {
	Days []DayOfUse `json:"days" nullable:"false" doc:"on which anything was used, oldest first"`
}

func (s *server) handleUsage(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "get-usage", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/usage",
		Summary: "Add up what a subscriber used, by day", Errors: []int{http.StatusNotFound},
	}), s.usage)
}

// longestUsage bounds what is added up at once.
const longestUsage = 400 * 24 * time.Hour

func (s *server) usage(ctx context.Context, in *struct {
	SubscriberInput
	From time.Time `query:"from" required:"true" doc:"the first instant, RFC 3339"`
	To   time.Time `query:"to" required:"true" doc:"the first instant that no longer belongs"`
	Zone string    `query:"zone" default:"UTC" maxLength:"64" doc:"in which a day begins: Europe/Berlin"`
}) (*struct{ Body Usage }, error) {
	if err := (PeriodInput{in.From, in.To}).check(); err != nil {
		return nil, err
	}
	if in.To.Sub(in.From) > longestUsage {
		return nil, invalid("query.to", errors.New("to: a period of more than 400 days is not added up"))
	}
	if _, err := time.LoadLocation(in.Zone); err != nil || in.Zone == "Local" || in.Zone == "" {
		return nil, invalid("query.zone", errors.New("zone: there is no such time zone; they are named like Europe/Berlin"))
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	days, err := s.Store.UsageByDay(ctx, subscriber.ID, in.From, in.To, in.Zone)
	if err != nil {
		return nil, s.storeFault(ctx, "add up the usage", err)
	}
	told := Usage{Days: make([]DayOfUse, 0, len(days))}
	for _, d := range days {
		told.Days = append(told.Days, DayOfUse{d.Day, string(d.Measure), d.Used, string(d.Unit), d.Charged, d.Calls})
	}
	return &struct{ Body Usage }{told}, nil
}
