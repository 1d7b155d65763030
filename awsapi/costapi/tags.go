package costapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/cost"
)

// maxTagsListed is the model's limit of MaxResults in ListCostAllocationTags.
const maxTagsListed = 1000

func (a *API) listCostAllocationTags(ctx context.Context, who outcrop.Caller, in *ListCostAllocationTagsInput) (*ListCostAllocationTagsOutput, error) {
	limit, err := maxOf(in.MaxResults, maxTagsListed)
	if err != nil {
		return nil, err
	}
	list, err := a.costs.ListTags(ctx, who.Account, cost.TagQuery{
		Status: cost.TagStatus(in.Status), Type: cost.TagType(in.Type), Keys: in.TagKeys, Max: limit, Page: in.NextToken,
	})
	if err != nil {
		return nil, err
	}
	out := &ListCostAllocationTagsOutput{CostAllocationTags: []CostAllocationTag{}, NextToken: list.Next}
	for _, t := range list.Tags {
		out.CostAllocationTags = append(out.CostAllocationTags, CostAllocationTag{
			TagKey: t.Key, Type: string(t.Type), Status: string(t.Status),
			LastUpdatedDate: date(t.Updated), LastUsedDate: date(month(t.Used)),
		})
	}
	return out, nil
}

func (a *API) updateCostAllocationTagsStatus(ctx context.Context, who outcrop.Caller, in *UpdateCostAllocationTagsStatusInput) (*UpdateCostAllocationTagsStatusOutput, error) {
	updates := make([]cost.TagUpdate, len(in.CostAllocationTagsStatus))
	for i, entry := range in.CostAllocationTagsStatus {
		updates[i] = cost.TagUpdate{Key: entry.TagKey, Status: cost.TagStatus(entry.Status)}
	}
	refused, err := a.costs.UpdateTags(ctx, who.Account, updates)
	if err != nil {
		return nil, err
	}
	out := &UpdateCostAllocationTagsStatusOutput{Errors: []UpdateCostAllocationTagsStatusError{}}
	for _, r := range refused {
		out.Errors = append(out.Errors, UpdateCostAllocationTagsStatusError{TagKey: r.Key, Code: r.Code, Message: r.Message})
	}
	return out, nil
}

// date writes a ZonedDateTime; a zero time is left out.
func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// month is the beginning of t's: LastUsedDate is "the last month that the tag
// was used" (shape CostAllocationTag).
func month(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}
