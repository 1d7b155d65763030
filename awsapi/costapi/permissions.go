package costapi

import (
	"context"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
)

// onView puts an operation behind the door, which asks about the billing view
// that the request names. Without one it asks about "*", as AWS's reference
// has it: billing views are an optional resource of Cost Explorer's actions.
func onView[In, Out any](
	name string, view func(*In) string,
	fn func(context.Context, outcrop.Caller, *In) (*Out, error),
) awsapi.Handler {
	return awsapi.OpOn(name, func(_ context.Context, _ outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return []iam.Check{{Action: op.Action, Resource: outcrop.ARN(view(in))}}
	}, fn)
}

// onOne asks about the one resource that a request names; without one, about
// all.
func onOne[In, Out any](
	name string, arn func(*In) string,
	fn func(context.Context, outcrop.Caller, *In) (*Out, error),
) awsapi.Handler {
	return onView(name, arn, fn)
}

// onAll asks about every resource that a request names.
func onAll[In, Out any](
	name string, arns func(*In) []string,
	fn func(context.Context, outcrop.Caller, *In) (*Out, error),
) awsapi.Handler {
	return awsapi.OpOn(name, func(_ context.Context, _ outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		var checks []iam.Check
		for _, arn := range arns(in) {
			checks = append(checks, iam.Check{Action: op.Action, Resource: outcrop.ARN(arn)})
		}
		if len(checks) == 0 {
			checks = []iam.Check{{Action: op.Action}}
		}
		return checks
	}, fn)
}
