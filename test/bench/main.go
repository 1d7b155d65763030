// Command bench measures Outcrop beside a bare reverse proxy to the same
// upstream, in one run on one machine: what does it cost to know who calls, to
// speak AWS's wire and to have every answer on disk before its last byte leaves?
//
//	go run ./test/bench [-size short|full] [-case TEXT] [-write] [-profile DIR] [-soak DURATION] [-memory DURATION] [-tail DURATION]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A size is how long to measure.
type size struct {
	rounds      int
	slice, warm time.Duration // of one target in one round
	streams     int           // open at once
	starts      int
	profiled    time.Duration
}

var sizes = map[string]size{
	"short": {rounds: 2, slice: time.Second, warm: 300 * time.Millisecond, streams: 1000, starts: 3, profiled: 3 * time.Second},
	"full":  {rounds: 5, slice: 3 * time.Second, warm: 500 * time.Millisecond, streams: 10_000, starts: 7, profiled: 8 * time.Second},
}

// options are what a caller can turn.
type options struct {
	size, only, profile string
	write               bool
	streams             int
	soak, memory, tail  time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.size, "size", "full", "short (for CI) or full")
	flag.BoolVar(&o.write, "write", false, "write docs/performance.md and its plot")
	flag.StringVar(&o.only, "case", "", "measure only the saturated paths whose name holds `TEXT`, and nothing else")
	flag.StringVar(&o.profile, "profile", "", "write profiles of CPU, allocations and contention of each path into `DIR`, and measure nothing; with -soak or -memory, heaps")
	flag.DurationVar(&o.soak, "soak", 0, "load Outcrop with half of what it can take and with bad clients and upstreams for so long, and measure nothing else")
	flag.DurationVar(&o.memory, "memory", 0, "say what Outcrop holds in memory at the fixed rate for so long, and with idle streams, and measure nothing else")
	flag.DurationVar(&o.tail, "tail", 0, "take the slowest answers at the fixed rate apart for so long, and measure nothing else")
	flag.IntVar(&o.streams, "streams", 0, "open `N` idle streams, in place of the size's own number")
	role := flag.String("role", "", "used by the benchmark itself: mock or proxy")
	to := flag.String("to", "", "used by the benchmark itself: where the proxy passes requests on to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *role, *to, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, role, to string, o options) error {
	switch role {
	case "mock":
		return serveRole(mockUpstream())
	case "proxy":
		proxy, err := bareProxy(to)
		if err != nil {
			return err
		}
		return serveRole(proxy)
	}
	s, ok := sizes[o.size]
	if !ok {
		return fmt.Errorf("-size %q must be short or full", o.size)
	}
	if o.streams > 0 {
		s.streams = o.streams
	}
	w, err := start(ctx)
	if err == nil {
		err = o.do(ctx, w, s)
	}
	return errors.Join(err, w.end())
}

func (o options) do(ctx context.Context, w *world, s size) error {
	switch {
	case o.soak > 0:
		return w.soak(ctx, o.soak, o.profile)
	case o.memory > 0:
		return w.memory(ctx, s, o.memory, o.profile)
	case o.tail > 0:
		return w.tail(ctx, o.tail)
	case o.profile != "":
		return w.profileAll(ctx, s, o)
	}
	r := &report{Machine: thisMachine(), Started: time.Now(), Size: o.size}
	if err := r.measure(ctx, w, s, o); err != nil {
		return err
	}
	fmt.Print(r.text())
	var err error
	if o.write {
		err = r.write("docs")
	}
	return errors.Join(err, r.verdict())
}

// measure does everything in turns, and counts at the end.
func (r *report) measure(ctx context.Context, w *world, s size, o options) (err error) {
	if w.busy, err = w.gateway(ctx, "busy"); err != nil {
		return err
	}
	if err := r.rounds(ctx, s, w.targets(o.only)); err != nil {
		return err
	}
	if o.only == "" {
		if err := r.others(ctx, w, s); err != nil {
			return err
		}
	}
	r.Records, err = w.count(ctx)
	if err != nil {
		return err
	}
	var told counts
	err = getJSON(ctx, w.mock.url()+"/counts", &told)
	r.Upstream = told.Answers
	return err
}

// others measures what is not saturated.
func (r *report) others(ctx context.Context, w *world, s size) (err error) {
	if err := r.singles(ctx, w, s); err != nil {
		return err
	}
	if err := r.paced(ctx, w, s); err != nil {
		return err
	}
	note("open %d streams", s.streams)
	if r.Idle, err = w.openStreams(ctx, w.quiet, s.streams, nil); err != nil {
		return fmt.Errorf("open streams: %w", err)
	}
	note("profile the main path")
	p, err := w.profile(ctx, paths()[0], s.profiled, w.dir)
	if err != nil {
		return err
	}
	r.Costs, r.Profiled = p.costs, p.answers
	return p.lost()
}

// singles measures what needs no comparison.
func (r *report) singles(ctx context.Context, w *world, s size) (err error) {
	if r.Single.Binary, err = sizeOf(w.binary); err != nil {
		return err
	}
	note("start on empty folders")
	if r.Single.Start, err = w.measureStart(ctx, s.starts); err != nil {
		return err
	}
	note("list profiles")
	if r.Single.Page, err = w.measureProfiles(ctx, manyProfiles); err != nil {
		return err
	}
	r.Single.Profiles = manyProfiles
	w.quiet, err = w.gateway(ctx, "quiet")
	return err
}

// rounds measures each target once in each round, and begins each round with
// another, so that what disturbs the machine disturbs all of them.
func (r *report) rounds(ctx context.Context, s size, targets []*target) error {
	for _, t := range targets {
		r.Rows = append(r.Rows, &row{Target: t})
	}
	for round := range s.rounds {
		for i := range targets {
			at := (i + round) % len(targets)
			if err := r.Rows[at].measure(ctx, s, saturate); err != nil {
				return fmt.Errorf("%s: %w", targets[at].Name, err)
			}
			note("round %d of %d: %s", round+1, s.rounds, r.Rows[at].last())
		}
	}
	return nil
}

func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
