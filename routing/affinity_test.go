package routing

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"

	"pgregory.net/rapid"
)

func said(s string) []converse.ContentBlock { return []converse.ContentBlock{{Text: &s}} }

func cachePoint(ttl string) *converse.CachePointBlock {
	return &converse.CachePointBlock{Type: "default", Ttl: ttl}
}

// conversation has a system text with a cache point, and turns of which the
// last has one too.
func conversation(system string, turns ...string) *converse.Request {
	r := &converse.Request{System: []converse.SystemContentBlock{{Text: &system}, {CachePoint: cachePoint("")}}}
	for i, t := range turns {
		r.Messages = append(r.Messages, converse.Message{Role: []string{"user", "assistant"}[i%2], Content: said(t)})
	}
	if last := len(r.Messages) - 1; last >= 0 {
		r.Messages[last].Content = append(r.Messages[last].Content, converse.ContentBlock{CachePoint: cachePoint("")})
	}
	return r
}

// spread is a router whose candidates are alike, all outside of the source.
func spread(c *clock, o Options) (*Router, *outcrop.Target) {
	return c.router(o, Lane{Upstream: "a"}), target("eu-west-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2")
}

// ask makes one call that is answered, and returns where.
func ask(r *Router, to *outcrop.Target, request *converse.Request) outcrop.Region {
	route := r.Route(nil, outcrop.RouteAsk{Target: to}, request)
	r.Start(&route[0], false)
	r.Done(&route[0], outcrop.AttemptReport{FirstByte: time.Millisecond, Took: time.Millisecond, Cached: 4000, Counted: true})
	return route[0].Destination.Region
}

func TestCallsThatShareAPromptStayTogetherWhileItIsWarm(t *testing.T) {
	var c clock
	r, to := spread(&c, Options{})
	for i := range 20 {
		system := fmt.Sprintf("You are assistant %d.", i)
		home := ask(r, to, conversation(system, "Hello"))
		for turn := range 6 { // each turn moves the cache point on
			c.now += 4 * time.Minute
			words := []string{"Hello"}
			for n := range turn {
				words = append(words, fmt.Sprint("answer ", n), fmt.Sprint("question ", n))
			}
			if got := ask(r, to, conversation(system, words...)); got != home {
				t.Fatalf("conversation %d, turn %d: %s, want %s, which holds its prompt", i, turn, got, home)
			}
		}
	}
}

func TestAPromptIsForgottenWhenItsCacheIs(t *testing.T) {
	for _, life := range []struct {
		ttl  string
		last time.Duration
	}{{"5m", shortLife}, {"1h", longLife}} {
		var c clock
		r, to := spread(&c, Options{})
		text := "You are an assistant."
		request := &converse.Request{System: []converse.SystemContentBlock{{Text: &text}, {CachePoint: cachePoint(life.ttl)}}, Messages: []converse.Message{{Role: "user", Content: said("Hello")}}}
		ask(r, to, request)
		warm := func() (any bool) {
			for _, s := range r.candidatesFor(to, request) {
				any = any || s.Warm
			}
			return any
		}
		c.now += life.last - time.Second
		if !warm() {
			t.Errorf("ttl %s: forgotten before %s", life.ttl, life.last)
		}
		ask(r, to, request) // a hit begins its life anew
		c.now += life.last - time.Second
		if !warm() {
			t.Errorf("ttl %s: a hit did not renew it", life.ttl)
		}
		c.now += 2 * time.Second
		if warm() {
			t.Errorf("ttl %s: still warm after %s", life.ttl, life.last)
		}
	}
}

// candidatesFor is what a plan for a request would see.
func (r *Router) candidatesFor(to *outcrop.Target, request *converse.Request) []Candidate {
	d := new(desk)
	cs := r.candidates(d, &outcrop.RouteAsk{Target: to})
	r.markWarm(d, cs, request)
	return cs
}

// Property: a lane takes no more of one prompt's calls than a little above the
// average load, so that a popular prompt starves nobody.
func TestAffinityIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		seed := rapid.Uint64().Draw(t, "seed")
		r, to := spread(&c, Options{Rand: rand.New(rand.NewPCG(seed, 1)).Uint64})
		request := conversation("You are popular.", "Hello")
		calls := rapid.IntRange(1, 200).Draw(t, "calls under way")
		load := map[outcrop.Region]int{}
		for range calls {
			route := r.Route(nil, outcrop.RouteAsk{Target: to}, request)
			r.Start(&route[0], false)
			load[route[0].Destination.Region]++
		}
		for region, n := range load {
			if most := loadBound*float64(calls)/4 + 4; float64(n) > most {
				t.Fatalf("%s has %d of %d calls, want at most %.0f", region, n, calls, most)
			}
		}
	})
}

func TestShortPromptsAndUncachedOnesAreNotKeptTogether(t *testing.T) {
	short, long := "Be brief.", strings.Repeat("Be thorough. ", 500)
	for _, one := range []struct {
		name    string
		request *converse.Request
		kept    bool
	}{
		{"short", &converse.Request{System: []converse.SystemContentBlock{{Text: &short}}}, false},
		{"long system text", &converse.Request{System: []converse.SystemContentBlock{{Text: &long}}}, true},
		{"long message", &converse.Request{Messages: []converse.Message{{Role: "user", Content: said(long)}}}, false},
		{"cache point in a message", conversation("", "Hello"), true},
	} {
		var d reading
		if got := d.read(one.request); got != one.kept {
			t.Errorf("%s: kept together %v, want %v", one.name, got, one.kept)
		}
	}
}

