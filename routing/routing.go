// Package routing decides in which order the lanes to a Target's Destinations
// are tried: a pure order over a snapshot of health, headroom, latency and warm
// prompt caches, and the memories that the snapshot is taken from.
package routing

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
	"outcrop/converse"
)

// Options are what an operator, or a simulation, can turn. The zero value runs.
type Options struct {
	Policy       Policy
	RetryPercent int  // retries for each hundred calls; 0 stands for DefaultRetryShare, below 0 for none
	NoAffinity   bool // do not keep calls together that share the beginning of a prompt

	// Headroom is the share of an upstream's limits that is free for a
	// Destination, 0 to 1. Nil when nothing has limits.
	Headroom func(upstream string, to outcrop.Destination) float64

	// Ejected is told when a lane is taken out because of err; may be nil.
	Ejected func(a *outcrop.Attempt, err error)

	Now  func() time.Duration // since some moment; nil for a clock of the router's own
	Rand func() uint64        // nil for a random one
}

// A Router knows the configured lanes and how they fare. It is safe for
// concurrent use; nothing on a call's way waits for another call.
type Router struct {
	options Options
	now     func() int64
	lanes   atomic.Pointer[laneSet]
	book    atomic.Pointer[book]
	budget  *budget
	warm    warmTable
	turn    atomic.Uint64

	mu     sync.Mutex // held to change lanes, book or states
	states map[string]*laneState
}

// A laneSet is one reading of the configuration. It is immutable.
type laneSet struct {
	lanes  []Lane
	states []*laneState // by the same index
}

// A laneState outlives a change of the configuration.
type laneState struct {
	upstream string
	drained  atomic.Bool
	down     atomic.Bool // says its active check
	inFlight atomic.Int64
}

func (s *laneState) state() State {
	switch {
	case s.drained.Load():
		return Drained
	case s.down.Load():
		return Down
	}
	return Enabled
}

// A book is every memory by its number and by what it is of. It is copied to
// grow, which is rare.
type book struct {
	pages []*memory // LaneID-1 is the index
	index map[memoryKey]outcrop.LaneID
}

type memoryKey struct {
	upstream    string
	destination outcrop.Destination
}

// maxMemories bounds the book; lanes beyond it are served without memory.
const maxMemories = 1 << 15

// New makes a Router without lanes.
func New(o Options) *Router {
	if o.RetryPercent == 0 {
		o.RetryPercent = DefaultRetryShare
	}
	if o.Rand == nil {
		o.Rand = rand.Uint64
	}
	r := &Router{options: o, budget: newBudget(max(o.RetryPercent, 0)), states: map[string]*laneState{}}
	if o.RetryPercent < 0 {
		r.budget = new(budget)
	}
	if now := o.Now; now != nil {
		r.now = func() int64 { return int64(now()) }
	} else {
		start := time.Now()
		r.now = func() int64 { return int64(time.Since(start)) }
	}
	r.lanes.Store(new(laneSet))
	r.book.Store(&book{index: map[memoryKey]outcrop.LaneID{}})
	return r
}

// Use replaces the lanes. What is known about upstreams that stay is kept;
// calls under way are not touched.
func (r *Router) Use(lanes []Lane) {
	r.mu.Lock()
	defer r.mu.Unlock()
	set := &laneSet{lanes: lanes}
	for i := range lanes {
		set.states = append(set.states, r.state(lanes[i].Upstream))
	}
	r.lanes.Store(set)
}

func (r *Router) state(upstream string) *laneState {
	s := r.states[upstream]
	if s == nil {
		s = &laneState{upstream: upstream}
		r.states[upstream] = s
	}
	return s
}

// Route appends to room the attempts for a call, in the order to try. It never
// leaves the Target's Destinations, and is empty when no lane serves any. The
// request may be nil.
func (r *Router) Route(room outcrop.Route, ask outcrop.RouteAsk, request *converse.Request) outcrop.Route {
	r.budget.call()
	desk := desks.Get().(*desk)
	defer desks.Put(desk)
	cs := r.candidates(desk, &ask)
	var prefix outcrop.Prefix
	if len(cs) > 1 && request != nil && !r.options.NoAffinity {
		prefix = r.markWarm(desk, cs, request)
	}
	for _, c := range Order(r.options.Policy, cs, r.options.Rand, r.turn.Add(1)) {
		room = append(room, outcrop.Attempt{
			Destination: c.Destination, Upstream: c.Upstream, Model: c.Model, Number: len(room) + 1,
			Target: ask.Target, Lane: c.Lane, Config: c.Config, Prefix: prefix,
		})
	}
	return room
}

// A desk is what one plan needs to work, kept for the next.
type desk struct {
	candidates []Candidate
	reading    reading
}

var desks = sync.Pool{New: func() any { return new(desk) }}

// candidates are the lanes that serve a destination of the Target, in the
// profile's order, as they are now.
func (r *Router) candidates(d *desk, ask *outcrop.RouteAsk) []Candidate {
	set, now := r.lanes.Load(), r.now()
	cs := d.candidates[:0]
	for _, to := range ask.Target.Destinations {
		for i := range set.lanes {
			lane, state := &set.lanes[i], set.states[i]
			name, ok := lane.serves(to)
			if !ok || state.drained.Load() {
				continue
			}
			c := Candidate{
				Destination: to, Upstream: lane.Upstream, Model: name, Config: lane.Config,
				Source: to.Region == ask.Target.Region, Headroom: 1, Weight: lane.weight(),
			}
			r.recall(&c, state, ask.Streaming, now)
			cs = append(cs, c)
		}
	}
	d.candidates = cs
	return cs
}

