package metricsapi

import (
	"context"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
)

// onAlarms puts an operation behind the door, which asks about each alarm that
// the request names, or about all of them.
func onAlarms[In, Out any](name string, names func(*In) []string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) awsapi.Handler {
	return awsapi.OpOn(name, func(_ context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		kind, _ := op.ResourceType("alarm")
		var checks []iam.Check
		for _, n := range names(in) {
			checks = append(checks, iam.Check{Action: op.Action, Resource: kind.ARN(who.Region, who.Account, n)})
		}
		if len(checks) == 0 {
			checks = []iam.Check{{Action: op.Action, Resource: kind.ARN(who.Region, who.Account)}}
		}
		return checks
	}, fn)
}

// onDashboards is onAlarms for dashboards.
func onDashboards[In, Out any](name string, names func(*In) []string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) awsapi.Handler {
	return awsapi.OpOn(name, func(_ context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		var checks []iam.Check
		for _, n := range names(in) {
			checks = append(checks, iam.Check{Action: op.Action, Resource: outcrop.ARN(dashboardARN(who, n))})
		}
		return checks
	}, fn)
}

// onResource puts an operation behind the door, which asks about the resource
// whose ARN the request has.
func onResource[In, Out any](name string, arn func(*In) string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) awsapi.Handler {
	return awsapi.OpOn(name, func(_ context.Context, _ outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return []iam.Check{{Action: op.Action, Resource: outcrop.ARN(arn(in))}}
	}, fn)
}

// putAlarmWhere asks about the alarm with the tags that it is to have.
func putAlarmWhere(_ context.Context, who outcrop.Caller, op iam.Operation, in *PutMetricAlarmInput) []iam.Check {
	kind, _ := op.ResourceType("alarm")
	check := iam.Check{Action: op.Action, Resource: kind.ARN(who.Region, who.Account, in.AlarmName)}
	tags := outcrop.Tags{}
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	if len(tags) > 0 {
		check.Context.SetRequestTags(tags)
	}
	return []iam.Check{check}
}
