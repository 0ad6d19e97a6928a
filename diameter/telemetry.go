package diameter

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/fiorix/go-diameter/v4/diam"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gyro-ocs/gyro/ocs"
)

// scope names this package as the source of metrics and spans.
const scope = "github.com/gyro-ocs/gyro/diameter"

// A dropReason is why octets or a connection were given up without an answer. The set is closed: it is a metric label.
type dropReason string

const (
	dropBeforeCER        dropReason = "before CER"
	dropNotDiameter      dropReason = "not Diameter"
	dropLength           dropReason = "answer of wrong length"
	dropVersion          dropReason = "answer of wrong version"
	dropMalformedAnswer  dropReason = "malformed answer"
	dropUnexpectedAnswer dropReason = "unexpected answer"
	dropSecondConnection dropReason = "second connection"
	dropTooMany          dropReason = "too many connections"
	dropSlowPeer         dropReason = "peer does not read"
	dropSilentPeer       dropReason = "peer is silent"
)

// telemetry holds the instruments of a server. No label tells a subscriber, a session or a peer.
type telemetry struct {
	tracer      trace.Tracer
	requests    metric.Int64Counter
	duration    metric.Float64Histogram
	outstanding metric.Int64UpDownCounter
	peers       metric.Int64UpDownCounter
	dropped     metric.Int64Counter
	panics      metric.Int64Counter
	summonses   metric.Int64Counter

	options sync.Map // resultKey or dropReason -> metric.MeasurementOption, made once each
}

// resultKey selects a time series: both are from closed sets, the second as large as our use of Result-Codes.
type resultKey struct{ kind, code uint32 }

func newTelemetry(meters metric.MeterProvider, tracers trace.TracerProvider) (*telemetry, error) {
	meter := meters.Meter(scope)
	t := &telemetry{tracer: tracers.Tracer(scope)}
	var err error
	instrument := func(name string, make func() error) {
		if e := make(); e != nil && err == nil {
			err = fmt.Errorf("make the instrument %s: %w", name, e)
		}
	}
	instrument("requests", func() (e error) {
		t.requests, e = meter.Int64Counter("gyro.diameter.requests",
			metric.WithDescription("requests answered, by type and Result-Code"))
		return e
	})
	instrument("request.duration", func() (e error) {
		t.duration, e = meter.Float64Histogram("gyro.diameter.request.duration", metric.WithUnit("s"),
			metric.WithDescription("time from a CCR to its CCA, by type and Result-Code"),
			metric.WithExplicitBucketBoundaries(.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10))
		return e
	})
	instrument("outstanding", func() (e error) {
		t.outstanding, e = meter.Int64UpDownCounter("gyro.diameter.outstanding",
			metric.WithDescription("CCRs that are being worked on"))
		return e
	})
	instrument("peers", func() (e error) {
		t.peers, e = meter.Int64UpDownCounter("gyro.diameter.peers",
			metric.WithDescription("connections of peers whose capabilities were exchanged"))
		return e
	})
	instrument("dropped", func() (e error) {
		t.dropped, e = meter.Int64Counter("gyro.diameter.dropped",
			metric.WithDescription("frames and connections given up without an answer, by reason"))
		return e
	})
	instrument("summonses", func() (e error) {
		t.summonses, e = meter.Int64Counter("gyro.diameter.summonses",
			metric.WithDescription("RAR and ASR that were answered or lost, by command and what the client said"))
		return e
	})
	instrument("panics", func() (e error) {
		t.panics, e = meter.Int64Counter("gyro.diameter.panics",
			metric.WithDescription("requests that met a bug of ours and were answered 5012"))
		return e
	})
	return t, err
}

func (t *telemetry) drop(reason dropReason) {
	t.dropped.Add(context.Background(), 1, t.option(reason, func() attribute.Set {
		return attribute.NewSet(attribute.String("reason", string(reason)))
	}))
}

// replyNames are what a client said to a summons.
var replyNames = map[ocs.SummonsReply]string{
	ocs.Obeyed: "done", ocs.WillFollow: "will follow", ocs.NotKnown: "unknown session", ocs.Undelivered: "not delivered", ocs.Declined: "declined",
}

// summonsKey selects a time series of summonses.
type summonsKey struct {
	command uint32
	reply   ocs.SummonsReply
}

// summoned counts a RAR or ASR whose fate is known.
func (t *telemetry) summoned(command uint32, reply ocs.SummonsReply) {
	name := "RAR"
	if command == diam.AbortSession {
		name = "ASR"
	}
	t.summonses.Add(context.Background(), 1, t.option(summonsKey{command, reply}, func() attribute.Set {
		return attribute.NewSet(attribute.String("command", name), attribute.String("reply", replyNames[reply]))
	}))
}

// refused counts a request that never reached the engine.
func (t *telemetry) refused(q question, code uint32) {
	t.requests.Add(context.Background(), 1, t.result(kindOf(q), code))
}

// answered counts a CCR and how long it took.
func (t *telemetry) answered(q question, code uint32, took time.Duration) {
	option := t.result(kindOf(q), code)
	t.requests.Add(context.Background(), 1, option)
	t.duration.Record(context.Background(), took.Seconds(), option)
}

// otherRequest is the kind of all that is not a CCR with a request type of RFC 8506 §8.3.
const otherRequest = 0

// kindOf returns the CC-Request-Type of a CCR, or otherRequest.
func kindOf(q question) uint32 {
	if q.application != creditControl || q.command != diam.CreditControl || q.requestType == nil {
		return otherRequest
	}
	if kind := uint32(q.requestType[3]); kind <= uint32(ocs.Event) && [3]byte(q.requestType[:3]) == [3]byte{} {
		return kind
	}
	return otherRequest
}

var kindNames = [...]string{"other", "initial", "update", "termination", "event"}

func (t *telemetry) result(kind, code uint32) metric.MeasurementOption {
	return t.option(resultKey{kind, code}, func() attribute.Set {
		return attribute.NewSet(
			attribute.String("type", kindNames[kind]), attribute.String("result", strconv.FormatUint(uint64(code), 10)))
	})
}

func (t *telemetry) option(key any, set func() attribute.Set) metric.MeasurementOption {
	if option, ok := t.options.Load(key); ok {
		return option.(metric.MeasurementOption)
	}
	option, _ := t.options.LoadOrStore(key, metric.WithAttributeSet(set()))
	return option.(metric.MeasurementOption)
}

// spanOptions are those of every span of a CCR.
var spanOptions = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)}

// start begins the span of a CCR, which finish ends. The engine is told of it by ctx, and links its batch.
func (t *telemetry) start() (ctx context.Context, span trace.Span) {
	return t.tracer.Start(context.Background(), "CCR", spanOptions...) //nolint:spancheck // ended by finish
}

// finish ends the span of a CCR.
func (t *telemetry) finish(span trace.Span, q question, code uint32) {
	if span.IsRecording() {
		span.SetAttributes(attribute.String("type", kindNames[kindOf(q)]), attribute.Int64("result", int64(code)))
	}
	span.End()
}
