package converse

import "outcrop"

// The lifetimes of a prompt cache entry, as CacheDetail.Ttl names them.
const (
	ttl5m = "5m"
	ttl1h = "1h"
)

// Usage reads what an answer says it used. Converse's inputTokens already
// exclude the cache's (reference/runtime-metering-billing.md §1.7), so the
// kinds are disjoint. Cache writes whose lifetime is not given live for five
// minutes, which is the default. What the answer does not say is not known.
func (v *TokenUsage) Usage() outcrop.Usage {
	var u outcrop.Usage
	u.Set(outcrop.InputTokens, tokens(v.InputTokens))
	u.Set(outcrop.OutputTokens, tokens(v.OutputTokens))
	if v.CacheReadInputTokens != nil {
		u.Set(outcrop.CacheReadTokens, tokens(*v.CacheReadInputTokens))
	}
	var total, short, long outcrop.Tokens
	told := false
	for _, d := range v.CacheDetails {
		switch d.Ttl {
		case ttl1h:
			long += tokens(d.InputTokens)
			u.Set(outcrop.CacheWrite1hTokens, long)
		case ttl5m:
			short += tokens(d.InputTokens)
			told = true
		}
	}
	if v.CacheWriteInputTokens != nil {
		total = tokens(*v.CacheWriteInputTokens)
	}
	if total > short+long {
		short = total - long
	}
	if told || short > 0 || v.CacheWriteInputTokens != nil && long == 0 {
		u.Set(outcrop.CacheWrite5mTokens, short)
	}
	return u
}

// tokens refuses to count below zero, and beyond what anybody believes: so that
// a sum does not overflow and is believed after all.
func tokens(n int64) outcrop.Tokens {
	return min(outcrop.Tokens(max(n, 0)), 2*outcrop.MostTokens)
}

// UsageOf writes u as an answer tells it: totalTokens is the sum of all kinds,
// and cacheDetails lists what was written by lifetime, the longer one first.
// Input and output must be told, so there an unknown count becomes 0. Speech is
// told as input or output, and reasoning as output: the answer has no word of
// its own for them.
func UsageOf(u outcrop.Usage) TokenUsage {
	v := TokenUsage{
		InputTokens:  int64(u.Of(outcrop.InputTokens) + u.Of(outcrop.InputAudioTokens)),
		OutputTokens: int64(u.Output()),
		TotalTokens:  int64(u.Total()),
	}
	if n, known := u.Get(outcrop.CacheReadTokens); known {
		v.CacheReadInputTokens = count64(n)
	}
	short, knowsShort := u.Get(outcrop.CacheWrite5mTokens)
	long, knowsLong := u.Get(outcrop.CacheWrite1hTokens)
	if !knowsShort && !knowsLong {
		return v
	}
	v.CacheWriteInputTokens = count64(short + long)
	v.CacheDetails = []CacheDetail{} // an empty list says that nothing was written
	if long > 0 {
		v.CacheDetails = append(v.CacheDetails, CacheDetail{ttl1h, int64(long)})
	}
	if short > 0 {
		v.CacheDetails = append(v.CacheDetails, CacheDetail{ttl5m, int64(short)})
	}
	return v
}

func count64(n outcrop.Tokens) *int64 {
	c := int64(n)
	return &c
}
