package metricsapi

import "outcrop/awsapi"

// Operations are what the door puts before this API.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.Op("ListMetrics", a.listMetrics),
		awsapi.Op("GetMetricData", a.getMetricData),
		awsapi.Op("GetMetricStatistics", a.getMetricStatistics),
		awsapi.OpOn("PutMetricData", putWhere, a.putMetricData),

		awsapi.OpOn("PutMetricAlarm", putAlarmWhere, a.putMetricAlarm),
		onAlarms("DescribeAlarms", func(in *DescribeAlarmsInput) []string { return in.AlarmNames }, a.describeAlarms),
		awsapi.Op("DescribeAlarmsForMetric", a.describeAlarmsForMetric),
		onAlarms("DescribeAlarmHistory", func(in *DescribeAlarmHistoryInput) []string { return named(in.AlarmName) }, a.describeAlarmHistory),
		onAlarms("DeleteAlarms", func(in *DeleteAlarmsInput) []string { return in.AlarmNames }, a.deleteAlarms),
		onAlarms("SetAlarmState", func(in *SetAlarmStateInput) []string { return named(in.AlarmName) }, a.setAlarmState),
		onAlarms("EnableAlarmActions", func(in *EnableAlarmActionsInput) []string { return in.AlarmNames }, a.enableAlarmActions),
		onAlarms("DisableAlarmActions", func(in *DisableAlarmActionsInput) []string { return in.AlarmNames }, a.disableAlarmActions),

		onDashboards("PutDashboard", func(in *PutDashboardInput) []string { return named(in.DashboardName) }, a.putDashboard),
		onDashboards("GetDashboard", func(in *GetDashboardInput) []string { return named(in.DashboardName) }, a.getDashboard),
		awsapi.Op("ListDashboards", a.listDashboards),
		onDashboards("DeleteDashboards", func(in *DeleteDashboardsInput) []string { return in.DashboardNames }, a.deleteDashboards),

		onResource("TagResource", func(in *TagResourceInput) string { return in.ResourceARN }, a.tagResource),
		onResource("UntagResource", func(in *UntagResourceInput) string { return in.ResourceARN }, a.untagResource),
		onResource("ListTagsForResource", func(in *ListTagsForResourceInput) string { return in.ResourceARN }, a.listTagsForResource),
	}
}

// named is a list of one name, or empty without one.
func named(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}
