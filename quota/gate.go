package quota

import (
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
)

// A Key names a counter as Bedrock keeps it: application profiles share that
// of what they were copied from, and so do all operations and service tiers
// (reference/runtime-metering-billing.md §8.1).
type Key struct {
	Account outcrop.AccountID
	Region  outcrop.Region // source: where the call was made
	Class   outcrop.ProfileClass
	Model   outcrop.ModelID
}

// KeyOf is the counter that calls of an account to a target fall under.
func KeyOf(a outcrop.AccountID, t *outcrop.Target) Key {
	return Key{a, t.Region, t.Geography.Class(), t.Model.ID}
}

// A Gate holds every counter: those of accounts, made as they are first
// called, and those of upstreams. It is safe for concurrent use.
type Gate struct {
	limits   func(Key) Limits
	accounts sync.Map                            // Key to *Counter
	lanes    atomic.Pointer[map[string]*Counter] // of upstreams; exchanged as a whole
}

// NewGate makes a gate. limits says what holds for a key; lanes are the limits
// of upstreams by name, and an upstream that is not among them has none.
func NewGate(limits func(Key) Limits, lanes map[string]Limits) *Gate {
	g := &Gate{limits: limits}
	g.SetLanes(lanes)
	return g
}

// SetLanes changes the limits of upstreams. What is used of those that stay
// stays used. It is not to be called twice at once.
func (g *Gate) SetLanes(lanes map[string]Limits) {
	next := make(map[string]*Counter, len(lanes))
	for name, l := range lanes {
		c := g.lane(name)
		switch {
		case l.None():
			continue
		case c == nil:
			c = NewCounter(l)
		default:
			c.SetLimits(l)
		}
		next[name] = c
	}
	g.lanes.Store(&next)
}

// lane is the counter of an upstream, nil when it has no limits.
func (g *Gate) lane(upstream string) *Counter {
	if lanes := g.lanes.Load(); lanes != nil {
		return (*lanes)[upstream]
	}
	return nil
}

// Refresh asks for the limits of every counter again.
func (g *Gate) Refresh() {
	g.accounts.Range(func(k, c any) bool {
		c.(*Counter).SetLimits(g.limits(k.(Key)))
		return true
	})
}

// Admit takes one request and n tokens from an account's counter, or refuses
// as Bedrock does.
func (g *Gate) Admit(now time.Time, k Key, n outcrop.Tokens) (Hold, error) {
	return taken(g.account(k).Take(now, n))
}

// Enter takes one request and n tokens from an upstream, or refuses as Bedrock
// does.
func (g *Gate) Enter(now time.Time, upstream string, n outcrop.Tokens) (Hold, error) {
	c := g.lane(upstream)
	if c == nil {
		return Hold{}, nil
	}
	return taken(c.Take(now, n))
}

// Headroom is the part of an upstream's limits that is free, from 0 to 1. It
// takes no lock.
func (g *Gate) Headroom(now time.Time, upstream string) float64 {
	if c := g.lane(upstream); c != nil {
		return c.Headroom(now)
	}
	return 1
}

// AccountHeadroom is the part of an account's quota that is free, from 0 to 1.
func (g *Gate) AccountHeadroom(now time.Time, k Key) float64 { return g.account(k).Headroom(now) }

func (g *Gate) account(k Key) *Counter {
	if c, ok := g.accounts.Load(k); ok {
		return c.(*Counter)
	}
	c, _ := g.accounts.LoadOrStore(k, NewCounter(g.limits(k)))
	return c.(*Counter)
}

func taken(h Hold, s Shortage) (Hold, error) {
	if s.Of == 0 {
		return h, nil
	}
	return h, s.err()
}

// texts are AWS's words for each shortage (reference §1.9): clients match on
// them.
var texts = map[Dimension]string{
	Requests:    "Too many requests, please wait before trying again.",
	Tokens:      "Too many tokens, please wait before trying again.",
	DailyTokens: "Too many tokens per day, please wait before trying again.",
	Concurrent:  "Too many concurrent requests, please wait before trying again.",
}

func (s Shortage) err() error {
	e := outcrop.Errorf(outcrop.Throttled, "%s", texts[s.Of])
	e.RetryAfter = max(s.After, time.Millisecond)
	return e
}
