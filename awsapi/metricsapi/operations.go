package metricsapi

import "outcrop/awsapi"

// Operations are what the door puts before this API.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("ListMetrics", a.listMetrics),
		awsapi.Op("GetMetricData", a.getMetricData),
		awsapi.Op("GetMetricStatistics", a.getMetricStatistics),
		awsapi.OpOn("PutMetricData", putWhere, a.putMetricData),
	}
}
