package otel

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func invoke(t *Tracer, traceparent string) (sent string) {
	r := httptest.NewRequest("POST", "/model/m/converse", nil)
	if traceparent != "" {
		r.Header.Set("traceparent", traceparent)
	}
	r, done := t.Request(r)
	ctx, ended := t.Attempt(r.Context(), &outcrop.Attempt{Upstream: "gpu", Number: 1, Model: "llama"})
	sent = outcrop.TraceParent(ctx)
	ended(outcrop.Errorf(outcrop.Throttled, "busy"))
	record := &outcrop.UsageRecord{Operation: outcrop.OpConverse, MetricID: "m", ModelRef: "m", Model: "m", Outcome: outcrop.Outcome{Status: 200, StopReason: "end_turn"}}
	record.Usage.Set(outcrop.InputTokens, 5)
	t.Settled(context.WithoutCancel(r.Context()), record)
	done()
	return sent
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestAClientsTraceIsTakenOver(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tracer := newTracer(Config{Sample: 0}, kept{spans})
	sent := invoke(tracer, parent)
	if err := tracer.provider.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := spans.GetSpans()
	if len(got) != 2 {
		t.Fatalf("%d spans, want the attempt's and the invocation's", len(got))
	}
	attempt, call := got[0], got[1]
	if call.Name != "chat m" || call.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || call.Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("invocation %s in %s under %s", call.Name, call.SpanContext.TraceID(), call.Parent.SpanID())
	}
	if attempt.Parent.SpanID() != call.SpanContext.SpanID() || attempt.Status.Description != "ThrottlingException" {
		t.Errorf("attempt %+v", attempt)
	}
	if want := "00-0af7651916cd43dd8448eb211c80319c-" + attempt.SpanContext.SpanID().String() + "-01"; sent != want {
		t.Errorf("the upstream gets %s, want %s", sent, want)
	}
	facts := map[string]string{}
	for _, a := range call.Attributes {
		facts[string(a.Key)] = a.Value.String()
	}
	if facts["gen_ai.usage.input_tokens"] != "5" || facts["gen_ai.operation.name"] != "chat" || facts["gen_ai.provider.name"] != "aws.bedrock" {
		t.Errorf("attributes %v", facts)
	}
	if err := tracer.Close(); err != nil {
		t.Error(err)
	}
}

// kept keeps spans over a shutdown.
type kept struct{ *tracetest.InMemoryExporter }

func (kept) Shutdown(context.Context) error { return nil }

var _ sdktrace.SpanExporter = kept{}

func TestUnsampledTracesAreNotSent(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tracer := newTracer(Config{Sample: 0}, kept{spans})
	invoke(tracer, "")
	invoke(tracer, strings.TrimSuffix(parent, "1")+"0")
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(spans.GetSpans()); n > 0 {
		t.Errorf("%d spans were sent", n)
	}
	var none *Tracer
	if sent := invoke(none, parent); sent != "" {
		t.Errorf("without a tracer the upstream gets %s", sent)
	}
}

// A collector that does not answer holds up nothing.
func TestACollectorThatHangsHoldsUpNothing(t *testing.T) {
	var asked atomic.Int32
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/traces" || r.Header.Get("X-Key") != "k" {
			t.Errorf("asked %s", r.URL.Path)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		asked.Add(1)
		<-release
	}))
	defer server.Close()
	tracer, err := New(t.Context(), Config{Endpoint: server.URL, Sample: 1, Headers: map[string]string{"X-Key": "k"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	called := make(chan bool)
	go func() {
		for range 3 * maxQueue {
			invoke(tracer, "")
		}
		close(called)
	}()
	select {
	case <-called:
	case <-time.After(time.Minute): // for a slow machine: who waits for the collector waits for ever
		t.Error("calls wait for a collector that hangs")
	}
	close(release)
	if err := tracer.Close(); err != nil && !errors.Is(err, context.DeadlineExceeded) { // what is queued may be too much for a slow machine
		t.Error(err)
	}
	if asked.Load() == 0 {
		t.Error("the collector was never asked")
	}
}
