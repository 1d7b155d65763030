package server

import (
	"context"
	"iter"

	"outcrop"
	"outcrop/converse/task"
	"outcrop/gateway"
)

// What only some upstreams do, handed to the one that an attempt names.
var (
	_ gateway.Forwarder = (*backends)(nil)
	_ gateway.Tasker    = (*backends)(nil)
)

// Forwards implements gateway.Forwarder: each upstream knows for itself.
func (b *backends) Forwards(a outcrop.Attempt, f *gateway.Form) bool {
	one, err := b.enter(&a)
	if err != nil {
		return false
	}
	defer one.leave()
	u, ok := one.Upstreams.(gateway.Forwarder)
	return ok && u.Forwards(a, f)
}

// forwarder enters the upstream of an attempt that Forwards was true for.
func (b *backends) forwarder(a *outcrop.Attempt) (gateway.Forwarder, *backend, error) {
	one, err := b.enter(a)
	if err != nil {
		return nil, nil, err
	}
	if u, ok := one.Upstreams.(gateway.Forwarder); ok {
		return u, one, nil
	}
	one.leave()
	return nil, nil, outcrop.Errorf(outcrop.Unavailable, "The upstream %s has just been exchanged. Try again.", a.Upstream)
}

// Forward implements gateway.Forwarder.
func (b *backends) Forward(ctx context.Context, a outcrop.Attempt, f *gateway.Form) (*gateway.Forwarded, error) {
	u, one, err := b.forwarder(&a)
	if err != nil {
		return nil, err
	}
	defer one.leave()
	return u.Forward(ctx, a, f)
}

// ForwardStream implements gateway.Forwarder.
func (b *backends) ForwardStream(ctx context.Context, a outcrop.Attempt, f *gateway.Form) iter.Seq2[*gateway.Piece, error] {
	return func(yield func(*gateway.Piece, error) bool) {
		u, one, err := b.forwarder(&a)
		if err != nil {
			yield(nil, err)
			return
		}
		defer one.leave()
		u.ForwardStream(ctx, a, f)(yield)
	}
}

// Do implements gateway.Tasker, where an upstream does.
func (b *backends) Do(ctx context.Context, a outcrop.Attempt, r *task.Request) (*task.Response, error) {
	one, err := b.enter(&a)
	if err != nil {
		return nil, err
	}
	defer one.leave()
	if u, ok := one.Upstreams.(gateway.Tasker); ok {
		return u.Do(ctx, a, r)
	}
	return nil, outcrop.Errorf(outcrop.Invalid, "The upstream %s serves conversations only. Let another one serve %s.", a.Upstream, a.Destination.Model)
}
