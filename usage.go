package outcrop

import (
	"iter"
	"slices"
)

// Tokens is a count of tokens (or of the unit a TokenKind names).
type Tokens uint64

// A TokenKind is a bucket of Usage. The buckets are disjoint: InputTokens
// excludes what was read from or written to a prompt cache.
type TokenKind uint8

// The kinds. Their numbers are written to disk: append, never reorder.
const (
	InputTokens TokenKind = iota
	OutputTokens
	CacheReadTokens
	CacheWrite5mTokens // written to a cache that lives five minutes
	CacheWrite1hTokens // written to a cache that lives one hour
	ReasoningTokens    // thought before the answer; AWS counts and bills them as output
	InputImages        // pictures taken in
	OutputImages       // pictures made
	InputAudioTokens   // speech taken in
	OutputAudioTokens  // speech made
	SearchUnits        // queries of a reranker
	ComputeMillis      // milliseconds of a model that is billed by time
	TokenKinds         // how many kinds there are
)

var kindNames = [TokenKinds]string{
	"input-tokens", "output-tokens", "cache-read-input-token-count", "cache-write-input-token-count", "cache-write-1h-input-token-count",
	"reasoning-output-tokens", "input-images", "output-images", "input-audio-tokens", "output-audio-tokens", "search-units", "compute-milliseconds",
}

// CountsTokens says whether the kind's unit is the token. Pictures, searches
// and milliseconds have prices of their own and are in no sum of tokens.
func (k TokenKind) CountsTokens() bool {
	switch k {
	case InputImages, OutputImages, SearchUnits, ComputeMillis:
		return false
	}
	return k < TokenKinds
}

// String is the kind's part of an AWS usage type, such as "input-tokens".
func (k TokenKind) String() string {
	if k < TokenKinds {
		return kindNames[k]
	}
	return "unknown"
}

// Kinds walks all kinds in order.
func Kinds() iter.Seq[TokenKind] {
	return func(yield func(TokenKind) bool) {
		for k := range TokenKinds {
			if !yield(k) {
				return
			}
		}
	}
}

// A PerKind holds one number for each TokenKind that is known. What is absent
// is unknown, which is not zero. The zero value knows nothing.
type PerKind[N ~uint64] struct {
	n     [TokenKinds]N
	known uint16 // one bit for each kind
}

// Set makes n known for k.
func (p *PerKind[N]) Set(k TokenKind, n N) {
	p.n[k] = n
	p.known |= 1 << k
}

// Get returns the number for k, and whether it is known.
func (p *PerKind[N]) Get(k TokenKind) (N, bool) {
	return p.n[k], p.known&(1<<k) != 0
}

// Of returns the number for k, 0 when unknown.
func (p *PerKind[N]) Of(k TokenKind) N { return p.n[k] }

// Known says whether anything is known.
func (p *PerKind[N]) Known() bool { return p.known != 0 }

// All walks the known kinds in order.
func (p *PerKind[N]) All() iter.Seq2[TokenKind, N] {
	return func(yield func(TokenKind, N) bool) {
		for k := range TokenKinds {
			if p.known&(1<<k) != 0 && !yield(k, p.n[k]) {
				return
			}
		}
	}
}

// Usage counts the tokens of one invocation by kind. Estimated says that the
// backend did not report them and they were derived from what was seen.
type Usage struct {
	PerKind[Tokens]
	Estimated bool
}

// MostTokens is more of a kind than any invocation can use, by far: what many
// records hold adds up without overflow.
const MostTokens Tokens = 1 << 40

// Believable says whether u can be true. Who counts for us may err.
func (u *Usage) Believable() bool { return slices.Max(u.n[:]) <= MostTokens }

// Total of all kinds that are tokens, as Converse reports totalTokens.
func (u *Usage) Total() Tokens {
	var sum Tokens
	for k, n := range u.All() {
		if k.CountsTokens() {
			sum += n
		}
	}
	return sum
}

// Part moves parts out of the kinds that hold them, so that the kinds are
// disjoint. A part is never larger than what it is a part of.
func (u *Usage) Part(parts *PerKind[Tokens]) {
	for k, n := range parts.All() {
		whole := k
		switch k {
		case ReasoningTokens, OutputAudioTokens:
			whole = OutputTokens
		case InputAudioTokens:
			whole = InputTokens
		}
		if whole != k {
			had := u.Of(whole)
			n = min(n, had)
			u.Set(whole, had-n)
		}
		u.Set(k, n)
	}
}

// Output is what AWS calls the OutputTokenCount: all that was generated, with
// the reasoning before it.
func (u *Usage) Output() Tokens {
	return u.Of(OutputTokens) + u.Of(ReasoningTokens) + u.Of(OutputAudioTokens)
}

// Input is all that was taken in, cached or not: what decides whether a
// request is a long one.
func (u *Usage) Input() Tokens { return u.Total() - u.Output() }

// A Quote is the price that held for one invocation: the Rates by kind and
// the name of the price that said so. A Quote with an empty Price means "no
// price": the usage is metered, and its cost is unknown, not zero.
type Quote struct {
	Price string // names list and row, such as "bedrock-2026-10#amazon.nova-lite-v1:0/us"
	Rates PerKind[Rate]
}

// Rate is the price of kind k. Reasoning that has none of its own costs what
// output costs, as on AWS.
func (q *Quote) Rate(k TokenKind) (Rate, bool) {
	rate, priced := q.Rates.Get(k)
	if !priced && k == ReasoningTokens {
		return q.Rates.Get(OutputTokens)
	}
	return rate, priced
}

// Unpriced is how much of u has no rate: its cost is unknown.
func (q *Quote) Unpriced(u *Usage) (n Tokens) {
	for k, of := range u.All() {
		if _, priced := q.Rate(k); !priced {
			n += of
		}
	}
	return n
}

// Cost of u at the quoted rates. ok is false when a kind with tokens has no
// rate.
func (q *Quote) Cost(u *Usage) (m Money, ok bool) {
	ok = true
	for k, n := range u.All() {
		rate, priced := q.Rate(k)
		if n > 0 && !priced {
			ok = false
		}
		m = m.Add(rate.For(n))
	}
	return m, ok
}
