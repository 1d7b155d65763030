package gateway

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/quota"

	"pgregory.net/rapid"
)

// held are budgets that note what is reserved, settled and cancelled.
type held struct {
	open   map[outcrop.InvocationID]outcrop.UsageRecord
	done   []outcrop.UsageRecord
	faults []string
	refuse error
}

func (h *held) Any(outcrop.AccountID) bool { return true }

func (h *held) Reserve(worst *outcrop.UsageRecord) error {
	if h.refuse != nil {
		return h.refuse
	}
	if h.open == nil {
		h.open = map[outcrop.InvocationID]outcrop.UsageRecord{}
	}
	h.open[worst.Invocation] = *worst
	return nil
}

func (h *held) Settle(done *outcrop.UsageRecord) {
	if _, ok := h.open[done.Invocation]; !ok {
		h.faults = append(h.faults, "settled what was not reserved")
	}
	delete(h.open, done.Invocation)
	h.done = append(h.done, *done)
}

func (h *held) Cancel(id outcrop.InvocationID) {
	if _, ok := h.open[id]; !ok {
		h.faults = append(h.faults, "cancelled what was not reserved")
	}
	delete(h.open, id)
}

func (w *world) limited(account, lane quota.Limits) (*quota.Gate, *held) {
	gate, budgets := quota.NewGate(func(quota.Key) quota.Limits { return account }, map[string]quota.Limits{"fake": lane}), &held{}
	w.Quota, w.Budgets = gate, budgets
	return gate, budgets
}

func (w *world) key() quota.Key { return quota.KeyOf("1", target) }

func TestWhatIsReservedIsTheInputAndTheMostOutput(t *testing.T) {
	w := newWorld(whole)
	_, budgets := w.limited(quota.Limits{}, quota.Limits{})
	w.Upstreams = peek{w, func() {
		worst := budgets.open["inv-1"]
		if worst.Usage.Of(outcrop.OutputTokens) != 33 || worst.Usage.Of(outcrop.InputTokens) < converse.EstimateInputTokens(mustRequest(t)) || worst.Quote.Price == "" {
			t.Errorf("reserved %+v", worst.Usage)
		}
	}}
	c := call()
	c.Request = func(*outcrop.Target) (*converse.Request, error) {
		r, most := mustRequest(t), int64(33)
		r.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: &most}
		return r, nil
	}
	if _, err := w.Gateway.Converse(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if len(budgets.open) > 0 || len(budgets.done) != 1 || budgets.done[0].Usage.Of(outcrop.OutputTokens) != 4 || len(budgets.faults) > 0 {
		t.Errorf("afterwards %+v", budgets)
	}
}

func mustRequest(t testing.TB) *converse.Request {
	t.Helper()
	r, err := call().Request(target)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// peek looks around while an upstream answers.
type peek struct {
	Upstreams
	look func()
}

func (p peek) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	p.look()
	return p.Upstreams.Converse(ctx, a, r)
}

func (p peek) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	p.look()
	return p.Upstreams.ConverseStream(ctx, a, r)
}

