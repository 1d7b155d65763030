// Package adminapi answers Outcrop's own service: what AWS has no word for,
// behind the same door, signatures and policies as everything else.
package adminapi

import (
	"context"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/gateway"
	"outcrop/iam"
	"outcrop/profile"
)

// An API is Outcrop's own service for the account and Region of each caller.
type API struct {
	Bindings *profile.Bindings
	Mistakes *gateway.Mistakes
	Routes   Routes
	Meter    Meter
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return append(a.routeOperations(),
		awsapi.OpOn("PutModelBinding", a.onBind, a.putModelBinding),
		awsapi.Op("DeleteModelBinding", a.deleteModelBinding),
		awsapi.Op("ListModelBindings", a.listModelBindings),
		awsapi.Op("ListClientMistakes", a.listClientMistakes),
		awsapi.Op("AuditUsage", a.auditUsage),
		awsapi.Op("ListUsageRecords", a.listUsageRecords),
	)
}

// onBind asks about the profile that calls are to be billed to.
func (a *API) onBind(_ context.Context, who outcrop.Caller, op iam.Operation, in *PutModelBindingInput) []iam.Check {
	arn := outcrop.ARN(in.ProfileArn)
	if outcrop.ParseModelRef(in.ProfileArn).Kind == outcrop.RefBare {
		arn = outcrop.ApplicationProfileARN(who.Region, who.Account, in.ProfileArn)
	}
	return []iam.Check{{Action: op.Action, Resource: arn}}
}

func keyOf(who outcrop.Caller, model, principal string) profile.BindingKey {
	return profile.BindingKey{Account: who.Account, Region: who.Region, ModelID: model, Principal: outcrop.ARN(principal)}
}

func (a *API) putModelBinding(ctx context.Context, who outcrop.Caller, in *PutModelBindingInput) (*PutModelBindingOutput, error) {
	made, err := a.Bindings.Bind(ctx, keyOf(who, in.ModelId, in.Principal), in.ProfileArn)
	if err != nil {
		return nil, err
	}
	shown := describe(made)
	return &PutModelBindingOutput{Binding: &shown}, nil
}

func (a *API) deleteModelBinding(ctx context.Context, who outcrop.Caller, in *DeleteModelBindingInput) (*DeleteModelBindingOutput, error) {
	if err := a.Bindings.Unbind(ctx, keyOf(who, in.ModelId, in.Principal)); err != nil {
		return nil, err
	}
	return &DeleteModelBindingOutput{}, nil
}

func (a *API) listModelBindings(_ context.Context, who outcrop.Caller, _ *ListModelBindingsInput) (*ListModelBindingsOutput, error) {
	out := &ListModelBindingsOutput{Bindings: []ModelBinding{}}
	for _, b := range a.Bindings.List(who.Account, who.Region) {
		out.Bindings = append(out.Bindings, describe(b))
	}
	return out, nil
}

func describe(b profile.Binding) ModelBinding {
	return ModelBinding{ModelId: b.ModelID, ProfileArn: string(b.Profile), Principal: string(b.Principal), Created: b.Created, Origin: b.Origin}
}

// listClientMistakes tells those of all Regions: to be signed for the wrong
// one is such a mistake.
func (a *API) listClientMistakes(_ context.Context, who outcrop.Caller, _ *ListClientMistakesInput) (*ListClientMistakesOutput, error) {
	out := &ListClientMistakesOutput{Mistakes: []Mistake{}}
	for _, m := range a.Mistakes.List(who.Account) {
		count := int64(m.Count)
		out.Mistakes = append(out.Mistakes, Mistake{
			Kind: string(m.Kind), ModelId: m.ModelID, Principal: string(m.Principal), Count: &count, First: m.First, Last: m.Last, Cure: m.Kind.Cure(),
		})
	}
	return out, nil
}
