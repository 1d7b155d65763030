package quota

import (
	"sync/atomic"
	"time"

	"outcrop"
)

// A Counter is what one quota holder has used: an account's model in a Region,
// or an upstream. Make one with NewCounter.
type Counter struct {
	limits                  atomic.Pointer[Limits]
	requests, tokens, daily Bucket
	concurrent              atomic.Int64
}

// NewCounter makes a counter, unused.
func NewCounter(l Limits) *Counter {
	c := new(Counter)
	c.SetLimits(l)
	return c
}

// SetLimits changes the limits. What was used stays used, in proportion.
func (c *Counter) SetLimits(l Limits) { c.limits.Store(&l) }

// Limits are what is enforced now.
func (c *Counter) Limits() Limits { return *c.limits.Load() }

// A Hold is what one call has taken from a Counter until it is settled. The
// zero value holds nothing.
type Hold struct {
	counter           *Counter
	taken             time.Time
	request           Span
	tokens, daily     Span
	perMinute, perDay uint64 // the limits it was measured by
	concurrent        bool
}

// Take takes one request and n tokens, all or nothing.
func (c *Counter) Take(now time.Time, n outcrop.Tokens) (Hold, Shortage) {
	l := c.limits.Load()
	h := Hold{counter: c, taken: now}
	if l.Concurrent.On {
		if c.concurrent.Add(1) > int64(min(l.Concurrent.N, 1<<62)) {
			c.concurrent.Add(-1)
			return Hold{}, Shortage{Concurrent, retryConcurrent}
		}
		h.concurrent = true
	}
	if l.Tokens.On {
		h.perMinute, h.tokens = l.Tokens.N, spanOf(uint64(n), l.Tokens.N, minute)
		if wait, ok := c.tokens.take(now, h.tokens, minute, l.Tokens.N); !ok {
			h.perMinute, h.tokens = 0, 0
			h.Release(now)
			return Hold{}, Shortage{Tokens, wait}
		}
	}
	if l.DailyTokens.On {
		h.perDay, h.daily = l.DailyTokens.N, spanOf(uint64(n), l.DailyTokens.N, day)
		if wait, ok := c.daily.take(now, h.daily, day, l.DailyTokens.N); !ok {
			h.perDay, h.daily = 0, 0
			h.Release(now)
			return Hold{}, Shortage{DailyTokens, wait}
		}
	}
	if l.Requests.On {
		h.request = spanOf(1, l.Requests.N, minute)
		if wait, ok := c.requests.take(now, h.request, minute, l.Requests.N); !ok {
			h.Release(now)
			return Hold{}, Shortage{Requests, wait}
		}
	}
	return h, Shortage{}
}

// retryConcurrent is what a caller is told to wait for another call's end,
// which nobody knows.
const retryConcurrent = time.Second

func (b *Bucket) take(now time.Time, span Span, window time.Duration, limit uint64) (time.Duration, bool) {
	if limit == 0 {
		return window, false
	}
	return b.Take(now, span, window)
}

// Settle replaces the tokens taken by those really used, and ends the hold. A
// second Settle does nothing.
func (h *Hold) Settle(now time.Time, n outcrop.Tokens) {
	c := h.counter
	if c == nil {
		return
	}
	if h.perMinute > 0 {
		c.tokens.Settle(now, h.taken, h.tokens, spanOf(uint64(n), h.perMinute, minute))
	}
	if h.perDay > 0 {
		c.daily.Settle(now, h.taken, h.daily, spanOf(uint64(n), h.perDay, day))
	}
	if h.concurrent {
		c.concurrent.Add(-1)
	}
	*h = Hold{}
}

// Cancel gives back everything: the call is not made after all.
func (h *Hold) Cancel(now time.Time) {
	if h.counter != nil && h.request > 0 {
		h.counter.requests.Settle(now, h.taken, h.request, 0)
	}
	h.Release(now)
}

// Release settles a call that was made and used no tokens.
func (h *Hold) Release(now time.Time) { h.Settle(now, 0) }

// Headroom is the part of the tightest limit that is free, from 0 to 1. It
// takes no lock.
func (c *Counter) Headroom(now time.Time) float64 {
	l, room := c.limits.Load(), 1.0
	if l.Requests.On {
		room = min(room, c.requests.left(now, minute, l.Requests.N))
	}
	if l.Tokens.On {
		room = min(room, c.tokens.left(now, minute, l.Tokens.N))
	}
	if l.DailyTokens.On {
		room = min(room, c.daily.left(now, day, l.DailyTokens.N))
	}
	if l.Concurrent.On {
		room = min(room, free(float64(c.concurrent.Load()), float64(l.Concurrent.N)))
	}
	return room
}

func (b *Bucket) left(now time.Time, window time.Duration, limit uint64) float64 {
	if limit == 0 {
		return 0
	}
	return b.Left(now, window)
}

// free is the part of limit that is not used; of nothing, nothing is.
func free(used, limit float64) float64 {
	if used >= limit {
		return 0
	}
	return 1 - used/limit
}
