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

// A TracedBucket is a lot in the tree of all that came from one grant.
type TracedBucket struct {
	ID        string       `json:"id"`
	Parent    string       `json:"parent,omitempty" doc:"lot that it came from; absent: granted"`
	Hops      int          `json:"hops" doc:"how often it was moved"`
	MSISDN    string       `json:"msisdn" doc:"who has it"`
	Unit      string       `json:"unit"`
	Class     string       `json:"class"`
	Balance   rating.Units `json:"balance"`
	Reserved  rating.Units `json:"reserved"`
	ExpiresAt *time.Time   `json:"expires_at"`
	CreatedAt time.Time    `json:"created_at"`
	Asked     bool         `json:"asked" doc:"this is the bucket that was asked for"`
}

// A Trace is where the units of a bucket came from, through whose hands, and when they die. Parents come before children.
type Trace struct {
	Buckets []TracedBucket `json:"buckets" nullable:"false"`
}

func (s *server) handleTrace(care huma.API) {
	huma.Register(care, operation(huma.Operation{
		OperationID: "trace-bucket", Method: http.MethodGet, Path: "/care/v1/buckets/{bucket}/trace",
		Summary: "Show where the units of a bucket came from, and where what came from there is now", Errors: []int{http.StatusNotFound},
	}), s.traceBucket)
}

func (s *server) traceBucket(ctx context.Context, in *struct {
	Bucket string `path:"bucket" maxLength:"40" doc:"id of a bucket"`
}) (*struct{ Body Trace }, error) {
	if uuid.Validate(in.Bucket) != nil {
		return nil, invalid("path.bucket", errors.New("that is no id of a bucket"))
	}
	lots, err := s.Store.BucketTrace(ctx, ocs.BucketID(in.Bucket))
	switch {
	case errors.Is(err, postgres.ErrNotFound):
		return nil, notFound("there is no bucket with this id")
	case err != nil:
		return nil, s.storeFault(ctx, "trace the bucket", err)
	}
	numbers, trace := s.msisdns(), Trace{Buckets: make([]TracedBucket, 0, len(lots))}
	for _, b := range lots {
		number, err := numbers.of(ctx, b.Subscriber)
		if err != nil {
			return nil, err
		}
		trace.Buckets = append(trace.Buckets, TracedBucket{
			ID: string(b.ID), Parent: string(b.Parent), Hops: b.Hops, MSISDN: number, Unit: string(b.Unit), Class: b.Class,
			Balance: b.Balance, Reserved: b.Reserved, ExpiresAt: optionalTime(b.ExpiresAt), CreatedAt: b.CreatedAt.UTC(),
			Asked: string(b.ID) == in.Bucket,
		})
	}
	return &struct{ Body Trace }{trace}, nil
}
