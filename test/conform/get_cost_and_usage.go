package conform

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

const opCost = "GetCostAndUsage"

// period is today, in UTC: Start is part of it and End is not.
func period() *types.DateInterval {
	now := time.Now().UTC()
	return &types.DateInterval{Start: aws.String(now.Format(time.DateOnly)), End: aws.String(now.AddDate(0, 0, 1).Format(time.DateOnly))}
}

// today is period in JSON.
func today() string {
	p := period()
	return `"TimePeriod":{"Start":"` + *p.Start + `","End":"` + *p.End + `"}`
}

// costAsk asks Cost Explorer about today.
func costAsk(operation, rest string) ask {
	return ask{service: "ce", method: "POST", path: "/", header: target(operation), body: "{" + today() + rest + "}"}
}

func getCostAndUsageChecks() []Check {
	const source, model = "runtime-metering-billing.md §7.4", "botocore"
	daily := func(rest string) ask {
		return costAsk(opCost, `,"Granularity":"DAILY","Metrics":["UnblendedCost"]`+rest)
	}
	return []Check{
		{opCost, "puts an ungrouped answer into Total and leaves Groups empty", source, Spend, costUngrouped},
		{opCost, "puts a grouped answer into Groups and leaves Total empty", source, Spend, costGrouped},
		{opCost, "groups by two keys, in the order asked for", source, Spend, costTwoGroups},
		{opCost, "writes group keys of a tag as key$value, and key$ for none", source, Spend, costByUnknownTag},
		{opCost, "cuts hours to yyyy-mm-ddThh:mm:ssZ", source, Spend, costHourly},
		{opCost, "cuts a month at the period's ends", source, Spend, costMonthly},
		{opCost, "counts a call's tokens under its profile's tag at once, when the tag is active", "Outcrop: AWS takes up to two days", Own, costOfACall},
		asks(opCost, "insists on the metrics", model, Spend, costAsk(opCost, `,"Granularity":"DAILY"`), invalid("etrics")),
		asks(opCost, "insists on the granularity", model, Spend, costAsk(opCost, `,"Metrics":["UnblendedCost"]`), invalid("ranularity")),
		asks(opCost, "insists on the period", model, Spend, ask{service: "ce", method: "POST", path: "/", header: target(opCost), body: `{"Granularity":"DAILY","Metrics":["UnblendedCost"]}`}, invalid("imePeriod")),
		asks(opCost, "refuses an unknown metric", source, Spend, costAsk(opCost, `,"Granularity":"DAILY","Metrics":["Happiness"]`), invalid("Happiness")),
		asks(opCost, "refuses an unknown granularity", source, Spend, costAsk(opCost, `,"Granularity":"WEEKLY","Metrics":["UnblendedCost"]`), invalid("ranularity")),
		asks(opCost, "refuses three groups", source, Spend, daily(`,"GroupBy":[{"Type":"DIMENSION","Key":"SERVICE"},{"Type":"DIMENSION","Key":"REGION"},{"Type":"DIMENSION","Key":"OPERATION"}]`), invalid()),
		asks(opCost, "refuses an unknown dimension", source, Spend, daily(`,"GroupBy":[{"Type":"DIMENSION","Key":"MOOD"}]`), invalid("imension")),
		asks(opCost, "refuses a filter with two roots", source, Spend, daily(`,"Filter":{"Dimensions":{"Key":"REGION","Values":["us-east-1"]},"Tags":{"Key":"a","Values":["b"]}}`), invalid()),
		asks(opCost, "refuses And with one member", source, Spend, daily(`,"Filter":{"And":[{"Dimensions":{"Key":"REGION","Values":["us-east-1"]}}]}`), invalid()),
		asks(opCost, "refuses a period that ends before it starts", source, Spend, ask{service: "ce", method: "POST", path: "/", header: target(opCost),
			body: `{"TimePeriod":{"Start":"2026-02-02","End":"2026-02-01"},"Granularity":"DAILY","Metrics":["UnblendedCost"]}`}, invalid()),
		asks(opCost, "refuses a date that is none", source, Spend, ask{service: "ce", method: "POST", path: "/", header: target(opCost),
			body: `{"TimePeriod":{"Start":"yesterday","End":"2026-02-01"},"Granularity":"DAILY","Metrics":["UnblendedCost"]}`}, invalid()),
		asks(opCost, "refuses what is no JSON", "framework", Spend, ask{service: "ce", method: "POST", path: "/", header: target(opCost), body: `{"TimePeriod":`}, refused(400, "SerializationException")),
	}
}