// Property: what a prompt says decides its hash, and nothing else: moving a
// cache point does not change it, changing a byte before it does.
func TestPrefixHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		turns := rapid.SliceOfN(rapid.StringN(1, 20, 40), 1, 6).Draw(t, "turns")
		var a, b, other reading
		a.read(conversation("system", turns...))
		b.read(conversation("system", turns...))
		if a.found != b.found {
			t.Fatal("the same prompt has two hashes")
		}
		changed := append([]string{}, turns...)
		i := rapid.IntRange(0, len(turns)-1).Draw(t, "turn")
		changed[i] += "!"
		other.read(conversation("system", changed...))
		if other.found.Tip == a.found.Tip || other.found.Root != a.found.Root {
			t.Fatal("a changed turn must change the tip and leave the root")
		}
		longer := new(reading)
		longer.read(conversation("system", append(append([]string{}, turns...), "more")...))
		known := false
		for j := range min(longer.n, maxMarks) {
			known = known || longer.marks[j] == a.marks[(a.n-1)%maxMarks]
		}
		if !known {
			t.Fatal("the next turn does not find what the turn before has cached")
		}
	})
}

func TestTheWarmTableIsBounded(t *testing.T) {
	var table warmTable
	const many = 4 * warmShards * warmRows
	for i := range uint64(many) {
		hash := (i + 1) * 0x9e3779b97f4a7c15
		table.warm(hash, outcrop.LaneID(i%7+1), shortLife, int64(i))
		if lanes, ok := table.find(hash, int64(i)); !ok || lanes[0] == 0 {
			t.Fatalf("prefix %d is forgotten at once", i)
		}
	}
	rows := 0
	for i := range table.shards {
		rows += len(table.shards[i].rows)
	}
	if rows > warmShards*warmRows {
		t.Errorf("%d rows, want at most %d", rows, warmShards*warmRows)
	}
}

func BenchmarkRouteOneLane(b *testing.B) {
	r := New(Options{})
	r.Use([]Lane{{Upstream: "a"}})
	benchmarkRoute(b, r, target("us-east-1", "us-east-1"), conversation(strings.Repeat("word ", 1000), "Hello"))
}

func BenchmarkRouteThreeRegions(b *testing.B) {
	r := New(Options{})
	r.Use([]Lane{{Upstream: "a"}})
	benchmarkRoute(b, r, target("us-east-1", "us-east-1", "us-east-2", "us-west-2"), nil)
}

func BenchmarkRouteThreeRegionsCachedPrompt(b *testing.B) {
	r := New(Options{})
	r.Use([]Lane{{Upstream: "a"}})
	benchmarkRoute(b, r, target("us-east-1", "us-east-1", "us-east-2", "us-west-2"), conversation(strings.Repeat("word ", 1000), "Hello"))
}

// benchmarkRoute is everything that a call asks of the router.
func benchmarkRoute(b *testing.B, r *Router, to *outcrop.Target, request *converse.Request) {
	b.ReportAllocs()
	var room [MaxAttempts]outcrop.Attempt
	for b.Loop() {
		route := r.Route(room[:0], outcrop.RouteAsk{Target: to}, request)
		r.Start(&route[0], false)
		r.Done(&route[0], outcrop.AttemptReport{FirstByte: time.Millisecond, Took: time.Millisecond})
	}
}

func TestTheCommonPathAllocatesNothing(t *testing.T) {
	r := New(Options{})
	r.Use([]Lane{{Upstream: "a"}})
	to, request := target("us-east-1", "us-east-1", "us-west-2"), conversation("You are an assistant.", "Hello")
	var room [MaxAttempts]outcrop.Attempt
	got := testing.AllocsPerRun(200, func() {
		route := r.Route(room[:0], outcrop.RouteAsk{Target: to}, request)
		r.Start(&route[0], false)
		r.Done(&route[0], outcrop.AttemptReport{FirstByte: time.Millisecond, Took: time.Millisecond})
	})
	if got > 0 {
		t.Errorf("%.1f allocations a call, want none", got)
	}
}

// Property: every candidate that is tried is one there was, once, and in the
// order of its class.
func TestOrderIsAPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "candidates")
		cs := make([]Candidate, n)
		for i := range cs {
			cs[i] = Candidate{
				Lane: outcrop.LaneID(i + 1), Source: rapid.Bool().Draw(t, "source"), Health: Health(rapid.IntRange(0, 3).Draw(t, "health")),
				Headroom: rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(t, "headroom"), Latency: time.Duration(rapid.IntRange(0, 5).Draw(t, "latency")),
				InFlight: rapid.IntRange(0, 50).Draw(t, "in flight"), Weight: float64(rapid.IntRange(1, 9).Draw(t, "weight")), Warm: rapid.Bool().Draw(t, "warm"),
			}
		}
		healthy := 0
		for _, c := range cs {
			if c.Health < Ejected {
				healthy++
			}
		}
		policy := Policy(rapid.IntRange(0, 3).Draw(t, "policy"))
		seed := rapid.Uint64().Draw(t, "seed")
		tried := Order(policy, cs, func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed }, seed)
		if len(tried) == 0 || len(tried) > MaxAttempts || len(tried) > n {
			t.Fatalf("%d of %d candidates are tried", len(tried), n)
		}
		seen := map[outcrop.LaneID]bool{}
		for i, c := range cs {
			if seen[c.Lane] {
				t.Fatalf("lane %d is there twice", c.Lane)
			}
			seen[c.Lane] = true
			if i > 0 && i < len(tried) && policy == SourceFirst && tried[i].Why < tried[i-1].Why {
				t.Fatalf("%q comes behind %q", tried[i].Why, tried[i-1].Why)
			}
		}
		if policy == SourceFirst && healthy > 0 && tried[0].Health >= Ejected {
			t.Fatal("an ejected lane is tried while others are healthy")
		}
	})
}
