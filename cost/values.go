package cost

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"outcrop"
)

// A Lookup asks which values occur in a period: of a dimension, of a tag key,
// or (type TAG with an empty Key) the active tag keys themselves.
type Lookup struct {
	Of     Grouping
	Period Period
	Filter *Filter
	// Version of the history to read; empty is the latest.
	Version string
	Search  string // keeps values that contain it, in any case
	Sort    *Sort  // nil sorts by value; excludes Search and Page, as in AWS
	Max     int    // values on a page; 0 is 1000
	Page    string
}

// A Sort orders values by a metric.
type Sort struct {
	By         Metric
	Descending bool
}

// maxValues is AWS's limit (and default) of MaxResults.
const maxValues = 1000

// Found is one page of values.
type Found struct {
	Values []FoundValue
	Total  int // on all pages
	Next   string
}

// A FoundValue is one value and what it adds up to in the period.
type FoundValue struct {
	Text  string
	Value Value
}

// Find answers a Lookup about one account.
func (c *Costs) Find(ctx context.Context, account outcrop.AccountID, l Lookup) (*Found, error) {
	if err := l.check(c); err != nil {
		return nil, err
	}
	query := l.digest(account)
	after, err := l.after(query)
	if err != nil {
		return nil, err
	}
	values, err := c.values(ctx, account, l)
	if err != nil {
		return nil, err
	}
	found := &Found{Total: len(values)}
	if l.Page != "" {
		values = slices.DeleteFunc(values, func(v FoundValue) bool { return v.Text <= after })
	}
	found.Values = values[:min(len(values), l.limit())]
	if len(found.Values) < len(values) && l.Sort == nil {
		found.Next = encodeToken(query, found.Values[len(found.Values)-1].Text)
	}
	return found, nil
}

func (l Lookup) limit() int {
	if l.Max == 0 {
		return maxValues
	}
	return l.Max
}

func (l Lookup) check(c *Costs) error {
	if err := l.Period.check("", c.now()); err != nil {
		return err
	}
	if l.Max < 0 || l.Max > maxValues {
		return outcrop.Errorf(outcrop.Invalid, "MaxResults must be between 1 and %d", maxValues)
	}
	if l.Sort != nil && (l.Search != "" || l.Page != "") {
		return outcrop.Errorf(outcrop.Invalid, "When you use SortBy, NextPageToken and SearchString aren't supported.")
	}
	if l.keys() {
		return nil
	}
	return l.Of.check()
}

// keys says whether the lookup is for tag keys or names of cost categories.
func (l Lookup) keys() bool { return l.Of.Key == "" && l.Of.Type != ByDimension }

// after reads l.Page: the last value shown.
func (l Lookup) after(query []byte) (string, error) {
	if l.Page == "" {
		return "", nil
	}
	return decodeToken[string](l.Page, query)
}

func (l Lookup) digest(account outcrop.AccountID) []byte {
	l.Page = ""
	return digest(account, l)
}

// values lists every value that matches, in order.
func (c *Costs) values(ctx context.Context, account outcrop.AccountID, l Lookup) ([]FoundValue, error) {
	view, err := c.view(ctx, account, l.Version, l.Filter, nil)
	if err != nil {
		return nil, err
	}
	sums := map[string]*Value{}
	periods, err := l.Period.split(Monthly) // cost categories change between months
	if err != nil {
		return nil, err
	}
	var known memo[foundIn]
	for s, err := range c.walk(ctx, account, view.history, periods) {
		if err != nil {
			return nil, err
		}
		if s.Tokens == 0 {
			continue
		}
		at := periods[s.period].Start
		as, ok := known.at(s.entry, view.epoch(at))
		if !ok {
			if x := view.fact(s.entry, at); view.pass(x) {
				as.texts, as.worth = view.texts(x, l), view.worth(&s.entry.Line)
			}
		}
		for _, text := range as.texts {
			if sums[text] == nil {
				sums[text] = &Value{}
			}
			sums[text].add(s.Amount, &as.worth)
		}
	}
	return l.order(sums), nil
}

// foundIn is what a lookup finds in one line.
type foundIn struct {
	texts []string
	worth
}

// texts are the values that x has of what l looks for.
func (v *view) texts(x *fact, l Lookup) []string {
	switch {
	case l.keys() && l.Of.Type == ByCategory:
		return slices.Collect(maps.Keys(v.categories))
	case l.keys():
		return x.keys()
	case l.Of.Type == ByTag:
		value, _ := x.tag(l.Of.Key)
		return []string{value} // untagged usage shows as an empty value
	case l.Of.Type == ByCategory:
		value, _ := x.category(l.Of.Key)
		return []string{value}
	}
	if value, ok := v.Value(&x.entry.Line, Dimension(l.Of.Key)); ok {
		return []string{value}
	}
	return nil
}

func (l Lookup) order(sums map[string]*Value) []FoundValue {
	search := strings.ToLower(l.Search)
	out := make([]FoundValue, 0, len(sums))
	for text, value := range sums {
		if strings.Contains(strings.ToLower(text), search) {
			out = append(out, FoundValue{text, *value})
		}
	}
	slices.SortFunc(out, func(a, b FoundValue) int {
		if l.Sort != nil {
			if n := l.Sort.compare(a.Value, b.Value); n != 0 {
				return n
			}
		}
		return strings.Compare(a.Text, b.Text)
	})
	return out
}

func (s *Sort) compare(a, b Value) int {
	n := a.Cost.Cmp(b.Cost)
	switch s.By {
	case UsageQuantity:
		n = cmp.Compare(a.Thousandths, b.Thousandths)
	case NormalizedUsageAmount:
		n = 0
	}
	if s.Descending {
		return -n
	}
	return n
}
