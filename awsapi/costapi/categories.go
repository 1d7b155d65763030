package costapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/cost"
)

// ruleVersion is the only one there is.
const ruleVersion = "CostCategoryExpression.v1"

// arnOf names one of Cost Explorer's own resources.
func arnOf(who outcrop.Caller, kind, id string) string {
	return "arn:aws:ce::" + string(who.Account) + ":" + kind + "/" + id
}

// idOf reads the id out of such a name; empty when it is another account's or
// another kind's.
func idOf(who outcrop.Caller, kind, arn string) string {
	id, ok := strings.CutPrefix(arn, arnOf(who, kind, ""))
	if !ok {
		return ""
	}
	return id
}

func (a *API) createCostCategoryDefinition(ctx context.Context, who outcrop.Caller, in *CreateCostCategoryDefinitionInput) (*CreateCostCategoryDefinitionOutput, error) {
	r, err := revisionOf(in.RuleVersion, in.EffectiveStart, in.Rules, in.DefaultValue, in.SplitChargeRules)
	if err != nil {
		return nil, err
	}
	c, err := a.costs.CreateCategory(ctx, who.Account, in.Name, r)
	if err != nil {
		return nil, err
	}
	arn := arnOf(who, "costcategory", c.ID)
	if err := a.costs.SetResourceTags(ctx, who.Account, arn, tagsOf(in.ResourceTags)); err != nil {
		return nil, err
	}
	return &CreateCostCategoryDefinitionOutput{CostCategoryArn: arn, EffectiveStart: date(c.Revisions[0].Start)}, nil
}

func (a *API) updateCostCategoryDefinition(ctx context.Context, who outcrop.Caller, in *UpdateCostCategoryDefinitionInput) (*UpdateCostCategoryDefinitionOutput, error) {
	r, err := revisionOf(in.RuleVersion, in.EffectiveStart, in.Rules, in.DefaultValue, in.SplitChargeRules)
	if err != nil {
		return nil, err
	}
	c, err := a.costs.UpdateCategory(ctx, who.Account, idOf(who, "costcategory", in.CostCategoryArn), r)
	if err != nil {
		return nil, missing(err, in.CostCategoryArn)
	}
	return &UpdateCostCategoryDefinitionOutput{CostCategoryArn: in.CostCategoryArn, EffectiveStart: date(c.Revisions[len(c.Revisions)-1].Start)}, nil
}

func (a *API) deleteCostCategoryDefinition(ctx context.Context, who outcrop.Caller, in *DeleteCostCategoryDefinitionInput) (*DeleteCostCategoryDefinitionOutput, error) {
	if err := a.costs.DeleteCategory(ctx, who.Account, idOf(who, "costcategory", in.CostCategoryArn)); err != nil {
		return nil, missing(err, in.CostCategoryArn)
	}
	if err := a.costs.SetResourceTags(ctx, who.Account, in.CostCategoryArn, nil); err != nil {
		return nil, err
	}
	return &DeleteCostCategoryDefinitionOutput{CostCategoryArn: in.CostCategoryArn, EffectiveEnd: date(a.now())}, nil
}

// missing names what was not found as the request named it.
func missing(err error, arn string) error {
	if outcrop.KindOf(err) == outcrop.NotFound {
		return outcrop.Errorf(outcrop.NotFound, "No Cost Categories found with the specified ID: %s", arn)
	}
	return err
}

func (a *API) describeCostCategoryDefinition(ctx context.Context, who outcrop.Caller, in *DescribeCostCategoryDefinitionInput) (*DescribeCostCategoryDefinitionOutput, error) {
	on, err := a.effectiveOn(in.EffectiveOn)
	if err != nil {
		return nil, err
	}
	c, err := a.costs.CategoryByID(ctx, who.Account, idOf(who, "costcategory", in.CostCategoryArn))
	if err != nil {
		return nil, missing(err, in.CostCategoryArn)
	}
	r := c.On(on)
	if r == nil {
		return nil, missing(outcrop.Errorf(outcrop.NotFound, ""), in.CostCategoryArn)
	}
	return &DescribeCostCategoryDefinitionOutput{CostCategory: &CostCategory{
		CostCategoryArn: in.CostCategoryArn, Name: c.Name, EffectiveStart: date(r.Start), EffectiveEnd: date(ends(c, r)), RuleVersion: ruleVersion,
		Rules: rulesOf(r), DefaultValue: r.Default, SplitChargeRules: splitsOf(r), ProcessingStatus: applied,
	}}, nil
}

// applied says that a category counts already: there is nothing to wait for.
var applied = []CostCategoryProcessingStatus{{Component: "COST_EXPLORER", Status: "APPLIED"}}

func (a *API) effectiveOn(text string) (time.Time, error) {
	if text == "" {
		return a.now().UTC(), nil
	}
	return zoned("EffectiveOn", text)
}

