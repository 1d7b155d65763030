package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A soaking is a long load with clients and upstreams that misbehave. Every
// call of it has begun to be answered, so every call must have its record.
type soaking struct {
	calls, hungUp, slow, broken, failed atomic.Int64
	first                               atomic.Value // the first failure
	levels                              []level
	profiled                            bool // the process writes its heap when told to
}

// A level is what the process held at a time.
type level struct {
	at         time.Duration
	resident   int64
	goroutines int
}

const levelEvery = 5 * time.Second

// soak loads Outcrop with half of what it can take for a while. Profiles of
// its heap go into folder profiles, if one is named.
func (w *world) soak(ctx context.Context, d time.Duration, profiles string) (err error) {
	env, err := heapsInto(profiles, "soak.heap")
	if err != nil {
		return err
	}
	if w.busy, err = w.gateway(ctx, "busy", env...); err != nil {
		return err
	}
	s := &soaking{profiled: profiles != ""}
	main := paths()[0].through(w.busy)
	most, err := closed(ctx, main, connections, 5*time.Second)
	if err != nil {
		return err
	}
	s.calls.Add(most.answers)
	half := int(float64(most.answers) / most.elapsed.Seconds() / 2)
	note("saturated at %.0f/s; %d/s for %s", float64(most.answers)/most.elapsed.Seconds(), half, d)
	if err := s.run(ctx, w.busy, main, half, d); err != nil {
		return err
	}
	if err := waitIdle(ctx, w.busy.PID()); err != nil {
		return err
	}
	records, err := w.count(ctx)
	if err != nil {
		return err
	}
	return s.judge(records)
}

func (s *soaking) run(ctx context.Context, g *gateway, main *target, perSecond int, d time.Duration) error {
	bad, stop := context.WithTimeout(ctx, d)
	defer stop()
	var all sync.WaitGroup
	for _, b := range []struct {
		mark   string
		behave func(*wire, *target) error
	}{{"", s.hangUp}, {"", s.readSlowly}, {resetMark, s.seeReset}} {
		t := streamOf("soak", b.mark).through(g)
		for range 4 {
			all.Go(func() { s.misbehave(bad, t, b.behave) })
		}
	}
	all.Go(func() { s.watch(bad, g) })
	if s.profiled {
		for _, at := range []time.Duration{d / 3, d - d/20} {
			all.Go(func() {
				if pause(bad, at) == nil {
					_ = syscall.Kill(g.PID(), syscall.SIGUSR1) // a process that is gone fails the soak by itself
				}
			})
		}
	}
	const piece = 10 * time.Second // of one signature, which grows old
	var errs []error
	for began := time.Now(); time.Since(began) < d && ctx.Err() == nil; {
		l, err := atRate(ctx, main, connections, perSecond, min(piece, d-time.Since(began)))
		if err != nil {
			errs = append(errs, err)
			break
		}
		s.calls.Add(l.answers)
	}
	stop()
	all.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// misbehave makes one stream after another, on a connection of its own.
func (s *soaking) misbehave(ctx context.Context, t *target, behave func(*wire, *target) error) {
	for ctx.Err() == nil {
		if err := s.oneBad(ctx, t, behave); err != nil {
			s.failed.Add(1)
			s.first.CompareAndSwap(nil, err.Error())
		}
	}
}

func (s *soaking) oneBad(ctx context.Context, t *target, behave func(*wire, *target) error) error {
	request, err := t.bytes(ctx)
	if err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	c, err := dial(t)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.send(request); err != nil {
		return err
	}
	if _, err := c.r.Peek(1); err != nil {
		return fmt.Errorf("a stream did not begin: %w", err)
	}
	s.calls.Add(1)
	return behave(c, t)
}

// hangUp goes away in the middle, without a word.
func (s *soaking) hangUp(c *wire, _ *target) error {
	s.hungUp.Add(1)
	time.Sleep(20 * framePace)
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(0)
	}
	return nil
}

// readSlowly takes far longer than the model needs.
func (s *soaking) readSlowly(c *wire, t *target) error {
	s.slow.Add(1)
	slow := bufio.NewReaderSize(slowly{c.r}, 512)
	answer, err := http.ReadResponse(slow, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(text), t.ending) {
		err = errors.New("a slow reader did not get the end")
	}
	return err
}

type slowly struct{ r io.Reader }

func (s slowly) Read(b []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	return s.r.Read(b[:min(len(b), 512)])
}

// seeReset expects the stream to end in an error that is told.
func (s *soaking) seeReset(c *wire, _ *target) error {
	s.broken.Add(1)
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(text), "Exception") && !strings.Contains(string(text), ":error") {
		err = errors.New("a stream that broke at the upstream ended without an error")
	}
	return err
}

// watch notes what the process holds.
func (s *soaking) watch(ctx context.Context, g *gateway) {
	began := time.Now()
	for ctx.Err() == nil {
		resident, err := residentOf(g.PID())
		if n, err2 := goroutinesOf(ctx, g); errors.Join(err, err2) == nil {
			s.levels = append(s.levels, level{time.Since(began), resident, n})
			note("%s: RSS %s, %d goroutines, %d calls", time.Since(began).Round(time.Second), size64(resident), n, s.calls.Load())
		}
		if pause(ctx, levelEvery) != nil {
			return
		}
	}
}

// goroutinesOf asks the process's own metrics.
func goroutinesOf(ctx context.Context, g *gateway) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.Endpoint+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	text, err := whole(r)
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			return strconv.Atoi(strings.TrimSpace(n))
		}
	}
	return 0, cmp.Or(err, errors.New("the metrics do not tell of goroutines"))
}

// How much higher the last third may stand than the middle one.
const (
	residentSlack  = 1.10
	goroutineSlack = 1.25
)

// judge says how it went, and whether anything grew or was lost.
func (s *soaking) judge(records int64) error {
	calls := s.calls.Load()
	fmt.Printf("calls %d, of them hung up %d, read slowly %d, reset by the upstream %d; failed %d; records %d, lost %d\n",
		calls, s.hungUp.Load(), s.slow.Load(), s.broken.Load(), s.failed.Load(), records, calls-records)
	var errs []error
	if calls != records {
		errs = append(errs, fmt.Errorf("%d calls, %d records", calls, records))
	}
	if s.failed.Load() > 0 {
		errs = append(errs, fmt.Errorf("%d streams failed, the first with: %v", s.failed.Load(), s.first.Load()))
	}
	if n := len(s.levels); n >= 6 {
		middle, last := s.levels[n/3:2*n/3], s.levels[2*n/3:]
		errs = append(errs,
			flat("RSS in MiB", middle, last, residentSlack, func(l level) float64 { return float64(l.resident) / (1 << 20) }),
			flat("goroutines", middle, last, goroutineSlack, func(l level) float64 { return float64(l.goroutines) }))
	}
	return errors.Join(errs...)
}

// flat compares the middle figures of two stretches.
func flat(what string, before, after []level, slack float64, of func(level) float64) error {
	a, b := middle(before, of), middle(after, of)
	fmt.Printf("%s: %.0f in the middle third, %.0f in the last\n", what, a, b)
	if b > a*slack {
		return fmt.Errorf("%s grew from %.0f to %.0f", what, a, b)
	}
	return nil
}

func middle(levels []level, of func(level) float64) float64 {
	var all []float64
	for _, l := range levels {
		all = append(all, of(l))
	}
	slices.Sort(all)
	return all[len(all)/2]
}
