package conform

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	bedrocktypes "github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

const (
	opTags       = "GetTags"
	opDimensions = "GetDimensionValues"

	// conformTag is the key under which the checks bill.
	conformTag = "outcrop-conform"
)

func getTagsChecks() []Check {
	const source = "runtime-metering-billing.md §7.4"
	return []Check{
		asks(opTags, "answers with tags and their number", source, Spend, costAsk(opTags, ""), answer{status: 200, members: []string{"Tags", "ReturnSize", "TotalSize"}}),
		asks(opTags, "has no values of a key that nobody used", source, Spend, costAsk(opTags, `,"TagKey":"outcrop-none"`), answer{status: 200, members: []string{"Tags", "ReturnSize", "TotalSize"}}),
		{opTags, "counts what it returns", source, Spend, tagsCounted},
		asks(opTags, "insists on the period", "botocore", Spend, ask{service: "ce", method: "POST", path: "/", header: target(opTags), body: `{}`}, invalid("imePeriod")),
		asks(opTags, "refuses a page token that it did not give", source, Spend, costAsk(opTags, `,"NextPageToken":"bm90IGEgdG9rZW4"`), refused(400, "InvalidNextTokenException")),
	}
}

func tagsCounted(ctx context.Context, s *Subject) error {
	out, err := s.costs.GetTags(ctx, &costexplorer.GetTagsInput{TimePeriod: period()})
	if err != nil {
		return err
	}
	return errors.Join(same("ReturnSize", len(out.Tags), int(aws.ToInt32(out.ReturnSize))),
		holds("TotalSize", aws.ToInt32(out.TotalSize) >= aws.ToInt32(out.ReturnSize), "no less than ReturnSize", aws.ToInt32(out.TotalSize)))
}

func getDimensionValuesChecks() []Check {
	const source = "runtime-metering-billing.md §7.4"
	members := []string{"DimensionValues", "ReturnSize", "TotalSize"}
	return []Check{
		asks(opDimensions, "answers with values and their number", source, Spend, costAsk(opDimensions, `,"Dimension":"SERVICE"`), answer{status: 200, members: members}),
		{opDimensions, "describes an account by its attributes", source, Spend, accountsDescribed},
		{opDimensions, "names the operations of today's calls", source, Own, operationsNamed},
		asks(opDimensions, "takes the context COST_AND_USAGE", source, Spend, costAsk(opDimensions, `,"Dimension":"REGION","Context":"COST_AND_USAGE"`), answer{status: 200, members: members}),
		asks(opDimensions, "refuses an unknown dimension", source, Spend, costAsk(opDimensions, `,"Dimension":"MOOD"`), invalid("imension")),
		asks(opDimensions, "insists on the dimension", "botocore", Spend, costAsk(opDimensions, ""), invalid("imension")),
	}
}

func accountsDescribed(ctx context.Context, s *Subject) error {
	out, err := s.costs.GetDimensionValues(ctx, &costexplorer.GetDimensionValuesInput{TimePeriod: period(), Dimension: types.DimensionLinkedAccount})
	if err != nil {
		return err
	}
	for _, v := range out.DimensionValues {
		_, ok := v.Attributes["description"]
		if err := holds("attributes of "+aws.ToString(v.Value), ok, "a description", v.Attributes); err != nil {
			return err
		}
	}
	return nil
}

func operationsNamed(ctx context.Context, s *Subject) error {
	if _, err := s.expect(ctx, modelAsk("converse", "{%systemID}", hello), answer{status: 200}); err != nil {
		return err
	}
	out, err := s.costs.GetDimensionValues(ctx, &costexplorer.GetDimensionValuesInput{TimePeriod: period(), Dimension: types.DimensionOperation})
	if err != nil {
		return err
	}
	var values []string
	for _, v := range out.DimensionValues {
		values = append(values, aws.ToString(v.Value))
	}
	return holds("operations", len(values) > 0, "those of the ledger", values)
}

// tagValue reads back the value of a profile's conformTag.
func (s *Subject) tagValue(ctx context.Context, arn string) (string, error) {
	out, err := s.control.ListTagsForResource(ctx, &bedrock.ListTagsForResourceInput{ResourceARN: &arn})
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(out.Tags, func(t bedrocktypes.Tag) bool { return aws.ToString(t.Key) == conformTag })
	if i < 0 {
		return "", &Mismatch{"tags", conformTag, "none"}
	}
	return aws.ToString(out.Tags[i].Value), nil
}

// activate switches a cost allocation tag, without errors in the answer.
func (s *Subject) activate(ctx context.Context, key string, status types.CostAllocationTagStatus) error {
	out, err := s.costs.UpdateCostAllocationTagsStatus(ctx, &costexplorer.UpdateCostAllocationTagsStatusInput{
		CostAllocationTagsStatus: []types.CostAllocationTagStatusEntry{{TagKey: &key, Status: status}}})
	if err != nil {
		return err
	}
	return same("errors of the update", 0, len(out.Errors))
}
