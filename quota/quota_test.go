package quota

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"

	"pgregory.net/rapid"
)

var epoch = time.Unix(1_800_000_000, 0)

func TestAMinuteLetsThroughItsTokens(t *testing.T) {
	c := NewCounter(Limits{Tokens: To(600)})
	if _, s := c.Take(epoch, 400); s.Of != 0 {
		t.Fatal(s)
	}
	_, s := c.Take(epoch, 300)
	if s.Of != Tokens || s.After != 10*time.Second {
		t.Errorf("%+v, want 10 s until the 100 missing tokens are there", s)
	}
	if _, s := c.Take(epoch.Add(s.After), 300); s.Of != 0 {
		t.Errorf("after the wait: %+v", s)
	}
}

func TestWhatWasNotUsedComesBack(t *testing.T) {
	c := NewCounter(Limits{Tokens: To(600)})
	h, _ := c.Take(epoch, 600)
	if room := c.Headroom(epoch); room != 0 {
		t.Errorf("headroom %v, want 0", room)
	}
	h.Settle(epoch, 60)
	h.Settle(epoch, 0) // a second time changes nothing
	if room := c.Headroom(epoch); math.Abs(room-0.9) > 1e-9 {
		t.Errorf("headroom %v, want 0.9", room)
	}
}

func TestWhatWasUsedBeyondTheReservationIsOwed(t *testing.T) {
	c := NewCounter(Limits{Tokens: To(600)})
	h, _ := c.Take(epoch, 100)
	h.Settle(epoch, 900) // output at five times its number
	if _, s := c.Take(epoch, 1); s.Of != Tokens || s.After < 30*time.Second {
		t.Errorf("%+v, want 300 tokens of debt to be waited off", s)
	}
}

func TestWhatTimeBroughtBackIsNotGivenBackAgain(t *testing.T) {
	c := NewCounter(Limits{Tokens: To(600)})
	h, _ := c.Take(epoch, 600)
	later := epoch.Add(2 * time.Minute)
	c.Take(later, 600) // the bucket was full again, and is empty now
	h.Settle(later, 0)
	if _, s := c.Take(later, 60); s.Of != Tokens {
		t.Error("a long call gave back what the minutes between had brought already")
	}
}

func TestAnAmountBeyondTheMinuteFitsOnlyAnUnusedOne(t *testing.T) {
	c := NewCounter(Limits{Tokens: To(600)})
	h, s := c.Take(epoch, 64_000)
	if s.Of != 0 {
		t.Fatalf("%+v: it would never fit", s)
	}
	if _, s := c.Take(epoch, 1); s.Of != Tokens {
		t.Error("nothing is left, and yet a token was")
	}
	h.Settle(epoch, 300)
	if _, s := c.Take(epoch, 64_000); s.Of != Tokens || s.After != 30*time.Second {
		t.Errorf("%+v, want a wait of 30 s for an unused minute", s)
	}
}

func TestAQuotaOfZeroLetsNothingThrough(t *testing.T) {
	for _, l := range []Limits{{Requests: To(0)}, {Tokens: To(0)}, {DailyTokens: To(0)}, {Concurrent: To(0)}} {
		c := NewCounter(l)
		if _, s := c.Take(epoch, 0); s.Of == 0 || s.After <= 0 || c.Headroom(epoch) != 0 {
			t.Errorf("%+v let a call through: %+v, headroom %v", l, s, c.Headroom(epoch))
		}
	}
}

func TestARefusedCallTakesNothing(t *testing.T) {
	c := NewCounter(Limits{Requests: To(1), Tokens: To(600), DailyTokens: To(6000), Concurrent: To(2)})
	first, _ := c.Take(epoch, 60)
	before := c.Headroom(epoch)
	if _, s := c.Take(epoch, 60); s.Of != Requests {
		t.Fatalf("%+v", s)
	}
	if c.concurrent.Load() != 1 || c.Headroom(epoch) != before || c.tokens.Left(epoch, minute) != 0.9 {
		t.Error("the refused call holds something")
	}
	first.Release(epoch)
	if c.concurrent.Load() != 0 {
		t.Error("the place is not free")
	}
}

// Property: over any run of calls that settle what they took, no window of a
// minute lets through more than two minutes' worth (a full bucket and what
// comes back meanwhile), and in the end everything is back.
func TestBucketsKeepTheirRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Uint64Range(1, 1_000_000).Draw(t, "limit")
		c, now := NewCounter(Limits{Tokens: To(limit)}), epoch
		type use struct {
			at time.Time
			n  uint64
		}
		var admitted []use
		for range rapid.IntRange(1, 60).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "pause")))
			n := rapid.Uint64Range(0, limit).Draw(t, "n")
			h, s := c.Take(now, outcrop.Tokens(n))
			if s.Of != 0 {
				if _, again := c.Take(now.Add(s.After), outcrop.Tokens(n)); again.Of != 0 {
					t.Fatalf("told to come back after %v, and refused then: %+v", s.After, again)
				}
				now = now.Add(s.After)
			} else {
				h.Settle(now, outcrop.Tokens(n))
			}
			admitted = append(admitted, use{now, n})
		}
		for i := range admitted {
			var sum uint64
			for _, u := range admitted[i:] {
				if u.at.Sub(admitted[i].at) < minute {
					sum += u.n
				}
			}
			if sum > 2*limit {
				t.Fatalf("%d tokens in a minute of %d", sum, limit)
			}
		}
		if room := c.Headroom(now.Add(minute)); room != 1 {
			t.Fatalf("headroom %v a minute after the last call", room)
		}
	})
}

