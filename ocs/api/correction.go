package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// NewCorrection is the body that corrects a balance.
type NewCorrection struct {
	ID     string       `json:"id,omitempty" minLength:"1" maxLength:"128" doc:"names the correction for good; absent: one is made up, and repeating corrects again"`
	Units  rating.Units `json:"units" minimum:"-1000000000000" maximum:"1000000000000" doc:"signed, not 0: what the balance gains"`
	Unit   string       `json:"unit,omitempty" default:"seconds" pattern:"^(seconds|octets|events|[A-Z]{3})$"`
	Bucket string       `json:"bucket,omitempty" format:"uuid" doc:"to be corrected; absent: what is taken is taken in the order of use"`
	Reason string       `json:"reason" minLength:"1" maxLength:"200" doc:"why; it stays with the posting"`
}

// Corrected is what a correction came to.
type Corrected struct {
	ID       string    `json:"id" doc:"repeat with it"`
	Repeated bool      `json:"repeated" doc:"it had been made before, and nothing was changed now"`
	Buckets  []Bucket  `json:"buckets" nullable:"false" doc:"of the subscriber, as they are now"`
	Approval *Approval `json:"approval,omitempty" doc:"that the correction waits for: it is more than who asked may move alone"`
}

type correctionOutput struct {
	Status int
	Body   Corrected
}

func (s *server) handleCorrections(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "correct-balance", Method: http.MethodPost, Path: "/care/v1/subscribers/{subscriber}/corrections",
		Summary:     "Correct a balance, up or down",
		Description: "All or nothing, and never below what calls hold. The id names the correction: asking again with the same id and content changes nothing more. To give units with an expiry of their own, grant a bucket.",
		Errors:      []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, Responses: waits(),
	}), s.correct)
}

// correctionAction is how the audit log and an approval name a correction.
const correctionAction = "correction"

func (s *server) correct(ctx context.Context, in *struct {
	SubscriberInput
	Body NewCorrection
}) (*correctionOutput, error) {
	body := in.Body
	if err := checkText(body.ID, body.Reason); err != nil {
		return nil, invalid("body", err)
	}
	switch {
	case body.Units == 0:
		return nil, invalid("body.units", errors.New("units: 0 corrects nothing"))
	case body.Units > 0 && body.Bucket == "":
		return nil, invalid("body.bucket", errors.New("bucket: name the one that gains; or grant a new one"))
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	if body.ID == "" {
		body.ID = newID()
	}
	moved := max(body.Units, -body.Units)
	corrected, err := s.makeCorrection(ctx, subscriber.ID, body, s.limited(ctx, rating.Unit(body.Unit), moved))
	if !errors.Is(err, errTooMuch) {
		if err != nil {
			return nil, err
		}
		return &correctionOutput{http.StatusOK, *corrected}, nil
	}
	waiting, err := s.askSecond(ctx, body.ID, postgres.Approval{
		Action: correctionAction, Subject: subscriber.ID, Unit: rating.Unit(body.Unit), Units: moved, Reason: body.Reason, Request: auditJSON(body),
	})
	if err != nil {
		return nil, err
	}
	return &correctionOutput{http.StatusAccepted, Corrected{ID: body.ID, Buckets: []Bucket{}, Approval: waiting}}, nil
}

func (s *server) makeCorrection(
	ctx context.Context, id ocs.SubscriberID, body NewCorrection, beside ...func(context.Context, *postgres.Tx) error,
) (*Corrected, error) {
	now := s.Now().Truncate(time.Microsecond)
	a := ocs.Adjustment{
		Movement: body.ID, Subscriber: id, Bucket: ocs.BucketID(body.Bucket), Unit: rating.Unit(body.Unit), Units: body.Units, Reason: body.Reason,
	}
	entry := s.entry(ctx, correctionAction, string(id), nil, body)
	beside = append(beside, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.AppendAudit(ctx, []postgres.AuditEntry{entry})
	})
	repeated, err := s.Store.Adjust(ctx, a, now, beside...)
	switch {
	case errors.Is(err, errTooMuch):
		return nil, errTooMuch
	case errors.Is(err, postgres.ErrNotCovered):
		return nil, huma.Error409Conflict("the free units do not cover this, or the bucket is not there, has expired or counts another unit; what calls hold is not touched, and nothing was changed")
	case errors.Is(err, postgres.ErrMovementDiffers):
		return nil, huma.Error409Conflict("this id names another movement, with other content; nothing was changed")
	case err != nil:
		return nil, s.storeFault(ctx, "correct the balance", err)
	}
	if !repeated {
		s.acted(ctx, "balance corrected", id)
	}
	buckets, err := s.Store.Buckets(ctx, id)
	if err != nil {
		return nil, s.storeFault(ctx, "load the buckets", err)
	}
	return &Corrected{ID: body.ID, Repeated: repeated, Buckets: tellBuckets(buckets, now)}, nil
}

// approvedCorrection makes a correction that a second person confirmed.
func (s *server) approvedCorrection(ctx context.Context, a postgres.Approval) (any, error) {
	var body NewCorrection
	if err := json.Unmarshal(a.Request, &body); err != nil {
		return nil, s.storeFault(ctx, "read the correction", err)
	}
	corrected, err := s.makeCorrection(ctx, a.Subject, body)
	if err != nil {
		return nil, err
	}
	return corrected, nil
}
