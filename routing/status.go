package routing

import (
	"cmp"
	"slices"
	"time"

	"outcrop"
)

// A Status is what is known about one upstream now.
type Status struct {
	Upstream string
	State    State
	InFlight int
	Weight   int
	Regions  []outcrop.Region // it serves; empty for all
	Models   []outcrop.ModelID
	Lanes    []LaneStatus // that have been used
}

// A LaneStatus is an upstream serving one model in one Region.
type LaneStatus struct {
	Destination outcrop.Destination
	Health      Health
	Until       time.Duration // until an ejected lane is probed
	Full        time.Duration // until a lane that throttled has room
	FirstByte   time.Duration // of streams; 0 when unknown
	Whole       time.Duration // of whole answers
	InFlight    int
	Calls       int64
	Failed      int64
}

// Statuses of the upstreams in use, in their order.
func (r *Router) Statuses() []Status {
	set, book, now := r.lanes.Load(), r.book.Load(), r.now()
	var all []Status
	for i := range set.lanes {
		lane, state := &set.lanes[i], set.states[i]
		s := Status{Upstream: lane.Upstream, State: state.state(), InFlight: int(state.inFlight.Load()), Weight: max(lane.Weight, 1), Regions: lane.Regions}
		for model := range lane.Models {
			s.Models = append(s.Models, model)
		}
		slices.Sort(s.Models)
		for _, m := range book.pages {
			if m.lane == state {
				s.Lanes = append(s.Lanes, m.status(now))
			}
		}
		slices.SortFunc(s.Lanes, func(a, b LaneStatus) int {
			return cmp.Or(cmp.Compare(a.Destination.Region, b.Destination.Region), cmp.Compare(a.Destination.Model, b.Destination.Model))
		})
		all = append(all, s)
	}
	return all
}

func (m *memory) status(now int64) LaneStatus {
	return LaneStatus{
		Destination: outcrop.Destination{Region: m.region, Model: m.model}, Health: m.breaker.health(now),
		Until: time.Duration(max(0, m.breaker.until.Load()-now)), Full: time.Duration(max(0, m.full.Load()-now)),
		FirstByte: m.streamed.last(), Whole: m.whole.last(), InFlight: int(m.inFlight.Load()), Calls: m.calls.Load(), Failed: m.failed.Load(),
	}
}

// Drain takes an upstream out for new calls, or back in. Calls under way go on.
func (r *Router) Drain(upstream string, drained bool) error {
	set := r.lanes.Load()
	for i := range set.lanes {
		if set.lanes[i].Upstream == upstream {
			set.states[i].drained.Store(drained)
			return nil
		}
	}
	return outcrop.Errorf(outcrop.NotFound, "There is no upstream %q in the configuration.", upstream)
}

// SetDown notes what an active check has found. An upstream that is alive again
// need not wait for the end of its ejections: they are probed now.
func (r *Router) SetDown(upstream string, down bool) {
	r.mu.Lock()
	state := r.state(upstream)
	r.mu.Unlock()
	if was := state.down.Swap(down); !was || down {
		return
	}
	now := r.now()
	for _, m := range r.book.Load().pages {
		if m.lane == state {
			m.breaker.letProbe(now)
		}
	}
}

// Explain is the order in which a call would be tried now, with everything
// that is known about each lane; those that would not be tried come last.
func (r *Router) Explain(ask outcrop.RouteAsk) []Candidate {
	all := r.candidates(new(desk), &ask)
	tried := Order(r.options.Policy, all, r.options.Rand, r.turn.Load())
	for i := len(tried); i < len(all); i++ {
		if all[i].Why <= WhyFull {
			all[i].Why = WhyBeyond
		}
	}
	return append(all, r.drained(&ask)...)
}

// drained are the lanes that would serve a call if their upstreams were not
// drained.
func (r *Router) drained(ask *outcrop.RouteAsk) (out []Candidate) {
	set := r.lanes.Load()
	for _, to := range ask.Target.Destinations {
		for i := range set.lanes {
			name, ok := set.lanes[i].serves(to)
			if !ok || !set.states[i].drained.Load() {
				continue
			}
			c := Candidate{Destination: to, Upstream: set.lanes[i].Upstream, Model: name, Source: to.Region == ask.Target.Region, Headroom: 1, Weight: set.lanes[i].weight(), Why: WhyDrained}
			r.recall(&c, set.states[i], ask.Streaming, r.now())
			out = append(out, c)
		}
	}
	return out
}

// Retries left in the budget now.
func (r *Router) Retries() int { return r.budget.left() }
