package gateway

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/mishap"

	"pgregory.net/rapid"
)

// paced is an upstream whose attempts take their time, by Region, and may fail
// then.
type paced struct {
	*world
	wait map[outcrop.Region]time.Duration
	fail map[outcrop.Region]error
	ends int // attempts that were told to stop
	mad  bool
}

func (p *paced) begin(ctx context.Context, a outcrop.Attempt) error {
	select {
	case <-time.After(p.wait[a.Destination.Region]):
		if p.mad && a.Destination.Region == "us-east-1" {
			panic("mad upstream")
		}
		return p.fail[a.Destination.Region]
	case <-ctx.Done():
		p.mu.Lock()
		p.ends++
		p.mu.Unlock()
		return outcrop.Errorf(outcrop.ModelTimeout, "The request ended before the model answered.").Because(ctx.Err())
	}
}

func (p *paced) ConverseStream(ctx context.Context, a outcrop.Attempt, r *converse.Request) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		if err := p.begin(ctx, a); err != nil {
			yield(converse.Event{}, err)
			return
		}
		p.world.ConverseStream(ctx, a, r)(yield)
	}
}

func (p *paced) Converse(ctx context.Context, a outcrop.Attempt, r *converse.Request) (*converse.Response, error) {
	return converse.Collect(p.ConverseStream(ctx, a, r))
}

func hedging(east, west time.Duration) (*world, *paced) {
	w := newWorld(whole)
	p := &paced{world: w, wait: map[outcrop.Region]time.Duration{"us-east-1": east, "us-west-2": west}, fail: map[outcrop.Region]error{}}
	w.Upstreams = p
	w.Now = time.Now // synctest's, which attempts may ask beside each other
	w.Deadlines.Hedge = time.Second
	made := 0
	w.NewInvocation = func() outcrop.InvocationID {
		w.mu.Lock()
		defer w.mu.Unlock()
		made++
		return outcrop.InvocationID(fmt.Sprint("hedge-", made))
	}
	return w, p
}

// What an upstream panics with is one call's, whichever of the two attempts it
// was, and is recorded once. Nobody else's call ends with it.
func TestAPanicOfAnAttemptIsItsCallsAlone(t *testing.T) {
	for _, test := range []struct {
		bad, good time.Duration
	}{{time.Second / 2, time.Minute}, {3 * time.Second, 10 * time.Second}, {10 * time.Second, 3 * time.Second}} {
		for _, streaming := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				w, p := hedging(test.bad, test.good)
				p.mad = true
				err := mishap.Caught(func() error {
					if streaming {
						_, err := w.drink(t, t.Context(), -1)
						return err
					}
					_, err := w.Gateway.Converse(t.Context(), call())
					return err
				})
				if hurt := strings.Contains(fmt.Sprint(err), "mad upstream"); hurt != (test.bad < test.good) {
					t.Errorf("bad in %s, good in %s, streaming %t: %v", test.bad, test.good, streaming, err)
				}
				if len(w.settled) == 0 {
					t.Error("the call has no record")
				}
			})
		}
	}
}

func TestASlowAttemptIsHedged(t *testing.T) {
	for _, streaming := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w, p := hedging(time.Minute, time.Second)
			began := time.Now()
			var err error
			if streaming {
				_, err = w.drink(t, t.Context(), -1)
			} else {
				_, err = w.Gateway.Converse(t.Context(), call())
			}
			if err != nil || time.Since(began) != 2*time.Second {
				t.Fatalf("%v after %s, want an answer after 2s", err, time.Since(began))
			}
			if p.ends != 1 || w.started != 2 || len(w.reports) != 2 {
				t.Errorf("%d ended, %d started, %d reported; want 1, 2 and 2", p.ends, w.started, len(w.reports))
			}
			if len(w.settled) != 2 {
				t.Fatalf("%d records, want the answer and the attempt that lost", len(w.settled))
			}
			lost, won := w.settled[0], w.settled[1]
			if won.ServedIn != "us-west-2" || won.Attempts != 2 || won.Outcome.Status != 200 || won.Usage.Estimated {
				t.Errorf("the answer's record: %+v", won)
			}
			if lost.ServedIn != "us-east-1" || !lost.Outcome.HungUp || lost.Usage.Of(outcrop.OutputTokens) != 0 || lost.Usage.Of(outcrop.InputTokens) == 0 ||
				!lost.Usage.Estimated || lost.RequestMetadata[HedgeKey] != string(won.Invocation) || lost.Invocation == won.Invocation {
				t.Errorf("the lost attempt's record: %+v", lost)
			}
		})
	}
}

func TestAQuickAttemptIsNotHedged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := hedging(time.Second/2, 0)
		if _, err := w.drink(t, t.Context(), -1); err != nil || w.started != 1 || len(w.settled) != 1 {
			t.Errorf("%v, %d attempts, %d records; want one of each", err, w.started, len(w.settled))
		}
	})
}

func TestAHedgeAsksTheRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := hedging(5*time.Second, 0)
		w.hold = func(_ *outcrop.Attempt, retry bool) bool { return retry }
		if _, err := w.drink(t, t.Context(), -1); err != nil || w.started != 1 || w.settled[0].ServedIn != "us-east-1" {
			t.Errorf("%v, %d attempts, served in %s; want the first alone", err, w.started, w.settled[0].ServedIn)
		}
	})
}

// Property: whichever attempt is slower or fails, exactly one answer reaches
// the client, every attempt that started is reported once, and no goroutine is
// left (synctest sees to that).
func TestHedgingProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seconds := rapid.IntRange(0, 4)
		east, west := time.Duration(seconds.Draw(rt, "east"))*time.Second+1, time.Duration(seconds.Draw(rt, "west"))*time.Second
		failsEast, failsWest := rapid.Bool().Draw(rt, "east fails"), rapid.Bool().Draw(rt, "west fails")
		leaves := rapid.IntRange(-1, 3).Draw(rt, "client leaves after")
		synctest.Test(t, func(t *testing.T) {
			w, p := hedging(east, west)
			if failsEast {
				p.fail["us-east-1"] = outcrop.Errorf(outcrop.Unavailable, "down")
			}
			if failsWest {
				p.fail["us-west-2"] = outcrop.Errorf(outcrop.Unavailable, "down")
			}
			if leaves == 0 {
				leaves = -1
			}
			_, err := w.drink(rt, t.Context(), leaves)
			if failed := failsEast && failsWest; (err != nil) != failed {
				rt.Fatalf("err = %v, want failure %v", err, failed)
			}
			answers := 0
			for _, r := range w.settled {
				if r.Invocation == call().Invocation {
					answers++
				}
			}
			if answers != 1 || len(w.reports) != w.started || len(w.attempts) > 2 || w.started > 2 {
				rt.Fatalf("%d records of the call, %d attempts, %d started, %d reported", answers, len(w.attempts), w.started, len(w.reports))
			}
		})
	})
}
