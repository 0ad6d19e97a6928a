package charging

import (
	"context"
	"errors"

	"github.com/lib/pq"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gyro-ocs/gyro/ocs/postgres"
)

const scope = "github.com/gyro-ocs/gyro/ocs/charging"

// telemetry holds the instruments of an engine, made once. Its labels come from closed sets; no subscriber and no
// session is ever among them.
type telemetry struct {
	tracer   trace.Tracer
	size     metric.Int64Histogram
	commits  metric.Int64Counter
	failures metric.Int64Counter
	lives    metric.Int64Counter
	watching metric.Registration
}

func newTelemetry(e *Engine) *telemetry {
	meter := otel.Meter(scope)
	t := &telemetry{tracer: otel.Tracer(scope)}
	var faults [6]error
	t.size, faults[0] = meter.Int64Histogram("gyro.batch.size", metric.WithUnit("{request}"),
		metric.WithDescription("Requests decided in one transaction."),
		metric.WithExplicitBucketBoundaries(1, 2, 4, 8, 16, 32, 64, 128, 256))
	t.commits, faults[1] = meter.Int64Counter("gyro.commits", metric.WithUnit("{transaction}"),
		metric.WithDescription("Transactions of the charging engine that were committed."))
	t.failures, faults[2] = meter.Int64Counter("gyro.transaction.failures", metric.WithUnit("{transaction}"),
		metric.WithDescription("Transactions of the charging engine that failed, by SQLSTATE; most are repeated at once."))
	t.lives, faults[5] = meter.Int64Counter("gyro.jobs.subscribers", metric.WithUnit("{subscriber}"),
		metric.WithDescription("Subscribers whose plan was renewed, or of whom a bucket expired, or who were told that it will."))
	var depth metric.Int64ObservableGauge
	depth, faults[3] = meter.Int64ObservableGauge("gyro.queue.depth", metric.WithUnit("{request}"),
		metric.WithDescription("Requests that wait for a decision or are being decided."))
	t.watching, faults[4] = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(depth, int64(e.waiting()))
		return nil
	}, depth)
	if err := errors.Join(faults[:]...); err != nil {
		otel.Handle(err)
	}
	return t
}

func (t *telemetry) close() error {
	if t.watching == nil {
		return nil
	}
	return t.watching.Unregister()
}

// batch starts the span of a transaction, linked with those of its requests. end is to be called when it is over.
func (t *telemetry) batch(batch []*pending) (ctx context.Context, end func(error)) {
	var links []trace.Link
	for _, p := range batch {
		if p.span != nil && p.span.IsRecording() {
			links = append(links, trace.Link{SpanContext: p.span.SpanContext()})
		}
	}
	ctx, span := t.tracer.Start(context.Background(), "charging batch", trace.WithLinks(links...))
	for _, p := range batch {
		if p.span != nil && p.span.IsRecording() {
			p.span.AddLink(trace.Link{SpanContext: span.SpanContext()})
		}
	}
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "transaction failed")
		} else {
			t.size.Record(ctx, int64(len(batch)))
			t.commits.Add(ctx, 1)
		}
		span.End()
	}
}

func (t *telemetry) advanced(subscribers int) {
	if subscribers > 0 {
		t.lives.Add(context.Background(), int64(subscribers))
	}
}

func (t *telemetry) failed(class postgres.Class, err error) {
	state := "none"
	if pqError, ok := errors.AsType[*pq.Error](err); ok {
		state = string(pqError.Code)
	} else if class == postgres.Unknown {
		state = "unknown"
	}
	t.failures.Add(context.Background(), 1, metric.WithAttributes(attribute.String("sqlstate", state)))
}