// recall fills in what is remembered.
func (r *Router) recall(c *Candidate, state *laneState, streaming bool, now int64) {
	if r.options.Headroom != nil {
		c.Headroom = r.options.Headroom(c.Upstream, c.Destination)
	}
	if state.down.Load() {
		c.Health = Dead
	}
	var m *memory
	if c.Lane, m = r.memory(c.Upstream, c.Destination, state); m == nil {
		return
	}
	c.Health = max(c.Health, m.breaker.health(now))
	latency := m.latency(streaming)
	c.Latency, c.Measured = latency.read(now), latency.last()
	c.InFlight = int(m.inFlight.Load())
	if m.full.Load() > now {
		c.Headroom = 0
	}
}

// memory finds or begins the memory of a lane.
func (r *Router) memory(upstream string, to outcrop.Destination, state *laneState) (outcrop.LaneID, *memory) {
	b := r.book.Load()
	key := memoryKey{upstream, to}
	if id, ok := b.index[key]; ok {
		return id, b.pages[id-1]
	}
	return r.begin(key, state)
}

func (r *Router) begin(key memoryKey, state *laneState) (outcrop.LaneID, *memory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.book.Load()
	if id, ok := old.index[key]; ok {
		return id, old.pages[id-1]
	}
	if len(old.pages) >= maxMemories {
		return 0, nil
	}
	m := &memory{lane: state, region: key.destination.Region, model: key.destination.Model}
	next := &book{pages: append(old.pages[:len(old.pages):len(old.pages)], m), index: make(map[memoryKey]outcrop.LaneID, len(old.index)+1)}
	for k, v := range old.index {
		next.index[k] = v
	}
	id := outcrop.LaneID(len(next.pages))
	next.index[key] = id
	r.book.Store(next)
	return id, m
}

// markWarm finds which of cs hold the longest known beginning of the prompt.
func (r *Router) markWarm(d *desk, cs []Candidate, request *converse.Request) outcrop.Prefix {
	d.reading = reading{}
	if !d.reading.read(request) {
		return outcrop.Prefix{}
	}
	now := r.now()
	for i := d.reading.n - 1; i >= max(0, d.reading.n-maxMarks); i-- {
		lanes, ok := r.warm.find(d.reading.marks[i%maxMarks], now)
		if ok && markLanes(cs, lanes) {
			break
		}
	}
	return d.reading.found
}

func markLanes(cs []Candidate, lanes [warmLanes]outcrop.LaneID) (any bool) {
	for i := range cs {
		for _, lane := range lanes {
			if lane != 0 && cs[i].Lane == lane {
				cs[i].Warm, any = true, true
			}
		}
	}
	return any
}

// warming is how long a prefix counts as held by the lane that a call carrying
// it has gone to, so that a burst stays together.
const warming = 15 * time.Second

// Start says whether a may be made now: not while another call probes its
// lane, and, when it is a retry, not when the retry budget is spent. Each Start
// that says yes is followed by one Done.
func (r *Router) Start(a *outcrop.Attempt, retry bool) bool {
	now := r.now()
	m := r.page(a.Lane)
	if m != nil && m.breaker.health(now) == Probing && !m.breaker.claim(now) {
		return false
	}
	if retry && !r.budget.retry(now) {
		if m != nil {
			m.breaker.release()
		}
		return false
	}
	r.start(a, m, now)
	return true
}

// Force is Start for the only attempt that is left: it asks nobody.
func (r *Router) Force(a *outcrop.Attempt) { r.start(a, r.page(a.Lane), r.now()) }

func (r *Router) start(a *outcrop.Attempt, m *memory, now int64) {
	if m == nil {
		return
	}
	m.inFlight.Add(1)
	m.lane.inFlight.Add(1)
	r.hold(a, warming, warming, now)
}

func (r *Router) page(id outcrop.LaneID) *memory {
	if id == 0 {
		return nil
	}
	if b := r.book.Load(); int(id) <= len(b.pages) {
		return b.pages[id-1]
	}
	return nil
}

// Heard takes in the first byte of a stream.
func (r *Router) Heard(a *outcrop.Attempt, after time.Duration) {
	if m := r.page(a.Lane); m != nil {
		m.heard(after, r.now())
	}
}

// Done takes in how an attempt ended.
func (r *Router) Done(a *outcrop.Attempt, report outcrop.AttemptReport) {
	m := r.page(a.Lane)
	if m == nil {
		return
	}
	now := r.now()
	m.lane.inFlight.Add(-1)
	if report.Err == nil && !report.Gone && (report.Cached > 0 || !report.Counted) {
		r.hold(a, a.Prefix.RootLife, a.Prefix.TipLife, now)
	}
	if m.report(&report, now) && r.options.Ejected != nil {
		r.options.Ejected(a, report.Err)
	}
}

// hold notes that a's lane has the beginnings of its prompt.
func (r *Router) hold(a *outcrop.Attempt, root, tip time.Duration, now int64) {
	if a.Prefix.Root != 0 {
		r.warm.warm(a.Prefix.Root, a.Lane, root, now)
	}
	if a.Prefix.Tip != 0 && a.Prefix.Tip != a.Prefix.Root {
		r.warm.warm(a.Prefix.Tip, a.Lane, tip, now)
	}
}

func retryAfter(err error) time.Duration {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}
