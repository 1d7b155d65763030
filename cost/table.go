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
	history    history
	active     map[string]bool
	everyTag   bool // active or not
	categories map[string]*Category
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
	v := &view{Settings: c.Settings, active: map[string]bool{PrincipalKey: true}, pass: pass, groupBy: by}
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
			value, ok := v.Value(&x.entry.Line, Dimension(g.Key))
			if !ok {
				value, _ = Dimension(g.Key).known()
			}
			values[i] = value
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
}

// A tabulation fills a table. Groups are numbered as they are met, so that
// adding a line to one hashes no text.
type tabulation struct {
	*table
	view    *view
	slots   memo[slot]
	epochs  []int // by period
	numbers map[groupKeys]int
	keys    []groupKeys
	values  [][]Value // by period and group number; without a Unit where nothing was used
}

// tabulate adds up an account's lines over periods.
func (c *Costs) tabulate(ctx context.Context, v *view, account outcrop.AccountID, periods []Period) (*table, error) {
	t := &tabulation{view: v, epochs: make([]int, len(periods)), numbers: map[groupKeys]int{}, values: make([][]Value, len(periods)), table: &table{
		periods: periods, grouped: len(v.groupBy), totals: make([]Value, len(periods)), groups: make([]map[groupKeys]*Value, len(periods)),
	}}
	for i, p := range periods {
		t.epochs[i] = v.epoch(p.Start)
	}
	for s, err := range c.walk(ctx, account, v.history, periods) {
		if err != nil {
			return nil, err
		}
		if s.Tokens == 0 {
			continue // a record without usage is no line of a bill
		}
		if err := t.add(s); err != nil {
			return nil, err
		}
	}
	return t.done(), nil
}

func (t *tabulation) slot(s sum) *slot {
	as, known := t.slots.at(s.entry, t.epochs[s.period])
	if known {
		return as
	}
	x := t.view.fact(s.entry, t.periods[s.period].Start)
	if as.pass = t.view.pass(x); !as.pass {
		return as
	}
	as.worth = t.view.worth(&s.entry.Line)
	group := t.view.group(x)
	if as.group, known = t.numbers[group]; !known {
		as.group = len(t.keys)
		t.numbers[group] = as.group
		t.keys = append(t.keys, t.view.named(group))
	}
	return as
}

func (t *tabulation) add(s sum) error {
	as := t.slot(s)
	if !as.pass {
		return nil
	}
	t.totals[s.period].add(s.Amount, &as.worth)
	if t.grouped == 0 {
		return nil
	}
	row := t.values[s.period]
	if as.group >= len(row) {
		row = slices.Grow(row, len(t.keys)-len(row))[:len(t.keys)]
		t.values[s.period] = row
	}
	if row[as.group].Unit == "" {
		if t.cells++; t.cells > maxCells {
			return &outcrop.Error{Kind: outcrop.Invalid, Code: "LimitExceededException",
				Message: "The answer has too many groups. Choose a shorter period, a coarser granularity or a filter."}
		}
	}
	row[as.group].add(s.Amount, &as.worth)
	return nil
}

// done names the groups.
func (t *tabulation) done() *table {
	for period, row := range t.values {
		groups := make(map[groupKeys]*Value, len(row))
		for number := range row {
			if row[number].Unit != "" {
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
