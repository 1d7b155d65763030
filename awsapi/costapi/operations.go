package costapi

import "outcrop/awsapi"

// Operations are what the door puts before this API.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		onView("GetCostAndUsage", func(in *GetCostAndUsageInput) string { return in.BillingViewArn }, a.getCostAndUsage),
		onView("GetDimensionValues", func(in *GetDimensionValuesInput) string { return in.BillingViewArn }, a.getDimensionValues),
		onView("GetTags", func(in *GetTagsInput) string { return in.BillingViewArn }, a.getTags),
		awsapi.Op("ListCostAllocationTags", a.listCostAllocationTags),
		awsapi.Op("UpdateCostAllocationTagsStatus", a.updateCostAllocationTagsStatus),
	}
}
