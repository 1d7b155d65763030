package conform

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
)

const (
	opListAllocation   = "ListCostAllocationTags"
	opUpdateAllocation = "UpdateCostAllocationTagsStatus"
)

func allocation(operation, body string) ask {
	return ask{service: "ce", method: "POST", path: "/", header: target(operation), body: body}
}

func listCostAllocationTagsChecks() []Check {
	const source = "runtime-metering-billing.md §7.4"
	list := func(body string) ask { return allocation(opListAllocation, body) }
	return []Check{
		{opListAllocation, "lists a tag with key, type, status and dates", source, Own, allocationListed},
		{opListAllocation, "filters by status", source, Spend, allocationFiltered},
		asks(opListAllocation, "knows nothing of a key that nobody used", source, Spend, list(`{"TagKeys":["outcrop-none"]}`), answer{status: 200, body: `{"CostAllocationTags":[]}`}),
		asks(opListAllocation, "refuses an unknown status", source, Spend, list(`{"Status":"Sleepy"}`), invalid("tatus")),
		asks(opListAllocation, "refuses MaxResults 0", "botocore", Spend, list(`{"MaxResults":0}`), invalid("axResults")),
		asks(opListAllocation, "refuses MaxResults 1001", "botocore", Spend, list(`{"MaxResults":1001}`), invalid("axResults")),
		asks(opListAllocation, "refuses an empty list of keys", "botocore", Spend, list(`{"TagKeys":[]}`), invalid("agKeys")),
	}
}

// used makes the key known to billing: a profile carries it and is called.
func (s *Subject) used(ctx context.Context) error {
	p, err := s.create(ctx, tag(conformTag, runName()))
	if err != nil {
		return err
	}
	_, err = s.expect(ctx, modelAsk("converse", label(p.arn), hello), answer{status: 200})
	return err
}

func allocationListed(ctx context.Context, s *Subject) error {
	if err := s.used(ctx); err != nil {
		return err
	}
	got, err := s.expect(ctx, allocation(opListAllocation, `{"TagKeys":["`+conformTag+`"]}`), answer{status: 200, members: []string{"CostAllocationTags"}})
	if err != nil {
		return err
	}
	entry, _ := at(got.object(), "CostAllocationTags.0").(map[string]any)
	_, noTime := time.Parse(time.RFC3339, text(entry, "LastUsedDate"))
	return errors.Join(
		sameMembers("a tag", []string{"TagKey", "Type", "Status", "LastUpdatedDate?", "LastUsedDate"}, entry),
		same("TagKey", conformTag, text(entry, "TagKey")), same("Type", "UserDefined", text(entry, "Type")),
		holds("Status", text(entry, "Status") == "Inactive" || text(entry, "Status") == "Active", "Active or Inactive", entry["Status"]),
		holds("LastUsedDate", noTime == nil && strings.HasSuffix(text(entry, "LastUsedDate"), "Z"), "such as 2026-11-01T00:00:00Z", entry["LastUsedDate"]))
}

func allocationFiltered(ctx context.Context, s *Subject) error {
	for _, status := range []types.CostAllocationTagStatus{types.CostAllocationTagStatusActive, types.CostAllocationTagStatusInactive} {
		out, err := s.costs.ListCostAllocationTags(ctx, &costexplorer.ListCostAllocationTagsInput{Status: status})
		if err != nil {
			return err
		}
		for _, t := range out.CostAllocationTags {
			if err := same("status of "+aws.ToString(t.TagKey), status, t.Status); err != nil {
				return err
			}
		}
	}
	return nil
}

func updateCostAllocationTagsStatusChecks() []Check {
	const source = "runtime-metering-billing.md §7.4"
	update := func(entries string) ask {
		return allocation(opUpdateAllocation, `{"CostAllocationTagsStatus":[`+entries+`]}`)
	}
	entry := `{"TagKey":"outcrop-none","Status":"Active"}`
	return []Check{
		{opUpdateAllocation, "switches a tag on and off, and the list shows it", source, Own, allocationSwitched},
		{opUpdateAllocation, "answers 200 and tells of a key it does not know", source, Spend, allocationUnknown},
		asks(opUpdateAllocation, "refuses an empty update", "botocore", Spend, update(""), invalid("ostAllocationTagsStatus")),
		asks(opUpdateAllocation, "refuses 21 keys at once", "botocore", Spend, update(entry+strings.Repeat(","+entry, 20)), invalid("ostAllocationTagsStatus")),
		asks(opUpdateAllocation, "refuses a status that is none", "botocore", Spend, update(`{"TagKey":"outcrop-none","Status":"Sleepy"}`), invalid("tatus")),
		asks(opUpdateAllocation, "insists on the update", "botocore", Spend, allocation(opUpdateAllocation, `{}`), invalid("ostAllocationTagsStatus")),
	}
}

func allocationSwitched(ctx context.Context, s *Subject) error {
	if err := s.used(ctx); err != nil {
		return err
	}
	for _, status := range []types.CostAllocationTagStatus{types.CostAllocationTagStatusActive, types.CostAllocationTagStatusInactive} {
		if err := s.activate(ctx, conformTag, status); err != nil {
			return err
		}
		out, err := s.costs.ListCostAllocationTags(ctx, &costexplorer.ListCostAllocationTagsInput{TagKeys: []string{conformTag}})
		if err != nil {
			return err
		}
		if len(out.CostAllocationTags) != 1 || out.CostAllocationTags[0].Status != status {
			return &Mismatch{"the list", string(status), abridged(strings.Join(keysOf(out.CostAllocationTags), " "))}
		}
	}
	return nil
}

func keysOf(tags []types.CostAllocationTag) []string {
	var keys []string
	for _, t := range tags {
		keys = append(keys, aws.ToString(t.TagKey)+" "+string(t.Status))
	}
	return keys
}

func allocationUnknown(ctx context.Context, s *Subject) error {
	got, err := s.expect(ctx, allocation(opUpdateAllocation, `{"CostAllocationTagsStatus":[{"TagKey":"outcrop-none","Status":"Active"}]}`), answer{status: 200, members: []string{"Errors"}})
	if err != nil {
		return err
	}
	first, _ := at(got.object(), "Errors.0").(map[string]any)
	return errors.Join(sameMembers("an error", []string{"TagKey", "Code", "Message"}, first), same("TagKey", "outcrop-none", text(first, "TagKey")))
}
