package simulator

import (
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/quota"
)

// A room is what one call holds of its Region's capacity. The zero value holds
// nothing.
type room struct {
	hold   quota.Hold
	tokens outcrop.Tokens // that the call came to
}

func countersOf(capacity map[outcrop.Region]quota.Limits) map[outcrop.Region]*quota.Counter {
	counters := make(map[outcrop.Region]*quota.Counter, len(capacity))
	for region, limits := range capacity {
		if !limits.None() {
			counters[region] = quota.NewCounter(limits)
		}
	}
	return counters
}

// reservedOutput is held for a call that names no maximum.
const reservedOutput = 1024

// enter takes what a call may need, its input and the most output, or refuses
// as a Region does that has no more.
func (s *Simulator) enter(a outcrop.Attempt, p *prompt, r *converse.Request) (room, error) {
	counter := s.regions[a.Destination.Region]
	if counter == nil {
		return room{}, nil
	}
	most := outcrop.Tokens(reservedOutput)
	if c := r.InferenceConfig; c != nil && c.MaxTokens != nil && *c.MaxTokens > 0 {
		most = outcrop.Tokens(*c.MaxTokens)
	}
	hold, short := counter.Take(time.Now(), outcrop.Tokens(p.total)+most)
	if short.Of == 0 {
		return room{hold: hold, tokens: outcrop.Tokens(p.total)}, nil
	}
	e := outcrop.Errorf(outcrop.Throttled, "Too many requests, please wait before trying again.")
	if short.Of == quota.Tokens || short.Of == quota.DailyTokens {
		e.Message = "Too many tokens, please wait before trying again."
	}
	e.RetryAfter = max(short.After, time.Millisecond)
	return room{}, e
}

// used notes what an answer costs: all but what was read from a cache.
func (m *room) used(w *answer) {
	if w.usage == nil {
		return
	}
	u := w.usage.Usage()
	m.tokens = u.Total() - u.Of(outcrop.CacheReadTokens)
}

func (m *room) leave() { m.hold.Settle(time.Now(), m.tokens) }
