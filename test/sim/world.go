package sim

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/quota"
	"outcrop/routing"
)

const model outcrop.ModelID = "anthropic.claude-sonnet-4-5-20250929-v1:0"

// A World is one play of a scenario under one policy.
type World struct {
	scenario *Scenario
	policy   Policy
	seed     uint64
	places   map[outcrop.Region]*place
	tenants  []tenant
	popular  []float64 // cumulative share of the calls by tenant
	router   *routing.Router
	gate     *quota.Gate // nil for policies that know nothing of headroom
	now      time.Duration
	queue    queue
	luck     *rand.Rand // of the places
	calls    int
	open     int
	result   Result
	wrong    []string // properties that did not hold
}

// A tenant has a prompt of its own and lives in one Region.
type tenant struct {
	target  *outcrop.Target
	request *converse.Request
}

// A call is one client's question.
type call struct {
	tenant  int
	arrived time.Duration
	own     outcrop.Tokens // input beside the prompt
	output  outcrop.Tokens
	reserve outcrop.Tokens
	leaves  time.Duration // after which the client hangs up; 0 for never

	route   outcrop.Route
	next    int // in route
	made    int // attempts
	attempt *outcrop.Attempt
	began   time.Duration // of the attempt
	first   time.Duration // when the first byte came; 0 before
	lane    quota.Hold    // of the gateway's own counters
	verdict verdict
	inside  bool // a place is answering
	ended   bool
	last    error
}

// New makes a world. The same seed makes the same clients whatever the policy.
func New(s *Scenario, p Policy, seed uint64) *World {
	w := &World{scenario: s, policy: p, seed: seed, places: map[outcrop.Region]*place{}, luck: rand.New(rand.NewPCG(seed, 1))}
	lanes, limits := make([]routing.Lane, 0, len(s.Regions)), map[string]quota.Limits{}
	for _, r := range s.Regions {
		place := newPlace(r)
		w.places[r.Name] = place
		lanes = append(lanes, routing.Lane{Upstream: string(r.Name), Regions: []outcrop.Region{r.Name}})
		limits[string(r.Name)] = place.capacity.Limits()
	}
	o := p.options
	o.RetryPercent = int(s.Retry)
	o.Now = func() time.Duration { return w.now }
	o.Rand = rand.New(rand.NewPCG(seed, 2)).Uint64
	if p.headroom {
		w.gate = quota.NewGate(nil, limits)
		o.Headroom = func(upstream string, _ outcrop.Destination) float64 { return w.gate.Headroom(moment(w.now), upstream) }
	}
	w.router = routing.New(o)
	w.router.Use(lanes)
	w.settle()
	return w
}

// settle gives each tenant a home, a prompt and a share of the calls.
func (w *World) settle() {
	c := &w.scenario.Clients
	rng := rand.New(rand.NewPCG(w.seed, 3))
	var destinations []outcrop.Destination
	targets := map[outcrop.Region]*outcrop.Target{}
	for _, r := range w.scenario.Regions {
		destinations = append(destinations, outcrop.Destination{Region: r.Name, Model: model})
	}
	sum := 0.0
	for i := range int(c.Tenants) {
		home := w.scenario.Regions[0].Name
		if rng.Float64() >= c.Home {
			home = w.scenario.Regions[rng.IntN(len(w.scenario.Regions))].Name
		}
		if targets[home] == nil {
			targets[home] = &outcrop.Target{Region: home, Model: outcrop.FoundationModel{ID: model}, Geography: "global", Destinations: destinations}
		}
		w.tenants = append(w.tenants, tenant{targets[home], prompt(i, int(c.PromptTokens))})
		sum += 1 / math.Pow(float64(i+1), c.Skew)
		w.popular = append(w.popular, sum)
	}
	for i := range w.popular {
		w.popular[i] /= sum
	}
}

