package outbox

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// telemetry counts tries. Its labels come from closed sets: kind, what came of it, and the problem.
type telemetry struct{ tries metric.Int64Counter }

func newTelemetry() *telemetry {
	tries, err := otel.Meter("github.com/gyro-ocs/gyro/ocs/outbox").Int64Counter("gyro.outbox.tries", metric.WithUnit("{message}"),
		metric.WithDescription("Tries to send texts and events, by what came of them; failed is given up."))
	if err != nil {
		otel.Handle(err)
	}
	return &telemetry{tries: tries}
}

func (t *telemetry) sent(kind Kind, r Result) {
	t.tries.Add(context.Background(), 1, metric.WithAttributes(
		attribute.String("kind", string(kind)), attribute.String("outcome", string(r.State)), attribute.String("problem", r.Problem)))
}
