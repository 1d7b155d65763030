package routing

import (
	"testing"
	"time"

	"outcrop"

	"pgregory.net/rapid"
)

// A clock that only moves when told.
type clock struct{ now time.Duration }

func (c *clock) router(o Options, lanes ...Lane) *Router {
	o.Now = func() time.Duration { return c.now }
	r := New(o)
	r.Use(lanes)
	return r
}

// call makes one call that fares as fail says, and returns the Regions tried.
func call(r *Router, t *outcrop.Target, fail func(outcrop.Attempt) error) (tried []outcrop.Region) {
	route := r.Route(nil, outcrop.RouteAsk{Target: t}, nil)
	for i := range route {
		a := &route[i]
		if !r.Start(a, len(tried) > 0) {
			continue
		}
		tried = append(tried, a.Destination.Region)
		err := fail(*a)
		r.Done(a, outcrop.AttemptReport{Err: err, FirstByte: time.Millisecond, Took: time.Millisecond})
		if err == nil {
			break
		}
	}
	return tried
}

var broken = outcrop.Errorf(outcrop.Unavailable, "down")

func fails(in outcrop.Region) func(outcrop.Attempt) error {
	return func(a outcrop.Attempt) error {
		if a.Destination.Region == in {
			return broken
		}
		return nil
	}
}

func works(outcrop.Attempt) error { return nil }

func TestALaneThatFailsIsEjectedAndComesBackByAProbe(t *testing.T) {
	var c clock
	r := c.router(Options{}, Lane{Upstream: "a"})
	to := target("us-east-1", "us-east-1", "us-west-2")
	for range inARow {
		if got := call(r, to, fails("us-east-1")); len(got) != 2 {
			t.Fatalf("tried %v, want both Regions", got)
		}
	}
	if got := call(r, to, fails("us-east-1")); len(got) != 1 || got[0] != "us-west-2" {
		t.Fatalf("tried %v, want us-west-2 alone while us-east-1 is ejected", got)
	}
	c.now += firstBreak
	route := r.Route(nil, outcrop.RouteAsk{Target: to}, nil)
	if route[0].Destination.Region != "us-east-1" || !r.Start(&route[0], false) {
		t.Fatalf("route = %v, want the probe of us-east-1 first", regionsOf(route))
	}
	if r.Start(&route[0], false) {
		t.Error("a second call may probe at the same time")
	}
	r.Done(&route[0], outcrop.AttemptReport{Err: broken})
	c.now += firstBreak
	if got := call(r, to, works); got[0] != "us-west-2" {
		t.Errorf("tried %v: a failed probe must double the ejection", got)
	}
	c.now += firstBreak
	for range 3 {
		if got := call(r, to, works); got[0] != "us-east-1" {
			t.Errorf("tried %v, want us-east-1 back in its place", got)
		}
	}
}

func TestTheOnlyLaneIsTriedEvenWhenEjected(t *testing.T) {
	var c clock
	r := c.router(Options{}, Lane{Upstream: "a"})
	to := target("us-east-1", "us-east-1")
	for range inARow + 1 {
		if got := call(r, to, fails("us-east-1")); len(got) != 1 {
			t.Fatalf("tried %v, want the only lane there is", got)
		}
	}
}

func TestALaneThatThrottlesIsFullForAsLongAsItSays(t *testing.T) {
	var c clock
	r := c.router(Options{}, Lane{Upstream: "a"})
	to := target("us-east-1", "us-east-1", "us-west-2")
	busy := outcrop.Errorf(outcrop.Throttled, "slow down")
	busy.RetryAfter = 20 * time.Second
	call(r, to, func(a outcrop.Attempt) error {
		if a.Destination.Region == "us-east-1" {
			return busy
		}
		return nil
	})
	if got := call(r, to, works); got[0] != "us-west-2" {
		t.Errorf("tried %v first, want us-west-2 while us-east-1 is full", got)
	}
	c.now += 20 * time.Second
	if got := call(r, to, works); got[0] != "us-east-1" {
		t.Errorf("tried %v first, want the source Region once it has room", got)
	}
}

func TestDrainedAndDownLanes(t *testing.T) {
	var c clock
	r := c.router(Options{}, Lane{Upstream: "a", Regions: []outcrop.Region{"us-east-1"}}, Lane{Upstream: "b", Regions: []outcrop.Region{"us-west-2"}})
	to := target("us-east-1", "us-east-1", "us-west-2")
	r.SetDown("a", true)
	if got := call(r, to, works); got[0] != "us-west-2" {
		t.Errorf("tried %v, want nothing on an upstream that is down", got)
	}
	if err := r.Drain("b", true); err != nil {
		t.Fatal(err)
	}
	if got := call(r, to, works); len(got) != 1 || got[0] != "us-east-1" {
		t.Errorf("tried %v, want the upstream that is down when the other is drained", got)
	}
	r.Drain("a", true)
	if got := r.Route(nil, outcrop.RouteAsk{Target: to}, nil); len(got) != 0 {
		t.Errorf("route %v leads to drained upstreams", got)
	}
	if err := r.Drain("c", true); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("draining an unknown upstream: %v", err)
	}
}

// Property: over any run of calls, retries stay within the budget.
func TestRetryBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		percent := rapid.IntRange(1, 100).Draw(t, "percent")
		c, calls, retries := clock{}, 0, 0
		r := c.router(Options{RetryPercent: percent}, Lane{Upstream: "a"})
		to := target("us-east-1", "us-east-1", "us-east-2", "us-west-2")
		for range rapid.IntRange(1, 400).Draw(t, "calls") {
			fail := rapid.Bool().Draw(t, "fail")
			tried := call(r, to, func(outcrop.Attempt) error {
				if fail {
					return broken
				}
				return nil
			})
			calls, retries = calls+1, retries+len(tried)-1
			c.now += time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond
		}
		most := RetriesAllowed(percent, calls, c.now)
		if float64(retries) > most {
			t.Fatalf("%d retries in %d calls and %s, want at most %.1f", retries, calls, c.now, most)
		}
	})
}

func TestPeakEWMARisesAtOnceAndForgets(t *testing.T) {
	var p peak
	p.sample(100*time.Millisecond, 0)
	p.sample(time.Second, 1)
	if got := p.read(1); got != time.Second {
		t.Errorf("after a peak: %s, want 1s", got)
	}
	p.sample(100*time.Millisecond, int64(10*time.Second))
	if got := p.read(int64(10 * time.Second)); got < 400*time.Millisecond || got > 450*time.Millisecond {
		t.Errorf("a time constant later: %s, want about 430ms", got)
	}
	if got := p.read(int64(time.Minute)); got > 150*time.Millisecond {
		t.Errorf("idle: %s, want most of it forgotten", got)
	}
}
