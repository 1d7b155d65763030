package cost

import (
	"context"
	"slices"

	"outcrop"
)

// A view shows lines to one question: filtered, grouped, and with the tags
// that its account has activated.
type view struct {
	Settings
	active  map[string]bool
	pass    predicate
	groupBy []Grouping
}

// view reads which tags are active and compiles the filter.
func (c *Costs) view(ctx context.Context, account outcrop.AccountID, f *Filter, by []Grouping) (*view, error) {
	pass, err := c.Settings.compile(f)
	if err != nil {
		return nil, err
	}
	if err := c.fresh(ctx); err != nil {
		return nil, err
	}
	states, err := c.store.Tags(ctx, account)
	if err != nil {
		return nil, err
	}
	v := &view{Settings: c.Settings, active: map[string]bool{}, pass: pass, groupBy: by}
	for _, state := range states {
		v.active[state.Key] = state.Status == Active
	}
	return v, nil
}

// fact shows a line with the active ones of its tags.
func (v *view) fact(l *Line) *fact {
	x := &fact{line: l, tags: l.Tags.Tags()}
	for key := range x.tags {
		if !v.active[key] {
			delete(x.tags, key)
		}
	}
	return x
}

// keys of the group that x belongs to.
func (v *view) keys(x *fact) groupKeys {
	var keys groupKeys
	for i, g := range v.groupBy {
		if g.Type == ByTag {
			keys[i] = g.Key + "$" + x.tags[g.Key]
			continue
		}
		value, ok := v.Value(x.line, Dimension(g.Key))
		if !ok {
			value, _ = Dimension(g.Key).known()
		}
		keys[i] = value
	}
	return keys
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

// tabulate adds up an account's lines over periods.
func (c *Costs) tabulate(ctx context.Context, v *view, account outcrop.AccountID, periods []Period) (*table, error) {
	t := &table{periods: periods, grouped: len(v.groupBy), totals: make([]Value, len(periods)), groups: make([]map[groupKeys]*Value, len(periods))}
	type shown struct {
		pass bool
		keys groupKeys
		unit string
	}
	memo := map[*Line]shown{}
	for sum, err := range c.store.Sums(ctx, account, periods) {
		if err != nil {
			return nil, err
		}
		if sum.Tokens == 0 {
			continue // a record without usage is no line of a bill
		}
		as, ok := memo[sum.Line]
		if !ok {
			x := v.fact(sum.Line)
			as = shown{v.pass(x), v.keys(x), v.Unit(sum.Line)}
			memo[sum.Line] = as
		}
		if as.pass {
			if err := t.add(sum, as.keys, as.unit); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *table) add(s Sum, keys groupKeys, unit string) error {
	t.totals[s.Period].add(s, unit)
	if t.grouped == 0 {
		return nil
	}
	groups := t.groups[s.Period]
	if groups == nil {
		groups = map[groupKeys]*Value{}
		t.groups[s.Period] = groups
	}
	if groups[keys] == nil {
		if t.cells++; t.cells > maxCells {
			return &outcrop.Error{Kind: outcrop.Invalid, Code: "LimitExceededException",
				Message: "The answer has too many groups. Choose a shorter period, a coarser granularity or a filter."}
		}
		groups[keys] = &Value{}
	}
	groups[keys].add(s, unit)
	return nil
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
