package cost

import (
	"context"
	"fmt"
	"slices"
	"time"

	"outcrop"
)

// A view shows lines to one question: filtered, grouped, with the tags that
// its account has activated and the cost categories that it has defined.
type view struct {
	Settings
	account    outcrop.AccountID
	filter     *Filter // what pass was made of
	history    history
	active     map[string]bool
	everyTag   bool // active or not
	categories map[string]*Category
	asked      []string // categories that the question names
	plain      bool     // split charges move nothing
	pass       predicate
	groupBy    []Grouping
	epochs     []time.Time // when a category begins to mean something else
}

// view reads what is active and defined, and compiles the filter.
func (c *Costs) view(ctx context.Context, account outcrop.AccountID, version string, f *Filter, by []Grouping) (*view, error) {
	pass, err := c.Settings.compile(f)
	if err != nil {
		return nil, err
	}
	if err := c.records.Sync(ctx); err != nil {
		return nil, fmt.Errorf("sync ledger: %w", err)
	}
	v := &view{Settings: c.Settings, account: account, filter: f, active: map[string]bool{PrincipalKey: true}, pass: pass, groupBy: by}
	if v.history, err = c.history(ctx, account, version); err != nil {
		return nil, err
	}
	states, err := c.store.Tags(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, state := range states {
		v.active[state.Key] = state.Status == Active
	}
	if err := c.addCategories(ctx, account, v, f); err != nil {
		return nil, err
	}
	return v, nil
}

// epoch numbers the times between changes of cost categories: everything a
// line shows is the same within one.
func (v *view) epoch(at time.Time) (n int) {
	for n < len(v.epochs) && !at.Before(v.epochs[n]) {
		n++
	}
	return n
}

// fact shows an entry as it is in a period.
func (v *view) fact(e *entry, at time.Time) *fact { return &fact{entry: e, view: v, at: at} }

// group is what x has of each grouping; named makes an answer's keys of it.
func (v *view) group(x *fact) (values groupKeys) {
	for i, g := range v.groupBy {
		switch g.Type {
		case ByTag:
			values[i], _ = x.tag(g.Key)
		case ByCategory:
			values[i], _ = x.category(g.Key)
		default:
			values[i], _ = v.Shown(&x.entry.Line, Dimension(g.Key))
		}
	}
	return values
}

// named writes tags and cost categories as AWS does: "project$app01".
func (v *view) named(values groupKeys) groupKeys {
	for i, g := range v.groupBy {
		if g.Type == ByTag || g.Type == ByCategory {
			values[i] = g.Key + "$" + values[i]
		}
	}
	return values
}

type groupKeys [maxGroupings]string

// A table holds the values of groups by period.
type table struct {
	periods []Period
	grouped int // how many groupings; 0 keeps totals only
	totals  []Value
	groups  []map[groupKeys]*Value // by period
	cells   int
}

// A slot is where a line belongs in a table and what its tokens add, found out
// once for each epoch.
type slot struct {
	pass  bool
	group int // of the keys that a tabulation has met
	worth
	moves outcrop.Rate // what of the price a split charge moves: all of it, when there is one
	split int          // 1 + the number of the division; 0 is none
}

// A tabulation fills a table. Groups are numbered as they are met, so that
// adding a line to one hashes no text.
type tabulation struct {
	*table
	*knowledge
	epochs []int     // by period
	values [][]Value // by period and group number; without a Unit where nothing was used
	moved  []moved   // by period
}

// tabulate adds up an account's lines over periods.
func (c *Costs) tabulate(ctx context.Context, v *view, account outcrop.AccountID, periods []Period) (*table, error) {
	t := &tabulation{knowledge: c.known.take(v), epochs: make([]int, len(periods)), values: make([][]Value, len(periods)), moved: make([]moved, len(periods)), table: &table{
		periods: periods, grouped: len(v.groupBy), totals: make([]Value, len(periods)), groups: make([]map[groupKeys]*Value, len(periods)),
	}}
	for i, p := range periods {
		t.epochs[i] = v.epoch(p.Start)
	}
	for first := 0; first < len(periods); {
		end := sameUnit(periods, first)
		run := t.hours
		if periods[first].wholeDays() {
			run = t.days
		}
		if err := run(ctx, c, account, first, end); err != nil {
			return nil, err
		}
		first = end
	}
	if err := t.divide(ctx, c); err != nil {
		return nil, err
	}
	table := t.done()
	c.known.put(t.knowledge)
	return table, nil
}

// days adds up periods of whole days: each day by its sums, if they are known
// from an earlier question, and what is not folded yet line by line.
func (t *tabulation) days(ctx context.Context, c *Costs, account outcrop.AccountID, first, end int) error {
	taken, tail, err := c.take(ctx, account, t.view.history, t.periods[first:end])
	if err != nil {
		return err
	}
	for i, pages := range taken {
		for _, p := range pages {
			if err := t.addPage(first+i, t.day(p, t.epochs[first+i], t.periods[first+i].Start)); err != nil {
				return err
			}
		}
	}
	for _, late := range tail {
		i, ok := periodOf(t.periods[first:end], late.hour)
		if !ok {
			continue
		}
		if err := t.add(sum{first + i, late.entry, late.Amount}, &t.slots); err != nil {
			return err
		}
	}
	return nil
}

// hours adds up periods from the store, whose entries are this walk's own.
func (t *tabulation) hours(ctx context.Context, c *Costs, account outcrop.AccountID, first, end int) (err error) {
	var slots memo[slot]
	c.walkHours(ctx, account, t.view.history, t.periods[first:end], func(s sum, failed error) bool {
		if err = failed; err == nil {
			s.period += first
			err = t.add(s, &slots)
		}
		return err == nil
	})
	return err
}

func (t *tabulation) add(s sum, slots *memo[slot]) error {
	if s.Tokens == 0 {
		return nil // a record without usage is no line of a bill
	}
	as := t.slot(slots, s.entry, t.epochs[s.period], t.periods[s.period].Start)
	if as.split > 0 {
		t.moved[s.period].add(as.split-1, as.moves.For(s.Tokens))
	}
	if !as.pass {
		return nil
	}
	t.totals[s.period].add(s.Amount, &as.worth)
	if t.grouped == 0 {
		return nil
	}
	v, err := t.value(s.period, as.group)
	if err == nil {
		v.add(s.Amount, &as.worth)
	}
	return err
}

func (t *tabulation) addPage(period int, sums *pageSums) error {
	t.totals[period].plus(&sums.total)
	for division, m := range sums.moved {
		t.moved[period].add(division, m)
	}
	for i := range sums.groups {
		v, err := t.value(period, sums.groups[i].group)
		if err != nil {
			return err
		}
		v.plus(&sums.groups[i].Value)
	}
	return nil
}

// value is that of a group in a period, which something is to be added to.
func (t *tabulation) value(period, group int) (*Value, error) {
	row := t.values[period]
	if group >= len(row) {
		row = slices.Grow(row, len(t.keys)-len(row))[:len(t.keys)]
		t.values[period] = row
	}
	if row[group] == (Value{}) {
		if t.cells++; t.cells > maxCells {
			return nil, &outcrop.Error{Kind: outcrop.Invalid, Code: "LimitExceededException",
				Message: "The answer has too many groups. Choose a shorter period, a coarser granularity or a filter."}
		}
	}
	return &row[group], nil
}

// done names the groups.
func (t *tabulation) done() *table {
	for period, row := range t.values {
		groups := make(map[groupKeys]*Value, len(row))
		for number := range row {
			if row[number] != (Value{}) {
				groups[t.keys[number]] = &row[number]
			}
		}
		t.groups[period] = groups
	}
	return t.table
}

func (t *table) unpriced() (n outcrop.Tokens) {
	for _, v := range t.totals {
		n += v.Unpriced
	}
	return n
}

// sorted lists a period's groups in order of their keys.
func (t *table) sorted(period int) []groupKeys {
	keys := make([]groupKeys, 0, len(t.groups[period]))
	for k := range t.groups[period] {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, groupKeys.compare)
	return keys
}

func (k groupKeys) compare(l groupKeys) int { return slices.Compare(k[:], l[:]) }
