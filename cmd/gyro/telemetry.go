package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	nooptrace "go.opentelemetry.io/otel/trace/noop"

	"github.com/gyro-ocs/gyro/ocs/postgres"
	"github.com/gyro-ocs/gyro/rating"
)

// telemetryConfig says what the server tells of itself.
type telemetryConfig struct {
	LogLevel   string
	LogFormat  string
	Metrics    bool
	Traces     string // URL of an OTLP/HTTP collector; empty: none
	TraceEvery int    // one request in so many
}

// newLogger returns the log of the server. Whatever part of it writes a subscriber's identity under its name, the log
// shows the end of it only.
func newLogger(c telemetryConfig, w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // it was validated
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: maskIdentity}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func maskIdentity(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case "msisdn", "imsi", "identity", "calling", "called":
		return slog.String(a.Key, masked(a.Value.String()))
	}
	return a
}

// masked keeps the last three of the characters of an identity: enough to tell two apart, too few to know one.
func masked(identity string) string {
	const shown = 3
	if len(identity) <= 2*shown {
		return strings.Repeat("*", len(identity))
	}
	return strings.Repeat("*", len(identity)-shown) + identity[len(identity)-shown:]
}

// telemetry is what the server is measured with. What is off is a no-op.
type telemetry struct {
	meters  metric.MeterProvider
	traces  trace.TracerProvider
	handler http.Handler // of /metrics; nil: off
	stops   []func(context.Context) error
}

// startTelemetry makes the providers and sets them for everyone who takes the global ones.
func startTelemetry(ctx context.Context, c telemetryConfig, logger *slog.Logger, version string) (*telemetry, error) {
	t := &telemetry{meters: noopmetric.NewMeterProvider(), traces: nooptrace.NewTracerProvider()}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { logger.Warn("telemetry", "error", err) }))
	// Without a schema URL: ours and that of the SDK's detectors would have to be of one version.
	about := resource.NewSchemaless(attribute.String("service.name", "gyro"), attribute.String("service.version", version))
	if c.Metrics {
		if err := t.startMetrics(about); err != nil {
			return nil, err
		}
	}
	if c.Traces != "" {
		exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(tracesURL(c.Traces)))
		if err != nil {
			return nil, fmt.Errorf("start traces: %w", err)
		}
		provider := sdktrace.NewTracerProvider(
			sdktrace.WithResource(about),
			sdktrace.WithBatcher(exporter),
			sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(1/float64(c.TraceEvery)))),
		)
		t.traces = provider
		t.stops = append(t.stops, provider.Shutdown)
	}
	otel.SetMeterProvider(t.meters)
	otel.SetTracerProvider(t.traces)
	return t, nil
}

// tracesURL adds to the URL of a collector the path that OTLP has for traces, unless it has one.
func tracesURL(collector string) string {
	u, err := url.Parse(collector)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return collector
	}
	return u.JoinPath("/v1/traces").String()
}

func (t *telemetry) startMetrics(about *resource.Resource) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return fmt.Errorf("start metrics: %w", err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithResource(about), sdkmetric.WithReader(exporter))
	t.meters = provider
	t.stops = append(t.stops, provider.Shutdown)
	t.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	return nil
}

// observe adds what the database knows: the open sessions and what they hold.
func (t *telemetry) observe(store *postgres.Store) error {
	meter := t.meters.Meter("github.com/gyro-ocs/gyro/cmd/gyro")
	sessions, err := meter.Int64ObservableGauge("gyro.sessions.open", metric.WithUnit("{session}"),
		metric.WithDescription("Credit-control sessions that are open."))
	if err != nil {
		return fmt.Errorf("start metrics: %w", err)
	}
	reserved, err := meter.Int64ObservableGauge("gyro.reserved", metric.WithUnit("s"),
		metric.WithDescription("Seconds of buckets that open sessions hold."))
	if err != nil {
		return fmt.Errorf("start metrics: %w", err)
	}
	_, err = meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		totals, err := store.Totals(ctx)
		if err != nil {
			return fmt.Errorf("count the open sessions: %w", err)
		}
		o.ObserveInt64(sessions, totals.OpenSessions)
		o.ObserveInt64(reserved, int64(totals.Reserved[rating.Seconds]))
		return nil
	}, sessions, reserved)
	return err
}

// stop sends what is still to be sent.
func (t *telemetry) stop(ctx context.Context) error {
	var faults []error
	for _, stop := range t.stops {
		faults = append(faults, stop(ctx))
	}
	return errors.Join(faults...)
}
