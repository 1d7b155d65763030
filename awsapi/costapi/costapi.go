// Package costapi serves Cost Explorer: its shapes in, questions to package
// cost, and answers out.
package costapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/cost"
)

// Costs answers cost questions; *cost.Costs is one.
type Costs interface {
	Ask(context.Context, outcrop.AccountID, cost.Query) (*cost.Answer, error)
	Find(context.Context, outcrop.AccountID, cost.Lookup) (*cost.Found, error)
	Tags
	AccountName(outcrop.AccountID) string
}

// Tags keeps cost allocation tags; *cost.Costs does.
type Tags interface {
	ListTags(context.Context, outcrop.AccountID, cost.TagQuery) (*cost.TagList, error)
	UpdateTags(context.Context, outcrop.AccountID, []cost.TagUpdate) ([]cost.TagRefusal, error)
}

// An API is Cost Explorer for the account of each caller.
type API struct{ costs Costs }

// New serves what costs knows.
func New(costs Costs) *API { return &API{costs} }

// billingView refuses every billing view but the caller's own primary one,
// which is what an absent ARN means.
func billingView(who outcrop.Caller, arn string) error {
	if arn == "" {
		return nil
	}
	p, ok := outcrop.ParseARN(arn)
	if ok && p.Service == "billing" && p.Account == who.Account && p.Resource == "billingview/primary" {
		return nil
	}
	return outcrop.Errorf(outcrop.NotFound, "Billing view %s not found. Leave BillingViewArn out for the primary view", arn)
}

// filterOf reads an Expression. Its rules are package cost's.
func filterOf(e *Expression) (*cost.Filter, error) {
	if e == nil {
		return nil, nil
	}
	if e.CostCategories != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "Cost category %s does not exist: cost categories are not kept here. Filter by Dimensions or Tags", e.CostCategories.Key)
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
