// Command bench measures Outcrop beside a bare reverse proxy to the same
// upstream, in one run on one machine: what does it cost to know who calls, to
// speak AWS's wire and to have every answer on disk before its last byte leaves?
//
//	go run ./test/bench [-size short|full] [-case TEXT] [-write] [-cpuprofile FILE]
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
}

var sizes = map[string]size{
	"short": {rounds: 2, slice: 1200 * time.Millisecond, warm: 300 * time.Millisecond},
	"full":  {rounds: 5, slice: 4 * time.Second, warm: 500 * time.Millisecond},
}

// Connections of the load generator, each with one request at a time.
const connections = 32

func main() {
	name := flag.String("size", "full", "short (for CI) or full")
	write := flag.Bool("write", false, "write docs/performance.md")
	only := flag.String("case", "", "measure only cases whose name holds `TEXT`, such as stream")
	cpuprofile := flag.String("cpuprofile", "", "write a CPU profile of Outcrop, in front of the upstream, to `FILE`")
	role := flag.String("role", "", "used by the benchmark itself: mock or proxy")
	to := flag.String("to", "", "used by the benchmark itself: where the proxy passes requests on to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *role, *to, *name, options{*only, *cpuprofile, *write}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are what a caller can turn beside the size.
type options struct {
	only, cpuprofile string
	write            bool
}

func run(ctx context.Context, role, to, name string, o options) error {
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
	s, ok := sizes[name]
	if !ok {
		return fmt.Errorf("-size %q must be short or full", name)
	}
	report, err := measure(ctx, s, o)
	if err != nil {
		return err
	}
	report.Size = name
	fmt.Print(report.text())
	if o.write {
		err = os.WriteFile("docs/performance.md", []byte(report.markdown()), 0o644)
	}
	return errors.Join(err, report.verdict())
}

// measure starts every process, measures in turns, ends them and counts.
func measure(ctx context.Context, s size, o options) (*report, error) {
	r := &report{Machine: thisMachine(), Started: time.Now()}
	world, err := start(ctx, o.cpuprofile)
	if err != nil {
		return nil, errors.Join(err, world.end())
	}
	err = r.rounds(ctx, s, world.targets(o.only))
	if err == nil {
		err = world.count(ctx, r)
	}
	return r, errors.Join(err, world.end())
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
			if err := r.Rows[at].measure(ctx, s); err != nil {
				return fmt.Errorf("%s: %w", targets[at].Name, err)
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, s.rounds, r.Rows[at].last())
		}
	}
	return nil
}
