package server

import (
	"context"
	"iter"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
)

// backends hand each attempt to the upstream that it names.
type backends map[string]gateway.Upstreams

// Converse implements gateway.Upstreams.
func (b backends) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	return b[a.Upstream].Converse(ctx, a, r)
}

// ConverseStream implements gateway.Upstreams.
func (b backends) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	return b[a.Upstream].ConverseStream(ctx, a, r)
}

// CountTokens implements gateway.Upstreams.
func (b backends) CountTokens(ctx context.Context, a outcrop.Attempt, r *converse.Request) (outcrop.Tokens, error) {
	return b[a.Upstream].CountTokens(ctx, a, r)
}