// prompt is a tenant's own: system text with a cache point behind it.
func prompt(tenant, tokens int) *converse.Request {
	text := fmt.Sprintf("You work for tenant %d. ", tenant)
	text += strings.Repeat("word", max(0, tokens-len(text)/4))
	question := "Hello"
	return &converse.Request{
		System:   []converse.SystemContentBlock{{Text: &text}, {CachePoint: &converse.CachePointBlock{Type: "default"}}},
		Messages: []converse.Message{{Role: "user", Content: []converse.ContentBlock{{Text: &question}}}},
	}
}

// Play runs the world to its end. told hears how much of the time has passed,
// now and then; it may be nil.
func (w *World) Play(ctx context.Context, told func(share float64)) (*Result, error) {
	w.push(0, arrives, nil)
	length := time.Duration(w.scenario.Duration)
	for n := 0; len(w.queue.events) > 0; n++ {
		if n%4096 == 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if told != nil {
				told(min(float64(w.now)/float64(length), 1))
			}
		}
		e := w.queue.pop()
		w.now = e.at
		w.happen(&e)
	}
	w.finish()
	return &w.result, nil
}

func (w *World) push(after time.Duration, what happening, c *call) {
	e := event{at: w.now + after, what: what, call: c}
	if c != nil {
		e.attempt = c.made
	}
	w.queue.push(e)
}

func (w *World) happen(e *event) {
	c := e.call
	switch {
	case e.what == arrives:
		w.arrive()
	case c.ended:
	case e.what == hangsUp:
		w.hangUp(c)
	case e.attempt != c.made: // of an attempt that is over
	case e.what == reaches:
		w.reach(c)
	case e.what == begins:
		w.begin(c)
	case e.what == ends:
		w.end(c)
	case e.what == breaks:
		w.fail(c, c.last)
	}
}

// arrive makes the next call, and the one after it.
func (w *World) arrive() {
	s := &w.scenario.Clients
	rng := rand.New(rand.NewPCG(w.seed, uint64(w.calls)+1000))
	w.calls++
	rate := s.Rate
	if every := time.Duration(s.BurstEvery); every > 0 && w.now%every > every-time.Duration(s.BurstFor) {
		rate *= s.Burst
	}
	if pause := time.Duration(rng.ExpFloat64() / max(rate, 1e-9) * float64(time.Second)); w.now+pause < time.Duration(w.scenario.Duration) {
		w.push(pause, arrives, nil)
	}
	c := &call{arrived: w.now, tenant: search(w.popular, rng.Float64())}
	c.own = 1 + outcrop.Tokens(rng.ExpFloat64()*float64(s.OwnTokens))
	c.output = 1 + outcrop.Tokens(rng.ExpFloat64()*float64(s.OutputTokens))
	c.reserve = outcrop.Tokens(s.PromptTokens) + c.own + 2*outcrop.Tokens(s.OutputTokens)
	if rng.Float64() < s.Hangup {
		c.leaves = time.Duration(rng.ExpFloat64() * float64(time.Second))
		w.push(c.leaves, hangsUp, c)
	}
	w.open++
	w.result.Calls++
	t := &w.tenants[c.tenant]
	c.route = w.router.Route(nil, outcrop.RouteAsk{Target: t.target, Streaming: true}, t.request)
	w.try(c)
}

