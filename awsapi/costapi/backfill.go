package costapi

import (
	"context"
	"slices"

	"outcrop"
	"outcrop/cost"
)

// startCostAllocationTagBackfill reads the history anew with the tags that
// profiles have now. It is done when it answers, and may be asked for again at
// once.
func (a *API) startCostAllocationTagBackfill(ctx context.Context, who outcrop.Caller, in *StartCostAllocationTagBackfillInput) (*StartCostAllocationTagBackfillOutput, error) {
	from, err := zoned("BackfillFrom", in.BackfillFrom)
	if err != nil {
		return nil, err
	}
	v, err := a.costs.Retag(ctx, who.Account, cost.Retag{From: from})
	if err != nil {
		return nil, err
	}
	done := backfillOf(v)
	return &StartCostAllocationTagBackfillOutput{BackfillRequest: &done}, nil
}

func backfillOf(v *cost.Version) CostAllocationTagBackfillRequest {
	at := date(v.Created)
	return CostAllocationTagBackfillRequest{BackfillFrom: date(v.From), RequestedAt: at, CompletedAt: at, LastUpdatedAt: at, BackfillStatus: "SUCCEEDED"}
}

// listCostAllocationTagBackfillHistory lists the newest first.
func (a *API) listCostAllocationTagBackfillHistory(ctx context.Context, who outcrop.Caller, in *ListCostAllocationTagBackfillHistoryInput) (*ListCostAllocationTagBackfillHistoryOutput, error) {
	all, err := a.costs.Versions(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	out := &ListCostAllocationTagBackfillHistoryOutput{BackfillRequests: []CostAllocationTagBackfillRequest{}}
	for _, v := range slices.Backward(all) {
		if v.Kind == cost.Retagged || v.Kind == cost.Ruled {
			out.BackfillRequests = append(out.BackfillRequests, backfillOf(v))
		}
	}
	out.BackfillRequests, out.NextToken, err = pageOf(out.BackfillRequests, in.NextToken, in.MaxResults, maxTagsListed, func(r *CostAllocationTagBackfillRequest) string { return r.RequestedAt + r.BackfillFrom })
	return out, err
}
