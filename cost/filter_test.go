package cost_test

import (
	"strings"
	"testing"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

func tagFilter(key string, values []string, options ...string) *cost.Filter {
	return &cost.Filter{Tags: &cost.Match{Key: key, Values: values, Options: options}}
}

func dimFilter(d cost.Dimension, values []string, options ...string) *cost.Filter {
	return &cost.Filter{Dimensions: &cost.Match{Key: string(d), Values: values, Options: options}}
}

// filterWorld has one call for each project tag, of 1, 2, 4, … tokens, so that
// a sum says which calls passed.
func filterWorld(t *testing.T) *cost.Costs {
	l := &ledger{}
	for i, tags := range []outcrop.Tags{
		{"project": "app01"}, {"project": "APP01"}, {"project": "app02", "stage": "dev"}, {"stage": "dev"}, nil, {"project": ""},
	} {
		l.settle(call(now, tagged(tags), func(r *outcrop.UsageRecord) {
			r.Usage = outcrop.Usage{}
			r.Usage.Set(outcrop.InputTokens, 1<<i)
			if i == 0 {
				r.Operation, r.Region, r.Profile = outcrop.OpConverseStream, "eu-west-1", ""
			}
		}))
	}
	c := newCosts(l, costtest.NewMemory())
	activate(t, c, "project")
	return c
}

func TestFilters(t *testing.T) {
	c := filterWorld(t)
	for name, f := range map[string]struct {
		filter *cost.Filter
		want   outcrop.Tokens
	}{
		"nothing":              {nil, 63},
		"equals by default":    {tagFilter("project", []string{"app01"}), 1},
		"alternatives":         {tagFilter("project", []string{"app01", "app02"}), 5},
		"any case":             {tagFilter("project", []string{"App01"}, "EQUALS", "CASE_INSENSITIVE"), 3},
		"any case alone":       {tagFilter("project", []string{"App01"}, "CASE_INSENSITIVE"), 3},
		"starts with":          {tagFilter("project", []string{"app"}, "STARTS_WITH"), 5},
		"ends with":            {tagFilter("project", []string{"02"}, "ENDS_WITH", "CASE_SENSITIVE"), 4},
		"contains in any case": {tagFilter("project", []string{"PP0"}, "CONTAINS", "CASE_INSENSITIVE"), 7},
		"absent":               {tagFilter("project", nil, "ABSENT"), 8 + 16},
		"absent is implied":    {tagFilter("project", nil), 8 + 16},
		"equals or absent":     {tagFilter("project", []string{"app01"}, "EQUALS", "ABSENT"), 1 + 8 + 16},
		"empty value":          {tagFilter("project", []string{""}), 8 + 16 + 32},
		"no tags at all":       {tagFilter("", nil), 8 + 16}, // stage is not active and so not there
		"inactive key":         {tagFilter("stage", []string{"dev"}), 0},
		"inactive is absent":   {tagFilter("stage", nil), 63},
		"dimension":            {dimFilter(cost.DimRegion, []string{"eu-west-1"}), 1},
		"operation":            {dimFilter(cost.DimOperation, []string{"InvokeModelStreamingInference"}), 1},
		"resource absent":      {dimFilter(cost.DimResourceID, nil, "ABSENT"), 1},
		"service":              {dimFilter(cost.DimService, []string{"Amazon Bedrock"}), 63},
		"usage type":           {dimFilter(cost.DimUsageType, []string{"EUW1"}, "STARTS_WITH"), 1},
		"and":                  {&cost.Filter{And: []cost.Filter{*tagFilter("project", []string{"app"}, "STARTS_WITH"), *dimFilter(cost.DimRegion, []string{"us-east-1"})}}, 4},
		"or":                   {&cost.Filter{Or: []cost.Filter{*tagFilter("project", []string{"app02"}), *dimFilter(cost.DimRegion, []string{"eu-west-1"})}}, 5},
		"not":                  {&cost.Filter{Not: tagFilter("project", []string{"app01"})}, 62},
	} {
		q := daily()
		q.Filter = f.filter
		if got := grand(ask(t, c, q), false).Tokens; got != f.want {
			t.Errorf("%s: %06b passed, want %06b", name, got, f.want)
		}
	}
}

func TestWrongFiltersAreRefused(t *testing.T) {
	c := newCosts(&ledger{}, costtest.NewMemory())
	deep := tagFilter("project", nil)
	for range 25 {
		deep = &cost.Filter{Not: deep}
	}
	one := *tagFilter("project", []string{"x"})
	for want, f := range map[string]*cost.Filter{
		"Expression has more than one roots. Only one root operator is allowed for each expression: And, Or, Not, Dimensions, Tags, CostCategories": {
			And: []cost.Filter{one, one}, Dimensions: &cost.Match{Key: "REGION", Values: []string{"x"}}},
		"Expression has no root":                            {},
		"And expression must have at least 2 operands":      {And: []cost.Filter{one}},
		"Or expression must have at least 2 operands":       {Or: []cost.Filter{}},
		`Dimension "COLOR" is invalid. Valid values are AZ`: dimFilter("COLOR", []string{"x"}),
		`"GREATER_THAN_OR_EQUAL" is invalid`:                dimFilter(cost.DimRegion, []string{"x"}, "GREATER_THAN_OR_EQUAL"),
		"exclude each other":                                tagFilter("project", []string{"x"}, "CASE_SENSITIVE", "CASE_INSENSITIVE"),
		"ABSENT takes no Values":                            tagFilter("project", []string{"x"}, "ABSENT"),
		"needs a Key":                                       tagFilter("", []string{"x"}),
		"nested more than 20":                               deep,
		"more than 10000 values":                            {Or: []cost.Filter{*tagFilter("a", make([]string, 6000)), *tagFilter("b", make([]string, 6000))}},
	} {
		q := daily()
		q.Filter = f
		if _, err := c.Ask(t.Context(), account, q); !isKind(err, outcrop.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
