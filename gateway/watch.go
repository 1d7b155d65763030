package gateway

import (
	"context"

	"outcrop"
)

// refused tells of a call that was turned away before it had a record, so that
// metrics count it. A client that went away was not turned away.
func (g *Gateway) refused(call *Call, err error) {
	if err == nil {
		return
	}
	if g.Refused != nil {
		g.Refused(call.Caller, call.target, err)
	}
	if call.allowed && outcrop.KindOf(err) == outcrop.Invalid {
		g.tellRefusal(call, err)
	}
}

// tellRefusal hands over a call that its caller may make and that was refused
// as invalid: as on AWS it is logged with its error, and has no record.
func (g *Gateway) tellRefusal(call *Call, err error) {
	x := g.exchange(call)
	if x == nil {
		return
	}
	x.Record = outcrop.UsageRecord{
		Invocation: call.Invocation, Operation: call.Operation, Account: call.Caller.Account, Principal: call.Caller.Principal,
		AccessKey: call.Caller.AccessKey, SDKAttempt: call.SDKAttempt, Started: call.Received, Ended: g.Now(),
		Region: call.target.Region, ModelRef: call.Ref.Text, MetricID: call.target.MetricID(),
		Profile: call.target.ProfileARN(), Model: call.target.Model.ID, Geography: call.target.Geography,
		Binding: call.Binding, Tags: call.target.Tags, Outcome: outcomeOf(err, ""),
	}
	g.Exchanges.Finished(x)
}

// trace begins the span of an attempt, where traces are kept.
func (g *Gateway) trace(ctx context.Context, a *outcrop.Attempt) (context.Context, func(error)) {
	if g.Trace == nil {
		return ctx, func(error) {}
	}
	return g.Trace(ctx, a)
}
