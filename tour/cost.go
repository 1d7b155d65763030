package tour

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

func (g *guide) activate(ctx context.Context) error {
	out, err := g.costs.UpdateCostAllocationTagsStatus(ctx, &costexplorer.UpdateCostAllocationTagsStatusInput{
		CostAllocationTagsStatus: []types.CostAllocationTagStatusEntry{{TagKey: aws.String(tagKey), Status: types.CostAllocationTagStatusActive}},
	})
	if err != nil {
		return err
	}
	for _, e := range out.Errors {
		return fmt.Errorf("activate %s: %s: %s", aws.ToString(e.TagKey), aws.ToString(e.Code), aws.ToString(e.Message))
	}
	g.say("%s is a cost allocation tag now. AWS takes up to 48 hours for this.", tagKey)
	return nil
}

// cost asks for today by tag and shows it as a table.
func (g *guide) cost(ctx context.Context) error {
	start, end := period(time.Now())
	answer, err := g.costs.GetCostAndUsage(ctx, &costexplorer.GetCostAndUsageInput{
		TimePeriod: &types.DateInterval{Start: &start, End: &end}, Granularity: types.GranularityDaily,
		Metrics: []string{"UnblendedCost", "UsageQuantity"},
		GroupBy: []types.GroupDefinition{{Type: types.GroupDefinitionTypeTag, Key: aws.String(tagKey)}},
	})
	if err != nil {
		return err
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\tUSD today\t1K tokens\t\n", tagKey)
	found := false
	for _, day := range answer.ResultsByTime {
		for _, group := range day.Groups {
			_, value, _ := strings.Cut(group.Keys[0], "$")
			found = found || value == g.tag
			if value == "" {
				value = "(no tag)"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t\n", value, aws.ToString(group.Metrics["UnblendedCost"].Amount), aws.ToString(group.Metrics["UsageQuantity"].Amount))
		}
	}
	w.Flush()
	g.say("%s", strings.TrimRight(table.String(), "\n"))
	if !found {
		return fmt.Errorf("the calls of this tour are not in the answer for tag %s=%s", tagKey, g.tag)
	}
	return nil
}
