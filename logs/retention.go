package logs

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"
)

// sweepEvery is how often files whose events have all expired are deleted. No
// reader sees an expired event, whether its file is still there or not.
const sweepEvery = time.Hour

// Run deletes what has expired until ctx ends.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.Sweep(); err != nil {
			s.opts.Log.Warn("expired log events were not deleted; it is tried again", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Sweep deletes the files whose events have all expired.
func (s *Store) Sweep() error {
	s.mu.RLock()
	groups := make([]*group, 0, len(s.groups))
	for _, g := range s.groups {
		groups = append(groups, g)
	}
	s.mu.RUnlock()
	var errs []error
	for _, g := range groups {
		errs = append(errs, g.sweep())
	}
	return errors.Join(errs...)
}

func (g *group) sweep() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	cutoff := g.cutoff(g.opts.Now())
	var errs []error
	g.segments = slices.DeleteFunc(g.segments, func(s *segment) bool {
		if len(s.blocks) == 0 || s.last() >= cutoff || s == g.segments[len(g.segments)-1] {
			return false // the last one keeps the count of events
		}
		err := os.Remove(s.name)
		errs = append(errs, err)
		return err == nil
	})
	return errors.Join(errs...)
}
