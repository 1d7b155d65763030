package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/mishap"
	"outcrop/quota"
)

// A hedge is a second attempt beside one that is slow to begin. Whichever
// begins to answer first is the call's; the other is ended before the client
// has heard anything of it. What the other cost upstream is recorded under an
// invocation of its own, as a call that hung up: AWS bills for a prompt that
// was sent, answered or not.
type hedge struct {
	gateway *Gateway
	trip    *trip
	begun   outcrop.UsageRecord // as the call was opened: its prompt, and nothing answered
	losers  sync.WaitGroup
	cancels []context.CancelFunc
	told    *outcrop.Told // beside the answer, by the attempt that won
	mishap  *mishap.Panic // of the one that lost
}

// A runner is one of the two attempts.
type runner[T any] struct {
	attempt *outcrop.Attempt
	began   time.Time
	cancel  context.CancelFunc
	lane    quota.Hold // of the second one
	told    outcrop.Told
	done    chan struct{}
	value   T // once done
	err     error
}

// HedgeKey is the request metadata under which the record of an attempt that
// lost names the invocation that won.
const HedgeKey = "outcrop.hedgeOf"

// hedges says whether a slow attempt of the call gets another beside it.
func (g *Gateway) hedges(t *trip) bool { return g.Deadlines.Hedge > 0 && len(t.route) > 1 }

// race starts an attempt, and another one if the first is slow. begin returns
// when an answer begins; drop ends one that is not wanted. finish must be called
// when the answer is over.
func race[T any](ctx context.Context, g *Gateway, t *trip, a *outcrop.Attempt, begin func(context.Context, outcrop.Attempt) (T, error), drop func(T)) (value T, finish func(), err error) {
	h := &hedge{gateway: g, trip: t, begun: t.record}
	first := run(ctx, h, a, t.leg.began, begin)
	second := (*runner[T])(nil)
	timer := time.NewTimer(g.Deadlines.Hedge)
	defer timer.Stop()
	select {
	case <-first.done:
	case <-timer.C:
		second = runSecond(ctx, h, a, begin)
	}
	if second == nil {
		<-first.done
		h.told = &first.told
		return first.value, h.finish, first.err
	}
	winner, loser := decide(first, second)
	h.adopt(winner.attempt, winner.began, &second.lane)
	h.told = &winner.told
	loser.cancel()
	h.losers.Go(func() {
		<-loser.done
		if loser.err == nil {
			drop(loser.value)
		}
		errors.As(loser.err, &h.mishap)
		h.lost(ctx, loser.attempt, loser.began, loser.err, &second.lane)
	})
	return winner.value, h.finish, winner.err
}

func run[T any](ctx context.Context, h *hedge, a *outcrop.Attempt, began time.Time, begin func(context.Context, outcrop.Attempt) (T, error)) *runner[T] {
	ctx, cancel := context.WithCancel(ctx)
	h.cancels = append(h.cancels, cancel)
	r := &runner[T]{attempt: a, began: began, cancel: cancel, done: make(chan struct{})}
	attempt := *a
	attempt.Told = &r.told
	go func() { // finish, or the wait for losers, is its parent
		defer close(r.done)
		r.err = mishap.Caught(func() (err error) {
			r.value, err = begin(ctx, attempt)
			return err
		})
	}()
	return r
}

// runSecond starts the hedge at the next lane that takes it, if any does. It
// is a retry to the budget.
func runSecond[T any](ctx context.Context, h *hedge, a *outcrop.Attempt, begin func(context.Context, outcrop.Attempt) (T, error)) *runner[T] {
	g, t := h.gateway, h.trip
	for i := range t.route {
		b := &t.route[i]
		if b == a || b.Number <= a.Number || !g.takes(t, b) {
			continue
		}
		var lane quota.Hold
		if g.Quota != nil {
			var err error
			if lane, err = g.Quota.Enter(g.Now(), b.Upstream, t.admission.tokens); err != nil {
				continue
			}
		}
		if !g.Router.Start(b, true) {
			lane.Cancel(g.Now())
			continue
		}
		b.Number, t.hedged = a.Number+1, b
		second := run(ctx, h, b, g.Now(), begin)
		second.lane = lane
		return second
	}
	return nil
}

// decide waits for the first to answer; an error wins only when both err.
func decide[T any](a, b *runner[T]) (winner, loser *runner[T]) {
	select {
	case <-a.done:
	case <-b.done:
		a, b = b, a
	}
	if a.err == nil {
		return a, b
	}
	<-b.done
	if b.err == nil {
		return b, a
	}
	return a, b
}

// adopt makes the winner the attempt that the call is recorded by.
func (h *hedge) adopt(a *outcrop.Attempt, began time.Time, lane *quota.Hold) {
	t := h.trip
	if t.leg.attempt == a {
		return
	}
	t.try(a)
	t.leg.attempt, t.leg.began = a, began
	t.admission.lane, *lane = *lane, t.admission.lane
}

// lost ends the attempt that nobody waits for any more.
func (h *hedge) lost(ctx context.Context, a *outcrop.Attempt, began time.Time, err error, lane *quota.Hold) {
	g := h.gateway
	report := outcrop.AttemptReport{Err: err, Gone: true, Streaming: h.trip.streaming, Took: g.Now().Sub(began)}
	if err != nil && !errors.Is(err, context.Canceled) { // it failed by itself
		report.Gone = false
	}
	g.Router.Done(a, report)
	lane.Release(g.Now())
	if !report.Gone { // a failure before the first byte costs nothing
		return
	}
	r := h.begun
	r.Invocation, r.Attempts, r.Upstream, r.ServedIn = g.NewInvocation(), a.Number, a.Upstream, a.Destination.Region
	r.Started, r.Ended = began, g.Now()
	r.RequestMetadata = map[string]string{HedgeKey: string(h.begun.Invocation)}
	r.Outcome = outcrop.Outcome{Status: StatusHungUp, HungUp: true}
	r.Quote = g.Quote(&r)
	if g.Ledger.Open(context.WithoutCancel(ctx), r) == nil {
		g.Ledger.Settle(context.WithoutCancel(ctx), r) // the ledger tells its own failures (/readyz)
	}
}

// finish ends what is left of both attempts, waits for it, and keeps what the
// winner told beside its answer. A panic of the one that lost is the call's: it
// must not pass in silence.
func (h *hedge) finish() {
	for _, cancel := range h.cancels {
		cancel()
	}
	h.losers.Wait()
	h.trip.meter.aside = *h.told
	if h.mishap != nil {
		panic(h.mishap.Error())
	}
}
