package runtimeapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/gateway"
)

// maxInvokeBodyBytes is the model's own limit of InvokeModel's body.
const maxInvokeBodyBytes = 25_000_000

// An invocation is an InvokeModel call in the middle of its translation.
type invocation struct {
	call   *gateway.Call
	family native.Family
	answer native.Answer
	tier   *converse.ServiceTier // asked for, and billed unless the upstream says otherwise
}

// invocation prepares an InvokeModel call: its body is read by the family of
// the model, once that is known.
func newInvocation(r *awsapi.Request, op outcrop.Operation) (*invocation, error) {
	if len(r.Body) > maxInvokeBodyBytes {
		return nil, outcrop.Errorf(outcrop.Invalid, "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to %d", maxInvokeBodyBytes)
	}
	if err := unsupported(r.HTTP.Header); err != nil {
		return nil, err
	}
	metadata, err := requestMetadata(r.HTTP.Header)
	if err != nil {
		return nil, err
	}
	in := &invocation{call: call(r, op), answer: native.Answer{ID: string(r.ID), Created: r.Received}}
	in.call.Request = func(t *outcrop.Target) (*converse.Request, error) {
		family, ok := native.FamilyOf(t.Model.ID)
		if !ok {
			return nil, outcrop.Errorf(outcrop.Invalid, "Outcrop cannot read InvokeModel bodies of the model %s yet. Use Converse, where the model supports it.", t.Model.ID)
		}
		in.family, in.answer.Model = family, t.Model.ID
		request, err := family.Decode(native.Silent(r.Body, t))
		if err != nil {
			return nil, err
		}
		request.RequestMetadata = metadata
		if tier := r.HTTP.Header.Get("X-Amzn-Bedrock-Service-Tier"); tier != "" {
			request.ServiceTier = &converse.ServiceTier{Type: tier}
		}
		if latency := r.HTTP.Header.Get("X-Amzn-Bedrock-PerformanceConfig-Latency"); latency != "" {
			request.PerformanceConfig = &converse.PerformanceConfiguration{Latency: latency}
		}
		in.tier = request.ServiceTier
		return request, request.Validate()
	}
	return in, nil
}

// unsupported refuses the headers that would change the answer and are not
// honoured: to ignore a guardrail would be to say that it held.
func unsupported(h http.Header) error {
	for _, name := range []string{"X-Amzn-Bedrock-GuardrailIdentifier", "X-Amzn-Bedrock-GuardrailVersion"} {
		if h.Get(name) != "" {
			return outcrop.Errorf(outcrop.Invalid, "Outcrop does not apply guardrails yet: remove the header %s.", name)
		}
	}
	return nil
}

func requestMetadata(h http.Header) (map[string]string, error) {
	text := h.Get("X-Amzn-Bedrock-Request-Metadata")
	if text == "" {
		return nil, nil
	}
	var m map[string]string
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The header X-Amzn-Bedrock-Request-Metadata must be a JSON object of strings.")
	}
	return m, nil
}

func (a *API) invokeModel(w http.ResponseWriter, r *awsapi.Request) error {
	in, err := newInvocation(r, outcrop.OpInvokeModel)
	if err != nil {
		return err
	}
	answer, err := a.Gateway.Converse(r.Context(), in.call)
	if err != nil {
		return refused(r, err)
	}
	r.ServedIn, in.answer.Response = answer.ServedIn, answer.Response
	body, err := in.family.Encode(&in.answer)
	if err != nil {
		return err
	}
	if answer.Response.ServiceTier == nil {
		answer.Response.ServiceTier = in.tier
	}
	tellUsage(w.Header(), answer)
	writeJSON(w, body)
	return nil
}

// tellUsage writes the headers in which InvokeModel reports tokens and time
// (reference/runtime-metering-billing.md §1.3).
func tellUsage(h http.Header, a *gateway.Answer) {
	u := a.Response.Usage
	count := func(name string, n int64) { h.Set("X-Amzn-Bedrock-"+name, strconv.FormatInt(n, 10)) }
	count("Input-Token-Count", u.InputTokens)
	count("Output-Token-Count", u.OutputTokens)
	if u.CacheReadInputTokens != nil {
		count("Cache-Read-Input-Token-Count", *u.CacheReadInputTokens)
	}
	if u.CacheWriteInputTokens != nil {
		count("Cache-Write-Input-Token-Count", *u.CacheWriteInputTokens)
	}
	count("Invocation-Latency", a.Latency.Milliseconds())
	if tier := a.Response.ServiceTier; tier != nil {
		h.Set("X-Amzn-Bedrock-Service-Tier", tier.Type)
	}
}

func (a *API) invokeModelStream(w http.ResponseWriter, r *awsapi.Request) error {
	in, err := newInvocation(r, outcrop.OpInvokeModelStream)
	if err != nil {
		return err
	}
	stream, err := a.Gateway.ConverseStream(r.Context(), in.call)
	if err != nil {
		return refused(r, err)
	}
	defer func() { r.ServedIn = stream.ServedIn() }()
	w.Header().Set("X-Amzn-Bedrock-Content-Type", cmp.Or(r.HTTP.Header.Get("X-Amzn-Bedrock-Accept"), "application/json"))
	if in.tier != nil {
		w.Header().Set("X-Amzn-Bedrock-Service-Tier", in.tier.Type)
	}
	out := a.frames(w)
	defer out.release()
	clock := &stopwatch{started: r.Received}
	in.answer.Metrics = clock.metrics
	chunker := in.family.Chunks(&in.answer)
	for event, err := range stream.Events {
		if err != nil {
			return out.fail(err)
		}
		clock.see(&event)
		chunks, err := chunker.Chunk(event)
		if err != nil {
			return out.fail(err)
		}
		if out.chunks(chunks) != nil {
			break
		}
	}
	return nil
}

// chunks writes native chunks as the stream's one kind of event.
func (f *frames) chunks(chunks [][]byte) error {
	for _, chunk := range chunks {
		p := append(f.buffers.payload[:0], `{"bytes":"`...)
		p = base64.StdEncoding.AppendEncode(p, chunk)
		if f.padding {
			p = append(append(p, `","p":"`...), converse.Padding(padLength())...)
		}
		f.buffers.payload = append(p, `"}`...)
		if err := f.write(prebuilt["chunk"], f.buffers.payload); err != nil {
			return err
		}
	}
	return nil
}

// A stopwatch gathers what amazon-bedrock-invocationMetrics tell.
type stopwatch struct {
	started, first time.Time
	usage          *converse.TokenUsage
}

func (s *stopwatch) see(e *converse.Event) {
	if s.first.IsZero() {
		s.first = time.Now()
	}
	if e.Metadata != nil {
		s.usage = e.Metadata.Usage
	}
}

func (s *stopwatch) metrics() native.Metrics {
	return native.Metrics{
		InputTokens: s.usage.InputTokens, OutputTokens: s.usage.OutputTokens,
		CacheRead: s.usage.CacheReadInputTokens, CacheWrite: s.usage.CacheWriteInputTokens,
		Latency: time.Since(s.started).Milliseconds(), FirstByte: s.first.Sub(s.started).Milliseconds(),
	}
}
