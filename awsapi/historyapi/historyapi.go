// Package historyapi serves Outcrop's own operations on the cost history: to
// price it again, to tag it anew, and to list the versions that came of it.
package historyapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/cost"
	"outcrop/pricing"
)

// Costs changes how history is read; *cost.Costs does.
type Costs interface {
	Rerate(context.Context, outcrop.AccountID, cost.Rerating) (*cost.Reratings, error)
	Retag(context.Context, outcrop.AccountID, cost.Retag) (*cost.Version, error)
	Versions(context.Context, outcrop.AccountID) ([]*cost.Version, error)
}

// An API is the cost history of the account of each caller.
type API struct{ Costs Costs }

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("ListCostVersions", a.listCostVersions),
		awsapi.Op("RerateUsage", a.rerateUsage),
		awsapi.Op("RetagUsage", a.retagUsage),
	}
}

// viewARN names a version the way Cost Explorer is asked for it.
func viewARN(who outcrop.Caller, version string) string {
	return "arn:aws:billing::" + string(who.Account) + ":billingview/" + version
}

// listCostVersions lists the history as recorded, then what lies over it,
// oldest first. The last is what billingview/primary shows.
func (a *API) listCostVersions(ctx context.Context, who outcrop.Caller, _ *ListCostVersionsInput) (*ListCostVersionsOutput, error) {
	all, err := a.Costs.Versions(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	out := &ListCostVersionsOutput{Versions: []CostVersion{{Name: cost.Original, Kind: "RECORDED", BillingViewArn: viewARN(who, cost.Original)}}}
	for _, v := range all {
		out.Versions = append(out.Versions, CostVersion{Name: v.Name, Kind: string(v.Kind), Start: v.From.Format(time.RFC3339), End: v.To.Format(time.RFC3339),
			CreatedAt: v.Created.Format(time.RFC3339), BillingViewArn: viewARN(who, v.Name)})
	}
	return out, nil
}

// rerateUsage says what a period would cost at the prices that hold now and,
// when asked to, makes that a version of the history.
func (a *API) rerateUsage(ctx context.Context, who outcrop.Caller, in *RerateUsageInput) (*RerateUsageOutput, error) {
	p, err := cost.ParsePeriod(in.TimePeriod.Start, in.TimePeriod.End, "")
	if err != nil {
		return nil, err
	}
	r, err := a.Costs.Rerate(ctx, who.Account, cost.Rerating{Period: p, Name: in.VersionName, Apply: in.Apply != nil && *in.Apply})
	if err != nil {
		return nil, err
	}
	out := &RerateUsageOutput{Changes: []PriceChange{}, OldCost: r.Old.String(), NewCost: r.New.String(),
		UnpricedBefore: quantity(r.Unpriced[0]), UnpricedAfter: quantity(r.Unpriced[1])}
	for i := range r.Changes {
		out.Changes = append(out.Changes, changeOf(&r.Changes[i]))
	}
	if r.Version != nil {
		out.VersionName, out.BillingViewArn = r.Version.Name, viewARN(who, r.Version.Name)
	}
	return out, nil
}

func quantity(n outcrop.Tokens) string { return outcrop.Rate(n * 1_000_000).String() }

func changeOf(c *cost.Reprice) PriceChange {
	out := PriceChange{ModelId: string(c.Model), Region: string(c.Region), UsageType: c.UsageType, Unit: pricing.UnitOf(c.Kind), Quantity: quantity(c.Tokens),
		OldPrice: c.Old.Name, NewPrice: c.New.Name, OldCost: c.Old.Cost.String(), NewCost: c.New.Cost.String()}
	if c.Old.Name != "" {
		out.OldRate = pricing.FormatRate(c.Kind, c.Old.Rate)
	}
	if c.New.Name != "" {
		out.NewRate = pricing.FormatRate(c.Kind, c.New.Rate)
	}
	return out
}

func (a *API) retagUsage(ctx context.Context, who outcrop.Caller, in *RetagUsageInput) (*RetagUsageOutput, error) {
	p, err := cost.ParsePeriod(in.BackfillFrom, in.BackfillFrom, "")
	if err != nil {
		return nil, err
	}
	r := cost.Retag{Name: in.VersionName, From: p.Start}
	for _, rule := range in.Rules {
		r.Rules = append(r.Rules, cost.TagRule{Filter: filterOf(rule.Filter), Set: rule.Set})
	}
	v, err := a.Costs.Retag(ctx, who.Account, r)
	if err != nil {
		return nil, err
	}
	return &RetagUsageOutput{VersionName: v.Name, BillingViewArn: viewARN(who, v.Name)}, nil
}

// filterOf reads an Expression; its rules are package cost's.
func filterOf(e *Expression) *cost.Filter {
	if e == nil {
		return nil
	}
	return &cost.Filter{And: filtersOf(e.And), Or: filtersOf(e.Or), Not: filterOf(e.Not),
		Dimensions: matchOf(e.Dimensions), Tags: matchOf(e.Tags), Categories: matchOf(e.CostCategories)}
}

func filtersOf(list []Expression) (out []cost.Filter) {
	for i := range list {
		out = append(out, *filterOf(&list[i]))
	}
	return out
}

func matchOf(m *Match) *cost.Match {
	if m == nil {
		return nil
	}
	return &cost.Match{Key: m.Key, Values: m.Values, Options: m.MatchOptions}
}
