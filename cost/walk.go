package cost

import (
	"context"
	"fmt"
	"iter"
	"sort"
	"time"

	"outcrop"
)

// A sum is what an entry came to over periods[period].
type sum struct {
	period int
	*entry
	Amount
}

// walk adds up an account's lines over periods as a version of its history
// shows them, from everything settled until now. Periods are in order and do
// not overlap. A line may come more than once in a period.
func (c *Costs) walk(ctx context.Context, account outcrop.AccountID, v history, periods []Period) iter.Seq2[sum, error] {
	return func(yield func(sum, error) bool) {
		for first := 0; first < len(periods); {
			end := first + 1
			for end < len(periods) && periods[end].wholeDays() == periods[first].wholeDays() {
				end++
			}
			run := c.walkHours
			if periods[first].wholeDays() {
				run = c.walkDays
			}
			if !run(ctx, account, v, periods[first:end], func(s sum, err error) bool {
				s.period += first
				return yield(s, err)
			}) {
				return
			}
			first = end
		}
	}
}

// walkDays answers from the cube. The pages are taken at one moment and read
// without holding anything up.
func (c *Costs) walkDays(ctx context.Context, account outcrop.AccountID, v history, periods []Period, yield func(sum, error) bool) (more bool) {
	taken, err := c.take(ctx, account, v, periods)
	if err != nil {
		yield(sum{}, err)
		return false
	}
	for i, pages := range taken {
		for _, p := range pages {
			for _, cell := range p.cells {
				if !yield(sum{i, cell.entry, cell.Amount}, nil) {
					return false
				}
			}
		}
	}
	return true
}

func (c *Costs) take(ctx context.Context, account outcrop.AccountID, v history, periods []Period) ([][]*page, error) {
	if err := c.lock(ctx); err != nil {
		return nil, err
	}
	defer c.unlock()
	if err := c.catchUp(ctx); err != nil {
		return nil, err
	}
	taken := make([][]*page, len(periods))
	for i, p := range periods {
		var err error
		if taken[i], err = c.days(ctx, account, v, DayOf(HourOf(p.Start)), DayOf(HourOf(p.End))); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// walkHours answers from the store.
func (c *Costs) walkHours(ctx context.Context, account outcrop.AccountID, v history, periods []Period, yield func(sum, error) bool) (more bool) {
	from, to := HourOf(periods[0].Start), HourOf(periods[len(periods)-1].End)
	known := map[Line]*entry{} // of this walk: the cube belongs to who folds
	intern := func(l *Line) *entry {
		e, ok := known[*l]
		if !ok {
			e = &entry{Line: *l}
			known[*l] = e
		}
		return e
	}
	for r, err := range c.store.Hours(ctx, account, from, to) {
		if err != nil {
			yield(sum{}, fmt.Errorf("read rollups: %w", err))
			return false
		}
		i := sort.Search(len(periods), func(i int) bool { return HourOf(periods[i].End) > r.At })
		if i == len(periods) || r.At < HourOf(periods[i].Start) {
			continue // between two periods
		}
		e := intern(r.Line)
		if len(v) > 0 {
			e = intern(v.tell(c.Settings, e, r.At))
		}
		if !yield(sum{i, e, r.Amount}, nil) {
			return false
		}
	}
	return true
}

func (p Period) wholeDays() bool {
	return p.Start.Equal(p.Start.Truncate(24*time.Hour)) && p.End.Equal(p.End.Truncate(24*time.Hour))
}
