package routing

import (
	"time"

	"outcrop"
)

// MaxAttempts bounds the tries of one invocation.
const MaxAttempts = 4

// A Candidate is one lane that can serve one Destination, with everything that
// is known about it at the moment of planning. The order depends on nothing
// else.
type Candidate struct {
	Destination outcrop.Destination
	Upstream    string
	Model       outcrop.UpstreamModel
	Lane        outcrop.LaneID
	Config      uint32

	Source   bool          // in the Region where the call was made
	Health   Health        // what its last answers, and the active checks, say
	Headroom float64       // share of its capacity that is free; 1 when unknown, 0 when full
	Latency  time.Duration // to the first byte, peak-EWMA, forgotten while idle; 0 when unknown
	Measured time.Duration // the same as of the last call
	InFlight int           // calls under way
	Weight   float64
	Warm     bool // holds the beginning of this prompt in its cache

	Why  Why     // set by Order
	Cost float64 // set by Order: what the power of two choices compares; lower is better
}

// Health of a lane.
type Health uint8

// The healths: a probing lane was ejected and has served its time, so that one
// call may try it.
const (
	Healthy Health = iota
	Probing
	Ejected
	Dead // says its active check
)

func (h Health) String() string { return [...]string{"healthy", "probing", "ejected", "down"}[h] }

// Why says what gave a candidate its place.
type Why uint8

// The reasons, best first.
const (
	WhyWarm Why = iota
	WhySource
	WhyBalanced
	WhyFull
	WhyEjected
	WhyOut
	WhyBeyond
	WhyDrained
)

// Tried says whether a candidate with this reason has a place in the route.
func (w Why) Tried() bool { return w <= WhyEjected }

func (w Why) String() string {
	return [...]string{
		"its prompt cache is warm for this call",
		"it is in the source Region and has room",
		"best of two by latency, load and headroom",
		"it is full; tried only when the others fail",
		"it fails; tried because nothing else is left",
		"left out: it fails while others are healthy",
		"left out: enough others come before",
		"left out: its upstream is drained",
	}[w]
}

// A Policy is a way of ordering. The zero value is Outcrop's own; the others
// are there to be compared with it in the simulation.
type Policy uint8

// The policies.
const (
	SourceFirst Policy = iota // source first while it has room, then headroom and latency by power of two; affinity
	RoundRobin                // each candidate in turn
	PowerOfTwo                // power of two choices over all candidates, no source preference, no affinity
	SourceOnly                // the profile's order from the source Region on, as a client with a fixed list does
)

// loadBound is how far above the average a warm lane's load may be before
// other lanes take over, as in consistent hashing with bounded loads.
const loadBound = 1.25

// Order sorts cs into the order in which to try them, best first, and says why
// for each. It returns the candidates to try: at most MaxAttempts of them. next
// makes random numbers; turn counts the calls, for RoundRobin.
func Order(p Policy, cs []Candidate, next func() uint64, turn uint64) []Candidate {
	switch {
	case len(cs) == 0:
		return cs
	case p == RoundRobin:
		return first(rotate(cs, int(turn%uint64(len(cs)))))
	case p == SourceOnly:
		return first(bySource(cs))
	case len(cs) == 1:
		cs[0].Why = alone(&cs[0])
		return cs
	}
	price(cs)
	classify(p, cs)
	return arrange(cs, next)
}

func first(cs []Candidate) []Candidate { return cs[:min(len(cs), MaxAttempts)] }

func alone(c *Candidate) Why {
	switch {
	case c.Health >= Ejected:
		return WhyEjected
	case c.Headroom <= 0:
		return WhyFull
	case c.Warm:
		return WhyWarm
	case c.Source:
		return WhySource
	}
	return WhyBalanced
}

// slowBound is how many times slower than the others a warm or source lane may
// be before it loses its precedence.
const slowBound = 3

// classify gives each candidate its class, which is its reason.
func classify(p Policy, cs []Candidate) {
	limit := warmLimit(cs)
	var known time.Duration
	n := 0
	for i := range cs {
		if cs[i].Measured > 0 && cs[i].Health == Healthy {
			known += cs[i].Measured
			n++
		}
	}
	for i := range cs {
		c := &cs[i]
		if c.Why = alone(c); c.Why == WhyWarm && float64(c.InFlight) > limit {
			c.Warm = false
			c.Why = alone(c)
		}
		precedes := c.Why == WhyWarm || c.Why == WhySource
		if precedes && (p == PowerOfTwo || slow(c, known, n)) {
			c.Why = WhyBalanced
		}
	}
}

