// Package usage shows usage records to people: rows, filters, groups and
// files.
package usage

import (
	"time"

	"outcrop"
)

// A Row is a usage record as people and files see it. A count that nobody
// told is absent, which is not zero; so is the cost of usage without a price.
type Row struct {
	Seq        uint64    `json:"seq" parquet:"seq"`
	Invocation string    `json:"invocation" parquet:"invocation"`
	Operation  string    `json:"operation" parquet:"operation,dict"`
	Started    time.Time `json:"started" parquet:"started,timestamp(microsecond)"`
	FirstByte  *int64    `json:"firstByteMs,omitempty" parquet:"first_byte_ms,optional"`
	Duration   *int64    `json:"durationMs,omitempty" parquet:"duration_ms,optional"`

	Account    string `json:"account" parquet:"account,dict"`
	Principal  string `json:"principal,omitempty" parquet:"principal,dict"`
	AccessKey  string `json:"accessKey,omitempty" parquet:"access_key,dict"`
	SDKAttempt string `json:"sdkAttempt,omitempty" parquet:"sdk_attempt"` // the same over a client's retries

	Region    string `json:"region" parquet:"region,dict"`
	ServedIn  string `json:"servedIn,omitempty" parquet:"served_in,dict"`
	Upstream  string `json:"upstream,omitempty" parquet:"upstream,dict"`
	Request   string `json:"upstreamRequest,omitempty" parquet:"upstream_request"`
	Attempts  int    `json:"attempts" parquet:"attempts"`
	ModelRef  string `json:"modelRef,omitempty" parquet:"model_ref,dict"`
	Binding   string `json:"binding,omitempty" parquet:"binding,dict"`
	Profile   string `json:"profile,omitempty" parquet:"profile,dict"`
	Model     string `json:"model,omitempty" parquet:"model,dict"`
	Geography string `json:"geography,omitempty" parquet:"geography,dict"`
	Tier      string `json:"serviceTier,omitempty" parquet:"service_tier,dict"` // that served
	Latency   string `json:"latency,omitempty" parquet:"latency,dict"`
	TierAsked string `json:"serviceTierAsked,omitempty" parquet:"service_tier_asked,dict"`
	FastAsked string `json:"latencyAsked,omitempty" parquet:"latency_asked,dict"`
	Guardrail string `json:"guardrail,omitempty" parquet:"guardrail,dict"`
	Size      string `json:"imageSize,omitempty" parquet:"image_size,dict"`   // of pictures: with the next, what their price depends on
	Steps     int    `json:"imageSteps,omitempty" parquet:"image_steps,dict"` // that each of them takes, as AWS buckets them

	Input        *uint64 `json:"inputTokens,omitempty" parquet:"input_tokens,optional"`
	Output       *uint64 `json:"outputTokens,omitempty" parquet:"output_tokens,optional"`
	CacheRead    *uint64 `json:"cacheReadTokens,omitempty" parquet:"cache_read_tokens,optional"`
	CacheWrite5m *uint64 `json:"cacheWrite5mTokens,omitempty" parquet:"cache_write_5m_tokens,optional"`
	CacheWrite1h *uint64 `json:"cacheWrite1hTokens,omitempty" parquet:"cache_write_1h_tokens,optional"`
	Reasoning    *uint64 `json:"reasoningTokens,omitempty" parquet:"reasoning_tokens,optional"`
	InputImages  *uint64 `json:"inputImages,omitempty" parquet:"input_images,optional"`
	OutputImages *uint64 `json:"outputImages,omitempty" parquet:"output_images,optional"`
	InputAudio   *uint64 `json:"inputAudioTokens,omitempty" parquet:"input_audio_tokens,optional"`
	OutputAudio  *uint64 `json:"outputAudioTokens,omitempty" parquet:"output_audio_tokens,optional"`
	SearchUnits  *uint64 `json:"searchUnits,omitempty" parquet:"search_units,optional"`
	Compute      *uint64 `json:"computeMs,omitempty" parquet:"compute_ms,optional"`
	Estimated    bool    `json:"estimated,omitempty" parquet:"estimated"`
	QuotaTokens  uint64  `json:"quotaTokens,omitempty" parquet:"quota_tokens"`

	Cost  *string `json:"costUSD,omitempty" parquet:"cost_usd,optional"` // exact decimal
	Price string  `json:"price,omitempty" parquet:"price,dict"`          // the row of the price list that held

	Tags        map[string]string `json:"tags,omitempty" parquet:"tags"`
	SessionTags map[string]string `json:"sessionTags,omitempty" parquet:"session_tags"`
	Metadata    map[string]string `json:"requestMetadata,omitempty" parquet:"request_metadata"`

	Status     int    `json:"status" parquet:"status"`
	Error      string `json:"error,omitempty" parquet:"error,dict"`
	StopReason string `json:"stopReason,omitempty" parquet:"stop_reason,dict"`
	HungUp     bool   `json:"hungUp,omitempty" parquet:"hung_up"`
	Recovered  bool   `json:"recovered,omitempty" parquet:"recovered"`
}

