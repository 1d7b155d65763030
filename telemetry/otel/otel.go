// Package otel tells an OpenTelemetry collector of invocations: a span for
// each, with one for each attempt in it, by the GenAI semantic conventions.
package otel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"outcrop"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Bounds of what waits to be sent. A full queue drops spans; nothing waits for it.
const (
	maxQueue    = 4096 // spans
	maxBatch    = 512
	sendFor     = 10 * time.Second
	shutdownFor = 5 * time.Second
)

// Config says where spans go.
type Config struct {
	Endpoint string            // http or https URL of an OTLP/HTTP collector, such as http://127.0.0.1:4318; its path defaults to /v1/traces
	Headers  map[string]string // of each request, such as a key
	Sample   float64           // part of the traces that are begun here and kept; those of clients follow the client's choice
	Version  string
}

// A Tracer makes spans. Its zero value, and nil, make none.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	context  propagation.TraceContext
	client   *client // nil for an exporter of another kind
}

// New starts a Tracer. It does not call the collector.
func New(ctx context.Context, c Config, log *slog.Logger) (*Tracer, error) {
	client, err := newClient(c)
	if err != nil {
		return nil, fmt.Errorf("start traces: %w", err)
	}
	exporter, err := otlptrace.New(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("start traces: %w", err)
	}
	t := newTracer(c, &noisy{SpanExporter: exporter, log: log})
	t.client = client
	return t, nil
}

func newTracer(c Config, exporter sdktrace.SpanExporter) *Tracer {
	about := resource.NewSchemaless(attribute.String("service.name", "outcrop"), attribute.String("service.version", c.Version))
	p := sdktrace.NewTracerProvider(
		sdktrace.WithResource(about),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(c.Sample))),
		sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(maxQueue), sdktrace.WithMaxExportBatchSize(maxBatch), sdktrace.WithExportTimeout(sendFor)),
	)
	return &Tracer{provider: p, tracer: p.Tracer("outcrop")}
}

// noisy logs what the collector does not take, once until that changes.
type noisy struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	said string
}

func (n *noisy) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := n.SpanExporter.ExportSpans(ctx, spans) // one batch at a time
	say := ""
	var part *rejection
	switch {
	case errors.As(err, &part) && part.spans == 0:
		say = "the collector warns of traces"
	case part != nil:
		say = "the collector rejects spans"
	case err != nil:
		say = "traces cannot be sent; they are dropped until the collector answers"
	}
	if say != "" && say != n.said {
		n.log.Warn(say, "err", err)
	}
	n.said = say
	return nil
}

// Close sends what waits, within a bound and without trying again.
func (t *Tracer) Close() error {
	if t == nil || t.provider == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownFor)
	defer cancel()
	if t.client != nil {
		t.client.hurry()
		defer t.client.stop()
	}
	return t.provider.Shutdown(ctx)
}

// Request begins the span of an invocation, in the client's trace if it sent
// one. The returned function ends it.
func (t *Tracer) Request(r *http.Request) (*http.Request, func()) {
	if t == nil || t.tracer == nil {
		return r, func() {}
	}
	ctx := t.context.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, "invoke", trace.WithSpanKind(trace.SpanKindServer))
	return r.WithContext(ctx), func() { span.End() }
}

// Attempt begins the span of one attempt, whose traceparent the upstream gets.
// The returned function ends it.
func (t *Tracer) Attempt(ctx context.Context, a *outcrop.Attempt) (context.Context, func(error)) {
	if t == nil || t.tracer == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, "attempt "+a.Upstream, trace.WithSpanKind(trace.SpanKindClient))
	header := propagation.HeaderCarrier{}
	t.context.Inject(ctx, header)
	ctx = outcrop.WithTraceParent(ctx, http.Header(header).Get("traceparent"))
	if !span.IsRecording() {
		return ctx, func(error) { span.End() }
	}
	span.SetAttributes(
		attribute.String("outcrop.upstream", a.Upstream), attribute.Int("outcrop.attempt", a.Number),
		attribute.String("gen_ai.request.model", string(a.Model)), attribute.String("cloud.region", string(a.Destination.Region)),
	)
	return ctx, func(err error) {
		if err != nil {
			code := outcrop.KindOf(err).Code()
			span.SetAttributes(attribute.String("error.type", code))
			span.SetStatus(codes.Error, code)
		}
		span.End()
	}
}

// Settled tells the span of an invocation what its record says. Neither what
// was asked nor what was answered is told.
func (t *Tracer) Settled(ctx context.Context, r *outcrop.UsageRecord) {
	if t == nil || t.tracer == nil {
		return
	}
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(operationName(r.Operation) + " " + r.MetricID)
	span.SetAttributes(
		attribute.String("gen_ai.operation.name", operationName(r.Operation)), attribute.String("gen_ai.provider.name", "aws.bedrock"),
		attribute.String("gen_ai.request.model", r.ModelRef), attribute.String("gen_ai.response.model", string(r.Model)),
		attribute.Int64("gen_ai.usage.input_tokens", int64(r.Usage.Input())), attribute.Int64("gen_ai.usage.output_tokens", int64(r.Usage.Output())),
		attribute.Int64("gen_ai.usage.cache_read.input_tokens", int64(r.Usage.Of(outcrop.CacheReadTokens))),
		attribute.String("aws.request_id", string(r.Invocation)), attribute.String("cloud.region", string(r.Region)), attribute.String("cloud.account.id", string(r.Account)),
		attribute.String("outcrop.served_in", string(r.ServedIn)), attribute.String("outcrop.upstream", r.Upstream), attribute.Int("outcrop.attempts", r.Attempts),
		attribute.Int("http.response.status_code", r.Outcome.Status),
	)
	if r.Outcome.StopReason != "" {
		span.SetAttributes(attribute.StringSlice("gen_ai.response.finish_reasons", []string{r.Outcome.StopReason}))
	}
	if r.Profile != "" {
		span.SetAttributes(attribute.String("outcrop.inference_profile", string(r.Profile)))
	}
	if !r.FirstByte.IsZero() {
		span.SetAttributes(attribute.Float64("outcrop.time_to_first_token", r.FirstByte.Sub(r.Started).Seconds()))
	}
	if r.Outcome.Error != "" {
		span.SetAttributes(attribute.String("error.type", r.Outcome.Error))
		span.SetStatus(codes.Error, r.Outcome.Error)
	}
}

// operationName is the conventions' name of an operation.
func operationName(op outcrop.Operation) string {
	switch op {
	case outcrop.OpConverse, outcrop.OpConverseStream:
		return "chat"
	}
	return "text_completion"
}
