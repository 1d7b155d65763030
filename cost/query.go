package cost

import (
	"context"
	"slices"
	"strings"

	"outcrop"
)

// A Query is a cost question about one account.
type Query struct {
	Period      Period
	Granularity Granularity
	GroupBy     []Grouping // at most two
	Filter      *Filter    // nil for everything
	Metrics     []Metric   // which a caller wants; checked, all are answered
	Version     string     // of the history to read; empty is the latest
	Page        string     // Answer.Next of the page before, or empty
}

// A Grouping is one key to group by.
type Grouping struct {
	Type GroupType
	Key  string // a Dimension or a tag key
}

// A GroupType is AWS's GroupDefinitionType.
type GroupType string

// The types.
const (
	ByDimension GroupType = "DIMENSION"
	ByTag       GroupType = "TAG"
	ByCategory  GroupType = "COST_CATEGORY"
)

// Limits of an answer.
const (
	maxGroupings = 2         // as AWS
	maxCells     = 1_000_000 // groups times periods held while answering
	pageRows     = 1000      // groups (or periods without groups) on one page
)

// An Answer is one page of results, periods in order.
type Answer struct {
	Results  []Result
	Unpriced outcrop.Tokens // of all pages: tokens whose cost is unknown and in no amount
	Next     string         // token of the next page; empty on the last
}

// A Result is one period. A period's groups may continue on the next page.
type Result struct {
	Period    Period
	Total     Value   // of all groups, also those on other pages
	Groups    []Group // in order of Keys; nil when not grouped
	Estimated bool    // the bill is still open
}

// A Group is what shares Keys, one for each Grouping.
type Group struct {
	Keys  []string
	Value Value
}

// Ask answers q from everything settled until now.
func (c *Costs) Ask(ctx context.Context, account outcrop.AccountID, q Query) (*Answer, error) {
	periods, err := c.check(q)
	if err != nil {
		return nil, err
	}
	query := q.digest(account)
	after, err := q.place(query)
	if err != nil {
		return nil, err
	}
	view, err := c.view(ctx, account, q.Version, q.Filter, q.GroupBy)
	if err != nil {
		return nil, err
	}
	t, err := c.tabulate(ctx, view, account, periods)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Unpriced: t.unpriced()}
	var more *place
	if answer.Results, more = t.page(after, pageRows); more != nil {
		answer.Next = encodeToken(query, *more)
	}
	now := c.now()
	for i := range answer.Results {
		answer.Results[i].Estimated = answer.Results[i].Period.estimated(now)
	}
	return answer, nil
}

// check holds q to AWS's rules and cuts its period.
func (c *Costs) check(q Query) ([]Period, error) {
	switch q.Granularity {
	case Hourly, Daily, Monthly:
	default:
		return nil, outcrop.Errorf(outcrop.Invalid, "Granularity %q is invalid. Valid values are DAILY, MONTHLY, HOURLY", q.Granularity)
	}
	if err := q.Period.check(q.Granularity, c.now()); err != nil {
		return nil, err
	}
	if len(q.Metrics) == 0 {
		return nil, outcrop.Errorf(outcrop.Invalid, "Metrics is a required field. Valid values are %s", metricNames())
	}
	if len(q.GroupBy) > maxGroupings {
		return nil, outcrop.Errorf(outcrop.Invalid, "You can group by at most %d keys", maxGroupings)
	}
	for i, g := range q.GroupBy {
		if err := g.check(); err != nil {
			return nil, err
		}
		if slices.Contains(q.GroupBy[:i], g) {
			return nil, outcrop.Errorf(outcrop.Invalid, "Group Definition %s %s is given twice", g.Type, g.Key)
		}
	}
	return q.Period.split(q.Granularity)
}

func (g Grouping) check() error {
	switch g.Type {
	case ByDimension:
		if _, ok := Dimension(g.Key).known(); !ok {
			return outcrop.Errorf(outcrop.Invalid, "Group Definition dimension is invalid. Valid values are %s", dimensionNames())
		}
	case ByTag:
		if strings.TrimSpace(g.Key) == "" {
			return outcrop.Errorf(outcrop.Invalid, "Group Definition of type TAG needs a Key")
		}
	case ByCategory:
		if strings.TrimSpace(g.Key) == "" {
			return outcrop.Errorf(outcrop.Invalid, "Group Definition of type COST_CATEGORY needs a Key: the name of a cost category")
		}
	default:
		return outcrop.Errorf(outcrop.Invalid, "Group Definition type %q is invalid. Valid values are DIMENSION, TAG, COST_CATEGORY", g.Type)
	}
	return nil
}
