package tether

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

type word string

var errCut = errors.New("cut")

// told counts.
type told int

func (n *told) Ended() { *n++ }

func tied(t *testing.T, parent context.Context) *Tether {
	t.Helper()
	l := new(Tether)
	l.Tie(parent)
	t.Cleanup(func() { l.Cut(nil) })
	return l
}

func TestACutTetherEndsWhatHangsFromIt(t *testing.T) {
	top := tied(t, t.Context())
	below := tied(t, top)
	deep, cancel := context.WithCancel(below)
	defer cancel()
	var n told
	var k Knot
	k.Tie(below, &n)
	select {
	case <-below.Done():
		t.Fatal("ended before anybody cut it")
	default:
	}
	if top.Err() != nil || below.Err() != nil {
		t.Fatalf("errors %v and %v before the end", top.Err(), below.Err())
	}
	top.Cut(errCut)
	<-below.Done()
	<-deep.Done()
	if top.Err() != context.Canceled || below.Err() != context.Canceled || Cause(below) != errCut {
		t.Errorf("top %v, below %v because of %v", top.Err(), below.Err(), Cause(below))
	}
	if n != 1 || k.Untie() {
		t.Errorf("the follower was told %d times", n)
	}
	below.Cut(errors.New("later"))
	if Cause(below) != errCut {
		t.Errorf("a second end counted: %v", Cause(below))
	}
	k.Tie(below, &n)
	if n != 2 {
		t.Error("who comes late is not told at once")
	}
	if late := tied(t, below); late.Err() != context.Canceled || Cause(late) != errCut {
		t.Errorf("tied to what has ended: %v because of %v", late.Err(), Cause(late))
	}
}

func TestAnUntiedFollowerIsNotTold(t *testing.T) {
	top := tied(t, t.Context())
	var n [3]told
	var k [3]Knot
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}} {
		for i := range k {
			k[i].Tie(top, &n[i])
		}
		for _, i := range order {
			if !k[i].Untie() || k[i].Untie() {
				t.Fatalf("order %v: the knot %d does not come off once", order, i)
			}
		}
	}
	k[0].Tie(top, &n[0])
	k[1].Tie(top, &n[1])
	k[1].Untie()
	if top.Cut(errCut); n != [3]told{1, 0, 0} {
		t.Errorf("told %v", n)
	}
}

func TestAContextAboveEndsATether(t *testing.T) {
	parent, cancel := context.WithCancelCause(context.WithValue(t.Context(), word("a"), "b"))
	l := tied(t, parent)
	free := new(Tether)
	free.Over(parent)
	if l.Value(word("a")) != "b" || free.Value(word("a")) != "b" {
		t.Error("its values are lost")
	}
	cancel(errCut)
	<-l.Done()
	if Cause(l) != errCut || Cause(parent) != errCut {
		t.Errorf("ended because of %v", Cause(l))
	}
	if free.Err() != nil || Cause(free) != nil {
		t.Error("what is only over a context ended with it")
	}
	select {
	case <-free.Done():
		t.Error("what is only over a context is done with it")
	default:
	}
	free.Cut(nil)
	if Cause(free) != context.Canceled {
		t.Errorf("cut without a cause: %v", Cause(free))
	}
}

func TestDeadlinesAboveAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		l := tied(t, parent)
		if at, ok := l.Deadline(); !ok || time.Until(at) != time.Second {
			t.Errorf("deadline %v, %v", at, ok)
		}
		<-l.Done()
		if l.Err() != context.DeadlineExceeded {
			t.Errorf("ended by %v", l.Err())
		}
	})
}

func TestNobodyWaitsInAGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		l := tied(t, t.Context())
		ctx, cancel := context.WithTimeout(l, time.Hour)
		defer cancel()
		stop := context.AfterFunc(l, func() {})
		defer stop()
		if now := runtime.NumGoroutine(); now != before || ctx.Err() != nil {
			t.Errorf("%d goroutines, %d before", now, before)
		}
	})
}

func TestEndsMeet(t *testing.T) {
	for range 200 {
		top, below := tied(t, t.Context()), new(Tether)
		below.Tie(top)
		go top.Cut(errCut)
		go below.Cut(nil)
		<-below.Done()
		<-top.Done()
	}
}

func BenchmarkTether(b *testing.B) {
	client, cancel := context.WithCancel(b.Context())
	defer cancel()
	b.Run("tether", func(b *testing.B) {
		b.ReportAllocs()
		var n told
		for b.Loop() {
			var patient, line Tether
			var knot Knot
			patient.Tie(client)
			line.Tie(&patient)
			knot.Tie(&line, &n)
			knot.Untie()
			line.Cut(nil)
			patient.Cut(nil)
		}
	})
	b.Run("context", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			patient, done := context.WithCancelCause(client)
			line, cut := context.WithCancelCause(patient)
			stop := context.AfterFunc(line, func() {})
			stop()
			cut(nil)
			done(nil)
		}
	})
}