func zoned(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, outcrop.Errorf(outcrop.Invalid, "%s %s is invalid. Valid format is: yyyy-MM-dd'T'HH:mm:ss'Z'", name, text)
	}
	return t.UTC(), nil
}

// ends is when the revision after r begins; zero when r is the last.
func ends(c *cost.Category, r *cost.CategoryRevision) time.Time {
	for i := range c.Revisions {
		if c.Revisions[i].Start.After(r.Start) {
			return c.Revisions[i].Start
		}
	}
	return time.Time{}
}

func (a *API) listCostCategoryDefinitions(ctx context.Context, who outcrop.Caller, in *ListCostCategoryDefinitionsInput) (*ListCostCategoryDefinitionsOutput, error) {
	on, err := a.effectiveOn(in.EffectiveOn)
	if err != nil {
		return nil, err
	}
	all, err := a.costs.Categories(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	out := &ListCostCategoryDefinitionsOutput{CostCategoryReferences: []CostCategoryReference{}}
	for _, c := range all {
		if r := c.On(on); r != nil {
			rules := int64(len(r.Rules))
			out.CostCategoryReferences = append(out.CostCategoryReferences, CostCategoryReference{
				CostCategoryArn: arnOf(who, "costcategory", c.ID), Name: c.Name, EffectiveStart: date(r.Start), EffectiveEnd: date(ends(c, r)),
				NumberOfRules: &rules, ProcessingStatus: applied, Values: valuesOf(r), DefaultValue: r.Default,
			})
		}
	}
	out.CostCategoryReferences, out.NextToken, err = pageOf(out.CostCategoryReferences, in.NextToken, in.MaxResults, maxListed, func(c *CostCategoryReference) string { return c.CostCategoryArn })
	return out, err
}

func valuesOf(r *cost.CategoryRevision) (out []string) {
	for _, rule := range r.Rules {
		if rule.Value != "" && !slices.Contains(out, rule.Value) {
			out = append(out, rule.Value)
		}
	}
	return out
}

func revisionOf(version, start string, rules []CostCategoryRule, other string, splits []CostCategorySplitChargeRule) (r cost.CategoryRevision, err error) {
	if version != ruleVersion {
		return r, outcrop.Errorf(outcrop.Invalid, "RuleVersion %q is invalid. Valid values are %s", version, ruleVersion)
	}
	if start != "" {
		if r.Start, err = zoned("EffectiveStart", start); err != nil {
			return r, err
		}
	}
	r.Default = other
	for _, rule := range rules {
		x := cost.CategoryRule{Value: rule.Value}
		if x.Filter, err = filterOf(rule.Rule); err != nil {
			return r, err
		}
		if in := rule.InheritedValue; in != nil {
			x.Inherits = &cost.Grouping{Type: cost.ByDimension, Key: in.DimensionName}
			if in.DimensionName == "TAG" {
				x.Inherits = &cost.Grouping{Type: cost.ByTag, Key: in.DimensionKey}
			}
		}
		if (rule.Type == "INHERITED_VALUE") != (x.Inherits != nil) && rule.Type != "" {
			return r, outcrop.Errorf(outcrop.Invalid, "A rule of type %s and its InheritedValue contradict each other", rule.Type)
		}
		r.Rules = append(r.Rules, x)
	}
	for _, split := range splits {
		x := cost.SplitCharge{Source: split.Source, Targets: split.Targets, Method: split.Method}
		for _, p := range split.Parameters {
			x.Percent = append(x.Percent, p.Values...)
		}
		r.Split = append(r.Split, x)
	}
	return r, nil
}

func rulesOf(r *cost.CategoryRevision) []CostCategoryRule {
	out := make([]CostCategoryRule, len(r.Rules))
	for i, rule := range r.Rules {
		out[i] = CostCategoryRule{Value: rule.Value, Rule: expressionOf(rule.Filter), Type: "REGULAR"}
		if in := rule.Inherits; in != nil {
			out[i].Type = "INHERITED_VALUE"
			out[i].InheritedValue = &CostCategoryInheritedValueDimension{DimensionName: in.Key}
			if in.Type == cost.ByTag {
				out[i].InheritedValue = &CostCategoryInheritedValueDimension{DimensionName: "TAG", DimensionKey: in.Key}
			}
		}
	}
	return out
}

func splitsOf(r *cost.CategoryRevision) (out []CostCategorySplitChargeRule) {
	for _, s := range r.Split {
		x := CostCategorySplitChargeRule{Source: s.Source, Targets: s.Targets, Method: s.Method}
		if len(s.Percent) > 0 {
			x.Parameters = []CostCategorySplitChargeRuleParameter{{Type: "ALLOCATION_PERCENTAGES", Values: s.Percent}}
		}
		out = append(out, x)
	}
	return out
}
