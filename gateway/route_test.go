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

func TestTheRouterHearsOfEveryAttempt(t *testing.T) {
	w := newWorld(throttle, whole)
	if _, err := w.drink(t, t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	if w.started != 2 || len(w.reports) != 2 || w.heard != 1 {
		t.Fatalf("started %d, reports %d, heard %d; want 2, 2 and 1", w.started, len(w.reports), w.heard)
	}
	if first, second := w.reports[0], w.reports[1]; outcrop.KindOf(first.Err) != outcrop.Throttled || first.FirstByte != 0 ||
		second.Err != nil || second.FirstByte <= 0 || second.Took < second.FirstByte || !second.Streaming {
		t.Errorf("reports = %+v", w.reports)
	}
}

func TestAHangUpTellsNothingOfTheUpstream(t *testing.T) {
	w := newWorld(whole)
	w.drink(t, t.Context(), 2)
	if len(w.reports) != 1 || !w.reports[0].Gone {
		t.Errorf("reports = %+v, want one of a client that left", w.reports)
	}
}

func TestWhatTheRouterHoldsBackIsLeftOut(t *testing.T) {
	w := newWorld(whole)
	w.hold = func(a *outcrop.Attempt, _ bool) bool { return a.Destination.Region == "us-east-1" }
	if _, err := w.drink(t, t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	if r := w.settled[0]; r.ServedIn != "us-west-2" || r.Attempts != 1 {
		t.Errorf("served in %s at attempt %d, want us-west-2 at the first", r.ServedIn, r.Attempts)
	}

	w = newWorld(whole)
	w.hold = func(*outcrop.Attempt, bool) bool { return true }
	if _, err := w.drink(t, t.Context(), -1); err != nil || w.started != 1 || len(w.reports) != 1 {
		t.Errorf("all held back: %v after %d attempts, want the first to be made", err, w.started)
	}
}

func TestWithoutARetryTheFirstErrorStands(t *testing.T) {
	w := newWorld(throttle, whole)
	w.hold = func(_ *outcrop.Attempt, retry bool) bool { return retry }
	if _, err := w.drink(t, t.Context(), -1); outcrop.KindOf(err) != outcrop.Throttled || w.started != 1 {
		t.Errorf("err = %v after %d attempts, want the throttle of the first", err, w.started)
	}
}

// deaf is an upstream whose first attempts never begin to answer.
type deaf struct {
	*world
	attempts int
}

func (d *deaf) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	if a.Number > d.attempts {
		return d.world.ConverseStream(ctx, a, r)
	}
	return func(yield func(converse.Event, error) bool) {
		<-ctx.Done()
		yield(converse.Event{}, outcrop.Errorf(outcrop.ModelTimeout, "too slow").Because(ctx.Err()))
	}
}

func TestAnAttemptThatDoesNotBeginIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(whole)
		w.Upstreams = &deaf{w, 1}
		w.Deadlines.FirstByte = 3 * time.Second
		began := time.Now()
		if _, err := w.drink(t, t.Context(), -1); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 3*time.Second || w.settled[0].ServedIn != "us-west-2" {
			t.Errorf("served in %s after %s", w.settled[0].ServedIn, took)
		}
		if outcrop.KindOf(w.reports[0].Err) != outcrop.ModelTimeout || w.reports[0].Gone {
			t.Errorf("report = %+v, want a timeout of the upstream", w.reports[0])
		}
	})
}

func TestACallHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(whole)
		w.Upstreams = &deaf{w, 9}
		w.Deadlines.Call = 5 * time.Second
		began := time.Now()
		_, err := w.drink(t, t.Context(), -1)
		if outcrop.KindOf(err) != outcrop.ModelTimeout || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %s, want ModelTimeout after 5s", err, time.Since(began))
		}
		if r := w.settled[0]; r.Outcome.HungUp || r.Outcome.Status != 408 || r.Attempts != 1 {
			t.Errorf("record = %+v, want one attempt that timed out", r)
		}
		if errors.Is(t.Context().Err(), context.Canceled) {
			t.Error("the client's own context ended")
		}
	})
}
