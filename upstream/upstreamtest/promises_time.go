package upstreamtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"outcrop"
	"outcrop/converse"
)

// soon is how long an upstream may take to stop; generous, because it is only
// reached when a promise is broken.
const soon = 5 * time.Second

// quiet runs f and then looks for goroutines that it has left behind.
func quiet(t *testing.T, u Upstream, f func()) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	f()
	if c, ok := u.(io.Closer); ok {
		c.Close()
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// within fails when f takes longer than soon.
func within(t *testing.T, f func()) {
	t.Helper()
	began := time.Now()
	if f(); time.Since(began) > soon {
		t.Errorf("took %s, want less than %s", time.Since(began), soon)
	}
}

func ended(t *testing.T, u Upstream) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := u.Converse(ctx, Attempt, Ask("Hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("Converse: %v, want context.Canceled", err)
	}
	events, err := Events(u.ConverseStream(ctx, Attempt, Ask("Hello")))
	if len(events) > 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("ConverseStream: %d events and %v, want none and context.Canceled", len(events), err)
	}
	if _, err := u.CountTokens(ctx, Attempt, Ask("Hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("CountTokens: %v, want context.Canceled", err)
	}
}

const slowScript = "tokens=4000, pace=20ms" // minutes, unless stopped

func cancelled(t *testing.T, u Upstream) {
	quiet(t, u, func() {
		within(t, func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			failures := 0
			for e, err := range u.ConverseStream(ctx, Attempt, Play(slowScript, "Hello")) {
				if err != nil {
					last = err
					failures++
				}
				if e.ContentBlockDelta != nil {
					cancel()
				}
			}
			if !errors.Is(last, context.Canceled) || failures != 1 {
				t.Errorf("ended with %d errors, the last %v; want one context.Canceled", failures, last)
			}
		})
	})
}

func wholeCancelled(t *testing.T, u Upstream) {
	quiet(t, u, func() {
		within(t, func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if _, err := u.Converse(ctx, Attempt, Play("slow=1m", "Hello")); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Converse: %v, want context.DeadlineExceeded", err)
			}
		})
	})
}

func brokenOff(t *testing.T, u Upstream) {
	for _, after := range []int{1, 2, 5} {
		within(t, func() {
			n := 0
			for _, err := range u.ConverseStream(t.Context(), Attempt, Play(slowScript, "Hello")) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == after {
					break
				}
			}
		})
	}
	quiet(t, u, func() {
		for range u.ConverseStream(t.Context(), Attempt, Play(slowScript, "Hello")) {
			break
		}
	})
}

func refusals(t *testing.T, u Upstream) {
	for _, c := range []struct {
		script string
		kind   outcrop.Kind
		status int
	}{
		{"throttle=3s", outcrop.Throttled, 0}, {"error", outcrop.Unavailable, 0}, {"status=503", outcrop.Unavailable, 0},
		{"status=408", outcrop.ModelTimeout, 0}, {"status=400", outcrop.Invalid, 0}, {"status=500", outcrop.ModelFailed, 500},
	} {
		_, err := u.Converse(t.Context(), Attempt, Play(c.script, "Hello"))
		checkKind(t, "Converse "+c.script, err, c.kind, c.status)
		_, err = Events(u.ConverseStream(t.Context(), Attempt, Play(c.script, "Hello")))
		checkKind(t, "ConverseStream "+c.script, err, c.kind, c.status)
	}
}

func checkKind(t *testing.T, what string, err error, kind outcrop.Kind, status int) {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Status != status {
		t.Errorf("%s: %#v, want kind %d with status %d", what, err, kind, status)
		return
	}
	if kind == outcrop.Throttled && e.RetryAfter != 3*time.Second {
		t.Errorf("%s: retry after %s, want 3s", what, e.RetryAfter)
	}
}

func refusedStream(t *testing.T, u Upstream) {
	seen := 0
	for e, err := range u.ConverseStream(t.Context(), Attempt, Play("throttle=3s", "Hello")) {
		if seen++; err == nil {
			t.Errorf("event %+v before the refusal", e)
		}
	}
	if seen != 1 {
		t.Errorf("%d things came, want one error", seen)
	}
}

func cut(t *testing.T, u Upstream) {
	quiet(t, u, func() {
		events, err := Events(u.ConverseStream(t.Context(), Attempt, Play("tokens=200, cut=6", "Hello")))
		if outcrop.KindOf(err) != outcrop.StreamFailed || len(events) == 0 || events[len(events)-1].Metadata != nil {
			t.Errorf("%d events, then %v; want some, then StreamFailed", len(events), err)
		}
		if _, err := u.Converse(t.Context(), Attempt, Play("cut=6", "Hello")); outcrop.KindOf(err) != outcrop.ModelFailed {
			t.Errorf("Converse: %v, want ModelFailed", err)
		}
	})
}

func concurrent(t *testing.T, u Upstream) {
	const callers, calls = 16, 8
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for j := range calls {
				word := fmt.Sprintf("word%dx%d", i, j)
				if err := heard(t.Context(), u, word, j%2 == 0); err != nil {
					t.Errorf("%s: %v", word, err)
				}
			}
		})
	}
	wg.Wait()
}

// heard asks with a word of its own, and looks for it in the answer.
func heard(ctx context.Context, u Upstream, word string, streaming bool) error {
	var response *converse.Response
	var err error
	if streaming {
		var events []converse.Event
		if events, err = Events(u.ConverseStream(ctx, Attempt, Ask(word))); err == nil {
			response, err = Collect(events)
		}
	} else {
		response, err = u.Converse(ctx, Attempt, Ask(word))
	}
	if err == nil && !strings.Contains(Text(response), word) {
		err = fmt.Errorf("answer %q", Text(response))
	}
	return err
}
