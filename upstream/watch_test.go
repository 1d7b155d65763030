package upstream

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// fresh keeps alarms of one test from another: timers of a bubble stay in it.
func fresh(t *testing.T, f func(t *testing.T)) {
	alarms = sync.Pool{}
	synctest.Test(t, f)
	alarms = sync.Pool{}
}

func newWatch(parent context.Context, limit time.Duration) *Watch {
	w := new(Watch)
	w.start(parent, limit)
	return w
}

// Property: however a watch is wound, it ends when the time of the last winding
// is up, to the nanosecond, and not before.
func TestAWatchEndsWhenItsTimeIsUp(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.Map(rapid.IntRange(1, 100), func(n int) time.Duration { return time.Duration(n) * time.Second })
		pause := rapid.Map(rapid.IntRange(0, 99), func(n int) time.Duration { return time.Duration(n) * time.Second })
		first, steps := limit.Draw(r, "first"), rapid.SliceOfN(rapid.Custom(func(r *rapid.T) [2]time.Duration {
			return [2]time.Duration{pause.Draw(r, "pause"), limit.Draw(r, "limit")}
		}), 0, 10).Draw(r, "windings")
		fresh(t, func(t *testing.T) {
			w := newWatch(t.Context(), first)
			defer w.stop()
			began := time.Now()
			end := began.Add(first)
			for _, step := range steps {
				time.Sleep(step[0])
				synctest.Wait()
				if !time.Now().Before(end) {
					break
				}
				if err := w.Gone(); err != nil {
					r.Fatalf("%s too early: %v", time.Until(end), err)
				}
				if ran := w.Wind(step[1]); ran != time.Since(began) {
					r.Fatalf("ran for %s, not %s", ran, time.Since(began))
				}
				end = time.Now().Add(step[1])
			}
			time.Sleep(time.Until(end) - time.Nanosecond)
			synctest.Wait()
			if err := w.Gone(); err != nil && time.Now().Before(end) {
				r.Fatalf("too early: %v", err)
			}
			time.Sleep(1 * time.Nanosecond)
			synctest.Wait()
			if w.Gone() == nil {
				r.Fatal("it did not end")
			}
		})
	})
}

// A watch that was stopped ends nothing, and neither does its alarm under
// another watch before that one's time.
func TestAnAlarmIsUsedAgain(t *testing.T) {
	fresh(t, func(t *testing.T) {
		for i := range 100 {
			w := newWatch(context.Background(), time.Duration(100-i)*time.Second)
			w.Wind(time.Duration(i+1) * time.Second)
			time.Sleep(time.Duration(i) * time.Second)
			synctest.Wait()
			if err := w.Gone(); err != nil {
				t.Fatal(err)
			}
			if !w.stop() {
				t.Fatal("it is not alone")
			}
		}
		w := newWatch(context.Background(), time.Second)
		time.Sleep(time.Second)
		synctest.Wait()
		if w.Gone() == nil || w.stop() {
			t.Error("it did not end, or says it is alone")
		}
	})
}

// The race detector sees to it that windings and rings may meet.
func TestWindingsMeetRings(t *testing.T) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				w := newWatch(context.Background(), time.Millisecond)
				for end := time.Now().Add(3 * time.Millisecond); time.Now().Before(end); {
					w.Wind(100 * time.Microsecond)
				}
				for end := time.Now().Add(10 * time.Second); w.Gone() == nil; time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Error("it did not end")
						break
					}
				}
				w.stop()
			}
		})
	}
	all.Wait()
}

func BenchmarkWind(b *testing.B) {
	w := newWatch(context.Background(), time.Minute)
	defer w.stop()
	for b.Loop() {
		w.Wind(time.Minute)
	}
}
