package insights

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// stats are aggregates by groups.
type stats struct {
	aggregates []aggregate
	by         []column
}

// An aggregate is one function over a group.
type aggregate struct {
	name string
	make func() fold
	of   expr
}

// A fold takes values and has a result.
type fold interface {
	add(v value)
	result() value
}

func (st *stats) columns() (all []column) {
	for _, c := range st.by {
		all = append(all, column{c.name, func(r *row) value { return r.get(c.name) }})
	}
	for _, a := range st.aggregates {
		all = append(all, column{a.name, func(r *row) value { return r.get(a.name) }})
	}
	return all
}

func (s *scanner) stats() (*stats, error) {
	st := &stats{}
	for {
		a, err := s.aggregate()
		if err != nil {
			return nil, err
		}
		if st.aggregates = append(st.aggregates, a); !s.take(",") {
			break
		}
	}
	if s.takeWord("by") {
		var err error
		if st.by, err = s.columns(); err != nil {
			return nil, err
		}
	}
	return st, nil
}

func (s *scanner) aggregate() (a aggregate, err error) {
	s.space()
	start := s.pos
	name := strings.ToLower(s.word())
	if !s.take("(") {
		return a, s.unexpected("an aggregate such as count(*)")
	}
	a.of = constant(1.0)
	if !s.take("*") && !s.take(")") {
		if a.of, err = s.expr(); err != nil {
			return a, err
		}
	} else if s.text[s.pos-1] == ')' {
		s.pos--
	}
	percent := 50.0
	if s.take(",") {
		n, ok := number(s.word())
		if !ok || n < 0 || n > 100 {
			return a, malformed("pct takes a percentage from 0 to 100")
		}
		percent = n
	}
	if !s.take(")") {
		return a, s.unexpected(")")
	}
	if a.make = folds(name, percent); a.make == nil {
		return a, malformed("there is no aggregate %.30s", name)
	}
	a.name = strings.TrimSpace(s.text[start:s.pos])
	if s.takeWord("as") {
		if a.name = s.word(); a.name == "" {
			return a, s.unexpected("a name")
		}
	}
	return a, nil
}

func folds(name string, percent float64) func() fold {
	switch name {
	case "count":
		return func() fold { return &counter{} }
	case "count_distinct":
		return func() fold { return &distinct{seen: map[string]bool{}} }
	case "sum", "avg", "stddev":
		return func() fold { return &sums{of: name} }
	case "min", "max":
		return func() fold { return &extremes{sign: map[string]int{"min": -1, "max": 1}[name]} }
	case "pct", "median", "percentile":
		return func() fold { return &percentile{at: percent} }
	case "earliest", "latest":
		return func() fold { return &edge{last: name == "earliest"} } // events come newest first
	case "sortsfirst", "sortslast":
		return func() fold { return &extremes{sign: map[string]int{"sortsfirst": -1, "sortslast": 1}[name]} }
	}
	return nil
}

type counter struct{ n float64 }

func (c *counter) add(v value) {
	if v != nil {
		c.n++
	}
}
func (c *counter) result() value { return c.n }

type distinct struct{ seen map[string]bool }

func (d *distinct) add(v value) {
	if v != nil && len(d.seen) < maxGroups {
		d.seen[text(v)] = true
	}
}
func (d *distinct) result() value { return float64(len(d.seen)) }

type sums struct {
	of             string
	n, s, mean, m2 float64
}

func (a *sums) add(v value) {
	x, ok := number(v)
	if !ok {
		return
	}
	a.n++
	a.s += x
	d := x - a.mean
	a.mean += d / a.n
	a.m2 += d * (x - a.mean)
}

func (a *sums) result() value {
	switch {
	case a.n == 0:
		return nil
	case a.of == "avg":
		return a.s / a.n
	case a.of == "stddev":
		if a.n < 2 {
			return 0.0
		}
		return math.Sqrt(a.m2 / (a.n - 1))
	}
	return a.s
}

type extremes struct {
	sign int
	v    value
}

func (e *extremes) add(v value) {
	if v != nil && (e.v == nil || compare(v, e.v)*e.sign > 0) {
		e.v = v
	}
}
func (e *extremes) result() value { return e.v }

// A percentile keeps at most maxSamples values, each of every so many.
type percentile struct {
	at     float64
	values []float64
	n      int
	every  int
}

const maxSamples = 100_000

func (p *percentile) add(v value) {
	x, ok := number(v)
	if !ok {
		return
	}
	if p.every == 0 {
		p.every = 1
	}
	if p.n++; p.n%p.every != 0 {
		return
	}
	if p.values = append(p.values, x); len(p.values) == maxSamples { // keep every other one from here
		for i := range len(p.values) / 2 {
			p.values[i] = p.values[2*i]
		}
		p.values, p.every = p.values[:len(p.values)/2], 2*p.every
	}
}

func (p *percentile) result() value {
	if len(p.values) == 0 {
		return nil
	}
	slices.Sort(p.values)
	i := int(math.Ceil(p.at/100*float64(len(p.values)))) - 1
	return p.values[min(max(i, 0), len(p.values)-1)]
}

type edge struct {
	last bool
	v    value
}

func (e *edge) add(v value) {
	if v != nil && (e.last || e.v == nil) {
		e.v = v
	}
}
func (e *edge) result() value { return e.v }

// groups are a stats command under way.
type groups struct {
	st  *stats
	all map[string]*groupOf
}

type groupOf struct {
	key   []value
	folds []fold
	order int
}

func (g *groups) add(r *row) error {
	key, parts := make([]value, len(g.st.by)), make([]string, len(g.st.by))
	for i, c := range g.st.by {
		key[i] = c.expr(r)
		parts[i] = text(key[i])
	}
	name := strings.Join(parts, "\x00")
	x := g.all[name]
	if x == nil {
		if len(g.all) >= maxGroups {
			return malformed("stats has more than %d groups: narrow the query", maxGroups)
		}
		x = &groupOf{key: key, order: len(g.all)}
		for _, a := range g.st.aggregates {
			x.folds = append(x.folds, a.make())
		}
		g.all[name] = x
	}
	for i, a := range g.st.aggregates {
		x.folds[i].add(a.of(r))
	}
	return nil
}

func (g *groups) rows() []*row {
	list := make([]*groupOf, 0, len(g.all))
	for _, x := range g.all {
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, b *groupOf) int { return cmp.Compare(a.order, b.order) })
	rows := make([]*row, len(list))
	for i, x := range list {
		rows[i] = &row{made: map[string]value{}, closed: true}
		for j, c := range g.st.by {
			rows[i].made[c.name] = x.key[j]
		}
		for j, a := range g.st.aggregates {
			rows[i].made[a.name] = x.folds[j].result()
		}
	}
	return rows
}
