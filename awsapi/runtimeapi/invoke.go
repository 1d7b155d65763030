package runtimeapi

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/converse/task"
	"outcrop/gateway"
)

// maxInvokeBodyBytes is the model's own limit of InvokeModel's body.
const maxInvokeBodyBytes = 25_000_000

// An invocation is an InvokeModel call in the middle of its translation.
type invocation struct {
	call   *gateway.Call
	family native.Family
	answer native.Answer
	task   *native.Task // for a model that does not converse
	// Asked for, and billed unless the upstream says otherwise.
	tier    *converse.ServiceTier
	latency *converse.PerformanceConfiguration

	guardrail *converse.GuardrailStreamConfiguration
	metadata  map[string]string
}

// invocation prepares an InvokeModel call: its body is read by the family of
// the model, once that is known.
func newInvocation(r *awsapi.Request, op outcrop.Operation) (*invocation, error) {
	if len(r.Body) > maxInvokeBodyBytes {
		return nil, outcrop.Errorf(outcrop.Invalid, "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to %d", maxInvokeBodyBytes)
	}
	metadata, err := requestMetadata(r.HTTP.Header)
	if err != nil {
		return nil, err
	}
	in := &invocation{call: call(r, op), answer: native.Answer{ID: string(r.ID), Created: r.Received}}
	if in.guardrail, err = guardrail(r.HTTP.Header); err != nil {
		return nil, err
	}
	if tier := r.HTTP.Header.Get("X-Amzn-Bedrock-Service-Tier"); tier != "" {
		in.tier = &converse.ServiceTier{Type: tier}
	}
	if latency := r.HTTP.Header.Get("X-Amzn-Bedrock-PerformanceConfig-Latency"); latency != "" {
		in.latency = &converse.PerformanceConfiguration{Latency: latency}
	}
	in.metadata = metadata
	in.reads(r.Body, op)
	in.call.Form.Header, in.call.Form.Digest = forwarded(r.HTTP.Header), r.Digest
	return in, nil
}

// reads has the family of the model read the body, once that is known.
func (in *invocation) reads(body []byte, op outcrop.Operation) {
	in.call.Form = &gateway.Form{Protocol: gateway.InvokeProtocol, Body: body}
	in.call.Request = func(t *outcrop.Target) (*converse.Request, error) { return in.conversation(t, body) }
	in.call.Task = func(t *outcrop.Target) (*task.Request, error) { return in.taskOf(t, body, op) }
}

func (in *invocation) conversation(t *outcrop.Target, body []byte) (*converse.Request, error) {
	family, ok := native.FamilyOf(t.Model.ID)
	if !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "Outcrop does not know the native bodies of %s. Use Converse, where the model supports it, or let an upstream of kind bedrock serve it.", t.Model.ID)
	}
	in.family, in.answer.Model = family, t.Model.ID
	in.call.Native = &logged{family: family, answer: in.answer}
	request, err := family.Decode(native.Silent(body, t))
	if err != nil {
		return nil, err
	}
	request.RequestMetadata, request.ServiceTier, request.PerformanceConfig = in.metadata, in.tier, in.latency
	request.GuardrailConfig = in.guardrail
	return request, request.Validate()
}

// taskOf is nil for a model that converses.
func (in *invocation) taskOf(t *outcrop.Target, body []byte, op outcrop.Operation) (*task.Request, error) {
	decoded, ok, err := native.DecodeTask(t.Model.ID, body)
	switch {
	case err != nil || !ok:
		return nil, err
	case op.Streaming():
		return nil, outcrop.Errorf(outcrop.Invalid, "The model is unsupported for streaming.")
	case in.guardrail != nil:
		return nil, outcrop.Errorf(outcrop.Invalid, "The guardrail %s cannot be applied to this model here: only upstreams of kind bedrock apply guardrails.", in.guardrail.GuardrailIdentifier)
	}
	in.task = decoded
	in.call.Native = &logged{task: decoded, answer: in.answer}
	decoded.Request.RequestMetadata, decoded.Request.ServiceTier, decoded.Request.PerformanceConfig = in.metadata, in.tier, in.latency
	return decoded.Request, decoded.Request.Words().Validate()
}

// guardrail reads the headers that ask for one.
func guardrail(h http.Header) (*converse.GuardrailStreamConfiguration, error) {
	id, version := h.Get("X-Amzn-Bedrock-GuardrailIdentifier"), h.Get("X-Amzn-Bedrock-GuardrailVersion")
	if id == "" && version == "" {
		return nil, nil
	}
	if id == "" || version == "" {
		return nil, outcrop.Errorf(outcrop.Invalid, "The headers X-Amzn-Bedrock-GuardrailIdentifier and X-Amzn-Bedrock-GuardrailVersion must be given together.")
	}
	return &converse.GuardrailStreamConfiguration{GuardrailIdentifier: id, GuardrailVersion: version, Trace: strings.ToLower(h.Get("X-Amzn-Bedrock-Trace"))}, nil
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
	r.ServedIn, in.answer.Response, in.answer.Usage = answer.ServedIn, answer.Response, func() outcrop.Usage { return answer.Usage }
	if in.tier != nil {
		w.Header().Set("X-Amzn-Bedrock-Service-Tier", in.tier.Type)
	}
	tellUsage(w.Header(), answer)
	if answer.Forwarded != nil {
		writeForwarded(w, answer)
		r.Free()
		return nil
	}
	body, err := in.body(answer)
	if err != nil {
		return err
	}
	writeJSON(w, body)
	return nil
}

