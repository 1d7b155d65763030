package costapi

import (
	"context"

	"outcrop"
	"outcrop/cost"
)

// maxValues is the upper limit of MaxResults in GetTags and
// GetDimensionValues (service model, documentation of the member).
const maxValues = 1000

func (a *API) getTags(ctx context.Context, who outcrop.Caller, in *GetTagsInput) (*GetTagsOutput, error) {
	found, err := a.find(ctx, who, lookup{
		of: cost.Grouping{Type: cost.ByTag, Key: in.TagKey}, period: in.TimePeriod, filter: in.Filter, search: in.SearchString,
		sort: in.SortBy, max: in.MaxResults, page: in.NextPageToken, view: in.BillingViewArn,
	})
	if err != nil {
		return nil, err
	}
	out := &GetTagsOutput{Tags: []string{}, ReturnSize: int64(len(found.Values)), TotalSize: int64(found.Total), NextPageToken: found.Next}
	for _, v := range found.Values {
		out.Tags = append(out.Tags, v.Text)
	}
	return out, nil
}

func (a *API) getCostCategories(ctx context.Context, who outcrop.Caller, in *GetCostCategoriesInput) (*GetCostCategoriesOutput, error) {
	found, err := a.find(ctx, who, lookup{
		of: cost.Grouping{Type: cost.ByCategory, Key: in.CostCategoryName}, period: in.TimePeriod, filter: in.Filter, search: in.SearchString,
		sort: in.SortBy, max: in.MaxResults, page: in.NextPageToken, view: in.BillingViewArn,
	})
	if err != nil {
		return nil, err
	}
	texts := []string{}
	for _, v := range found.Values {
		texts = append(texts, v.Text)
	}
	out := &GetCostCategoriesOutput{ReturnSize: int64(len(texts)), TotalSize: int64(found.Total), NextPageToken: found.Next}
	if in.CostCategoryName == "" {
		out.CostCategoryNames = texts
	} else {
		out.CostCategoryValues = texts
	}
	return out, nil
}

func (a *API) getDimensionValues(ctx context.Context, who outcrop.Caller, in *GetDimensionValuesInput) (*GetDimensionValuesOutput, error) {
	if in.Context != "" && in.Context != "COST_AND_USAGE" {
		return nil, outcrop.Errorf(outcrop.Invalid, "Context %s has no values here: there are no reservations and no savings plans. Use COST_AND_USAGE", in.Context)
	}
	found, err := a.find(ctx, who, lookup{
		of: cost.Grouping{Type: cost.ByDimension, Key: in.Dimension}, period: in.TimePeriod, filter: in.Filter, search: in.SearchString,
		sort: in.SortBy, max: in.MaxResults, page: in.NextPageToken, view: in.BillingViewArn,
	})
	if err != nil {
		return nil, err
	}
	out := &GetDimensionValuesOutput{DimensionValues: []DimensionValuesWithAttributes{}, ReturnSize: int64(len(found.Values)),
		TotalSize: int64(found.Total), NextPageToken: found.Next}
	for _, v := range found.Values {
		out.DimensionValues = append(out.DimensionValues, a.dimensionValue(cost.Dimension(in.Dimension), v))
	}
	return out, nil
}

// dimensionValue describes accounts by name and usage types by unit, as the
// documentation of GetDimensionValues says.
func (a *API) dimensionValue(d cost.Dimension, v cost.FoundValue) DimensionValuesWithAttributes {
	switch d {
	case cost.DimLinkedAccount:
		return a.describe(v.Text)
	case cost.DimUsageType, cost.DimUsageTypeGroup:
		return DimensionValuesWithAttributes{Value: v.Text, Attributes: map[string]string{"unit": v.Value.Unit}}
	}
	return DimensionValuesWithAttributes{Value: v.Text, Attributes: map[string]string{}}
}

// A lookup is what GetTags and GetDimensionValues have in common.
type lookup struct {
	of                 cost.Grouping
	period             DateInterval
	filter             *Expression
	search, page, view string
	sort               []SortDefinition
	max                *int64
}

func (a *API) find(ctx context.Context, who outcrop.Caller, in lookup) (*cost.Found, error) {
	l := cost.Lookup{Of: in.of, Search: in.search, Page: in.page}
	var err error
	if l.Version, err = billingView(who, in.view); err != nil {
		return nil, err
	}
	if l.Period, err = cost.ParsePeriod(in.period.Start, in.period.End, ""); err != nil {
		return nil, err
	}
	if l.Filter, err = filterOf(in.filter); err != nil {
		return nil, err
	}
	if l.Sort, err = sortOf(in.sort); err != nil {
		return nil, err
	}
	if l.Max, err = maxOf(in.max, maxValues); err != nil {
		return nil, err
	}
	return a.costs.Find(ctx, who.Account, l)
}
