package gateway

import (
	"context"
	"iter"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
)

// A reply is a whole answer: read, as it came, or of a task.
type reply struct {
	response  *converse.Response
	forwarded *Forwarded
	made      *task.Response
}

// drop lets go of an answer that nobody wants.
func (r reply) drop() {
	if r.forwarded != nil && r.forwarded.Lent != nil {
		r.forwarded.Lent.Return()
	}
}

// answer makes one attempt at a whole answer, with another beside it where it is
// slow and that is wanted.
func (g *Gateway) answer(ctx context.Context, t *trip, a *outcrop.Attempt) (err error) {
	var r reply
	if g.hedges(t) {
		r, err = g.askTwo(ctx, t, a)
	} else {
		r, err = g.ask(ctx, t, a, t.form)
	}
	t.response, t.forwarded, t.made = r.response, r.forwarded, r.made
	return err
}

func (g *Gateway) askTwo(ctx context.Context, t *trip, a *outcrop.Attempt) (reply, error) {
	r, finish, err := race(ctx, g, t, a, func(ctx context.Context, a outcrop.Attempt) (reply, error) {
		return g.ask(ctx, t, &a, t.form.copy())
	}, reply.drop)
	defer finish()
	return r, err
}

// ask asks one upstream: for the answer as it comes, if it speaks the form.
func (g *Gateway) ask(ctx context.Context, t *trip, a *outcrop.Attempt, form *Form) (r reply, err error) {
	if f := g.forwarder(t, a); f != nil {
		r.forwarded, err = f.Forward(ctx, *a, form)
		return r, err
	}
	if err := t.unreadable(); err != nil {
		return r, err
	}
	if t.task != nil {
		r.made, err = g.do(ctx, t, a)
		return r, err
	}
	r.response, err = g.Upstreams.Converse(ctx, *a, t.request)
	return r, err
}

// pass hands on what one attempt says, all but what closes the answer.
func (g *Gateway) pass(ctx context.Context, t *trip, a *outcrop.Attempt, yield func(converse.Event, error) bool) error {
	if g.hedges(t) {
		return g.passFirst(ctx, t, a, yield)
	}
	if f := g.forwarder(t, a); f != nil {
		return g.forward(t, f.ForwardStream(ctx, *a, t.form))
	}
	if err := t.unreadable(); err != nil {
		return err
	}
	return g.tellEvents(t, g.Upstreams.ConverseStream(ctx, *a, t.request), yield)
}

// tellEvents hands on the events of one attempt, all but the metadata.
func (g *Gateway) tellEvents(t *trip, events iter.Seq2[converse.Event, error], yield func(converse.Event, error) bool) error {
	for event, err := range events {
		if err != nil {
			return err
		}
		if t.meter.event(event, g.Now) {
			return nil // metadata: it closes the answer
		}
		t.exchange.saw(event)
		if t.left = t.left || !yield(event, nil); t.left && !g.Hangup.listen(t) {
			return errHungUp
		}
		if seen, due := t.meter.progress(t.request, g.Now); due {
			g.Ledger.Progress(t.record.Invocation, seen)
		}
	}
	return errCutShort()
}

func errCutShort() error {
	return outcrop.Errorf(outcrop.StreamFailed, "The model's stream ended before it was complete.")
}

// passFirst is pass for the attempt that begins first, of two where the one is
// slow.
func (g *Gateway) passFirst(ctx context.Context, t *trip, a *outcrop.Attempt, yield func(converse.Event, error) bool) error {
	s, finish, err := race(ctx, g, t, a, func(ctx context.Context, a outcrop.Attempt) (begun, error) {
		return g.beginOne(ctx, t, &a)
	}, begun.drop)
	defer finish()
	if err != nil {
		return err
	}
	if s.pieces != nil {
		return g.forward(t, s.pieces.all)
	}
	return g.tellEvents(t, s.events.all, yield)
}

// A begun stream has its first piece, or its first event.
type begun struct {
	pieces *pulled[*Piece]
	events *pulled[converse.Event]
}

// beginOne waits until one upstream has begun to answer.
func (g *Gateway) beginOne(ctx context.Context, t *trip, a *outcrop.Attempt) (s begun, err error) {
	if f := g.forwarder(t, a); f != nil {
		form := t.form.copy()
		form.Flush = nil // the attempt that loses must not flush what the other passed
		s.pieces, err = pull(f.ForwardStream(ctx, *a, form))
		return s, err
	}
	if err := t.unreadable(); err != nil {
		return s, err
	}
	s.events, err = pull(g.Upstreams.ConverseStream(ctx, *a, t.request))
	return s, err
}

// drop ends a stream that nobody wants.
func (s begun) drop() {
	if s.pieces != nil {
		s.pieces.stop()
		return
	}
	s.events.stop()
}

// A pulled sequence has begun: its first value is here.
type pulled[T any] struct {
	next  func() (T, error, bool)
	stop  func()
	first T
}

func pull[T any](seq iter.Seq2[T, error]) (*pulled[T], error) {
	next, stop := iter.Pull2(seq)
	first, err, ok := next()
	if err == nil && !ok {
		err = errCutShort()
	}
	if err != nil {
		stop()
		return nil, err
	}
	return &pulled[T]{next, stop, first}, nil
}

// all is the sequence from its first value on.
func (p *pulled[T]) all(yield func(T, error) bool) {
	defer p.stop()
	for v, err, ok := p.first, error(nil), true; ok && yield(v, err); {
		v, err, ok = p.next()
	}
}
