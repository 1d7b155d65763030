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
