package budget

import (
	"context"
	"fmt"
	"time"

	"outcrop"
)

const (
	countBatchRecords = 2000
	countEvery        = time.Second
	alertEvery        = 30 * time.Second // for what changes with time alone: forecasts, new periods
	complainEvery     = 5 * time.Minute
)

// Run counts what the ledger records and tells who wants to know, until ctx
// ends.
func (b *Budgets) Run(ctx context.Context) {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	var complained, looked time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
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
	seqs := b.begin()
	from := least(seqs)
	for {
		records, err := b.records.After(ctx, from, countBatchRecords)
		if err != nil {
			return moved, fmt.Errorf("read ledger after %d: %w", from, err)
		}
		if len(records) > 0 {
			moved, from = true, records[len(records)-1].Seq
			if err := b.add(ctx, seqs, records); err != nil {
				return moved, err
			}
		}
		if len(records) < countBatchRecords {
			b.finish(seqs)
			return moved, nil
		}
	}
}

// begin notes the budgets there are and how far each has been counted: those
// that are made meanwhile wait for the next time.
func (b *Budgets) begin() map[*state]outcrop.Seq {
	b.mu.Lock()
	defer b.mu.Unlock()
	seqs := make(map[*state]outcrop.Seq, len(b.states))
	for _, s := range b.states {
		seqs[s] = s.seq
	}
	return seqs
}

func least(seqs map[*state]outcrop.Seq) (from outcrop.Seq) {
	first := true
	for _, seq := range seqs {
		if first || seq < from {
			from, first = seq, false
		}
	}
	return from
}

// add counts a batch: on disk first, since memory is made from it.
func (b *Budgets) add(ctx context.Context, seqs map[*state]outcrop.Seq, records []outcrop.UsageRecord) error {
	last := records[len(records)-1].Seq
	sums := make(map[*state]*Counted, len(seqs))
	for s, seq := range seqs {
		if seq < last {
			sums[s] = &Counted{Key: s.def.Load().Key, Seq: last, Hours: map[int64]outcrop.Money{}}
		}
	}
	for i := range records {
		r := &records[i]
		b.candidates(r, func(s *state) {
			sum := sums[s]
			if sum == nil || r.Seq <= seqs[s] {
				return
			}
			if m, falls, _ := s.def.Load().amount(r); falls && !m.IsZero() {
				hour := hourOf(r.Started)
				sum.Hours[hour] = sum.Hours[hour].Add(m)
			}
		})
	}
	if err := b.keep(ctx, sums); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for s, sum := range sums {
		seqs[s], s.seq = last, last
		for hour, m := range sum.Hours {
			s.hours[hour] = s.hours[hour].Add(m)
			if s.period.holds(hour) {
				s.spent = s.spent.Add(m)
			}
		}
	}
	for i := range records {
		b.release(records[i].Invocation)
	}
	return nil
}

func (b *Budgets) keep(ctx context.Context, sums map[*state]*Counted) error {
	list := make([]Counted, 0, len(sums))
	for _, sum := range sums {
		list = append(list, *sum)
	}
	if len(list) == 0 {
		return nil
	}
	if err := b.store.Count(ctx, list); err != nil {
		return fmt.Errorf("keep what was counted: %w", err)
	}
	return nil
}

func (b *Budgets) finish(seqs map[*state]outcrop.Seq) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range seqs {
		s.counted = true
	}
}
