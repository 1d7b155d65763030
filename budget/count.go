package budget

import (
	"context"
	"fmt"
	"time"

	"outcrop"
)

const (
	countBatchRecords = 2000
	countKeepRecords  = 64_000 // added up in memory before they are written
	countEvery        = time.Second
	alertEvery        = 30 * time.Second // for what changes with time alone: forecasts, new periods
	complainEvery     = 5 * time.Minute
)

// Run counts what the ledger records and tells who wants to know, until ctx
// ends: every second, and whenever filled says that much has come.
func (b *Budgets) Run(ctx context.Context, filled func() <-chan struct{}) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	var complained, looked time.Time
	for much := filled(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-much:
		}
		much = filled() // what comes during the count counts for the next
		if !b.any() {
			continue
		}
		moved, err := b.count(ctx)
		now := b.options.Now()
		if err != nil && ctx.Err() == nil && now.Sub(complained) >= complainEvery {
			complained = now
			b.options.Log.Error("budgets: counting failed, will try again", "err", err)
		}
		if moved || now.Sub(looked) >= alertEvery {
			looked = now
			b.look(ctx)
		}
	}
}

func (b *Budgets) any() bool { return len(*b.index.Load()) > 0 }

// CatchUp counts everything that was settled before the call.
func (b *Budgets) CatchUp(ctx context.Context) error {
	if !b.any() {
		return nil
	}
	if err := b.records.Sync(ctx); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	if _, err := b.count(ctx); err != nil {
		return err
	}
	b.look(ctx)
	return nil
}

// count reads the ledger from where the budget is that was counted least, to
// its end. moved says that there was something.
func (b *Budgets) count(ctx context.Context) (moved bool, err error) {
	select {
	case b.counting <- struct{}{}:
		defer func() { <-b.counting }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	t := b.begin()
	from := t.least()
	for {
		records, err := b.records.After(ctx, from, countBatchRecords)
		if err != nil {
			return moved, fmt.Errorf("read ledger after %d: %w", from, err)
		}
		if len(records) > 0 {
			moved, from = true, records[len(records)-1].Seq
			t.add(records)
		}
		end := len(records) == 0
		if end || t.unkept >= countKeepRecords {
			if err := b.keep(ctx, t); err != nil {
				return moved, err
			}
		}
		if end {
			b.finish(t)
			return moved, nil
		}
	}
}

// begin notes the budgets there are and how far each has been counted: those
// that are made meanwhile wait for the next time.
func (b *Budgets) begin() *tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &tally{budgets: b, sums: make(map[*state]*sum, len(b.states)), shapes: map[traits][]*shape{}}
	for _, s := range b.states {
		t.sums[s] = &sum{state: s, after: s.seq, hours: map[int64]outcrop.Money{}}
	}
	return t
}

// keep makes a tally count: on disk first, since memory is made from it.
func (b *Budgets) keep(ctx context.Context, t *tally) error {
	if t.unkept == 0 {
		return nil
	}
	if err := b.store.Count(ctx, t.counted()); err != nil {
		return fmt.Errorf("keep what was counted: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, sum := range t.sums {
		sum.state.add(sum.hours)
		sum.state.seq = max(sum.state.seq, t.last)
		clear(sum.hours)
		sum.after = sum.state.seq
	}
	for _, id := range t.read {
		b.release(id)
	}
	t.unkept, t.read = 0, t.read[:0]
	return nil
}

// add counts what hours came to. It is called with mu held.
func (s *state) add(hours map[int64]outcrop.Money) {
	for hour, m := range hours {
		s.hours[hour] = s.hours[hour].Add(m)
		if s.period.holds(hour) {
			s.spent = s.spent.Add(m)
		}
	}
}

func (b *Budgets) finish(t *tally) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range t.sums {
		s.counted = true
	}
}
