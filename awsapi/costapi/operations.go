package costapi

import "outcrop/awsapi"

// Operations are what the door puts before this API.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("GetCostAndUsage", a.getCostAndUsage),
		awsapi.Op("GetDimensionValues", a.getDimensionValues),
		awsapi.Op("GetTags", a.getTags),
		awsapi.Op("ListCostAllocationTags", a.listCostAllocationTags),
		awsapi.Op("UpdateCostAllocationTagsStatus", a.updateCostAllocationTagsStatus),
	}
}
