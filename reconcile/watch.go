package reconcile

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// How a Watch works.
const (
	watchEvery  = time.Minute
	watchBack   = 25 * time.Hour   // what every round looks at
	watchWhole  = time.Hour        // how often it looks at everything
	watchWithin = 30 * time.Second // a round that takes longer is given up
)

// A Watch audits all the time, and remembers how it came out. Its methods are
// safe for concurrent use.
type Watch struct {
	Auditor *Auditor
	Log     *slog.Logger

	mu    sync.Mutex
	stats Stats
}

// Stats are what a Watch has found since the start.
type Stats struct {
	Audits  uint64 // that came to a verdict
	Differs uint64 // of them, those in which counts differed
	Failed  uint64 // that came to none
	Last    Report // the newest that came to a verdict; zero before the first
	Problem error  // why there is none, when the newest came to none
}

// Stats returns the counters.
func (w *Watch) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// Health is an error while the newest audit found counts that differ.
func (w *Watch) Health() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stats.Last.Verdict != Differs {
		return nil
	}
	return fmt.Errorf("the usage audit of %s found counts that differ: %s (outcrop audit tells more)", w.stats.Last.At.Format(time.RFC3339), w.stats.Last.said())
}

// said is a report in a line.
func (r *Report) said() string {
	parts := make([]string, len(r.Counts))
	for i, c := range r.Counts {
		parts[i] = fmt.Sprintf("%s %d", c.Name, c.N)
		if c.Error != "" {
			parts[i] = c.Name + " unknown"
		}
	}
	return strings.Join(parts, ", ")
}

// Run audits every minute until ctx ends: the last day, and everything once an
// hour.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var whole time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			from := now.Add(-watchBack)
			if now.Sub(whole) >= watchWhole {
				from, whole = now.Add(-Horizon), now
			}
			w.Check(ctx, from, now.Add(time.Hour))
		}
	}
}

// Check audits once.
func (w *Watch) Check(ctx context.Context, from, to time.Time) {
	ctx, cancel := context.WithTimeout(ctx, watchWithin)
	defer cancel()
	r, err := w.Auditor.Audit(ctx, from, to)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.stats.Failed++
		w.stats.Problem = err
		return
	}
	was := w.stats.Last.Verdict
	w.stats.Audits++
	w.stats.Last, w.stats.Problem = r, nil
	switch {
	case r.Verdict == Differs:
		w.stats.Differs++
		if was != Differs {
			w.Log.Error("usage audit: counts that must be equal differ", "counts", r.said(), "from", r.From, "to", r.To)
		}
	case was == Differs:
		w.Log.Info("usage audit: counts are equal again", "counts", r.said())
	}
}
