package costapi

import "outcrop/awsapi"

// Operations are what the door puts before this API.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		onView("GetCostAndUsage", func(in *GetCostAndUsageInput) string { return in.BillingViewArn }, a.getCostAndUsage),
		onView("GetCostAndUsageWithResources", func(in *GetCostAndUsageWithResourcesInput) string { return in.BillingViewArn }, a.getCostAndUsageWithResources),
		onView("GetCostCategories", func(in *GetCostCategoriesInput) string { return in.BillingViewArn }, a.getCostCategories),
		onView("GetCostForecast", func(in *GetCostForecastInput) string { return in.BillingViewArn }, a.getCostForecast),
		onView("GetDimensionValues", func(in *GetDimensionValuesInput) string { return in.BillingViewArn }, a.getDimensionValues),
		onView("GetTags", func(in *GetTagsInput) string { return in.BillingViewArn }, a.getTags),
		onView("GetUsageForecast", func(in *GetUsageForecastInput) string { return in.BillingViewArn }, a.getUsageForecast),
		awsapi.Op("ListCostAllocationTags", a.listCostAllocationTags),
		awsapi.Op("UpdateCostAllocationTagsStatus", a.updateCostAllocationTagsStatus),
		awsapi.Op("StartCostAllocationTagBackfill", a.startCostAllocationTagBackfill),
		awsapi.Op("ListCostAllocationTagBackfillHistory", a.listCostAllocationTagBackfillHistory),

		awsapi.Op("CreateCostCategoryDefinition", a.createCostCategoryDefinition),
		awsapi.Op("ListCostCategoryDefinitions", a.listCostCategoryDefinitions),
		onOne("DescribeCostCategoryDefinition", func(in *DescribeCostCategoryDefinitionInput) string { return in.CostCategoryArn }, a.describeCostCategoryDefinition),
		onOne("UpdateCostCategoryDefinition", func(in *UpdateCostCategoryDefinitionInput) string { return in.CostCategoryArn }, a.updateCostCategoryDefinition),
		onOne("DeleteCostCategoryDefinition", func(in *DeleteCostCategoryDefinitionInput) string { return in.CostCategoryArn }, a.deleteCostCategoryDefinition),

		awsapi.Op("CreateAnomalyMonitor", a.createAnomalyMonitor),
		awsapi.Op("CreateAnomalySubscription", a.createAnomalySubscription),
		awsapi.Op("ProvideAnomalyFeedback", a.provideAnomalyFeedback),
		onOne("GetAnomalies", func(in *GetAnomaliesInput) string { return in.MonitorArn }, a.getAnomalies),
		onAll("GetAnomalyMonitors", func(in *GetAnomalyMonitorsInput) []string { return in.MonitorArnList }, a.getAnomalyMonitors),
		onAll("GetAnomalySubscriptions", func(in *GetAnomalySubscriptionsInput) []string { return in.SubscriptionArnList }, a.getAnomalySubscriptions),
		onOne("UpdateAnomalyMonitor", func(in *UpdateAnomalyMonitorInput) string { return in.MonitorArn }, a.updateAnomalyMonitor),
		onOne("UpdateAnomalySubscription", func(in *UpdateAnomalySubscriptionInput) string { return in.SubscriptionArn }, a.updateAnomalySubscription),
		onOne("DeleteAnomalyMonitor", func(in *DeleteAnomalyMonitorInput) string { return in.MonitorArn }, a.deleteAnomalyMonitor),
		onOne("DeleteAnomalySubscription", func(in *DeleteAnomalySubscriptionInput) string { return in.SubscriptionArn }, a.deleteAnomalySubscription),

		onOne("ListTagsForResource", func(in *ListTagsForResourceInput) string { return in.ResourceArn }, a.listTagsForResource),
		onOne("TagResource", func(in *TagResourceInput) string { return in.ResourceArn }, a.tagResource),
		onOne("UntagResource", func(in *UntagResourceInput) string { return in.ResourceArn }, a.untagResource),
	}
}
