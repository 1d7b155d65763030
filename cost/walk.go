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
			end := sameUnit(periods, first)
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

// sameUnit is the end of the periods from first on that are read in the same
// way: by days, or by hours.
func sameUnit(periods []Period, first int) (end int) {
	end = first + 1
	for end < len(periods) && periods[end].wholeDays() == periods[first].wholeDays() {
		end++
	}
	return end
}

// walkDays answers from the cube, and from the tail that is not folded yet. All
// of it is taken at one moment and read without holding anything up.
func (c *Costs) walkDays(ctx context.Context, account outcrop.AccountID, v history, periods []Period, yield func(sum, error) bool) (more bool) {
	taken, tail, err := c.take(ctx, account, v, periods)
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
	for _, late := range tail {
		if i, ok := periodOf(periods, late.hour); ok && !yield(sum{i, late.entry, late.Amount}, nil) {
			return false
		}
	}
	return true
}

// periodOf finds the period of an hour.
func periodOf(periods []Period, hour int64) (i int, ok bool) {
	i = sort.Search(len(periods), func(i int) bool { return HourOf(periods[i].End) > hour })
	return i, i < len(periods) && hour >= HourOf(periods[i].Start)
}

func (c *Costs) take(ctx context.Context, account outcrop.AccountID, v history, periods []Period) (taken [][]*page, tail []late, err error) {
	if err := c.lock(ctx); err != nil {
		return nil, nil, err
	}
	defer c.unlock()
	if tail, err = c.tail(ctx, account, v); err != nil {
		return nil, nil, err
	}
	taken = make([][]*page, len(periods))
	for i, p := range periods {
		if taken[i], err = c.days(ctx, account, v, DayOf(HourOf(p.Start)), DayOf(HourOf(p.End))); err != nil {
			return nil, nil, err
		}
	}
	return taken, tail, nil
}

// interned gives equal lines one entry.
type interned struct {
	lines map[Line]*entry
	read  map[*Line]*entry // of lines that the store shares: found without a look at what they say
}

func newInterned() *interned { return &interned{map[Line]*entry{}, map[*Line]*entry{}} }

func (n *interned) entry(l *Line) *entry {
	e, ok := n.lines[*l]
	if !ok {
		e = &entry{number: len(n.lines), Line: *l}
		n.lines[*l] = e
	}
	return e
}

func (n *interned) shared(l *Line) *entry {
	e, ok := n.read[l]
	if !ok {
		e = n.entry(l)
		n.read[l] = e
	}
	return e
}

// walkHours answers from the store.
func (c *Costs) walkHours(ctx context.Context, account outcrop.AccountID, v history, periods []Period, yield func(sum, error) bool) (more bool) {
	if err := c.CatchUp(ctx); err != nil {
		yield(sum{}, err)
		return false
	}
	from, to := HourOf(periods[0].Start), HourOf(periods[len(periods)-1].End)
	known := newInterned() // of this walk: the cube belongs to who folds
	for r, err := range c.store.Hours(ctx, account, from, to) {
		if err != nil {
			yield(sum{}, fmt.Errorf("read rollups: %w", err))
			return false
		}
		i, ok := periodOf(periods, r.At)
		if !ok {
			continue // between two
		}
		e := known.shared(r.Line)
		if len(v) > 0 {
			e = known.entry(v.tell(c.Settings, e, r.At))
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
