package quota

import (
	"math/bits"
	"time"
)

// The windows of Bedrock's quotas.
const (
	minute = time.Minute
	day    = 24 * time.Hour
)

// Limits are what a Counter enforces.
type Limits struct {
	Requests    Limit // per minute
	Tokens      Limit // per minute, input and output in one figure
	DailyTokens Limit
	Concurrent  Limit // calls under way at once
}

// A Limit is a number, or (its zero value) none.
type Limit struct {
	N  uint64
	On bool
}

// To is the limit n; 0 lets nothing through.
func To(n uint64) Limit { return Limit{n, true} }

// None says whether nothing is limited.
func (l *Limits) None() bool { return *l == Limits{} }

// A Dimension is one thing that is limited.
type Dimension uint8

// The dimensions.
const (
	Requests Dimension = iota + 1
	Tokens
	DailyTokens
	Concurrent
)

// A Shortage says which limit a call did not fit under, and when it may.
type Shortage struct {
	Of    Dimension // zero: it fitted
	After time.Duration
}

// spanOf is how long a bucket that makes limit per window needs for n. It
// rounds up: no amount is free.
func spanOf(n, limit uint64, window time.Duration) Span {
	if limit == 0 || n/limit >= uint64(maxSpan/window) {
		return maxSpan
	}
	span := Span(n/limit) * window
	hi, lo := bits.Mul64(n%limit, uint64(window))
	part, rest := bits.Div64(hi, lo, limit) // n%limit < limit, so it fits
	if rest > 0 {
		part++
	}
	return span + Span(part)
}
