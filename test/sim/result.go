package sim

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"outcrop"
	"outcrop/routing"
)

const minute = time.Minute

// A Policy is a way of routing to compare.
type Policy struct {
	Name     string
	About    string
	options  routing.Options
	headroom bool // the gateway keeps counters of its own
}

// Policies are those that can be compared, Outcrop's own first.
var Policies = []Policy{
	{"outcrop", "source first while it has room, headroom, latency, affinity", routing.Options{}, true},
	{"no-affinity", "the same without prompt-cache affinity", routing.Options{NoAffinity: true}, true},
	{"p2c", "plain power of two choices by latency and load", routing.Options{Policy: routing.PowerOfTwo, NoAffinity: true}, false},
	{"round-robin", "each destination in turn", routing.Options{Policy: routing.RoundRobin, NoAffinity: true}, false},
	{"source-only", "the source Region, then the profile's order", routing.Options{Policy: routing.SourceOnly, NoAffinity: true}, false},
}

// PolicyNamed finds a policy.
func PolicyNamed(name string) (Policy, bool) {
	i := slices.IndexFunc(Policies, func(p Policy) bool { return p.Name == name })
	if i < 0 {
		return Policy{}, false
	}
	return Policies[i], true
}

// A Result is what a play came to.
type Result struct {
	Policy    string
	Calls     int
	Answered  int
	Throttled int // calls whose client was told to slow down
	Failed    int // before the first byte
	Broken    int // after it
	HangUps   int
	Retries   int
	Hits      int // answers whose prompt was in the cache
	Seconds   float64
	Cost      outcrop.Money
	Regions   map[outcrop.Region]int // calls by the Region that answered
	Bins      []Bin                  // the play in pieces of time

	firsts  []int32 // milliseconds to the first byte
	tenants map[int]*share
}

// A Bin is a second of the play, by when calls arrived.
type Bin struct{ Calls, Answered int }

type share struct{ calls, answered int }

func (r *Result) answered(c *call) {
	r.Answered++
	r.firsts = append(r.firsts, int32((c.first-c.arrived)/time.Millisecond))
	if c.verdict.cached {
		r.Hits++
	}
}

func (r *Result) over(w *World, c *call) {
	r.Policy = w.policy.Name
	ok := c.last == nil
	switch {
	case ok:
		if r.Regions == nil {
			r.Regions = map[outcrop.Region]int{}
		}
		r.Regions[c.attempt.Destination.Region]++
	case c.first > 0:
		r.Broken++
	case outcrop.KindOf(c.last) == outcrop.Throttled:
		r.Throttled++
	default:
		r.Failed++
	}
	at := int(c.arrived / time.Second)
	for len(r.Bins) <= at {
		r.Bins = append(r.Bins, Bin{})
	}
	if r.tenants == nil {
		r.tenants = map[int]*share{}
	}
	t := r.tenants[c.tenant]
	if t == nil {
		t = new(share)
		r.tenants[c.tenant] = t
	}
	t.calls++
	r.Bins[at].Calls++
	if ok {
		t.answered++
		r.Bins[at].Answered++
	}
}

// bill adds what a call costs: reading from the cache a tenth, writing to it a
// quarter more, as Anthropic's models are priced on Bedrock.
func (r *Result) bill(p *place, prompt outcrop.Tokens, c *call) {
	in, out := rate(p.InputPrice), rate(p.OutputPrice)
	first := in + in/4
	if c.verdict.cached {
		first = in / 10
	}
	r.Cost = r.Cost.Add(first.For(prompt)).Add(in.For(c.own)).Add(out.For(c.output))
}

// rate of dollars for a million tokens.
func rate(dollars float64) outcrop.Rate { return outcrop.Rate(dollars*1e6 + 0.5) }

// FirstByte is a percentile of the time to the first byte of answered calls,
// counted from their arrival.
func (r *Result) FirstByte(percent float64) time.Duration {
	if len(r.firsts) == 0 {
		return 0
	}
	sorted := slices.Clone(r.firsts)
	slices.SortFunc(sorted, func(a, b int32) int { return cmp.Compare(a, b) })
	i := min(int(float64(len(sorted))*percent/100), len(sorted)-1)
	return time.Duration(sorted[i]) * time.Millisecond
}

// Percent of the calls.
func (r *Result) Percent(n int) float64 { return 100 * float64(n) / float64(max(r.Calls, 1)) }

// HitPercent is the share of answers whose prompt was cached.
func (r *Result) HitPercent() float64 { return 100 * float64(r.Hits) / float64(max(r.Answered, 1)) }

// CostPerThousand answers, in dollars.
func (r *Result) CostPerThousand() float64 {
	dollars, _ := strconv.ParseFloat(r.Cost.String(), 64) // a figure for a table, not for a bill
	return dollars / float64(max(r.Answered, 1)) * 1000
}

// Least is the worst answered share among tenants with at least n calls.
func (r *Result) Least(n int) float64 {
	least := 1.0
	for _, t := range r.tenants {
		if t.calls >= n {
			least = min(least, float64(t.answered)/float64(t.calls))
		}
	}
	return least
}

func retriesAllowed(w *World) float64 {
	return routing.RetriesAllowed(int(w.scenario.Retry), w.result.Calls, w.now)
}