var decimal = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

func (s *Subject) cost(ctx context.Context, rest string) (map[string]any, error) {
	got, err := s.expect(ctx, costAsk(opCost, rest), answer{status: 200, members: []string{"GroupDefinitions?", "ResultsByTime", "DimensionValueAttributes"}})
	if err != nil {
		return nil, err
	}
	return got.object(), same("Content-Type", "application/x-amz-json-1.1", got.header.Get("Content-Type"))
}

func costUngrouped(ctx context.Context, s *Subject) error {
	got, err := s.cost(ctx, `,"Granularity":"DAILY","Metrics":["UnblendedCost","UsageQuantity"]`)
	if err != nil {
		return err
	}
	result, _ := at(got, "ResultsByTime.0").(map[string]any)
	groups, ok := result["Groups"].([]any)
	amount := text(result, "Total.UnblendedCost.Amount")
	return errors.Join(
		sameMembers("a result", []string{"TimePeriod", "Total", "Groups", "Estimated"}, result),
		same("TimePeriod.Start", *period().Start, text(result, "TimePeriod.Start")), same("TimePeriod.End", *period().End, text(result, "TimePeriod.End")),
		holds("Groups", ok && len(groups) == 0, "[]", result["Groups"]),
		holds("UnblendedCost.Amount", decimal.MatchString(amount), "a decimal string", at(result, "Total.UnblendedCost.Amount")),
		same("UnblendedCost.Unit", "USD", text(result, "Total.UnblendedCost.Unit")),
		holds("UsageQuantity.Amount", decimal.MatchString(text(result, "Total.UsageQuantity.Amount")), "a decimal string", at(result, "Total.UsageQuantity.Amount")),
		same[any]("Estimated", true, result["Estimated"]))
}

func costGrouped(ctx context.Context, s *Subject) error {
	got, err := s.cost(ctx, `,"Granularity":"DAILY","Metrics":["UnblendedCost"],"GroupBy":[{"Type":"DIMENSION","Key":"SERVICE"}]`)
	if err != nil {
		return err
	}
	total, ok := at(got, "ResultsByTime.0.Total").(map[string]any)
	groups, _ := at(got, "ResultsByTime.0.Groups").([]any)
	errs := []error{same("GroupDefinitions.0.Key", "SERVICE", text(got, "GroupDefinitions.0.Key")), holds("Total", ok && len(total) == 0, "{}", total)}
	for _, g := range groups {
		g, _ := g.(map[string]any)
		errs = append(errs, sameMembers("a group", []string{"Keys", "Metrics"}, g))
	}
	return errors.Join(errs...)
}

func costTwoGroups(ctx context.Context, s *Subject) error {
	got, err := s.cost(ctx, `,"Granularity":"DAILY","Metrics":["UsageQuantity"],"GroupBy":[{"Type":"TAG","Key":"outcrop-none"},{"Type":"DIMENSION","Key":"USAGE_TYPE"}]`)
	if err != nil {
		return err
	}
	groups, _ := at(got, "ResultsByTime.0.Groups").([]any)
	for _, g := range groups {
		keys, _ := at(g, "Keys").([]any)
		if err := errors.Join(same("keys of a group", 2, len(keys)), same("the first key", "outcrop-none$", text(g, "Keys.0"))); err != nil {
			return err
		}
	}
	return nil
}

