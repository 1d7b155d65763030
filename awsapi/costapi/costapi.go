// Package costapi serves Cost Explorer: its shapes in, questions to package
// cost, and answers out.
package costapi

import (
	"context"
	"strings"
	"time"

	"outcrop"
	"outcrop/cost"
)

// Costs answers cost questions; *cost.Costs is one.
type Costs interface {
	Ask(context.Context, outcrop.AccountID, cost.Query) (*cost.Answer, error)
	Find(context.Context, outcrop.AccountID, cost.Lookup) (*cost.Found, error)
	Forecast(context.Context, outcrop.AccountID, cost.Forecasting) (*cost.Forecast, error)
	Tags
	Categories
	Monitors
	AccountName(outcrop.AccountID) string
}

// Tags keeps cost allocation tags; *cost.Costs does.
type Tags interface {
	ListTags(context.Context, outcrop.AccountID, cost.TagQuery) (*cost.TagList, error)
	UpdateTags(context.Context, outcrop.AccountID, []cost.TagUpdate) ([]cost.TagRefusal, error)
	Retag(context.Context, outcrop.AccountID, cost.Retag) (*cost.Version, error)
	Versions(context.Context, outcrop.AccountID) ([]*cost.Version, error)
}

// Categories keeps cost categories; *cost.Costs does.
type Categories interface {
	Categories(context.Context, outcrop.AccountID) ([]*cost.Category, error)
	CategoryByID(ctx context.Context, account outcrop.AccountID, id string) (*cost.Category, error)
	CreateCategory(ctx context.Context, account outcrop.AccountID, name string, r cost.CategoryRevision) (*cost.Category, error)
	UpdateCategory(ctx context.Context, account outcrop.AccountID, id string, r cost.CategoryRevision) (*cost.Category, error)
	DeleteCategory(ctx context.Context, account outcrop.AccountID, id string) error
	ResourceTags(ctx context.Context, account outcrop.AccountID, arn string) (outcrop.Tags, error)
	SetResourceTags(ctx context.Context, account outcrop.AccountID, arn string, tags outcrop.Tags) error
}

// Monitors finds anomalies; *cost.Costs does.
type Monitors interface {
	Anomalies(context.Context, outcrop.AccountID, *cost.Monitor, cost.Period) ([]cost.Anomaly, error)
	Monitors(context.Context, outcrop.AccountID) ([]*cost.Monitor, error)
	PutMonitor(context.Context, outcrop.AccountID, *cost.Monitor) error
	DeleteMonitor(ctx context.Context, account outcrop.AccountID, id string) (ok bool, err error)
	Subscriptions(context.Context, outcrop.AccountID) ([]*cost.Subscription, error)
	PutSubscription(context.Context, outcrop.AccountID, *cost.Subscription) error
	DeleteSubscription(ctx context.Context, account outcrop.AccountID, id string) (ok bool, err error)
	SayOfAnomaly(ctx context.Context, account outcrop.AccountID, id, says string) error
	Said(context.Context, outcrop.AccountID) (map[string]string, error)
}

// An API is Cost Explorer for the account of each caller.
type API struct {
	costs Costs
	now   func() time.Time
}

// New serves what costs knows.
func New(costs Costs) *API { return &API{costs, time.Now} }

// billingView reads which version of the caller's history is asked for:
// billingview/primary, like an absent ARN, is the latest, billingview/original
// what was recorded, and billingview/NAME the version of that name.
func billingView(who outcrop.Caller, arn string) (version string, err error) {
	if arn == "" {
		return "", nil
	}
	p, ok := outcrop.ParseARN(arn)
	if ok && p.Service == "billing" && p.Account == who.Account && p.ResourceType() == "billingview" && p.ResourceID() != "" {
		if p.ResourceID() == "primary" {
			return "", nil
		}
		return p.ResourceID(), nil
	}
	return "", outcrop.Errorf(outcrop.NotFound, "Billing view %s not found. Leave BillingViewArn out for the primary view", arn)
}

// filterOf reads an Expression. Its rules are package cost's.
func filterOf(e *Expression) (*cost.Filter, error) {
	if e == nil {
		return nil, nil
	}
	var f cost.Filter
	var err error
	if f.And, err = filtersOf(e.And); err != nil {
		return nil, err
	}
	if f.Or, err = filtersOf(e.Or); err != nil {
		return nil, err
	}
	if f.Not, err = filterOf(e.Not); err != nil {
		return nil, err
	}
	if d := e.Dimensions; d != nil {
		f.Dimensions = &cost.Match{Key: d.Key, Values: d.Values, Options: d.MatchOptions}
	}
	if t := e.Tags; t != nil {
		f.Tags = &cost.Match{Key: t.Key, Values: t.Values, Options: t.MatchOptions}
	}
	if c := e.CostCategories; c != nil {
		f.Categories = &cost.Match{Key: c.Key, Values: c.Values, Options: c.MatchOptions}
	}
	return &f, nil
}

func filtersOf(list []Expression) ([]cost.Filter, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]cost.Filter, len(list))
	for i := range list {
		f, err := filterOf(&list[i])
		if err != nil {
			return nil, err
		}
		out[i] = *f
	}
	return out, nil
}

// expressionOf writes a filter back.
func expressionOf(f *cost.Filter) *Expression {
	if f == nil {
		return nil
	}
	e := &Expression{And: expressionsOf(f.And), Or: expressionsOf(f.Or), Not: expressionOf(f.Not)}
	if m := f.Dimensions; m != nil {
		e.Dimensions = &DimensionValues{Key: m.Key, Values: m.Values, MatchOptions: m.Options}
	}
	if m := f.Tags; m != nil {
		e.Tags = &TagValues{Key: m.Key, Values: m.Values, MatchOptions: m.Options}
	}
	if m := f.Categories; m != nil {
		e.CostCategories = &CostCategoryValues{Key: m.Key, Values: m.Values, MatchOptions: m.Options}
	}
	return e
}

func expressionsOf(list []cost.Filter) (out []Expression) {
	for i := range list {
		out = append(out, *expressionOf(&list[i]))
	}
	return out
}

// sortOf reads SortBy. Several keys are accepted by the model; the first
// decides, as the others could only break ties.
func sortOf(list []SortDefinition) (*cost.Sort, error) {
	if len(list) == 0 {
		return nil, nil
	}
	by, err := cost.ParseMetric(list[0].Key)
	if err != nil {
		return nil, err
	}
	switch order := strings.ToUpper(list[0].SortOrder); order {
	case "", "ASCENDING":
		return &cost.Sort{By: by}, nil
	case "DESCENDING":
		return &cost.Sort{By: by, Descending: true}, nil
	}
	return nil, outcrop.Errorf(outcrop.Invalid, "SortOrder %q is invalid. Valid values are ASCENDING, DESCENDING", list[0].SortOrder)
}

// maxOf reads MaxResults; the door has refused what the model refuses.
func maxOf(n *int64, limit int64) (int, error) {
	if n == nil {
		return 0, nil
	}
	if *n < 1 || *n > limit {
		return 0, outcrop.Errorf(outcrop.Invalid, "MaxResults must be between 1 and %d", limit)
	}
	return int(*n), nil
}
