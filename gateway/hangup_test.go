package gateway

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/converse"
)

// A slow upstream takes a while over each event, and stops when its context
// does.
type slow struct {
	pace   time.Duration
	events []converse.Event
	seen   outcrop.PerKind[outcrop.Tokens] // what it counts before the end
	played int
	cut    bool
}

func (s *slow) ConverseStream(ctx context.Context, a outcrop.Attempt, _ *converse.Request) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		a.Told.Request, a.Told.Seen = "theirs-1", s.seen
		for _, e := range s.events {
			select {
			case <-ctx.Done():
				s.cut = true
				yield(converse.Event{}, context.Cause(ctx))
				return
			case <-time.After(s.pace):
			}
			s.played++
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (s *slow) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	return converse.Collect(s.ConverseStream(ctx, a, r))
}

func (s *slow) CountTokens(context.Context, outcrop.Attempt, *converse.Request) (outcrop.Tokens, error) {
	return 0, errors.New("not asked")
}

func slowly(s *slow, wait time.Duration) *world {
	w := newWorld()
	w.Gateway.Upstreams, w.Gateway.Now, w.Gateway.Hangup.Wait = s, time.Now, wait
	return w
}

// Property: a client that leaves is billed for what the upstream counts, if
// that comes in time.
func TestAnUpstreamIsHeardToItsEndForAClientThatLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pace: time.Second, events: whole.events}
		w := slowly(s, 10*time.Second)
		if events, err := w.drink(t, t.Context(), 2); len(events) != 2 || err != nil {
			t.Fatal(events, err)
		}
		r := w.settled[0]
		if r.Usage.Estimated || r.Usage.Of(outcrop.InputTokens) != 3 || r.Usage.Of(outcrop.OutputTokens) != 4 {
			t.Errorf("usage = %+v, want what the upstream counted", r.Usage)
		}
		if r.Outcome != (outcrop.Outcome{Status: StatusHungUp, HungUp: true, StopReason: "end_turn"}) || r.UpstreamRequest != "theirs-1" {
			t.Errorf("record = %+v", r)
		}
	})
}

func TestAConnectionThatBreaksIsHeardToItsEndToo(t *testing.T) {
	for name, ask := range map[string]func(*world, context.Context) error{
		"stream": func(w *world, ctx context.Context) error { _, err := w.drink(t, ctx, -1); return err },
		"whole":  func(w *world, ctx context.Context) error { _, err := w.Gateway.Converse(ctx, call()); return err },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &slow{pace: time.Second, events: whole.events}
			w := slowly(s, 10*time.Second)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(1500*time.Millisecond, cancel)
			err := ask(w, ctx)
			if name == "whole" && !errors.Is(err, context.Canceled) {
				t.Errorf("%s: err = %v", name, err)
			}
			r := w.settled[0]
			if s.played != len(whole.events) || r.Usage.Estimated || r.Usage.Total() != 7 || !r.Outcome.HungUp {
				t.Errorf("%s: %d events, record %+v; want all of them, and what was counted", name, s.played, r)
			}
			if w.Hangup.Listening() != 0 {
				t.Errorf("%s: %d answers are still listened to", name, w.Hangup.Listening())
			}
		})
	}
}

func TestAnUpstreamThatGoesOnIsCutOffAndEstimated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pace: time.Second, events: append([]converse.Event{start}, make([]converse.Event, 100)...)}
		for i := range 100 {
			s.events[i+1] = text("12345678")
		}
		s.seen.Set(outcrop.InputTokens, 77)
		s.seen.Set(outcrop.CacheReadTokens, 5)
		w := slowly(s, 10*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2500*time.Millisecond, cancel)
		began := time.Now()
		if _, err := w.drink(t, ctx, 2); err != nil {
			t.Fatal(err)
		}
		r := w.settled[0]
		if took := time.Since(began); took != 12500*time.Millisecond || !s.cut {
			t.Errorf("cut off after %s (%t), want 10s after the client left", took, s.cut)
		}
		if !r.Usage.Estimated || r.Usage.Of(outcrop.InputTokens) != 77 || r.Usage.Of(outcrop.CacheReadTokens) != 5 || r.Usage.Of(outcrop.OutputTokens) != 2*11 {
			t.Errorf("usage = %+v, want the input that was counted and the output that was seen", r.Usage)
		}
	})
}

func TestAnAnswerNobodyHearsIsBoundedInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chunk := string(make([]byte, 64<<10))
		s := &slow{events: []converse.Event{start, text(chunk)}}
		for range 100 {
			s.events = append(s.events, text(chunk))
		}
		w := slowly(s, time.Hour)
		if _, err := w.drink(t, t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if s.played > maxUnheardBytes/len(chunk)+4 || !w.settled[0].Usage.Estimated {
			t.Errorf("%d events of 64 KiB were listened to; usage %+v", s.played, w.settled[0].Usage)
		}
	})
}

func TestTooManyThatLeftAreCutOffAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{pace: time.Second, events: whole.events}
		w := slowly(s, time.Minute)
		w.Hangup.listening.Store(maxListeningCalls)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel)
		if _, err := w.Gateway.Converse(ctx, call()); err == nil || !s.cut {
			t.Errorf("err %v, cut %t", err, s.cut)
		}
		if n := w.Hangup.Listening(); n != maxListeningCalls {
			t.Errorf("%d listened to afterwards", n)
		}
	})
}

func TestPartsOfTheUsageAreKindsOfTheirOwn(t *testing.T) {
	w := newWorld(whole)
	w.Gateway.Upstreams = telling{w}
	answer, err := w.Gateway.Converse(t.Context(), call())
	if err != nil {
		t.Fatal(err)
	}
	u := w.settled[0].Usage
	if u.Of(outcrop.ReasoningTokens) != 3 || u.Of(outcrop.OutputTokens) != 1 || u.Of(outcrop.OutputImages) != 2 || u.Output() != 4 {
		t.Errorf("usage = %+v", u)
	}
	if answer.Response.Usage.OutputTokens != 4 || answer.Response.Usage.TotalTokens != 7 {
		t.Errorf("the client is told %+v, want what the upstream said", answer.Response.Usage)
	}
}

// telling is an upstream that counts reasoning and pictures.
type telling struct{ *world }

func (u telling) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	a.Told.Parts.Set(outcrop.ReasoningTokens, 3)
	a.Told.Parts.Set(outcrop.OutputImages, 2)
	return u.world.Converse(ctx, a, r)
}