func TestAFullQuotaRefusesAndIsRecorded(t *testing.T) {
	w := newWorld(whole)
	w.limited(quota.Limits{Requests: quota.To(1)}, quota.Limits{})
	if _, err := w.drink(t, t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	_, err := w.drink(t, t.Context(), -1)
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != outcrop.Throttled || e.Message != "Too many requests, please wait before trying again." || e.RetryAfter < 59*time.Second || len(w.attempts) != 1 {
		t.Errorf("err %v after %d attempts", err, len(w.attempts))
	}
	if r := w.settled[1]; r.Outcome.Error != "ThrottlingException" || r.Usage.Known() || r.ServedIn != "" {
		t.Errorf("recorded %+v, want a throttle that used nothing and ran nowhere", r)
	}
}

func TestABudgetThatRefusesGivesBackTheQuota(t *testing.T) {
	w := newWorld(whole)
	gate, budgets := w.limited(quota.Limits{Tokens: quota.To(100_000)}, quota.Limits{})
	budgets.refuse = outcrop.Errorf(outcrop.Denied, "budget team-a is used up")
	if _, err := w.drink(t, t.Context(), -1); outcrop.KindOf(err) != outcrop.Denied || len(w.attempts) > 0 {
		t.Errorf("err %v after %d attempts", err, len(w.attempts))
	}
	if room := gate.AccountHeadroom(w.Now(), w.key()); room != 1 {
		t.Errorf("headroom %v, want all of it back", room)
	}
}

func TestAFullLaneIsPassedByAndAllFullIsAThrottle(t *testing.T) {
	w := newWorld(whole)
	gate, _ := w.limited(quota.Limits{}, quota.Limits{Concurrent: quota.To(1)})
	other, _ := gate.Enter(w.Now(), "fake", 1)
	var e *outcrop.Error
	if _, err := w.drink(t, t.Context(), -1); !errors.As(err, &e) || e.Kind != outcrop.Throttled || e.RetryAfter == 0 || len(w.attempts) > 0 {
		t.Errorf("err %v after %d attempts, want a throttle and no attempt", e, len(w.attempts))
	}
	other.Release(w.Now())
	if _, err := w.drink(t, t.Context(), -1); err != nil {
		t.Error(err)
	}
}

func TestCountingTokensHoldsALaneOnlyMeanwhile(t *testing.T) {
	w := newWorld(whole)
	w.limited(quota.Limits{}, quota.Limits{Concurrent: quota.To(1)})
	for range 3 {
		c := call()
		c.Operation = outcrop.OpCountTokens
		if _, err := w.Gateway.CountTokens(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOutputWeighsByTheBurndownAndCacheReadsAreFree(t *testing.T) {
	w := newWorld()
	w.Burndown = func(outcrop.ModelID) uint64 { return 5 }
	var r outcrop.UsageRecord
	r.Usage.Set(outcrop.InputTokens, 1000)
	r.Usage.Set(outcrop.CacheReadTokens, 10_000)
	r.Usage.Set(outcrop.CacheWrite5mTokens, 200)
	r.Usage.Set(outcrop.OutputTokens, 100)
	if got := w.quotaTokens(&r); got != 1000+200+500 {
		t.Errorf("%d quota tokens, want 1700", got)
	}
}

// Property: whatever happens to a call, and whoever panics, what it held is
// let go of exactly once, and it is recorded exactly once.
func TestReservationsReturnToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		script := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) attempt {
			a := attempt{events: whole.events[:rapid.IntRange(0, len(whole.events)).Draw(t, "events")]}
			if len(a.events) < len(whole.events) && rapid.Bool().Draw(t, "fails") {
				a.err = outcrop.Errorf(rapid.SampledFrom([]outcrop.Kind{outcrop.Throttled, outcrop.Invalid, outcrop.Internal}).Draw(t, "kind"), "x")
			}
			return a
		}), 1, 3).Draw(t, "script")
		w := newWorld(script...)
		lane := quota.Limits{Concurrent: quota.To(rapid.Uint64Range(0, 2).Draw(t, "lane"))}
		gate, budgets := w.limited(quota.Limits{Requests: quota.To(rapid.Uint64Range(0, 2).Draw(t, "rpm")), Tokens: quota.To(1_000_000), Concurrent: quota.To(1)}, lane)
		if rapid.Bool().Draw(t, "budget refuses") {
			budgets.refuse = outcrop.Errorf(outcrop.Denied, "used up")
		}
		if rapid.Bool().Draw(t, "ledger refuses") {
			w.refuse = errors.New("disk full")
		}
		if rapid.Bool().Draw(t, "ledger loses") {
			w.lose = errors.New("disk full")
		}
		panics := rapid.IntRange(0, 3).Draw(t, "panics at attempt")
		w.Upstreams = peek{w, func() {
			if len(w.attempts)+1 == panics {
				w.attempts = append(w.attempts, outcrop.Attempt{})
				panic("upstream")
			}
		}}
		func() {
			defer func() { recover() }()
			if rapid.Bool().Draw(t, "stream") {
				w.drink(t, context.Background(), rapid.IntRange(-1, 6).Draw(t, "leaves after"))
			} else {
				w.Gateway.Converse(context.Background(), call())
			}
		}()
		if opened := w.refuse == nil; len(w.settled) != map[bool]int{true: 1}[opened] {
			t.Fatalf("settled %d times, opened %t: %q", len(w.settled), opened, w.log)
		}
		if len(budgets.open) > 0 || len(budgets.faults) > 0 || len(budgets.done) > 1 {
			t.Fatalf("budgets hold %v, faults %v", budgets.open, budgets.faults)
		}
		for range 2 { // the only place is free again, and was given back once
			h, err := gate.Enter(w.Now(), "fake", 0)
			if free := err == nil; free != (lane.Concurrent.N > 0) {
				t.Fatalf("a place on the lane is free: %t", free)
			}
			h.Release(w.Now())
		}
		later := w.Now().Add(time.Minute)
		if room := gate.AccountHeadroom(later, w.key()); room != 1 && w.roomy(gate) {
			t.Fatalf("headroom %v a minute later, want 1", room)
		}
	})
}

// roomy says whether the account may call at all: a quota of 0 has no room.
func (w *world) roomy(g *quota.Gate) bool {
	_, err := g.Admit(w.Now().Add(time.Hour), w.key(), 1)
	return err == nil
}
