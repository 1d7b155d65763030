package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"outcrop"
	"outcrop/quota"
)

// A place is a Region of the world while it plays.
type place struct {
	Region
	capacity *quota.Counter        // what the Region itself enforces
	running  int                   // calls being answered
	cached   map[int]time.Duration // tenant's prompt, and until when
	served   int
}

// The outcome of a call that has reached a place.
type verdict struct {
	err    error
	after  time.Duration // until the error, or the first byte, leaves
	hold   quota.Hold
	cached bool // the prompt was in the cache
}

const (
	cacheLife    = 5 * time.Minute // 5m, renewed by each hit
	hangs        = 10 * time.Second
	refusesAfter = 20 * time.Millisecond
)

func newPlace(r Region) *place {
	limits := quota.Limits{Tokens: quota.To(uint64(r.Tokens)), Concurrent: quota.To(uint64(r.Concurrent))}
	if r.Requests > 0 {
		limits.Requests = quota.To(uint64(r.Requests))
	}
	return &place{Region: r, capacity: quota.NewCounter(limits), cached: map[int]time.Duration{}}
}

// outage is what is wrong at a moment, or nil.
func (p *place) outage(now time.Duration) *Outage {
	for i := range p.Outages {
		if o := &p.Outages[i]; now >= time.Duration(o.At) && now < time.Duration(o.At+o.For) {
			return o
		}
	}
	return nil
}

// cutBetween is when running calls were cut off in a span of time.
func (p *place) cutBetween(from, to time.Duration) (time.Duration, bool) {
	for i := range p.Outages {
		if at := time.Duration(p.Outages[i].At); p.Outages[i].Kind == Refuse && at > from && at <= to {
			return at, true
		}
	}
	return 0, false
}

// receive decides what becomes of a call that has come in.
func (p *place) receive(now time.Duration, c *call, rng *rand.Rand) verdict {
	o := p.outage(now)
	slow := 1.0
	switch {
	case o == nil:
	case o.Kind == Refuse:
		return verdict{err: errDown, after: refusesAfter}
	case o.Kind == Hang:
		return verdict{err: errHangs, after: hangs}
	case o.Kind == Throttle:
		return verdict{err: throttled(time.Second), after: refusesAfter}
	case o.Kind == Slow:
		slow = 10
	}
	hold, short := p.capacity.Take(moment(now), c.reserve)
	if short.Of != 0 {
		return verdict{err: throttled(short.After), after: refusesAfter}
	}
	v := verdict{hold: hold, cached: p.lookUp(now, c.tenant)}
	load := float64(p.running) / float64(p.Concurrent)
	first := float64(p.FirstToken) * math.Exp(p.Spread*rng.NormFloat64()) * (1 + 2*load*load) * slow
	if v.cached {
		first *= 0.4 // the prompt need not be read again
	}
	v.after = time.Duration(first)
	p.running++
	p.served++
	return v
}

// lookUp says whether a prompt is cached, and caches it.
func (p *place) lookUp(now time.Duration, tenant int) bool {
	hit := p.cached[tenant] > now
	p.cached[tenant] = now + cacheLife
	return hit
}

// leave ends a call that was being answered.
func (p *place) leave(now time.Duration, hold *quota.Hold, used outcrop.Tokens) {
	p.running--
	hold.Settle(moment(now), used)
}

var (
	errDown  = outcrop.Errorf(outcrop.Unavailable, "The model's server is overloaded or not ready. Try again.")
	errHangs = outcrop.Errorf(outcrop.ModelTimeout, "The model took too long. Try again.")
	errCut   = outcrop.Errorf(outcrop.StreamFailed, "The connection to the model ended in the middle of its answer. Try again.")
)

func throttled(after time.Duration) error {
	e := outcrop.Errorf(outcrop.Throttled, "Too many tokens, please wait before trying again.")
	e.RetryAfter = after
	return e
}

// epoch is when every world begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func moment(d time.Duration) time.Time { return epoch.Add(d) }
