package gateway

import (
	"context"

	"outcrop"
)

// refused tells of a call that was turned away before it had a record, so that
// metrics count it. A client that went away was not turned away.
func (g *Gateway) refused(call *Call, err error) {
	if err != nil && g.Refused != nil {
		g.Refused(call.Caller, call.target, err)
	}
}

// trace begins the span of an attempt, where traces are kept.
func (g *Gateway) trace(ctx context.Context, a *outcrop.Attempt) (context.Context, func(error)) {
	if g.Trace == nil {
		return ctx, func(error) {}
	}
	return g.Trace(ctx, a)
}