// slow compares a candidate with the mean of the n healthy ones that latency
// is known of, without itself.
func slow(c *Candidate, known time.Duration, n int) bool {
	if c.Health == Healthy && c.Measured > 0 {
		known, n = known-c.Measured, n-1
	}
	return n > 0 && c.Measured > slowBound*known/time.Duration(n)
}

// warmLimit is the load that a warm lane may carry: a little more than the
// average of the healthy ones.
func warmLimit(cs []Candidate) float64 {
	load, n := 1, 0 // this call is load as well
	for i := range cs {
		if cs[i].Health < Ejected && cs[i].Headroom > 0 {
			load += cs[i].InFlight
			n++
		}
	}
	return loadBound*float64(load)/float64(max(n, 1)) + 1
}

// price computes what the power of two choices compares: latency times load
// per weight, over what is free.
func price(cs []Candidate) {
	const leastRoom = 0.02
	var known, weights float64
	n := 0
	for i := range cs {
		weights += cs[i].Weight
		if cs[i].Latency > 0 {
			known += float64(cs[i].Latency)
			n++
		}
	}
	usual := float64(time.Millisecond) // of lanes that nothing is known about
	if n > 0 {
		usual = known / float64(n)
	}
	mean := weights / float64(len(cs))
	for i := range cs {
		c := &cs[i]
		latency := float64(c.Latency)
		if latency == 0 {
			latency = usual
		}
		c.Cost = latency * (1 + float64(c.InFlight)*mean/c.Weight) / max(c.Headroom, leastRoom)
	}
}

// arrange picks the best of the best class until the route is full. Ejected
// lanes are tried only when there is nothing else.
func arrange(cs []Candidate, next func() uint64) []Candidate {
	done := 0
	for class := WhyWarm; class <= WhyEjected && done < len(cs); class++ {
		if class == WhyEjected && done > 0 {
			for i := done; i < len(cs); i++ {
				cs[i].Why = WhyOut
			}
			break
		}
		done = pickClass(cs, done, class, next)
	}
	return first(cs[:done])
}

// pickClass moves the candidates of a class behind the first done of cs, in
// the order of repeated choices between two of them.
func pickClass(cs []Candidate, done int, class Why, next func() uint64) int {
	end := done
	for i := done; i < len(cs); i++ { // the class together, in the profile's order
		if cs[i].Why == class {
			move(cs, i, end)
			end++
		}
	}
	for ; done < end && done < MaxAttempts; done++ {
		best := done + two(cs[done:end], next)
		cs[done], cs[best] = cs[best], cs[done]
	}
	return end
}

// move shifts cs[from] to place to, keeping the order of the others.
func move(cs []Candidate, from, to int) {
	if from == to {
		return
	}
	c := cs[from]
	copy(cs[to+1:from+1], cs[to:from])
	cs[to] = c
}

// nearTie is how much better the second choice must be: lanes that are about
// as good share the calls by their weights.
const nearTie = 0.8

// two chooses between two candidates drawn by weight, and returns the index of
// the better.
func two(cs []Candidate, next func() uint64) int {
	if len(cs) == 1 {
		return 0
	}
	a := draw(cs, -1, next)
	b := draw(cs, a, next)
	if cs[b].Cost < cs[a].Cost*nearTie {
		return b
	}
	return a
}

// draw picks a candidate with a chance by its weight, other than without.
func draw(cs []Candidate, without int, next func() uint64) int {
	var sum float64
	for i := range cs {
		if i != without {
			sum += cs[i].Weight
		}
	}
	at := float64(next()>>11) / (1 << 53) * sum
	last := 0
	for i := range cs {
		if i == without {
			continue
		}
		last = i
		if at -= cs[i].Weight; at < 0 {
			return i
		}
	}
	return last
}

// rotate begins at the candidate whose turn it is.
func rotate(cs []Candidate, by int) []Candidate {
	turned := append(append(make([]Candidate, 0, len(cs)), cs[by:]...), cs[:by]...)
	copy(cs, turned)
	for i := range cs {
		cs[i].Why = WhyBalanced
	}
	return cs
}

// bySource puts the source Region first and keeps the profile's order.
func bySource(cs []Candidate) []Candidate {
	done := 0
	for i := range cs {
		cs[i].Why = WhyBalanced
		if cs[i].Source {
			cs[i].Why = WhySource
			move(cs, i, done)
			done++
		}
	}
	return cs
}
