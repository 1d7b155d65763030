package gateway

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
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

	forwards []outcrop.Region // where forms are taken as they are
	lent     int              // answers whose memory is out
	mad      bool
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

func (p *paced) Forwards(a outcrop.Attempt, _ *Form) bool {
	return slices.Contains(p.forwards, a.Destination.Region)
}

func (p *paced) Forward(ctx context.Context, a outcrop.Attempt, f *Form) (*Forwarded, error) {
	if err := p.begin(ctx, a); err != nil {
		return nil, err
	}
	p.lend(1)
	f.Room = Forwarded{Body: []byte(a.Destination.Region), Seen: converse.Glimpse{StopReason: "end_turn", Usage: &converse.TokenUsage{InputTokens: 3, OutputTokens: 4}}, Lent: returning(func() { p.lend(-1) })}
	return &f.Room, nil
}

func (p *paced) lend(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent += n
}

type returning func()

func (r returning) Return() { r() }

func (p *paced) ForwardStream(ctx context.Context, a outcrop.Attempt, f *Form) iter.Seq2[*Piece, error] {
	return func(yield func(*Piece, error) bool) {
		if err := p.begin(ctx, a); err != nil {
			yield(nil, err)
			return
		}
		pieces := []Piece{
			{Frame: []byte(a.Destination.Region), Seen: converse.Glimpse{Output: 4}}, {Frame: []byte("more"), Seen: converse.Glimpse{StopReason: "end_turn"}},
			{Frame: []byte("."), Seen: converse.Glimpse{Usage: &converse.TokenUsage{InputTokens: 3, OutputTokens: 4}}, Last: true},
		}
		for _, piece := range pieces {
			if f.Flush != nil { // whoever is about to wait flushes
				f.Flush()
			}
			if !yield(&piece, nil) {
				return
			}
		}
	}
}

// ask makes a call whose form may go as it is, and returns what of the answer
// came as it came.
func (p *paced) ask(t interface{ Fatal(...any) }, ctx context.Context, streaming bool, leaves int) (heard string, err error) {
	c := formed()
	if !streaming {
		c.Operation = outcrop.OpConverse
		a, err := p.Gateway.Converse(ctx, c)
		if err != nil || a.Forwarded == nil {
			return "", err
		}
		defer a.Forwarded.Lent.Return()
		return string(a.Forwarded.Body), nil
	}
	c.Form.Pass = func(piece *Piece) error {
		heard += string(piece.Frame)
		if leaves--; leaves == 0 {
			return errors.New("gone")
		}
		return nil
	}
	c.Form.Flush = func() error {
		t.Fatal("an attempt flushed what it may not have passed")
		return nil
	}
	stream, err := p.Gateway.ConverseStream(ctx, c)
	if err != nil {
		return "", err
	}
	for _, err := range stream.Events {
		if err != nil {
			return heard, err
		}
	}
	return heard, nil
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

// Whether the one that is slow takes the form as it is, or the other, or both,
// or neither: the first to begin answers.
func TestASlowForwardIsHedged(t *testing.T) {
	for i, forwards := range [][]outcrop.Region{{}, {"us-east-1"}, {"us-west-2"}, {"us-east-1", "us-west-2"}} {
		for _, streaming := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				w, p := hedging(time.Minute, time.Second)
				p.forwards = forwards
				began := time.Now()
				heard, err := p.ask(t, t.Context(), streaming, 0)
				want := ""
				if slices.Contains(forwards, "us-west-2") {
					want = "us-west-2"
					if streaming {
						want += "more."
					}
				}
				if err != nil || heard != want || time.Since(began) != 2*time.Second {
					t.Fatalf("%d: heard %q, %v after %s, want %q after 2s", i, heard, err, time.Since(began), want)
				}
				if p.ends != 1 || p.lent != 0 || len(w.reports) != 2 || len(w.settled) != 2 {
					t.Fatalf("%d: %d ended, %d lent, %d reported, %d records", i, p.ends, p.lent, len(w.reports), len(w.settled))
				}
				if won := w.settled[1]; won.ServedIn != "us-west-2" || won.Attempts != 2 || won.Outcome.Status != 200 || won.Usage.Of(outcrop.OutputTokens) != 4 {
					t.Errorf("%d: the answer's record: %+v", i, won)
				}
			})
		}
	}
}

// A body that nobody could read is hedged by those alone who take it as it is.
func TestAHedgeNeedsAnUpstreamThatTakesTheBody(t *testing.T) {
	for _, both := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w, p := hedging(5*time.Second, 0)
			p.forwards = []outcrop.Region{"us-east-1"}
			if both {
				p.forwards = append(p.forwards, "us-west-2")
			}
			c := formed()
			c.Operation = outcrop.OpConverse
			c.Request = func(*outcrop.Target) (*converse.Request, error) {
				return nil, outcrop.Errorf(outcrop.Invalid, "unheard of")
			}
			c.Form.Protocol = InvokeProtocol
			a, err := p.Gateway.Converse(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]string{true: "us-west-2", false: "us-east-1"}[both]; string(a.Forwarded.Body) != want || len(w.attempts) != 0 {
				t.Errorf("answered by %s, %d attempts to read it; want %s and none", a.Forwarded.Body, len(w.attempts), want)
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
		forwards := rapid.SliceOfDistinct(rapid.SampledFrom([]outcrop.Region{"us-east-1", "us-west-2"}), rapid.ID).Draw(rt, "forwards in")
		formed, streaming := rapid.Bool().Draw(rt, "as it came"), rapid.Bool().Draw(rt, "streaming")
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
			p.forwards = forwards
			var err error
			if formed {
				_, err = p.ask(rt, t.Context(), streaming, leaves)
			} else {
				_, err = w.drink(rt, t.Context(), leaves)
			}
			if failed := failsEast && failsWest; (err != nil) != failed {
				rt.Fatalf("err = %v, want failure %v", err, failed)
			}
			answers := 0
			for _, r := range w.settled {
				if r.Invocation == call().Invocation {
					answers++
				}
			}
			if answers != 1 || len(w.reports) != w.started || len(w.attempts) > 2 || w.started > 2 || p.lent != 0 {
				rt.Fatalf("%d records of the call, %d attempts, %d started, %d reported", answers, len(w.attempts), w.started, len(w.reports))
			}
		})
	})
}