func costByUnknownTag(ctx context.Context, s *Subject) error {
	got, err := s.cost(ctx, `,"Granularity":"DAILY","Metrics":["UnblendedCost"],"GroupBy":[{"Type":"TAG","Key":"outcrop-none"}]`)
	if err != nil {
		return err
	}
	groups, _ := at(got, "ResultsByTime.0.Groups").([]any)
	for _, g := range groups {
		if err := same("key of a group", "outcrop-none$", text(g, "Keys.0")); err != nil {
			return err
		}
	}
	return nil
}

func costHourly(ctx context.Context, s *Subject) error {
	hour := time.Now().UTC().Truncate(time.Hour)
	start, end := hour.Add(-2*time.Hour).Format(time.RFC3339), hour.Add(time.Hour).Format(time.RFC3339)
	got, err := s.expect(ctx, ask{service: "ce", method: "POST", path: "/", header: target(opCost),
		body: `{"TimePeriod":{"Start":"` + start + `","End":"` + end + `"},"Granularity":"HOURLY","Metrics":["UnblendedCost"]}`}, answer{status: 200})
	if err != nil {
		return err
	}
	list, _ := at(got.object(), "ResultsByTime").([]any)
	return errors.Join(same("hours", 3, len(list)), same("Start", start, text(got.object(), "ResultsByTime.0.TimePeriod.Start")))
}

func costMonthly(ctx context.Context, s *Subject) error {
	p := period()
	got, err := s.cost(ctx, `,"Granularity":"MONTHLY","Metrics":["UnblendedCost"]`)
	if err != nil {
		return err
	}
	return errors.Join(same("Start", *p.Start, text(got, "ResultsByTime.0.TimePeriod.Start")), same("End", *p.End, text(got, "ResultsByTime.0.TimePeriod.End")))
}

// costOfACall is the product in one check: a tagged profile, a call, its
// tokens under the tag.
func costOfACall(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx, tag(conformTag, runName()))
	if err != nil {
		return err
	}
	value, err := s.tagValue(ctx, p.arn)
	if err != nil {
		return err
	}
	if err := s.activate(ctx, conformTag, types.CostAllocationTagStatusActive); err != nil {
		return err
	}
	called, err := s.expect(ctx, modelAsk("converse", label(p.arn), hello), answer{status: 200})
	if err != nil {
		return err
	}
	billed, err := s.usageUnder(ctx, value)
	back := s.activate(ctx, conformTag, types.CostAllocationTagStatusInactive)
	return errors.Join(err, back, same("UsageQuantity under "+value, number(called.object(), "usage.totalTokens"), billed))
}

// usageUnder is the day's usage with the tag's value, in tokens.
func (s *Subject) usageUnder(ctx context.Context, value string) (float64, error) {
	out, err := s.costs.GetCostAndUsage(ctx, &costexplorer.GetCostAndUsageInput{TimePeriod: period(), Granularity: types.GranularityDaily, Metrics: []string{"UsageQuantity"},
		GroupBy: []types.GroupDefinition{{Type: types.GroupDefinitionTypeTag, Key: aws.String(conformTag)}, {Type: types.GroupDefinitionTypeDimension, Key: aws.String("USAGE_TYPE")}}})
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, r := range out.ResultsByTime {
		for _, g := range r.Groups {
			if !slices.Contains(g.Keys, conformTag+"$"+value) {
				continue
			}
			n, err := strconv.ParseFloat(aws.ToString(g.Metrics["UsageQuantity"].Amount), 64)
			if err != nil {
				return 0, err
			}
			if strings.HasPrefix(strings.ToUpper(aws.ToString(g.Metrics["UsageQuantity"].Unit)), "1K") {
				n *= 1000
			}
			sum += n
		}
	}
	return sum, nil
}