// counts are the places of a row's kinds.
func (w *Row) counts() [outcrop.TokenKinds]**uint64 {
	return [outcrop.TokenKinds]**uint64{&w.Input, &w.Output, &w.CacheRead, &w.CacheWrite5m, &w.CacheWrite1h, &w.Reasoning,
		&w.InputImages, &w.OutputImages, &w.InputAudio, &w.OutputAudio, &w.SearchUnits, &w.Compute}
}

// RowOf shows r.
func RowOf(r *outcrop.UsageRecord) Row {
	w := Row{
		Seq: uint64(r.Seq), Invocation: string(r.Invocation), Operation: string(r.Operation), Started: r.Started,
		FirstByte: since(r.Started, r.FirstByte), Duration: since(r.Started, r.Ended),
		Account: string(r.Account), Principal: string(r.Principal), AccessKey: r.AccessKey, SDKAttempt: r.SDKAttempt,
		Region: string(r.Region), ServedIn: string(r.ServedIn), Upstream: r.Upstream, Request: r.UpstreamRequest, Attempts: r.Attempts,
		ModelRef: r.ModelRef, Binding: r.Binding, Profile: string(r.Profile), Model: string(r.Model), Geography: string(r.Geography),
		Tier: r.ServiceTier, Latency: r.Latency, TierAsked: r.TierAsked, FastAsked: r.LatencyAsked, Guardrail: r.Guardrail, Size: r.ImageSize, Steps: r.ImageSteps,
		Estimated: r.Usage.Estimated, QuotaTokens: uint64(r.QuotaTokens), Price: r.Quote.Price,
		Tags: r.Tags, SessionTags: r.SessionTags, Metadata: r.RequestMetadata,
		Status: r.Outcome.Status, Error: r.Outcome.Error, StopReason: r.Outcome.StopReason, HungUp: r.Outcome.HungUp, Recovered: r.Outcome.Recovered,
	}
	counts := w.counts()
	for kind, n := range r.Usage.All() {
		*counts[kind] = new(uint64(n))
	}
	if cost, ok := r.Quote.Cost(&r.Usage); ok {
		w.Cost = new(cost.String())
	}
	return w
}

// Usage is what the row counts.
func (w *Row) Usage() outcrop.Usage {
	u := outcrop.Usage{Estimated: w.Estimated}
	for kind, n := range w.counts() {
		if *n != nil {
			u.Set(outcrop.TokenKind(kind), outcrop.Tokens(**n))
		}
	}
	return u
}

// since is in milliseconds, absent when there was no such moment.
func since(start, at time.Time) *int64 {
	if at.IsZero() || start.IsZero() {
		return nil
	}
	return new(at.Sub(start).Milliseconds())
}

// Record is what of a record comparisons with other counts need.
func (w *Row) Record() outcrop.UsageRecord {
	return outcrop.UsageRecord{
		Invocation: outcrop.InvocationID(w.Invocation), Seq: outcrop.Seq(w.Seq), Upstream: w.Upstream, UpstreamRequest: w.Request,
		Profile: outcrop.ARN(w.Profile), Model: outcrop.ModelID(w.Model), Started: w.Started, Usage: w.Usage(),
	}
}
