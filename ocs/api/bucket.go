package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/gyro-ocs/gyro/ocs"
	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// A Bucket is a lot of prepaid units.
type Bucket struct {
	ID        string       `json:"id"`
	Unit      string       `json:"unit" example:"seconds"`
	Class     string       `json:"class" example:"plan"`
	Priority  int          `json:"priority" doc:"smaller is used first"`
	Balance   rating.Units `json:"balance" doc:"not yet charged"`
	Reserved  rating.Units `json:"reserved" doc:"part of balance, held by open sessions"`
	ExpiresAt *time.Time   `json:"expires_at" doc:"first instant at which it no longer counts; null: never"`
	Expired   bool         `json:"expired"`
	CreatedAt time.Time    `json:"created_at"`
}

func tellBuckets(buckets []ocs.Bucket, now time.Time) []Bucket {
	told := make([]Bucket, 0, len(buckets))
	for _, b := range buckets {
		told = append(told, Bucket{
			ID: string(b.ID), Unit: string(b.Unit), Class: b.Class, Priority: b.Priority, Balance: b.Balance, Reserved: b.Reserved,
			ExpiresAt: optionalTime(b.ExpiresAt), Expired: b.Expired(now), CreatedAt: b.CreatedAt.UTC(),
		})
	}
	return told
}

// optionalTime is nil, JSON null, for the zero time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

func (s *server) handleBuckets(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "list-buckets", Method: http.MethodGet, Path: "/care/v1/subscribers/{subscriber}/buckets",
		Summary: "List all buckets of a subscriber, used up and expired ones too", Errors: []int{http.StatusNotFound},
	}), s.listBuckets)
	huma.Register(care, operation(huma.Operation{
		OperationID: "grant-bucket", Method: http.MethodPost, Path: "/care/v1/subscribers/{subscriber}/buckets",
		Summary:     "Grant a bucket",
		Description: "The id names the grant. Asking again with the same id and content grants nothing more and answers with the first bucket.",
		Errors:      []int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict}, Responses: waits(),
	}), s.grantBucket)
}

func (s *server) listBuckets(ctx context.Context, in *SubscriberInput) (*struct{ Body BucketList }, error) {
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	buckets, err := s.Store.Buckets(ctx, subscriber.ID)
	if err != nil {
		return nil, s.storeFault(ctx, "load the buckets", err)
	}
	return &struct{ Body BucketList }{BucketList{tellBuckets(buckets, s.Now())}}, nil
}

// BucketList is all buckets of a subscriber.
type BucketList struct {
	Buckets []Bucket `json:"buckets" nullable:"false"`
}

// NewGrant is the body that grants a bucket.
type NewGrant struct {
	ID        string       `json:"id,omitempty" minLength:"1" maxLength:"128" doc:"names the grant for good; absent: one is made up, and repeating grants again"`
	Units     rating.Units `json:"units" minimum:"1" maximum:"1000000000000"`
	Unit      string       `json:"unit,omitempty" default:"seconds" pattern:"^(seconds|octets|events|[A-Z]{3})$" doc:"seconds, octets, events, or an ISO 4217 currency whose minor units are counted"`
	Class     string       `json:"class,omitempty" default:"purchased" pattern:"^[a-z][a-z0-9_-]{0,31}$"`
	Priority  int          `json:"priority,omitempty" minimum:"-1000" maximum:"1000" doc:"smaller is used first"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty"`
	Reason    string       `json:"reason" minLength:"1" maxLength:"200" doc:"why; it stays with the posting"`
}

// A Grant is what a grant came to.
type Grant struct {
	ID       string    `json:"id" doc:"repeat with it"`
	Repeated bool      `json:"repeated" doc:"this grant had been made before, and nothing was added now"`
	Bucket   *Bucket   `json:"bucket,omitempty" doc:"as it is now; absent while the grant waits"`
	Approval *Approval `json:"approval,omitempty" doc:"that the grant waits for: it is more than who asked may grant alone"`
}

// grantOutput is 202 when the grant waits for a second person.
type grantOutput struct {
	Status int
	Body   Grant
}

// waits documents the answer to an act that is too much for one person.
func waits() map[string]*huma.Response {
	return map[string]*huma.Response{strconv.Itoa(http.StatusAccepted): {Description: "It waits for a second person, and nothing was moved"}}
}

