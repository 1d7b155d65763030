package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Load that leaves the machine room: the time that is added to the upstream's
// own can be seen.
const (
	ratePerSecond   = 500
	rateConnections = 256 // at most as many requests under way
	pacedStreams    = 8   // connections with streams, one after another
)

func rate(ctx context.Context, t *target, d time.Duration) (*load, error) {
	return atRate(ctx, t, rateConnections, ratePerSecond, d)
}

func streaming(ctx context.Context, t *target, d time.Duration) (*load, error) {
	return closed(ctx, t, pacedStreams, d)
}

// unsaturated are the targets on a path that is measured for its latency: the
// upstream itself is the first.
func (w *world) unsaturated(p *path) []*target {
	list := append([]*target{w.bare(p, "the upstream itself", w.mock)}, w.references(p)...)
	return append(list, p.through(w.quiet))
}

// paced measures the fixed rate and the streams in turns.
func (r *report) paced(ctx context.Context, w *world, s size) error {
	fixed := *paths()[0]
	fixed.Name = fmt.Sprintf("Converse, Bedrock upstream, 1 KB, %d/s", ratePerSecond)
	for _, t := range w.unsaturated(&fixed) {
		r.Rate = append(r.Rate, &row{Target: t})
	}
	for _, t := range w.unsaturated(streamOf(fmt.Sprintf("ConverseStream, frames %s apart", pacedPace), pacedMark)) {
		r.First = append(r.First, &row{Target: t})
	}
	for round := range s.rounds {
		for i := range r.Rate {
			at := (i + round) % len(r.Rate)
			if err := r.Rate[at].measure(ctx, s, rate); err != nil {
				return fmt.Errorf("%s at a fixed rate: %w", r.Rate[at].Target.Name, err)
			}
			note("round %d of %d: %s", round+1, s.rounds, r.Rate[at].last())
		}
	}
	r.Single.AtRate = r.Rate[len(r.Rate)-1].Resident
	for round := range s.rounds {
		for i := range r.First {
			at := (i + round) % len(r.First)
			if err := r.First[at].measure(ctx, s, streaming); err != nil {
				return fmt.Errorf("%s, paced streams: %w", r.First[at].Target.Name, err)
			}
			note("round %d of %d: %s", round+1, s.rounds, r.First[at].last())
		}
	}
	return nil
}

// An added time is what a target puts on top of the upstream's own.
type added struct{ p50, p99 time.Duration }

// addedBy compares rows of one path, whose first is the upstream itself.
func addedBy(rows []*row, name string, of func(*row) *histogram) (a added) {
	for _, r := range rows {
		if strings.HasPrefix(r.Target.Name, name) {
			own, all := of(rows[0]), of(r)
			return added{all.quantile(0.5) - own.quantile(0.5), all.quantile(0.99) - own.quantile(0.99)}
		}
	}
	return a
}

func latencyOf(r *row) *histogram { return &r.sum.latency }
func firstOf(r *row) *histogram   { return &r.sum.first }
