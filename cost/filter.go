package cost

import (
	"slices"
	"strings"

	"outcrop"
)

// A Filter chooses lines. Exactly one member of each Filter is set.
type Filter struct {
	And        []Filter `json:",omitempty"`
	Or         []Filter `json:",omitempty"`
	Not        *Filter  `json:",omitempty"`
	Dimensions *Match   `json:",omitempty"`
	Tags       *Match   `json:",omitempty"`
	Categories *Match   `json:",omitempty"` // cost categories
}

// A Match compares the value under Key. Values are alternatives.
type Match struct {
	Key     string
	Values  []string
	Options []string // of AWS's MatchOption; empty means EQUALS and CASE_SENSITIVE
}

// Limits of a filter.
const (
	maxFilterDepth  = 20
	maxFilterValues = 10_000 // over all of a filter
)

// A predicate says whether a fact passes.
type predicate func(*fact) bool

// names collects the cost categories that f asks about.
func (f *Filter) names(into map[string]bool) {
	if f == nil {
		return
	}
	if f.Categories != nil {
		into[f.Categories.Key] = true
	}
	for _, list := range [][]Filter{f.And, f.Or} {
		for i := range list {
			list[i].names(into)
		}
	}
	f.Not.names(into)
}

// compile turns f into a predicate, or says what is wrong with it.
func (s Settings) compile(f *Filter) (predicate, error) {
	if f == nil {
		return func(*fact) bool { return true }, nil
	}
	budget := maxFilterValues
	return compiler{s, &budget}.compile(f, 1)
}

type compiler struct {
	Settings
	values *int // how many more values the filter may have
}

func (c compiler) compile(f *Filter, depth int) (predicate, error) {
	if depth > maxFilterDepth {
		return nil, outcrop.Errorf(outcrop.Invalid, "Expression is nested more than %d levels deep", maxFilterDepth)
	}
	switch roots := f.roots(); {
	case roots > 1:
		return nil, outcrop.Errorf(outcrop.Invalid, "Expression has more than one roots. Only one root operator is allowed for each expression: And, Or, Not, Dimensions, Tags, CostCategories")
	case roots == 0:
		return nil, outcrop.Errorf(outcrop.Invalid, "Expression has no root. Exactly one of And, Or, Not, Dimensions, Tags, CostCategories is required")
	case f.And != nil:
		return c.all("And", f.And, depth, true)
	case f.Or != nil:
		return c.all("Or", f.Or, depth, false)
	case f.Not != nil:
		inner, err := c.compile(f.Not, depth+1)
		return func(x *fact) bool { return !inner(x) }, err
	case f.Dimensions != nil:
		return c.dimension(f.Dimensions)
	}
	if f.Categories != nil {
		return c.category(f.Categories)
	}
	return c.tag(f.Tags)
}

func (f *Filter) roots() (n int) {
	for _, set := range []bool{f.And != nil, f.Or != nil, f.Not != nil, f.Dimensions != nil, f.Tags != nil, f.Categories != nil} {
		if set {
			n++
		}
	}
	return n
}

// all joins several filters. every is what a single one of them must differ
// from to decide the whole.
func (c compiler) all(name string, filters []Filter, depth int, every bool) (predicate, error) {
	if len(filters) < 2 {
		return nil, outcrop.Errorf(outcrop.Invalid, "%s expression must have at least 2 operands", name)
	}
	inner := make([]predicate, len(filters))
	for i := range filters {
		var err error
		if inner[i], err = c.compile(&filters[i], depth+1); err != nil {
			return nil, err
		}
	}
	return func(x *fact) bool {
		for _, p := range inner {
			if p(x) != every {
				return !every
			}
		}
		return every
	}, nil
}

func (c compiler) dimension(m *Match) (predicate, error) {
	d := Dimension(m.Key)
	if _, ok := d.known(); !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "Dimension %q is invalid. Valid values are %s", m.Key, dimensionNames())
	}
	match, err := c.matcher(m)
	if err != nil {
		return nil, err
	}
	return func(x *fact) bool { return match(c.Shown(&x.entry.Line, d)) }, nil
}

// tag filters by one key, or by having no tags at all: with neither key nor
// values AWS applies ABSENT to all tags (shape TagValues).
func (c compiler) tag(m *Match) (predicate, error) {
	if m.Key == "" {
		if len(m.Values) > 0 {
			return nil, outcrop.Errorf(outcrop.Invalid, "Tags filter needs a Key for its Values")
		}
		return func(x *fact) bool { return x.untagged() }, nil
	}
	match, err := c.matcher(m)
	if err != nil {
		return nil, err
	}
	return func(x *fact) bool {
		return match(x.tag(m.Key))
	}, nil
}

func (c compiler) category(m *Match) (predicate, error) {
	if m.Key == "" {
		return nil, outcrop.Errorf(outcrop.Invalid, "CostCategories filter needs a Key: the name of a cost category")
	}
	match, err := c.matcher(m)
	if err != nil {
		return nil, err
	}
	return func(x *fact) bool { return match(x.category(m.Key)) }, nil
}

// A matcher compares one value; present is false when there is none.
type matcher func(value string, present bool) bool

// matcher reads m's options. Several comparisons are alternatives, so that
// EQUALS with ABSENT is "one of these, or none". Without values ABSENT is
// implied (shape TagValues).
func (c compiler) matcher(m *Match) (matcher, error) {
	var compare []func(value, want string) bool
	absent, fold, sensitive := len(m.Values) == 0, false, false
	for _, option := range m.Options {
		switch option {
		case "EQUALS":
			compare = append(compare, func(value, want string) bool { return value == want })
		case "STARTS_WITH":
			compare = append(compare, strings.HasPrefix)
		case "ENDS_WITH":
			compare = append(compare, strings.HasSuffix)
		case "CONTAINS":
			compare = append(compare, strings.Contains)
		case "ABSENT":
			absent = true
		case "CASE_SENSITIVE":
			sensitive = true
		case "CASE_INSENSITIVE":
			fold = true
		default:
			return nil, outcrop.Errorf(outcrop.Invalid, "MatchOptions value %q is invalid for cost and usage. Valid values are EQUALS, ABSENT, STARTS_WITH, ENDS_WITH, CONTAINS, CASE_SENSITIVE, CASE_INSENSITIVE", option)
		}
	}
	if fold && sensitive {
		return nil, outcrop.Errorf(outcrop.Invalid, "MatchOptions CASE_SENSITIVE and CASE_INSENSITIVE exclude each other")
	}
	if *c.values -= len(m.Values); *c.values < 0 {
		return nil, outcrop.Errorf(outcrop.Invalid, "Expression has more than %d values", maxFilterValues)
	}
	if len(m.Values) > 0 && len(compare) == 0 && slices.Contains(m.Options, "ABSENT") {
		return nil, outcrop.Errorf(outcrop.Invalid, "MatchOptions ABSENT takes no Values")
	}
	if len(compare) == 0 {
		compare = append(compare, func(value, want string) bool { return value == want })
	}
	return build(m.Values, compare, absent, fold), nil
}

func build(values []string, compare []func(value, want string) bool, absent, fold bool) matcher {
	if fold {
		lower := make([]string, len(values))
		for i, v := range values {
			lower[i] = strings.ToLower(v)
		}
		values = lower
	}
	return func(value string, present bool) bool {
		if absent && !present {
			return true
		}
		if fold {
			value = strings.ToLower(value)
		}
		for _, want := range values {
			for _, same := range compare {
				if same(value, want) {
					return true
				}
			}
		}
		return false
	}
}