func (s *server) grantBucket(ctx context.Context, in *struct {
	SubscriberInput
	Body NewGrant
}) (*grantOutput, error) {
	now := s.Now()
	if err := checkText(in.Body.ID, in.Body.Reason); err != nil {
		return nil, invalid("body", err)
	}
	if _, err := checkExpiry(in.Body.ExpiresAt, now); err != nil {
		return nil, err
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	if subscriber.State == ocs.Closed {
		return nil, huma.Error409Conflict("the subscriber is closed and takes no grants")
	}
	if in.Body.ID == "" {
		in.Body.ID = newID()
	}
	granted, err := s.grant(ctx, careGrant(subscriber.ID, in.Body), now, s.limited(ctx, rating.Unit(in.Body.Unit), in.Body.Units))
	if !errors.Is(err, errTooMuch) {
		return granted, err
	}
	waiting, err := s.askSecond(ctx, in.Body.ID, postgres.Approval{
		Action: grantAction, Subject: subscriber.ID, Unit: rating.Unit(in.Body.Unit), Units: in.Body.Units, Reason: in.Body.Reason,
		Request: auditJSON(in.Body),
	})
	if err != nil {
		return nil, err
	}
	return &grantOutput{http.StatusAccepted, Grant{ID: in.Body.ID, Approval: waiting}}, nil
}

// grantAction is how the audit log and an approval name a grant.
const grantAction = "grant"

// careGrant is what a body asks for. Its expiry was judged before.
func careGrant(id ocs.SubscriberID, body NewGrant) ocs.Grant {
	return ocs.Grant{
		Movement: body.ID, Subscriber: id, Bucket: grantedBucket(id, body.ID), Unit: rating.Unit(body.Unit), Units: body.Units,
		Class: body.Class, Priority: body.Priority, ExpiresAt: orZero(body.ExpiresAt), Offer: "care", Reason: body.Reason,
	}
}

// approvedGrant makes a grant that a second person confirmed.
func (s *server) approvedGrant(ctx context.Context, a postgres.Approval) (any, error) {
	var body NewGrant
	if err := json.Unmarshal(a.Request, &body); err != nil {
		return nil, s.storeFault(ctx, "read the grant", err)
	}
	now := s.Now()
	subscriber, err := s.Store.Subscriber(ctx, a.Subject)
	if err != nil {
		return nil, s.storeFault(ctx, "find the subscriber", err)
	}
	if subscriber.State == ocs.Closed {
		return nil, huma.Error409Conflict("the subscriber was closed meanwhile and takes no grants")
	}
	if _, err := checkExpiry(body.ExpiresAt, now); err != nil {
		return nil, err
	}
	granted, err := s.grant(ctx, careGrant(a.Subject, body), now)
	if err != nil {
		return nil, err
	}
	return granted.Body, nil
}

// errTooMuch is an act that is more than who asks may do alone.
var errTooMuch = errors.New("more than one person may move alone")

// limited counts what an act moves for who asks, in the transaction of the act, and ends that by errTooMuch where it is too
// much.
func (s *server) limited(ctx context.Context, unit rating.Unit, units rating.Units) func(context.Context, *postgres.Tx) error {
	who, now := actorOf(ctx), s.Now()
	limit := s.Limits.limit(who.Role, unit)
	return func(ctx context.Context, tx *postgres.Tx) error {
		if units > limit.Alone {
			return errTooMuch
		}
		if limit.Day == math.MaxInt64 {
			return nil
		}
		within, err := tx.CountMoved(ctx, who.Key, now, unit, units, limit.Day)
		if err == nil && !within {
			err = errTooMuch
		}
		return err
	}
}

func (s *server) grant(ctx context.Context, grant ocs.Grant, now time.Time, beside ...func(context.Context, *postgres.Tx) error) (*grantOutput, error) {
	bucket, postings := ocs.GrantBucket(grant, now)
	after := map[string]any{
		"id": grant.Movement, "bucket": bucket.ID, "unit": grant.Unit, "units": grant.Units, "class": grant.Class, "reason": grant.Reason,
	}
	entry := s.entry(ctx, grantAction, string(grant.Subscriber), nil, after)
	beside = append(beside, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.AppendAudit(ctx, []postgres.AuditEntry{entry})
	})
	repeated, err := s.Store.Grant(ctx, grant.Movement, grant.Subscriber, bucket, postings, beside...)
	switch {
	case errors.Is(err, errTooMuch):
		return nil, errTooMuch
	case errors.Is(err, postgres.ErrMovementDiffers):
		return nil, huma.Error409Conflict("this id names another grant, with other content; nothing was changed")
	case err != nil:
		return nil, s.storeFault(ctx, "grant the bucket", err)
	}
	if !repeated {
		s.acted(ctx, "bucket granted", grant.Subscriber)
	}
	buckets, err := s.Store.Buckets(ctx, grant.Subscriber)
	if err != nil {
		return nil, s.storeFault(ctx, "load the granted bucket", err)
	}
	for _, told := range tellBuckets(buckets, now) {
		if told.ID == string(bucket.ID) {
			return &grantOutput{http.StatusOK, Grant{ID: grant.Movement, Repeated: repeated, Bucket: &told}}, nil
		}
	}
	return nil, s.storeFault(ctx, "find the granted bucket", errors.New("the bucket of a stored movement is not there"))
}

// grantedBucket is the id of the bucket that a grant makes. It follows from the grant, so that a repeat finds it.
func grantedBucket(subscriber ocs.SubscriberID, movement string) ocs.BucketID {
	return ocs.BucketID(uuid.NewSHA1(uuid.NameSpaceOID, []byte("gyro grant "+string(subscriber)+" "+movement)).String())
}

// checkText refuses what a database or a terminal would choke on.
func checkText(texts ...string) error {
	for _, text := range texts {
		for _, r := range text {
			if r < ' ' || r == 0x7f || r == '\uFFFD' {
				return errors.New("id and reason must be plain text without control characters")
			}
		}
	}
	return nil
}
