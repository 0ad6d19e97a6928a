package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

// A Text waits to be sent, or was given up.
type Text struct {
	ID        string     `json:"id"`
	MSISDN    string     `json:"msisdn" doc:"who is to get it"`
	Text      string     `json:"text"`
	Reference string     `json:"reference" doc:"of the transfer that it tells of"`
	CreatedAt time.Time  `json:"created_at"`
	DueAt     *time.Time `json:"due_at" doc:"when it is tried next; null: given up"`
	Tries     int        `json:"tries"`
	Problem   string     `json:"problem" doc:"of the last try"`
}

// TextList is texts that were not sent yet.
type TextList struct {
	Texts []Text `json:"texts" nullable:"false"`
}

// Resend is the body that sends a text anew.
type Resend struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

func (s *server) handleTexts(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-texts", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/texts",
		Summary: "List texts to a subscriber that wait to be sent, or were given up", Errors: []int{http.StatusNotFound},
	}), func(ctx context.Context, in *SubscriberInput) (*struct{ Body TextList }, error) {
		subscriber, err := s.find(ctx, in.Subscriber)
		if err != nil {
			return nil, err
		}
		texts, err := s.Store.TextsTo(ctx, subscriber.MSISDN)
		if err != nil {
			return nil, s.storeFault(ctx, "list the texts", err)
		}
		list := TextList{Texts: make([]Text, 0, len(texts))}
		for _, t := range texts {
			list.Texts = append(list.Texts, Text{t.ID, t.To, t.Body, t.Reference, t.CreatedAt, optionalTime(t.DueAt), t.Tries, t.Problem})
		}
		return &struct{ Body TextList }{list}, nil
	})
	huma.Register(care, operation(huma.Operation{
		OperationID: "resend-text", Method: http.MethodPost, Path: "/care/v1/subscribers/{subscriber}/texts/{id}/resend", DefaultStatus: http.StatusAccepted,
		Summary: "Have a text tried again at once that waits, or was given up", Errors: []int{http.StatusNotFound},
	}), s.resend)
}

func (s *server) resend(ctx context.Context, in *struct {
	SubscriberInput
	ID   string `path:"id" format:"uuid"`
	Body Resend
}) (*struct{ Body TextList }, error) {
	if err := checkText(in.Body.Reason); err != nil {
		return nil, invalid("body.reason", err)
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	entry := s.entry(ctx, "resend text", string(subscriber.ID), nil, map[string]string{"text": in.ID, "reason": in.Body.Reason})
	err = s.Store.Resend(ctx, in.ID, subscriber.MSISDN, s.Now(), entry)
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return nil, notFound("no such text to this subscriber waits; what was sent is not kept")
	case err != nil:
		return nil, s.storeFault(ctx, "send the text again", err)
	}
	return &struct{ Body TextList }{TextList{Texts: []Text{}}}, nil
}
