package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
)

// small is a world by chance: Regions, capacity, outages and clients, of a
// size that thousands can be played.
func small(seed uint64) *Scenario {
	rng := rand.New(rand.NewPCG(seed, 99))
	span := func(from, to int) int { return from + rng.IntN(to-from+1) }
	length := span(5, 40)
	s := &Scenario{Duration: strictyaml.Duration(length) * seconds, Retry: strictyaml.Whole(span(0, 50))}
	s.Clients = Clients{
		Rate: float64(span(1, 12)), Burst: float64(span(1, 8)), Tenants: strictyaml.Whole(span(1, 12)),
		PromptTokens: strictyaml.Whole(span(1, 3000)), Hangup: rng.Float64() / 4, OutputTokens: strictyaml.Whole(span(1, 300)),
	}
	for i := range span(1, 6) {
		r := Region{Name: outcrop.Region(fmt.Sprintf("region-%d", i+1)), Tokens: strictyaml.Whole(span(10_000, 3_000_000)), Concurrent: strictyaml.Whole(span(1, 60)), Spread: rng.Float64()}
		if rng.IntN(3) == 0 {
			r.Requests = strictyaml.Whole(span(1, 600))
		}
		for range rng.IntN(3) {
			kind := []string{Refuse, Hang, Throttle, Slow}[rng.IntN(4)]
			r.Outages = append(r.Outages, Outage{At: strictyaml.Duration(rng.IntN(length)) * seconds, For: strictyaml.Duration(span(1, 20)) * seconds, Kind: kind})
		}
		s.Regions = append(s.Regions, r)
	}
	return s
}

func play(t testing.TB, s *Scenario, p Policy, seed uint64) *World {
	t.Helper()
	if err := s.Complete(); err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	w := New(s, p, seed)
	if _, err := w.Play(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, wrong := range w.Wrong() {
		t.Errorf("seed %d, %s: %s (make sim SEED=%d brings it back)", seed, p.Name, wrong, seed)
	}
	return w
}

// Property: whatever the world, no attempt leaves the destinations or follows
// a first byte, retries stay within their budget, and every reservation is
// given back. OUTCROP_SIM_SEED names one world, OUTCROP_SIM_SEEDS how many.
func TestWorlds(t *testing.T) {
	if text := os.Getenv("OUTCROP_SIM_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range Policies {
			w := play(t, small(seed), p, seed)
			t.Logf("%s: %+v", p.Name, w.result.summary())
		}
		return
	}
	seeds := uint64(2000)
	if n, err := strconv.ParseUint(os.Getenv("OUTCROP_SIM_SEEDS"), 10, 64); err == nil {
		seeds = n
	} else if testing.Short() {
		seeds = 200
	}
	calls := 0
	for seed := range seeds {
		w := play(t, small(seed), Policies[int(seed)%2], seed)
		calls += w.result.Calls
		if t.Failed() {
			break
		}
	}
	t.Logf("%d worlds, %d calls", seeds, calls)
}

// Property: in a world with room for everybody, nobody is refused, whatever
// prompts others share; affinity starves nobody.
func TestNobodyStarves(t *testing.T) {
	for seed := range uint64(40) {
		s := &Scenario{Duration: 30 * seconds, Clients: Clients{Rate: 40, Burst: 1.5, Tenants: 30, Skew: 1.5, Hangup: 1e-9}}
		for i := range 4 {
			s.Regions = append(s.Regions, Region{Name: outcrop.Region(fmt.Sprintf("region-%d", i+1)), Tokens: 8_000_000, Concurrent: 120})
		}
		w := play(t, s, Policies[0], seed)
		if r := w.result; r.Answered != r.Calls || r.Least(1) < 1 {
			t.Errorf("seed %d: %d of %d calls answered, %.0f %% for the worst tenant", seed, r.Answered, r.Calls, 100*r.Least(1))
		}
	}
}

// Property: the same seed is the same play.
func TestAPlayRepeats(t *testing.T) {
	for _, p := range Policies {
		a, b := play(t, small(7), p, 7), play(t, small(7), p, 7)
		if x, y := a.result.summary(), b.result.summary(); x != y {
			t.Errorf("%s: %+v and then %+v", p.Name, x, y)
		}
	}
}

// summary is what two plays are compared by.
func (r *Result) summary() string {
	return fmt.Sprintf("%d calls, %d answered, %d throttled, %d failed, %d broken, %d hung up, %d retries, %d hits, $%s, p99 %s",
		r.Calls, r.Answered, r.Throttled, r.Failed, r.Broken, r.HangUps, r.Retries, r.Hits, r.Cost, r.FirstByte(99))
}

// The default scenario, in which Outcrop's policy must be worth its name.
func TestOutcropBeatsTheOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("plays five long worlds")
	}
	results := map[string]*Result{}
	began := time.Now()
	for _, p := range Policies {
		w := play(t, new(Scenario), p, 1)
		results[p.Name] = &w.result
		t.Log(w.result.summary())
	}
	t.Logf("in %s", time.Since(began))
	own := results["outcrop"]
	for _, other := range []string{"p2c", "round-robin", "source-only"} {
		r := results[other]
		if own.Throttled+own.Failed > r.Throttled+r.Failed || own.FirstByte(99) > r.FirstByte(99) || own.Hits < r.Hits || own.CostPerThousand() > r.CostPerThousand() {
			t.Errorf("outcrop: %s\n%s: %s", own.summary(), other, r.summary())
		}
	}
}
