package gateway

import (
	"context"
	"errors"
	"time"

	"outcrop"
	"outcrop/converse"
)

// A Router finds the ways of a call, and learns from how they went;
// *routing.Router is one.
type Router interface {
	// Route appends to room the attempts for a call, in the order to try.
	Route(room outcrop.Route, ask outcrop.RouteAsk, r *converse.Request) outcrop.Route
	// Start says whether an attempt may be made now. One that may is followed
	// by one Done.
	Start(a *outcrop.Attempt, retry bool) bool
	// Force is Start for the last attempt there is: it is always made.
	Force(a *outcrop.Attempt)
	// Heard tells of an attempt's first byte, while it goes on.
	Heard(a *outcrop.Attempt, after time.Duration)
	Done(a *outcrop.Attempt, report outcrop.AttemptReport)
}

// Deadlines bound how long a call may take. What is zero has no bound here.
type Deadlines struct {
	FirstByte time.Duration // of an attempt of a stream that is not the last: until it begins to answer
	Whole     time.Duration // of an attempt at a whole answer that is not the last
	Call      time.Duration // of all attempts together

	// Hedge is how long an attempt may take to begin before another is made
	// beside it (hedge.go); 0 for never.
	Hedge time.Duration
}

// A leg is the attempt under way.
type leg struct {
	router  Router
	attempt *outcrop.Attempt
	began   time.Time
	first   time.Duration // until the first byte
	timer   *time.Timer   // ends the attempt unless it begins to answer; may be nil
}

// heard notes the first byte of a stream.
func (l *leg) heard(at time.Time) {
	if l == nil || l.attempt == nil {
		return
	}
	if l.timer != nil {
		l.timer.Stop()
	}
	l.first = max(at.Sub(l.began), 1)
	l.router.Heard(l.attempt, l.first)
}

// walk makes the attempts of a route, one after another, until one ends the
// call. Those that the router holds back are left out; where it holds back all,
// the first is made, since a call that is never tried cannot succeed. Upstreams
// that are full are left out, and where all are, that is the answer.
func (g *Gateway) walk(ctx context.Context, t *trip, do func(context.Context, *outcrop.Attempt) error) (err error) {
	client := ctx
	ctx, waiting := g.Hangup.outlive(ctx)
	defer waiting.end()
	if limit := g.Deadlines.Call; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	made, free := 0, -1
	var full error
	for i := range t.route {
		a := &t.route[i]
		if a == t.hedged { // it has been made, beside another
			continue
		}
		if refusal := g.enter(t, a); refusal != nil {
			full = sooner(full, refusal)
			continue
		}
		if !g.Router.Start(a, made > 0) {
			if free < 0 {
				free = i
			}
			g.turnBack(t)
			continue
		}
		made++
		a.Number = made
		if err = g.attempt(ctx, t, a, i < len(t.route)-1, do); client.Err() != nil || !g.another(ctx, t, err) {
			return err
		}
		made = max(made, t.record.Attempts)
	}
	switch {
	case made > 0:
		return err
	case free < 0: // every upstream is full
		return full
	}
	return g.force(ctx, t, &t.route[free], do)
}

// force makes an attempt that the router would rather not.
func (g *Gateway) force(ctx context.Context, t *trip, a *outcrop.Attempt, do func(context.Context, *outcrop.Attempt) error) error {
	if err := g.enter(t, a); err != nil {
		return err
	}
	g.Router.Force(a)
	return g.attempt(ctx, t, a, false, do)
}

// attempt makes one attempt and tells the router how it went.
func (g *Gateway) attempt(ctx context.Context, t *trip, a *outcrop.Attempt, more bool, do func(context.Context, *outcrop.Attempt) error) error {
	t.try(a)
	t.leg = leg{router: g.Router, attempt: a, began: g.Now()}
	t.meter.leg = &t.leg
	tried, stop := ctx, func() {}
	if limit := g.attemptLimit(t); limit > 0 && more {
		tried, stop = t.leg.bounded(ctx, limit)
	}
	defer stop()
	done := false
	defer func() {
		if !done { // a panic: nothing is known about the upstream
			g.Router.Done(t.leg.attempt, outcrop.AttemptReport{Gone: true})
		}
	}()
	tried, traced := g.trace(tried, a)
	err := do(tried, a)
	traced(err)
	done = true
	g.Router.Done(t.leg.attempt, g.report(ctx, t, err))
	return err
}

// attemptLimit is the deadline of an attempt of this call.
func (g *Gateway) attemptLimit(t *trip) time.Duration {
	if t.talk != nil { // it begins to answer when the client has spoken
		return 0
	}
	if t.streaming {
		return g.Deadlines.FirstByte
	}
	return g.Deadlines.Whole
}

// bounded ends an attempt that has not begun to answer within limit.
func (l *leg) bounded(ctx context.Context, limit time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	l.timer = time.AfterFunc(limit, cancel)
	timer := l.timer
	return ctx, func() { timer.Stop(); cancel() }
}

func (g *Gateway) report(ctx context.Context, t *trip, err error) outcrop.AttemptReport {
	r := outcrop.AttemptReport{Err: err, Streaming: t.streaming, Took: g.Now().Sub(t.leg.began), FirstByte: t.leg.first}
	if err != nil && (ctx.Err() != nil || errors.Is(err, errHungUp) || t.talk.deaf()) {
		r.Gone = true
	}
	if err == nil && !t.streaming {
		r.FirstByte = r.Took
	}
	if u := t.meter.reported; u != nil {
		r.Counted = u.CacheReadInputTokens != nil || u.CacheWriteInputTokens != nil
		r.Cached = tokensOf(u.CacheReadInputTokens) + tokensOf(u.CacheWriteInputTokens)
	}
	return r
}

func tokensOf(n *int64) outcrop.Tokens {
	if n == nil {
		return 0
	}
	return outcrop.Tokens(max(*n, 0))
}

// another says whether the next attempt of the route may be tried: only while
// the client has heard nothing and has not gone, and only after a failure that
// another destination may not have.
func (g *Gateway) another(ctx context.Context, t *trip, err error) bool {
	return err != nil && !t.meter.spoke() && !t.talk.deaf() && ctx.Err() == nil && MayMend(err)
}

// MayMend says whether another destination may do better after err.
func MayMend(err error) bool {
	switch outcrop.KindOf(err) {
	case outcrop.Throttled, outcrop.Unavailable, outcrop.ModelTimeout, outcrop.ModelNotReady, outcrop.ModelFailed:
		return true
	}
	return false
}
