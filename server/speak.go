package server

import (
	"context"
	"iter"

	"outcrop"
	"outcrop/converse/speech"
	"outcrop/gateway"
)

var _ gateway.Speaker = (*backends)(nil)

// Speaks implements gateway.Speaker: each upstream knows for itself.
func (b *backends) Speaks(a outcrop.Attempt) bool {
	one, err := b.enter(&a)
	if err != nil {
		return false
	}
	defer one.leave()
	u, ok := one.Upstreams.(gateway.Speaker)
	return ok && u.Speaks(a)
}

// Speak implements gateway.Speaker, where an upstream does.
func (b *backends) Speak(ctx context.Context, a outcrop.Attempt, hear gateway.Hear) iter.Seq2[speech.Event, error] {
	return func(yield func(speech.Event, error) bool) {
		one, err := b.enter(&a)
		if err != nil {
			yield(speech.Event{}, err)
			return
		}
		defer one.leave()
		u, ok := one.Upstreams.(gateway.Speaker)
		if !ok {
			yield(speech.Event{}, outcrop.Errorf(outcrop.Invalid, "The upstream %s cannot speak. Let another one serve %s.", a.Upstream, a.Destination.Model))
			return
		}
		u.Speak(ctx, a, hear)(yield)
	}
}