func search(cumulative []float64, at float64) int {
	low, high := 0, len(cumulative)-1
	for low < high {
		if mid := (low + high) / 2; cumulative[mid] > at {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

// try makes the next attempt that the router lets through, as gateway.walk
// does.
func (w *World) try(c *call) {
	for ; c.next < len(c.route); c.next++ {
		a := &c.route[c.next]
		if !w.router.Start(a, c.made > 0) {
			continue
		}
		c.next++
		w.send(c, a)
		return
	}
	if c.made == 0 {
		a := &c.route[0]
		w.router.Force(a)
		w.send(c, a)
		return
	}
	w.over(c)
}

// send puts an attempt on its way.
func (w *World) send(c *call, a *outcrop.Attempt) {
	w.checkAttempt(c, a)
	c.made++
	c.attempt, c.began = a, w.now
	if c.made > 1 {
		w.result.Retries++
	}
	if w.gate != nil {
		var err error
		if c.lane, err = w.gate.Enter(moment(w.now), a.Upstream, c.reserve); err != nil {
			c.last = err
			w.push(0, breaks, c)
			return
		}
	}
	w.push(w.way(c)/2, reaches, c)
}

// way is there and back again.
func (w *World) way(c *call) time.Duration {
	if c.attempt.Destination.Region == w.tenants[c.tenant].target.Region {
		return 2 * time.Millisecond
	}
	return time.Duration(w.place(c).Distance)
}

func (w *World) place(c *call) *place { return w.places[c.attempt.Destination.Region] }

func (w *World) reach(c *call) {
	p := w.place(c)
	c.verdict = p.receive(w.now, c, w.luck)
	if c.last = c.verdict.err; c.last != nil {
		w.push(c.verdict.after+w.way(c)/2, breaks, c)
		return
	}
	c.inside = true
	w.push(c.verdict.after+w.way(c)/2, begins, c)
}

func (w *World) begin(c *call) {
	p := w.place(c)
	if _, cut := p.cutBetween(c.began, w.now); cut {
		w.leave(c, 0)
		w.fail(c, errDown)
		return
	}
	c.first = w.now
	w.router.Heard(c.attempt, w.now-c.began)
	w.push(time.Duration(c.output)*time.Duration(p.Pace), ends, c)
}

func (w *World) end(c *call) {
	if at, cut := w.place(c).cutBetween(c.first, w.now); cut {
		share := float64(at-c.first) / float64(max(w.now-c.first, 1))
		c.output = outcrop.Tokens(float64(c.output) * share)
		w.bill(c)
		w.fail(c, errCut)
		return
	}
	w.bill(c)
	w.done(c, nil, false)
	w.result.answered(c)
	w.over(c)
}

// fail ends an attempt with an error, and makes another if that is allowed.
func (w *World) fail(c *call, err error) {
	c.last = err
	w.done(c, err, false)
	if c.first == 0 && gateway.MayMend(err) {
		w.try(c)
		return
	}
	w.over(c)
}

func (w *World) hangUp(c *call) {
	w.result.HangUps++
	if c.first > 0 {
		c.output = min(c.output, outcrop.Tokens((w.now-c.first)/time.Duration(w.place(c).Pace)))
	} else {
		c.output = 0
	}
	if c.inside {
		w.bill(c)
	} else {
		c.lane.Release(moment(w.now))
	}
	w.done(c, errHungUp, true)
	c.last = nil
	c.ended = true
	w.open--
}

var errHungUp = fmt.Errorf("the client went away: %w", context.Canceled)

// done tells the router how the attempt went.
func (w *World) done(c *call, err error, gone bool) {
	c.lane.Release(moment(w.now))
	r := outcrop.AttemptReport{Err: err, Gone: gone, Took: w.now - c.began, Streaming: true, Counted: true, Cached: outcrop.Tokens(w.scenario.Clients.PromptTokens)}
	if c.first > 0 {
		r.FirstByte = c.first - c.began
	}
	w.router.Done(c.attempt, r)
}

// bill settles what a place has done for a call.
func (w *World) bill(c *call) {
	p := w.place(c)
	prompt := outcrop.Tokens(w.scenario.Clients.PromptTokens)
	w.result.bill(p, prompt, c)
	used := c.own + c.output
	if !c.verdict.cached {
		used += prompt
	}
	w.leave(c, used)
}

// leave ends the attempt at its place and in the gateway's counter.
func (w *World) leave(c *call, used outcrop.Tokens) {
	c.inside = false
	w.place(c).leave(w.now, &c.verdict.hold, used)
	c.lane.Settle(moment(w.now), used)
}

// over ends a call that was answered or that nobody answered.
func (w *World) over(c *call) {
	c.ended = true
	w.open--
	w.result.over(w, c)
}
