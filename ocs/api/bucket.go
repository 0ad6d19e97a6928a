package api

import (
	"context"
	"errors"
	"net/http"
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
		Errors:      []int{http.StatusNotFound, http.StatusConflict},
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
	Reason    string       `json:"reason,omitempty" maxLength:"200"`
}

// A Grant is what a grant came to.
type Grant struct {
	ID       string `json:"id" doc:"repeat with it"`
	Repeated bool   `json:"repeated" doc:"this grant had been made before, and nothing was added now"`
	Bucket   Bucket `json:"bucket" doc:"as it is now"`
}

func (s *server) grantBucket(ctx context.Context, in *struct {
	SubscriberInput
	Body NewGrant
}) (*struct{ Body Grant }, error) {
	now := s.Now()
	if err := checkText(in.Body.ID, in.Body.Reason); err != nil {
		return nil, invalid("body", err)
	}
	expiresAt, err := checkExpiry(in.Body.ExpiresAt, now)
	if err != nil {
		return nil, err
	}
	subscriber, err := s.find(ctx, in.Subscriber)
	if err != nil {
		return nil, err
	}
	if subscriber.State == ocs.Closed {
		return nil, huma.Error409Conflict("the subscriber is closed and takes no grants")
	}
	grant := ocs.Grant{
		Movement: in.Body.ID, Subscriber: subscriber.ID, Unit: rating.Unit(in.Body.Unit), Units: in.Body.Units, Class: in.Body.Class,
		Priority: in.Body.Priority, ExpiresAt: expiresAt, Offer: "care", Reason: in.Body.Reason,
	}
	if grant.Movement == "" {
		grant.Movement = newID()
	}
	grant.Bucket = grantedBucket(subscriber.ID, grant.Movement)
	return s.grant(ctx, grant, now)
}

func (s *server) grant(ctx context.Context, grant ocs.Grant, now time.Time) (*struct{ Body Grant }, error) {
	bucket, postings := ocs.GrantBucket(grant, now)
	repeated, err := s.Store.Grant(ctx, grant.Movement, grant.Subscriber, bucket, postings)
	switch {
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
			return &struct{ Body Grant }{Grant{ID: grant.Movement, Repeated: repeated, Bucket: told}}, nil
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
