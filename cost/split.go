package cost

import (
	"context"
	"fmt"

	"outcrop"
)

// The methods of a SplitCharge.
const (
	splitFixed        = "FIXED"        // by percentages
	splitEven         = "EVEN"         // the same to each
	splitProportional = "PROPORTIONAL" // by what the targets cost themselves
)

// A splitRule is a split charge of a cost category that a question names.
type splitRule struct {
	category string
	*SplitCharge
}

// splits are the rules that move the cost of x: at most one of each category
// that the question names. A line without a price has no cost to move.
func (v *view) splits(x *fact) (rules []splitRule) {
	if v.plain || !x.Priced {
		return nil
	}
	for _, name := range v.asked {
		r := v.categories[name].On(x.at)
		if r == nil || len(r.Split) == 0 {
			continue
		}
		value, _ := x.category(name)
		for i := range r.Split {
			if r.Split[i].Source == value {
				rules = append(rules, splitRule{name, &r.Split[i]})
			}
		}
	}
	return rules
}

// A division is where the cost of lines may go that the same rules move: for
// each rule it stays or goes to one of the targets, in all combinations, the
// last rule's the fastest. Lines whose parts are shown alike share one.
type division struct {
	rules []splitRule
	parts []part
}

// A part is whether a share of the cost is among what was asked for, and where.
// Where is noted of all parts: what a filter lets through and what it does not is
// divided in the same way, so that both add up to the whole.
type part struct {
	pass  bool
	group int
}

// divisions are numbered as they are met.
type divisions struct {
	list  []division
	at    map[string]int
	parts int   // that this question has found
	err   error // why no more are
}

// maxParts bounds the parts of the divisions of one question: split charges of
// several categories multiply.
const maxParts = 2_000_000

// admits says whether the parts that rules make of one more line are few
// enough.
func (d *divisions) admits(rules []splitRule) bool {
	parts := 1
	for _, r := range rules {
		if parts *= 1 + len(r.Targets); parts > maxParts {
			break
		}
	}
	if d.parts += parts; d.parts > maxParts && d.err == nil {
		d.err = &outcrop.Error{Kind: outcrop.Invalid, Code: "LimitExceededException",
			Message: "The split charge rules of the cost categories in question have too many targets together. Group and filter by fewer cost categories."}
	}
	return d.err == nil
}

// division finds the parts that rules make of x.
func (k *knowledge) division(x *fact, epoch int, rules []splitRule) int {
	if !k.admits(rules) {
		return 0
	}
	d := division{rules: rules}
	k.combine(x, rules, map[string]string{}, &d)
	key := fmt.Sprint(epoch, d.parts)
	for _, r := range rules {
		key += fmt.Sprintf(" %q %q", r.category, r.Source)
	}
	number, known := k.at[key]
	if !known {
		if k.at == nil {
			k.at = map[string]int{}
		}
		number = len(k.list)
		k.at[key] = number
		k.list = append(k.list, d)
	}
	return number
}

func (k *knowledge) combine(x *fact, rules []splitRule, moved map[string]string, d *division) {
	if len(rules) == 0 {
		as := *x
		as.moved = moved
		d.parts = append(d.parts, part{k.view.pass(&as), k.group(&as)})
		return
	}
	r, rest := rules[0], rules[1:]
	k.combine(x, rest, moved, d)
	for _, target := range r.Targets {
		moved[r.category] = target
		k.combine(x, rest, moved, d)
		delete(moved, r.category)
	}
}

// moved is what divisions have to divide, by their numbers.
type moved []outcrop.Money

func (m *moved) add(division int, amount outcrop.Money) {
	for division >= len(*m) {
		*m = append(*m, outcrop.Money{})
	}
	(*m)[division] = (*m)[division].Add(amount)
}

// divide gives what split charges move to where it belongs. It is divided once
// for all lines of a period whose parts are shown alike, so that an answer does
// not depend on how its records were folded. Usage is not moved.
func (t *tabulation) divide(ctx context.Context, c *Costs) error {
	if t.err != nil {
		return t.err
	}
	weights := weighing{costs: c, tabulation: t, tables: map[string]*table{}}
	for period, moved := range t.moved {
		for number, m := range moved {
			if m.IsZero() {
				continue
			}
			if err := t.share(ctx, period, t.list[number], m, &weights); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tabulation) share(ctx context.Context, period int, d division, whole outcrop.Money, weights *weighing) error {
	shares := []outcrop.Money{whole}
	for _, r := range d.rules {
		w, err := weights.of(ctx, r, period)
		if err != nil {
			return err
		}
		var finer []outcrop.Money
		for _, m := range shares {
			parts, _ := m.Split(w)
			finer = append(finer, parts...)
		}
		shares = finer
	}
	for i, m := range shares {
		if !d.parts[i].pass || m.IsZero() {
			continue
		}
		t.totals[period].Cost = t.totals[period].Cost.Add(m)
		if t.grouped == 0 {
			continue
		}
		v, err := t.value(period, d.parts[i].group)
		if err != nil {
			return err
		}
		v.Cost = v.Cost.Add(m)
	}
	return nil
}

// A weighing knows how the targets of rules share: what stays comes first, and
// is nothing unless the targets have no weight at all.
type weighing struct {
	costs *Costs
	*tabulation
	tables map[string]*table // by category: what its values cost themselves, whatever the question's filter
}

func (w *weighing) of(ctx context.Context, r splitRule, period int) ([]outcrop.Money, error) {
	one := outcrop.Rate(1).For(1)
	weights := make([]outcrop.Money, 1+len(r.Targets))
	switch r.Method {
	case splitFixed:
		for i, p := range r.Percent {
			rate, err := outcrop.ParseRate(p)
			if err != nil {
				return nil, err
			}
			weights[1+i] = rate.For(1)
		}
	case splitEven:
		for i := range r.Targets {
			weights[1+i] = one
		}
	case splitProportional:
		t, err := w.table(ctx, r.category)
		if err != nil {
			return nil, err
		}
		for i, target := range r.Targets {
			if v := t.groups[period][groupKeys{r.category + "$" + target}]; v != nil {
				weights[1+i] = v.Cost
			}
		}
	}
	if _, ok := one.Split(weights); !ok {
		weights[0] = one
	}
	return weights, nil
}

// table is what the values of a category cost in each period, before anything
// is moved.
func (w *weighing) table(ctx context.Context, category string) (*table, error) {
	if t := w.tables[category]; t != nil {
		return t, nil
	}
	v := *w.view
	v.plain, v.filter, v.groupBy = true, nil, []Grouping{{Type: ByCategory, Key: category}}
	v.pass = func(*fact) bool { return true }
	t, err := w.costs.tabulate(ctx, &v, v.account, w.periods)
	if err == nil {
		w.tables[category] = t
	}
	return t, err
}
