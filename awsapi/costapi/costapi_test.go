package costapi

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

var (
	now = time.Date(2026, 11, 21, 15, 30, 0, 0, time.UTC)
	who = outcrop.Caller{Account: "111122223333"}
)

// records are a ledger that is all visible.
type records []outcrop.UsageRecord

func (records) Sync(context.Context) error { return nil }

func (r records) After(_ context.Context, after outcrop.Seq, _ int) ([]outcrop.UsageRecord, error) {
	return r[min(int(after), len(r)):], nil
}

func open(calls ...outcrop.UsageRecord) *API {
	for i := range calls {
		calls[i].Seq = outcrop.Seq(i + 1)
	}
	c := cost.New(records(calls), costtest.NewMemory(), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	c.Settings.AccountName = func(outcrop.AccountID) string { return "Platform" }
	return New(c)
}

// call costs $0.0123 and is tagged, unless value is "-".
func call(at time.Time, value string) outcrop.UsageRecord {
	r := outcrop.UsageRecord{Operation: outcrop.OpConverse, Account: who.Account, Started: at, Region: "us-east-1", Model: "amazon.nova-lite-v1:0"}
	if value != "-" {
		r.Tags = outcrop.Tags{"project": value}
	}
	r.Usage.Set(outcrop.InputTokens, 205_000)
	r.Quote.Rates.Set(outcrop.InputTokens, 60_000)
	return r
}

func activate(t *testing.T, a *API, keys ...string) {
	t.Helper()
	in := &UpdateCostAllocationTagsStatusInput{}
	for _, key := range keys {
		in.CostAllocationTagsStatus = append(in.CostAllocationTagsStatus, CostAllocationTagStatusEntry{TagKey: key, Status: "Active"})
	}
	if out, err := a.updateCostAllocationTagsStatus(t.Context(), who, in); err != nil || len(out.Errors) != 0 {
		t.Fatal(out, err)
	}
}

func question(start, end, granularity string, by ...GroupDefinition) *GetCostAndUsageInput {
	return &GetCostAndUsageInput{TimePeriod: DateInterval{Start: start, End: end}, Granularity: granularity, Metrics: []string{"UnblendedCost"}, GroupBy: by}
}

func ptr[T any](v T) *T { return &v }

// The shape of reference/runtime-metering-billing.md §7.4.
func TestGetCostAndUsageByTag(t *testing.T) {
	a := open(call(now, "app01"), call(now, "-"))
	activate(t, a, "project")
	out, err := a.getCostAndUsage(t.Context(), who, question("2026-11-20", "2026-11-22", "DAILY", GroupDefinition{Type: "TAG", Key: "project"}))
	if err != nil {
		t.Fatal(err)
	}
	amount := map[string]MetricValue{"UnblendedCost": {Amount: "0.0123", Unit: "USD"}}
	want := &GetCostAndUsageOutput{
		GroupDefinitions: []GroupDefinition{{Type: "TAG", Key: "project"}},
		ResultsByTime: []ResultByTime{
			{TimePeriod: &DateInterval{"2026-11-20", "2026-11-21"}, Total: map[string]MetricValue{}, Groups: []Group{}, Estimated: ptr(true)},
			{TimePeriod: &DateInterval{"2026-11-21", "2026-11-22"}, Total: map[string]MetricValue{}, Estimated: ptr(true), Groups: []Group{
				{Keys: []string{"project$"}, Metrics: amount}, {Keys: []string{"project$app01"}, Metrics: amount},
			}},
		},
		DimensionValueAttributes: []DimensionValuesWithAttributes{},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
}

// A cost category with a split charge, as a client makes and reads it.
func TestSplitChargesOverTheWire(t *testing.T) {
	a := open(call(now, "app01"), call(now, "app02"), call(now, "shared"))
	activate(t, a, "project")
	made, err := a.createCostCategoryDefinition(t.Context(), who, &CreateCostCategoryDefinitionInput{Name: "Team", RuleVersion: ruleVersion,
		Rules: []CostCategoryRule{{Type: "INHERITED_VALUE", InheritedValue: &CostCategoryInheritedValueDimension{DimensionName: "TAG", DimensionKey: "project"}}},
		SplitChargeRules: []CostCategorySplitChargeRule{{Source: "shared", Targets: []string{"app01", "app02"}, Method: "FIXED",
			Parameters: []CostCategorySplitChargeRuleParameter{{Type: "ALLOCATION_PERCENTAGES", Values: []string{"75", "25"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.getCostAndUsage(t.Context(), who, question("2026-11-21", "2026-11-22", "DAILY", GroupDefinition{Type: "COST_CATEGORY", Key: "Team"}))
	if err != nil {
		t.Fatal(err)
	}
	usd := func(amount string) map[string]MetricValue {
		return map[string]MetricValue{"UnblendedCost": {Amount: amount, Unit: "USD"}}
	}
	want := []Group{{[]string{"Team$app01"}, usd("0.021525")}, {[]string{"Team$app02"}, usd("0.015375")}, {[]string{"Team$shared"}, usd("0")}}
	if diff := cmp.Diff(want, out.ResultsByTime[0].Groups); diff != "" {
		t.Error(diff)
	}
	described, err := a.describeCostCategoryDefinition(t.Context(), who, &DescribeCostCategoryDefinitionInput{CostCategoryArn: made.CostCategoryArn})
	if err != nil || described.CostCategory.SplitChargeRules[0].Parameters[0].Values[0] != "75" {
		t.Errorf("described as %+v, %v", described, err)
	}
}

func TestGetCostAndUsageWithoutGroups(t *testing.T) {
	in := question("2026-11-21T14:00:00Z", "2026-11-21T16:00:00Z", "HOURLY")
	in.Metrics = []string{"BLENDED_COST", "UsageQuantity"}
	out, err := open(call(now, "app01")).getCostAndUsage(t.Context(), who, in)
	if err != nil {
		t.Fatal(err)
	}
	want := []ResultByTime{
		{TimePeriod: &DateInterval{"2026-11-21T14:00:00Z", "2026-11-21T15:00:00Z"}, Groups: []Group{}, Estimated: ptr(true),
			Total: map[string]MetricValue{"BlendedCost": {"0", "USD"}, "UsageQuantity": {"0", "N/A"}}},
		{TimePeriod: &DateInterval{"2026-11-21T15:00:00Z", "2026-11-21T16:00:00Z"}, Groups: []Group{}, Estimated: ptr(true),
			Total: map[string]MetricValue{"BlendedCost": {"0.0123", "USD"}, "UsageQuantity": {"205", "1K tokens"}}},
	}
	if diff := cmp.Diff(want, out.ResultsByTime); diff != "" {
		t.Error(diff)
	}
}

func TestAccountsAreDescribedAndSeparate(t *testing.T) {
	a := open(call(now, "app01"))
	by := GroupDefinition{Type: "DIMENSION", Key: "LINKED_ACCOUNT"}
	out, err := a.getCostAndUsage(t.Context(), who, question("2026-11-20", "2026-11-22", "MONTHLY", by))
	want := []DimensionValuesWithAttributes{{Value: "111122223333", Attributes: map[string]string{"description": "Platform"}}}
	if err != nil || !reflect.DeepEqual(out.DimensionValueAttributes, want) {
		t.Errorf("attributes = %v, %v", out, err)
	}
	out, err = a.getCostAndUsage(t.Context(), outcrop.Caller{Account: "444455556666"}, question("2026-11-20", "2026-11-22", "MONTHLY", by))
	if err != nil || len(out.ResultsByTime) != 1 || len(out.ResultsByTime[0].Groups) != 0 {
		t.Errorf("another account sees %v, %v", out, err)
	}
}

func TestPagesOfGetCostAndUsage(t *testing.T) {
	var calls []outcrop.UsageRecord
	for i := range 2500 {
		calls = append(calls, call(now, fmt.Sprint("app", i)))
	}
	a := open(calls...)
	activate(t, a, "project")
	in := question("2026-11-20", "2026-11-22", "DAILY", GroupDefinition{Type: "TAG", Key: "project"})
	seen := map[string]bool{}
	for {
		out, err := a.getCostAndUsage(t.Context(), who, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.ResultsByTime {
			for _, g := range r.Groups {
				if seen[g.Keys[0]] {
					t.Errorf("%s came twice", g.Keys[0])
				}
				seen[g.Keys[0]] = true
			}
		}
		if in.NextPageToken = out.NextPageToken; in.NextPageToken == "" {
			break
		}
	}
	if len(seen) != 2500 {
		t.Errorf("%d groups", len(seen))
	}
}

func TestWrongRequests(t *testing.T) {
	a := open()
	for want, change := range map[string]func(*GetCostAndUsageInput){
		"Start time 2026-11-20T00:00:00Z is invalid. Valid format is: yyyy-MM-dd.": func(in *GetCostAndUsageInput) { in.TimePeriod.Start += "T00:00:00Z" },
		"Start date (and hour) should be before end date (and hour)":               func(in *GetCostAndUsageInput) { in.TimePeriod.End = in.TimePeriod.Start },
		`Granularity "WEEKLY" is invalid`:                                          func(in *GetCostAndUsageInput) { in.Granularity = "WEEKLY" },
		`Metrics value "Cost" is invalid. Valid values are AmortizedCost`:          func(in *GetCostAndUsageInput) { in.Metrics = []string{"Cost"} },
		"Only one root operator is allowed": func(in *GetCostAndUsageInput) {
			in.Filter = &Expression{Not: &Expression{}, Tags: &TagValues{Key: "project"}}
		},
		"Expression has no root": func(in *GetCostAndUsageInput) { in.Filter = &Expression{Not: &Expression{}} },
		"at least 2 operands":    func(in *GetCostAndUsageInput) { in.Filter = &Expression{And: []Expression{}} },
		"Cost category team": func(in *GetCostAndUsageInput) {
			in.Filter = &Expression{CostCategories: &CostCategoryValues{Key: "team"}}
		},
	} {
		in := question("2026-11-20", "2026-11-22", "DAILY")
		change(in)
		if _, err := a.getCostAndUsage(t.Context(), who, in); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	in := question("2026-11-20", "2026-11-22", "DAILY")
	in.BillingViewArn = "arn:aws:billing::444455556666:billingview/primary"
	if _, err := a.getCostAndUsage(t.Context(), who, in); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("a foreign billing view: %v", err)
	}
	in.BillingViewArn = "arn:aws:billing::111122223333:billingview/primary"
	if _, err := a.getCostAndUsage(t.Context(), who, in); err != nil {
		t.Errorf("the primary billing view: %v", err)
	}
}

func TestGetTags(t *testing.T) {
	a := open(call(now, "app01"), call(now, "app02"), call(now, "-"))
	activate(t, a, "project")
	period := DateInterval{"2026-11-01", "2026-11-22"}
	for _, c := range []struct {
		in   GetTagsInput
		want GetTagsOutput
	}{
		{GetTagsInput{}, GetTagsOutput{Tags: []string{"project"}, ReturnSize: 1, TotalSize: 1}},
		{GetTagsInput{TagKey: "project"}, GetTagsOutput{Tags: []string{"", "app01", "app02"}, ReturnSize: 3, TotalSize: 3}},
		{GetTagsInput{TagKey: "project", SearchString: "02"}, GetTagsOutput{Tags: []string{"app02"}, ReturnSize: 1, TotalSize: 1}},
		{GetTagsInput{TagKey: "project", SortBy: []SortDefinition{{Key: "UnblendedCost", SortOrder: "DESCENDING"}}, MaxResults: ptr(int64(2))},
			GetTagsOutput{Tags: []string{"", "app01"}, ReturnSize: 2, TotalSize: 3}},
	} {
		c.in.TimePeriod = period
		if out, err := a.getTags(t.Context(), who, &c.in); err != nil || !reflect.DeepEqual(*out, c.want) {
			t.Errorf("%+v: %+v, %v", c.in, out, err)
		}
	}
	for _, in := range []GetTagsInput{{MaxResults: ptr(int64(0))}, {MaxResults: ptr(int64(1001))}, {SortBy: []SortDefinition{{Key: "x"}}},
		{SortBy: []SortDefinition{{Key: "UnblendedCost", SortOrder: "UP"}}}} {
		in.TimePeriod = period
		if _, err := a.getTags(t.Context(), who, &in); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestGetDimensionValues(t *testing.T) {
	a := open(call(now, "app01"))
	for dimension, want := range map[string]DimensionValuesWithAttributes{
		"LINKED_ACCOUNT": {"111122223333", map[string]string{"description": "Platform"}},
		"USAGE_TYPE":     {"USE1-NovaLite-input-tokens", map[string]string{"unit": "1K tokens"}},
		"SERVICE":        {"Amazon Bedrock", map[string]string{}},
	} {
		out, err := a.getDimensionValues(t.Context(), who, &GetDimensionValuesInput{TimePeriod: DateInterval{"2026-11-01", "2026-11-22"}, Dimension: dimension})
		if err != nil || out.TotalSize != 1 || out.ReturnSize != 1 || !reflect.DeepEqual(out.DimensionValues[0], want) {
			t.Errorf("%s: %+v, %v", dimension, out, err)
		}
	}
	_, err := a.getDimensionValues(t.Context(), who, &GetDimensionValuesInput{TimePeriod: DateInterval{"2026-11-01", "2026-11-22"}, Dimension: "SERVICE", Context: "RESERVATIONS"})
	if outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("reservations: %v", err)
	}
}

func TestCostAllocationTags(t *testing.T) {
	a := open(call(now, "app01"))
	out, err := a.updateCostAllocationTagsStatus(t.Context(), who, &UpdateCostAllocationTagsStatusInput{
		CostAllocationTagsStatus: []CostAllocationTagStatusEntry{{"Project", "Active"}, {"project", "Active"}},
	})
	want := []UpdateCostAllocationTagsStatusError{{"Project", "TagKeysNotFoundException", "Tag keys not found: Project"}}
	if err != nil || !reflect.DeepEqual(out.Errors, want) {
		t.Errorf("errors = %v, %v", out, err)
	}
	list, err := a.listCostAllocationTags(t.Context(), who, &ListCostAllocationTagsInput{})
	tag := CostAllocationTag{"project", "UserDefined", "Active", "2026-11-21T15:30:00Z", "2026-11-01T00:00:00Z"}
	if err != nil || !reflect.DeepEqual(list.CostAllocationTags, []CostAllocationTag{tag}) {
		t.Errorf("tags = %+v, %v", list, err)
	}
	list, err = a.listCostAllocationTags(t.Context(), who, &ListCostAllocationTagsInput{Status: "Inactive", MaxResults: ptr(int64(5))})
	if err != nil || list.CostAllocationTags == nil || len(list.CostAllocationTags) != 0 {
		t.Errorf("tags = %+v, %v", list, err)
	}
}