// Property: what a call takes and gives back at once leaves no trace, whatever
// the limits become meanwhile.
func TestTakenAndReleasedIsUntouched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := rapid.Custom(func(t *rapid.T) Limits {
			n := func(name string) Limit { return To(rapid.Uint64Range(1, math.MaxUint64).Draw(t, name)) }
			return Limits{Tokens: n("tokens"), DailyTokens: n("daily"), Concurrent: n("concurrent")}
		})
		c := NewCounter(limits.Draw(t, "limits"))
		h, s := c.Take(epoch, outcrop.Tokens(rapid.Uint64().Draw(t, "n")))
		if s.Of != 0 {
			t.Fatalf("an unused counter refused: %+v", s)
		}
		c.SetLimits(limits.Draw(t, "later limits"))
		h.Release(epoch)
		if room := c.Headroom(epoch); room != 1 {
			t.Fatalf("headroom %v", room)
		}
	})
}

// Promise: however many call at once, no more tokens and places are handed out
// than there are.
func TestCallersAtOnceShareOneCounter(t *testing.T) {
	g := NewGate(func(Key) Limits { return Limits{Tokens: To(1000), Concurrent: To(64)} }, nil)
	k := Key{"1", "us-east-1", outcrop.InRegion, "x.y"}
	var taken, most, within atomic.Int64
	var wait sync.WaitGroup
	for range 500 {
		wait.Go(func() {
			h, err := g.Admit(epoch, k, 7)
			if err != nil {
				return
			}
			taken.Add(7)
			for n := within.Add(1); ; {
				if have := most.Load(); have >= n || most.CompareAndSwap(have, n) {
					break
				}
			}
			within.Add(-1)
			h.Settle(epoch, 7)
		})
	}
	wait.Wait()
	if taken.Load() > 1000 || taken.Load() < 7*64 || most.Load() > 64 {
		t.Errorf("%d tokens of 1000, %d at once of 64", taken.Load(), most.Load())
	}
}

func TestTheGateSpeaksAsBedrockDoes(t *testing.T) {
	for d, want := range map[Dimension]string{
		Tokens: "Too many tokens, please wait before trying again.", Requests: "Too many requests, please wait before trying again.",
		DailyTokens: "Too many tokens per day, please wait before trying again.",
	} {
		var e *outcrop.Error
		if !errors.As(Shortage{d, time.Second}.err(), &e) || e.Kind != outcrop.Throttled || e.Message != want || e.RetryAfter != time.Second {
			t.Errorf("%d: %+v", d, e)
		}
	}
}

func TestKindsOfProfileHaveCountersOfTheirOwn(t *testing.T) {
	g := NewGate(func(Key) Limits { return Limits{Requests: To(1)} }, map[string]Limits{"gpu": {Requests: To(1)}})
	call := func(p *outcrop.InferenceProfile, geo outcrop.Geography) error {
		target := &outcrop.Target{Profile: p, Model: outcrop.FoundationModel{ID: "x.y"}, Region: "us-east-1", Geography: geo}
		_, err := g.Admit(epoch, KeyOf("1", target), 1)
		return err
	}
	app := &outcrop.InferenceProfile{Kind: outcrop.Application}
	for _, c := range []struct {
		profile *outcrop.InferenceProfile
		geo     outcrop.Geography
		fits    bool
	}{{nil, "", true}, {app, "", false}, {nil, "us", true}, {app, "us", false}, {app, "eu", false}, {nil, "global", true}, {nil, "global", false}} {
		if err := call(c.profile, c.geo); (err == nil) != c.fits {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := g.Enter(epoch, "gpu", 1); err != nil {
		t.Error(err)
	}
	if _, err := g.Enter(epoch, "gpu", 1); outcrop.KindOf(err) != outcrop.Throttled {
		t.Error("the upstream's limit was not held")
	}
	if _, err := g.Enter(epoch, "another", 1); err != nil || g.Headroom(epoch, "another") != 1 || g.Headroom(epoch, "gpu") != 0 {
		t.Error("an upstream without limits was limited")
	}
}

func BenchmarkTakeAndSettle(b *testing.B) {
	g := NewGate(func(Key) Limits { return Limits{Requests: To(1 << 60), Tokens: To(1 << 60)} }, nil)
	k, now := Key{"1", "us-east-1", outcrop.InRegion, "x.y"}, time.Now()
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			h, err := g.Admit(now, k, 100)
			if err != nil {
				b.Fatal(err)
			}
			h.Settle(now, 50)
		}
	})
}