// body is the answer in the model's own form.
func (in *invocation) body(a *gateway.Answer) ([]byte, error) {
	if a.Task != nil {
		return in.task.Encode(&native.TaskAnswer{ID: in.answer.ID, Response: a.Task, Tokens: int64(a.Usage.Of(outcrop.InputTokens))})
	}
	return in.family.Encode(&in.answer)
}

// tellUsage writes the headers in which InvokeModel reports tokens and time
// (reference/runtime-metering-billing.md §1.3).
func tellUsage(h http.Header, a *gateway.Answer) {
	u := converse.UsageOf(a.Usage)
	count := func(name string, n int64) { h.Set("X-Amzn-Bedrock-"+name, strconv.FormatInt(n, 10)) }
	if _, known := a.Usage.Get(outcrop.InputTokens); known {
		count("Input-Token-Count", u.InputTokens)
	}
	if _, known := a.Usage.Get(outcrop.OutputTokens); known {
		count("Output-Token-Count", u.OutputTokens)
	}
	if u.CacheReadInputTokens != nil {
		count("Cache-Read-Input-Token-Count", *u.CacheReadInputTokens)
	}
	if u.CacheWriteInputTokens != nil {
		count("Cache-Write-Input-Token-Count", *u.CacheWriteInputTokens)
	}
	count("Invocation-Latency", a.Latency.Milliseconds())
	if a.Response != nil && a.Response.ServiceTier != nil {
		h.Set("X-Amzn-Bedrock-Service-Tier", a.Response.ServiceTier.Type)
	}
	if a.Response != nil && a.Response.PerformanceConfig != nil {
		h.Set("X-Amzn-Bedrock-PerformanceConfig-Latency", a.Response.PerformanceConfig.Latency)
	}
}

func (a *API) invokeModelStream(w http.ResponseWriter, r *awsapi.Request) error {
	in, err := newInvocation(r, outcrop.OpInvokeModelStream)
	if err != nil {
		return err
	}
	out := a.frames(w)
	defer out.release()
	clock := &stopwatch{started: r.Received}
	in.answer.Metrics = clock.metrics
	in.call.Form.Pass = func(p *gateway.Piece) error {
		clock.pass(p)
		if p.Last && p.Frame == nil {
			p.Chunk = native.AppendMetrics(nil, p.Chunk, clock.metrics())
		}
		return out.pass(p)
	}
	in.call.Form.Flush = out.flush
	w.Header().Set("X-Amzn-Bedrock-Content-Type", cmp.Or(r.HTTP.Header.Get("X-Amzn-Bedrock-Accept"), "application/json"))
	stream, err := a.Gateway.ConverseStream(r.Context(), in.call)
	if err != nil {
		return refused(r, err)
	}
	defer func() { r.ServedIn = stream.ServedIn() }()
	in.answer.Usage = stream.Usage
	if in.tier != nil {
		w.Header().Set("X-Amzn-Bedrock-Service-Tier", in.tier.Type)
	}
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
			return nil
		}
	}
	out.free(r)
	return nil
}

// chunks writes native chunks as the stream's one kind of event.
func (f *frames) chunks(chunks [][]byte) error {
	for _, chunk := range chunks {
		if err := f.chunk(chunk); err != nil {
			return err
		}
	}
	return nil
}

func (f *frames) chunk(chunk []byte) error {
	p := append(f.buffers.payload[:0], `{"bytes":"`...)
	p = base64.StdEncoding.AppendEncode(p, chunk)
	if f.padding {
		p = append(append(p, `","p":"`...), converse.Padding(padLength())...)
	}
	f.buffers.payload = append(p, `"}`...)
	return f.write(prebuilt["chunk"], f.buffers.payload)
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

func (s *stopwatch) pass(p *gateway.Piece) {
	if s.first.IsZero() {
		s.first = time.Now()
	}
	if p.Seen.Usage != nil {
		s.usage = p.Seen.Usage
	}
}

func (s *stopwatch) metrics() native.Metrics {
	return native.Metrics{
		InputTokens: s.usage.InputTokens, OutputTokens: s.usage.OutputTokens,
		CacheRead: s.usage.CacheReadInputTokens, CacheWrite: s.usage.CacheWriteInputTokens,
		Latency: time.Since(s.started).Milliseconds(), FirstByte: s.first.Sub(s.started).Milliseconds(),
	}
}
